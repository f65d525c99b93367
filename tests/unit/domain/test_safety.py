"""What a charger reports of its own safety: what is alarming is a finding, and no charger makes them without end."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from domain import chargers, findings, safety
from domain.models import now


@pytest.fixture
def street(db: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Two chargers, of each of which three findings of a kind may wait."""
    monkeypatch.setattr(safety, "WAITING", 3)
    for charger_id in ("BLR-1", "BLR-2"):
        chargers.add(db, charger_id)
    return db


def test_alarms_of_one_charger_have_an_end(street: Session) -> None:
    """It tells the times itself, and each was a finding: 200 a second, all shown to operators."""
    moment = now()
    for charger_id in ("BLR-1", "BLR-2"):
        for second in range(6):
            at = moment + timedelta(seconds=second)
            told = {"kind": "TamperDetectionActivated", "detail": f"door {second}", "at": at, "received_at": moment}
            safety.report(street, charger_id, **told)
    found = findings.unresolved(street)
    assert [(one.kind, one.ref.partition(":")[0]) for one in found] == [("security", "BLR-1")] * 4 + [
        ("security", "BLR-2")
    ] * 4
    assert (found[3].ref, found[3].detail) == ("BLR-1:more", "3 more of these of BLR-1 wait. The last: door 5")


def test_old_events_are_forgotten_and_findings_stay(street: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "FORGOTTEN_AT_ONCE", 2)
    came = now()
    for day in range(5):
        told = {"kind": "TamperDetectionActivated", "detail": f"door {day}", "at": came + timedelta(days=day)}
        safety.report(street, "BLR-1", **told, received_at=came + timedelta(days=day))
    at = came + safety.KEPT + timedelta(days=2, seconds=1)
    assert [safety.forget(street, at) for _ in range(3)] == [2, 1, 0]
    assert [event.detail for event in safety.newest(street, "BLR-1")] == ["door 4", "door 3"]
    assert len(findings.unresolved(street)) == 4


def test_requests_for_certificates_of_one_charger_have_an_end(street: Session) -> None:
    for number in range(6):
        safety.certificate_wanted(street, "BLR-1", f"-----BEGIN CERTIFICATE REQUEST-----{number}")
    safety.certificate_wanted(street, "BLR-1", "-----BEGIN CERTIFICATE REQUEST-----0")
    found = findings.unresolved(street)
    assert [one.kind for one in found] == ["certificate-wanted"] * 4
    assert found[3].detail.startswith("3 more of these of BLR-1 wait. The last: SignCertificate")
