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


def test_requests_for_certificates_of_one_charger_have_an_end(street: Session) -> None:
    for number in range(6):
        safety.certificate_wanted(street, "BLR-1", f"-----BEGIN CERTIFICATE REQUEST-----{number}")
    safety.certificate_wanted(street, "BLR-1", "-----BEGIN CERTIFICATE REQUEST-----0")
    found = findings.unresolved(street)
    assert [one.kind for one in found] == ["certificate-wanted"] * 4
    assert found[3].detail.startswith("3 more of these of BLR-1 wait. The last: SignCertificate")
