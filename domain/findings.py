"""What an operator must look at: kept once each, never mended behind his back."""

import structlog
from sqlalchemy import Integer, func, literal_column
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from domain import trail
from domain.db import storable
from domain.models import Finding, User, now
from domain.sentences import Sentence
from domain.trail import Actor

log = structlog.get_logger()

REFUND_DUE = "refund-due"
CHANGED = Sentence("It says something else by now. Read it again, then resolve it.")
SEEN_TO = Sentence("Somebody has resolved it meanwhile.")
TAKEN = Sentence("Somebody else was faster. Look who is at it now.")
NOBODY = ""
"""Of those that nobody has taken."""
_FEW = literal_column("+findings.id", Integer)
"""The number of those that wait: by the bare one a database walks all that were ever resolved to find the newest."""


class Changed(Exception):
    """A finding is not any more what whoever acts on it has read; the argument is a sentence for him."""


def note(db: Session, kind: str, ref: str, detail: str) -> None:
    """Keep a finding; the same kind and reference again changes nothing."""
    kind, ref, detail = kind[:30], storable(ref, 100), storable(detail, 500)
    if _known(db, kind, ref) is None:
        db.add(Finding(kind=kind, ref=ref, detail=detail))
        db.flush()
        log.warning("finding", kind=kind, ref=ref, detail=detail)


def renew(db: Session, kind: str, ref: str, detail: str) -> None:
    """Keep a finding with its newest words; one that was resolved and is true again is open again."""
    kind, ref, detail = kind[:30], storable(ref, 100), storable(detail, 500)
    finding = _locked(db, kind, ref)
    if finding is None:
        note(db, kind, ref, detail)
        return
    if finding.resolved_at is not None:
        log.warning("finding", kind=kind, ref=ref, detail=detail, again=True)
        finding.taken_by = finding.taken_at = None
    finding.detail = detail
    finding.resolved_at = finding.resolved_by = finding.resolution = None


def count(db: Session, kind: str, ref: str, detail: str) -> None:
    """Keep one finding for what comes again and again: before `detail` stands how often since somebody looked."""
    told = _waiting(_locked(db, kind, ref))
    before = int(told.detail.partition(" ")[0]) if told is not None else 0
    renew(db, kind, ref, f"{before + 1} {detail}")


def refund_due(db: Session, user_id: int, ref: str, came: str) -> None:
    """Money that comes to somebody who is blocked or has left may have to go back, and he cannot ask for it (R34).

    `came` says how much it is and how it came; what was told of this reference and waits still is told before it.
    """
    if db.get_one(User, user_id).blocked_at is None:
        return
    told = _waiting(_locked(db, REFUND_DUE, ref))
    said = f"{came} a driver who is blocked or has left; they may have to go back."
    renew(db, REFUND_DUE, ref, f"{told.detail} {said}" if told is not None else said)


def waits(db: Session, kind: str, ref: str) -> bool:
    """Whether there is such a finding that nobody has resolved."""
    return _waiting(_known(db, kind, ref)) is not None


def waiting(db: Session, kind: str, beginning: str) -> int:
    """How many of a kind, whose references begin so, nobody has resolved."""
    of_these = Finding.kind == kind, col(Finding.ref).startswith(beginning, autoescape=True)
    return db.exec(select(func.count()).where(*of_these, col(Finding.resolved_at).is_(None))).one()


def known(db: Session, kind: str, ref: str) -> bool:
    """Whether there is such a finding, resolved or not."""
    return _known(db, kind, ref) is not None


def unresolved(db: Session) -> list[Finding]:
    """Oldest first."""
    return list(db.exec(select(Finding).where(col(Finding.resolved_at).is_(None)).order_by(_FEW)))


def kinds(db: Session) -> dict[str, int]:
    """How many wait, by kind, the most frequent first."""
    many = func.count().label("many")
    query = select(Finding.kind, many).where(col(Finding.resolved_at).is_(None)).group_by(Finding.kind)
    return dict(db.exec(query.order_by(many.desc(), col(Finding.kind))).all())


def page(
    db: Session,
    *,
    kind: str = "",
    taken_by: str | None = None,
    resolved: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> list[Finding]:
    """Those somebody must look at, or those somebody has, of one kind or of all, the newest first.

    With `taken_by`, those that this one is at, or, with NOBODY, that nobody is at.
    """
    looked_at, number = col(Finding.resolved_at), col(Finding.id) if resolved else _FEW
    query = select(Finding).where(looked_at.is_not(None) if resolved else looked_at.is_(None))
    query = query.order_by(number.desc()).limit(limit)
    if kind:
        query = query.where(Finding.kind == kind)
    if taken_by is not None:
        query = query.where(col(Finding.taken_by) == (taken_by or None))
    return list(db.exec(query if before is None else query.where(number < before)))


def take(db: Session, finding_id: int, by: Actor, *, seen: str | None) -> Finding:
    """Somebody is at it from now on, in the place of whom he has `seen` at it.

    Raises:
        NoResultFound: there is no such finding.
        Changed: it is resolved, or somebody else is at it by now.
    """
    finding = _theirs(db, finding_id, seen)
    finding.taken_by, finding.taken_at = str(by)[:100], now()
    trail.note(db, by, "findings take", f"finding:{finding_id}", f"{finding.kind} {finding.ref}")
    return finding


def let_go(db: Session, finding_id: int, by: Actor, *, seen: str | None) -> Finding:
    """Nobody is at it any more: it is there for the next shift.

    Raises: as `take`.
    """
    finding = _theirs(db, finding_id, seen)
    finding.taken_by = finding.taken_at = None
    trail.note(db, by, "findings let-go", f"finding:{finding_id}", f"{finding.kind} {finding.ref}")
    return finding


def _theirs(db: Session, finding_id: int, seen: str | None) -> Finding:
    finding = db.get_one(Finding, finding_id, with_for_update=True, populate_existing=True)
    if finding.resolved_at is not None:
        raise Changed(SEEN_TO)
    if finding.taken_by != seen:
        raise Changed(TAKEN)
    return finding


def resolve(db: Session, finding_id: int, by: Actor, words: str = "", *, read: str | None = None) -> bool:
    """An operator has looked, and says in `words` what came of it; whether he was the first to.

    With the detail that he has `read`, he resolves that and nothing that came since.

    Raises:
        NoResultFound: there is no such finding.
        Changed: it says something else by now; it waits still.
    """
    finding = db.get_one(Finding, finding_id, with_for_update=True, populate_existing=True)
    if finding.resolved_at is not None:
        return False
    if read not in (None, finding.detail):
        raise Changed(CHANGED)
    finding.resolved_at, finding.resolved_by, finding.resolution = now(), str(by)[:100], words[:500]
    trail.note(db, by, "findings resolve", f"finding:{finding_id}", f"{finding.kind} {finding.ref}. {words}".strip())
    return True


def _known(db: Session, kind: str, ref: str) -> Finding | None:
    return db.exec(_named(kind, ref)).first()


def _locked(db: Session, kind: str, ref: str) -> Finding | None:
    """As it is now, and nobody resolves it before this transaction ends: what is true again would stay resolved."""
    return db.exec(_named(kind, ref).with_for_update().execution_options(populate_existing=True)).first()


def _named(kind: str, ref: str) -> SelectOfScalar[Finding]:
    return select(Finding).where(Finding.kind == kind, Finding.ref == ref)


def _waiting(known: Finding | None) -> Finding | None:
    return known if known is not None and known.resolved_at is None else None
