"""What does not fit together, found for an operator and never mended behind his back (payments.md 2.4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from domain import findings
from domain.audit import audit
from domain.models import IS_HELD, IS_OPEN, ChargingSession, Hold, RechargeOrder, Refund, SessionState
from domain.money import plain_rupees

UNSETTLED = timedelta(minutes=5)
"""A stop and its bill are one transaction; so long after a stop there must be one."""
OVERDUE = timedelta(minutes=10)
"""The sweeper works what is due within seconds; so long after, nobody does."""
NAMED = 100
"""How many rows of one kind a run names; so many have one cause."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Two things that should agree and do not: what kind, about what, and in words for the operator."""

    kind: str
    ref: str
    detail: str


def of_books(db: Session) -> list[Discrepancy]:
    """Every rule of the ledger that does not hold, with the rows that break it; reads the whole ledger."""
    broken = (check for check in audit(db) if check.broken)
    return [Discrepancy("audit", check.says, f"Broken by {', '.join(check.broken)}.") for check in broken]


def of_moments(db: Session, at: datetime) -> list[Discrepancy]:
    """What should have happened by now and did not: bills, ends of holds, deadlines. Cheap."""
    return [*_unsettled(db, at), *_orphan_holds(db), *_overdue(db, at)]


def keep(db: Session, found: Iterable[Discrepancy]) -> None:
    """Make each a finding; one that was resolved and is there again is open again."""
    for each in found:
        findings.renew(db, each.kind, each.ref, each.detail)


def _unsettled(db: Session, at: datetime) -> list[Discrepancy]:
    """An interrupted charge has stopped too, but waits for its stop: its deadline is looked at below. One becomes
    SETTLED with its bill (`settlement.settle`), so only open ones can lack theirs."""
    unbilled = col(ChargingSession.stopped_at) < at - UNSETTLED, col(ChargingSession.settled_at).is_(None)
    sessions = db.exec(select(ChargingSession).where(IS_OPEN, *unbilled).limit(NAMED))
    return [Discrepancy("unsettled", s.ref, f"It stopped and was never billed; it is {s.state}.") for s in sessions]


def _orphan_holds(db: Session) -> list[Discrepancy]:
    """Money set aside for a charge that is over."""
    holds = db.exec(
        select(Hold, ChargingSession)
        .join(ChargingSession, col(ChargingSession.id) == Hold.session_id)
        .where(IS_HELD)
        .where(col(ChargingSession.state).in_((SessionState.SETTLED, SessionState.CANCELLED)))
        .limit(NAMED)
    )
    return [
        Discrepancy("orphan-hold", session.ref, f"{plain_rupees(hold.amount_paise)} are held for what is over.")
        for hold, session in holds
    ]


def _overdue(db: Session, at: datetime) -> list[Discrepancy]:
    """Whoever works the deadlines does not, or fails at this one again and again."""
    late = at - OVERDUE
    sessions = db.exec(select(ChargingSession).where(col(ChargingSession.due_at) < late).limit(NAMED))
    orders = db.exec(select(RechargeOrder).where(col(RechargeOrder.due_at) < late).limit(NAMED))
    refunds = db.exec(select(Refund).where(col(Refund.due_at) < late).limit(NAMED))
    due = [
        *((s.ref, s.state, s.due_at) for s in sessions),
        *((o.merchant_order_id, o.state, o.due_at) for o in orders),
        *((r.merchant_refund_id, r.state, r.due_at) for r in refunds),
    ]
    return [
        Discrepancy("overdue", ref, f"It is {state} and was due at {moment:%Y-%m-%d %H:%M} UTC. Does the server run?")
        for ref, state, moment in due
        if moment is not None
    ]
