"""The shell's commands for processes, and for a database that was restored."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlmodel import Session

from domain import arrivals, chargers, charging, processes
from domain.db import Database
from domain.models import SessionState, now
from domain.settings import settings
from domain.shell.machines import AHEAD
from tests.money import house
from tests.money.charges import METER, Desk
from tests.unit.domain.test_shell import here, run, street

__all__ = ["here", "run", "street"]


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch, here: Path) -> Iterator[Database]:
    monkeypatch.setattr(settings(), "database_url", database_url)
    with closing(Database(database_url)) as database:
        yield database
        assert database.now(house.broken)[0] == []


def live(db: Session) -> None:
    for name, kind in (("a" * 32, "web"), ("b" * 32, "csms")):
        processes.begin(db, name, kind, now())
    processes.opened_door(db, "b" * 32, 9000)
    for charger_id in ("BLR-1", "BLR-2"):
        chargers.add(db, charger_id)
        arrivals.connected(db, "b" * 32, [(charger_id, now())])
    fence = arrivals.holders(db, ["BLR-2"])["BLR-2"].fence
    arrivals.disconnected(db, [("BLR-2", now(), fence)])


def test_processes_are_listed_with_what_they_hold(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    assert len(run("process list").out.splitlines()) == 1
    database.now(live)
    head, csms, web = run("process list").out.splitlines()
    assert all(word in head for word in ("KIND", "SINCE", "LAST SIGN OF LIFE"))
    assert (csms.split()[0], csms.split()[1], csms.split()[-1]) == ("b" * 32, "csms", "1")
    assert csms.split()[2].endswith(":9000")
    assert (web.split()[1], web.split()[2], web.split()[-1]) == ("web", "-", "0")


def test_after_a_restore_no_number_of_a_charge_is_given_again(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    """A charge that the backup does not know goes on in the charger and ends under its own number."""
    said = run("backup restored")
    assert (said.code, said.err) == (0, "")
    assert f"The next charge is number {AHEAD + 1}:" in said.out
    assert run("backup restored").out == said.out, "typed again, it is the same"
    street.charger()
    asha = street.driver()
    session_id = street.charging(asha)
    assert (session_id, street.session(session_id).transaction_id) == (AHEAD + 1, AHEAD + 1)
    street.changes_nothing(street.stop, session_id, METER + 5_000, transaction_id=1)
    assert street.findings() == {"orphan-stop": 1}
    street.stop(session_id, METER)
    street.status("BLR-1", 1, "Available")
    assert f"number {2 * AHEAD + 2}:" in run("backup restored").out
    assert street.request(asha) == 2 * AHEAD + 2


LOST = 777
"""The number of a charge that began after the backup."""


def test_after_a_restore_only_its_own_number_lets_a_charge_go_on(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    """docs/backup.md: it ended after the backup, and somebody else's began there, of which the books know nothing."""
    asha, session_id = street.a_charge(kwh=2)
    wish = street.request(street.driver(), street.charger("BLR-2"))
    said = run("backup restored")
    assert (said.code, said.err) == (0, "")
    assert "until their chargers tell of them by number: 1." in said.out
    assert (street.state(session_id), street.state(wish)) == (SessionState.INTERRUPTED, SessionState.REQUESTED)
    assert street.money(asha).held_paise == 3_600
    street.passes(hours=1)
    street.status("BLR-1", 1, "Charging")
    for kwh in (30, 31, 32):
        street.passes(minutes=1)
        street.changes_nothing(street.meter, session_id, METER + kwh * 1_000, transaction_id=LOST)
    street.changes_nothing(street.stop, session_id, METER + 33_000, transaction_id=LOST, tag="LOSTCHARGE1234")
    street.passes(hours=24)
    assert street.sweep()[session_id] == ""
    assert street.bill(session_id) == (2_000, 3_600)


def test_after_a_restore_a_charge_that_runs_goes_on_and_is_settled(run, street: Desk) -> None:  # type: ignore[no-untyped-def]
    asha, session_id = street.a_charge(kwh=2)
    ending = street.charging(street.driver(), street.charger("BLR-2"))
    street.do(charging.request_stop, ending, "driver")
    assert "interrupted until their chargers tell of them by number: 2." in run("backup restored").out
    street.passes(minutes=10)
    for running, state in ((session_id, SessionState.CHARGING), (ending, SessionState.STOPPING)):
        street.meter(running, METER + 5_000)
        assert street.state(running) == state
    assert street.money(asha).held_paise == 100_000
    street.stop(session_id, METER + 6_000)
    assert street.bill(session_id) == (6_000, 10_800)
    assert "by number: 1." in run("backup restored").out, "the other one goes on"
    assert "interrupted" not in run("backup restored").out
