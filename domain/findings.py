"""What an operator must look at: kept once each, never mended behind his back."""

import structlog
from sqlmodel import Session, col, select

from domain.models import Finding, now

log = structlog.get_logger()


def note(db: Session, kind: str, ref: str, detail: str) -> None:
    """Keep a finding; the same kind and reference again changes nothing."""
    kind, ref, detail = kind[:30], ref[:100], detail[:500]
    if db.exec(select(Finding).where(Finding.kind == kind, Finding.ref == ref)).first() is None:
        db.add(Finding(kind=kind, ref=ref, detail=detail))
        db.flush()
        log.warning("finding", kind=kind, ref=ref, detail=detail)


def renew(db: Session, kind: str, ref: str, detail: str) -> None:
    """Keep a finding with its newest words; one that was resolved and is true again is open again."""
    kind, ref, detail = kind[:30], ref[:100], detail[:500]
    finding = db.exec(select(Finding).where(Finding.kind == kind, Finding.ref == ref)).first()
    if finding is None:
        note(db, kind, ref, detail)
        return
    if finding.resolved_at is not None:
        log.warning("finding", kind=kind, ref=ref, detail=detail, again=True)
    finding.detail, finding.resolved_at = detail, None
    db.add(finding)


def unresolved(db: Session) -> list[Finding]:
    """Oldest first."""
    return list(db.exec(select(Finding).where(col(Finding.resolved_at).is_(None)).order_by(col(Finding.id))))


def resolve(db: Session, finding_id: int) -> None:
    """An operator has looked."""
    finding = db.get_one(Finding, finding_id)
    finding.resolved_at = now()
    db.add(finding)
