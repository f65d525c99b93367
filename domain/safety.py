"""What chargers report of their own safety: kept, and the operator told of what no ordinary day has."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from domain import findings
from domain.models import SecurityEvent

ALARMING = ("MemoryExhaustion", "SecurityLogWasCleared", "TamperDetectionActivated")
"""Critical events of the white paper, without those that every reboot and update brings."""
WAITING = 50
"""Findings of one kind about one charger that wait for somebody: those beyond are counted in one finding."""
SHOWN = 5
"""Events of a charger that its operator is shown, the newest."""
KEPT = timedelta(days=180)
"""As CERT-In's directions of 28 April 2022 have it for logs of what is connected; findings stay for ever."""
FORGOTTEN_AT_ONCE = 5_000
"""Events one transaction deletes, so that no charge waits for a broom."""


def report(db: Session, charger_id: str, *, kind: str, detail: str, at: datetime, received_at: datetime) -> None:
    """Keep a SecurityEventNotification; an alarming one is a finding, too."""
    db.add(SecurityEvent(charger_id=charger_id, kind=kind[:50], detail=detail[:255], at=at, received_at=received_at))
    if kind in ALARMING:
        _find(db, "security", charger_id, f"{kind}:{at.isoformat()}", detail or kind)


def newest(db: Session, charger_id: str) -> list[SecurityEvent]:
    """What a charger said last of its own safety, the newest first."""
    events = select(SecurityEvent).where(SecurityEvent.charger_id == charger_id)
    return list(db.exec(events.order_by(col(SecurityEvent.id).desc()).limit(SHOWN)))


def forget(db: Session, at: datetime) -> int:
    """Delete those of the 5,000 oldest events that came more than KEPT ago; gives how many went.

    They are numbered as they come, so that no index of times is needed.
    """
    oldest = select(SecurityEvent.id, SecurityEvent.received_at).order_by(col(SecurityEvent.id))
    ids = [number for number, came in db.exec(oldest.limit(FORGOTTEN_AT_ONCE)) if came < at - KEPT]
    db.execute(delete(SecurityEvent).where(col(SecurityEvent.id).in_(ids)))
    return len(ids)


def certificate_wanted(db: Session, charger_id: str, request: str) -> None:
    """A charger asks for a certificate: whoever has the CA signs it and sends CertificateSigned.

    The request itself is in the journal; it is too long for a finding.
    """
    name = hashlib.sha256(request.encode()).hexdigest()[:16]
    _find(db, "certificate-wanted", charger_id, name, "SignCertificate: the request is in the journal.")


def _find(db: Session, finding: str, charger_id: str, name: str, detail: str) -> None:
    """A charger that says ever new things fills no list."""
    ref, beginning = f"{charger_id}:{name}", f"{charger_id}:"
    if findings.known(db, finding, ref) or findings.waiting(db, finding, beginning) < WAITING:
        findings.note(db, finding, ref, detail)
        return
    findings.count(db, finding, f"{charger_id}:more", f"more of these of {charger_id} wait. The last: {detail}")
