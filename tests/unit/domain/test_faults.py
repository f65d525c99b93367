"""What drivers report about a charger reaches the operator, once an hour each."""

import asyncio
import threading
from datetime import timedelta

import pytest
from sqlmodel import Session

from domain import chargers, faults, findings
from domain.chargers import ChargerUnknown
from domain.db import Database
from domain.faults import AGAIN, LONGEST, REASONS, Refused
from domain.models import now
from tests.money.house import driver
from tests.money.test_charging_at_once import processes


def test_a_report_is_a_finding(db: Session) -> None:
    asha = driver(db)
    chargers.add(db, "BLR-1")
    faults.report(db, asha, "BLR-1", "plug", "  the latch\nis broken  ")
    [finding] = findings.unresolved(db)
    assert finding.kind == "driver-report"
    assert finding.detail == "BLR-1: The plug or the cable is damaged. the latch is broken"


def test_words_that_no_database_takes_are_kept_without(db: Session) -> None:
    chargers.add(db, "BLR-1")
    faults.report(db, driver(db), "BLR-1", "other", "the la\x00tch \ud800")
    assert findings.unresolved(db)[0].detail == "BLR-1: Something else. the latch ?"


def test_once_an_hour_for_each_driver_and_charger(db: Session) -> None:
    asha, ravi = driver(db, "asha"), driver(db, "ravi")
    for charger_id in ("BLR_1", "BLR-1"):
        chargers.add(db, charger_id)
        faults.report(db, asha, charger_id, "slow")
    faults.report(db, ravi, "BLR-1", "slow")
    with pytest.raises(Refused, match="within the last hour"):
        faults.report(db, asha, "BLR-1", "other")
    for finding in findings.unresolved(db):
        finding.created_at -= AGAIN + timedelta(seconds=1)
        finding.ref = finding.ref[:-1] + "x"
        db.add(finding)
    db.flush()
    faults.report(db, asha, "BLR-1", "other")
    assert len(findings.unresolved(db)) == 4


async def test_two_processes_keep_one_of_two_reports(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either side of a minute, of which the reports are named: the second waits for the first."""
    asha = await database.transact(driver)
    await database.transact(chargers.add, "BLR-1")
    minutes = iter((now(), now() + timedelta(minutes=1)))
    monkeypatch.setattr(faults, "now", lambda: next(minutes))
    reported, let_go = threading.Event(), threading.Event()

    def report_slowly(db: Session) -> None:
        faults.report(db, asha, "BLR-1", "slow")
        reported.set()
        let_go.wait(20)

    async with processes(database_url, 2) as (one, other):
        first = asyncio.create_task(one.transact(report_slowly))
        await asyncio.to_thread(reported.wait, 20)
        second = asyncio.create_task(other.transact(faults.report, asha, "BLR-1", "other"))
        await asyncio.wait([second], timeout=0.3)
        let_go.set()
        await first
        with pytest.raises(Refused, match="within the last hour"):
            await second
    assert len(await database.read(findings.unresolved)) == 1


def test_what_is_no_report_is_refused(db: Session) -> None:
    asha = driver(db)
    chargers.add(db, "BLR-1")
    with pytest.raises(Refused, match="Choose what is wrong"):
        faults.report(db, asha, "BLR-1", "nonsense")
    with pytest.raises(ChargerUnknown):
        faults.report(db, asha, "NOSUCH", "slow")
    assert findings.unresolved(db) == []


def test_too_many_words_are_cut(db: Session) -> None:
    asha = driver(db)
    chargers.add(db, "BLR-1")
    faults.report(db, asha, "BLR-1", "other", "x" * 5_000)
    [finding] = findings.unresolved(db)
    assert finding.detail == f"BLR-1: {REASONS['other']} {'x' * LONGEST}"
