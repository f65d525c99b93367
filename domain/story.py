"""A wallet's story as its driver reads it: every line of it, newest first, and what became of a refund."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from domain import wallet
from domain.models import Entry, Refund, RefundState, Transfer
from domain.sentences import NOT_PAID_BACK, PAID_BACK

REFUNDS = {
    RefundState.COMPLETED: PAID_BACK,
    RefundState.FAILED: NOT_PAID_BACK,
    RefundState.REJECTED: NOT_PAID_BACK,
}
"""What a line says of a refund that has ended; the line itself stays as it was booked (payments.md R30)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a wallet's story. `amount_paise` is signed: money in is positive."""

    id: int
    at: datetime
    """When it was booked."""
    happened_at: datetime
    """When it happened; a charger that was offline may tell days later."""
    kind: str
    amount_paise: int
    balance_after_paise: int
    description: str
    ref: str
    arrears: bool


def lines(
    db: Session,
    user_id: int,
    *,
    before: int | None = None,
    limit: int | None = 20,
    since: datetime | None = None,
    until: datetime | None = None,
    kind: str = "",
) -> list[Line]:
    """A driver's money story, newest first, a page at a time by keyset (`before` is the last line's id).

    With `since` or `until` only what was booked from the one on and before the other; with `kind` only transfers of it.
    """
    query = (
        select(Entry, Transfer)
        .join(Transfer, col(Transfer.id) == Entry.transfer_id)
        .where(col(Entry.account_code).in_(wallet.of_driver(user_id)))
        .order_by(col(Entry.id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(Entry.id) < before)
    if since is not None:
        query = query.where(col(Entry.created_at) >= since)
    if until is not None:
        query = query.where(col(Entry.created_at) < until)
    if kind:
        query = query.where(Transfer.kind == kind)
    found = db.exec(query).all()
    ended = _ended_refunds(db, {transfer.ref for entry, transfer in found if transfer.kind == "refund"})
    return [_line(user_id, entry, transfer, ended) for entry, transfer in found]


def left_after(db: Session, user_id: int, ref: str) -> int | None:
    """Paise in a driver's wallet after what was booked last of one charge; None where it moved nothing there."""
    booked = (
        select(Entry.balance_after_paise)
        .join(Transfer, col(Transfer.id) == Entry.transfer_id)
        .where(Entry.account_code == wallet.wallet_code(user_id), Transfer.kind == "charging", Transfer.ref == ref)
        .order_by(col(Entry.id).desc())
    )
    return db.exec(booked).first()


def _line(user_id: int, entry: Entry, transfer: Transfer, ended: dict[str, str]) -> Line:
    """With what became of a refund, where it is the one that took the money out."""
    became = ended.get(transfer.ref) if entry.amount_paise < 0 else None
    return Line(
        id=entry.id,
        at=transfer.created_at,
        happened_at=transfer.event_at,
        kind=transfer.kind,
        amount_paise=entry.amount_paise,
        balance_after_paise=entry.balance_after_paise,
        description=became or transfer.description,
        ref=transfer.ref,
        arrears=entry.account_code == wallet.due_code(user_id),
    )


def _ended_refunds(db: Session, refs: set[str]) -> dict[str, str]:
    """What became of these refunds, by their merchant ids; those still on their way are left out."""
    if not refs:
        return {}
    refunds = db.exec(select(Refund).where(col(Refund.merchant_refund_id).in_(refs)))
    return {r.merchant_refund_id: REFUNDS[RefundState(r.state)] for r in refunds if r.state in REFUNDS}
