"""In bulk: bare statements and rules are one transaction, kept or not at all, and tried again like any other."""

from datetime import datetime

import pytest
from sqlmodel import Session, select

from domain.bulk import Bulk, text
from domain.db import Database, emit, read, transact
from domain.events import ChargerChanged
from domain.models import Finding
from tests.money.house import Heard

INSERT = "INSERT INTO findings (kind, ref, detail, created_at) VALUES ('test', '{}', '', '2026-01-01 00:00:00.000000')"


def bare(bulk: Bulk, ref: str) -> None:
    bulk.cursor.execute(INSERT.format(ref))


def by_rule(bulk: Bulk, ref: str) -> None:
    bulk.session.add(Finding(kind="test", ref=ref))
    bulk.session.flush()
    emit(bulk.session, ChargerChanged(ref))


def refs(db: Session) -> list[str]:
    return sorted(db.exec(select(Finding.ref)))


async def test_statements_and_rules_are_one_transaction(database: Database) -> None:
    heard = Heard(database)

    def both(bulk: Bulk) -> str:
        bare(bulk, "a")
        by_rule(bulk, "b")
        bulk.events.append(ChargerChanged("c"))
        bare(bulk, "c")
        return "done"

    assert await database.append(both) == "done"
    assert await read(refs) == ["a", "b", "c"]
    assert heard.events == [ChargerChanged("b"), ChargerChanged("c")]


async def test_what_fails_leaves_nothing_behind(database: Database) -> None:
    heard = Heard(database)

    def fail(bulk: Bulk) -> None:
        bare(bulk, "a")
        by_rule(bulk, "b")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.append(fail)
    await database.append(bare, "after")
    await transact(lambda db: db.add(Finding(kind="test", ref="too")))
    assert await read(refs) == ["after", "too"]
    assert heard.events == []


async def test_it_can_begin_anew(database: Database) -> None:
    def twice(bulk: Bulk) -> None:
        bare(bulk, "a")
        by_rule(bulk, "b")
        bulk.begin_anew()
        bare(bulk, "c")

    heard = Heard(database)
    await database.append(twice)
    assert (await read(refs), heard.events) == (["c"], [])


async def test_a_lost_race_of_bare_statements_is_run_again(database: Database) -> None:
    runs = 0

    def race(bulk: Bulk) -> None:
        nonlocal runs
        runs += 1
        bare(bulk, "same")
        if runs == 1:
            bare(bulk, "same")

    await database.append(race)
    assert (runs, await read(refs)) == (2, ["same"])


def test_a_time_is_written_in_utc_whatever_its_zone_is() -> None:
    """And leaves the second as it is for whoever tells one in UTC."""
    for moment in ("2031-11-22T12:30:05.000007+05:30", "2031-11-22T07:00:05.000007+00:00"):
        assert text(datetime.fromisoformat(moment), sqlite=True) == "2031-11-22 07:00:05.000007"
        assert text(datetime.fromisoformat(moment), sqlite=False) == "2031-11-22 07:00:05.000007+00"
