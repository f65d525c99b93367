"""What drivers report about a charger reaches the operator, once an hour each."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from domain import chargers, faults, findings
from domain.chargers import ChargerUnknown
from domain.faults import AGAIN, LONGEST, REASONS, Refused
from tests.money.house import driver


def test_a_report_is_a_finding(db: Session) -> None:
    asha = driver(db)
    chargers.add(db, "BLR-1")
    faults.report(db, asha, "BLR-1", "plug", "  the latch\nis broken  ")
    [finding] = findings.unresolved(db)
    assert finding.kind == "driver-report"
    assert finding.detail == "BLR-1: The plug or the cable is damaged. the latch is broken"


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
