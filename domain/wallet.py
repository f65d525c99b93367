"""The ledger: double entry in whole paise, append-only, every movement exactly once (payments.md 2.2-2.4)."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from domain.db import emit
from domain.events import WalletChanged
from domain.models import Account, Entry, Hold, HoldState, RechargeOrder, Refund, RefundState, Transfer, now
from domain.sentences import NOT_PAID_BACK, PAID_BACK, RECHARGED

GATEWAY = "gateway:phonepe"
CLEARING = "refund_clearing"
REVENUE = "revenue:charging"
GST = "gst:output"
GOODWILL = "adjust:goodwill"
SUSPENSE = "suspense"
HOUSE = {
    GATEWAY: "gateway",
    CLEARING: "clearing",
    REVENUE: "revenue",
    GST: "gst",
    GOODWILL: "goodwill",
    SUSPENSE: "suspense",
}
"""Accounts of the operator's own, and their kinds."""

REFUNDS = {
    RefundState.COMPLETED: PAID_BACK,
    RefundState.FAILED: NOT_PAID_BACK,
    RefundState.REJECTED: NOT_PAID_BACK,
}
"""What a line says of a refund that has ended; the line itself stays as it was booked (payments.md R30)."""


class LedgerConflict(Exception):
    """The same movement came again with other figures: nothing was moved, an operator must look."""


class InsufficientFunds(Exception):
    """The wallet has less free money than asked for."""


@dataclass(frozen=True, slots=True)
class Balance:
    """A driver's money in paise: what the wallet has, what charges hold of it, what is owed."""

    balance_paise: int
    held_paise: int
    arrears_paise: int

    @property
    def free_paise(self) -> int:
        return self.balance_paise - self.held_paise


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


def wallet_code(user_id: int) -> str:
    return f"wallet:{user_id}"


def due_code(user_id: int) -> str:
    return f"due:{user_id}"


def open_accounts(db: Session, user_id: int) -> None:
    """A new driver's wallet, never negative, and his arrears, never positive."""
    db.add(Account(code=wallet_code(user_id), kind="wallet", user_id=user_id))
    db.add(Account(code=due_code(user_id), kind="due", user_id=user_id, allow_negative=True))
    db.flush()


def balance(db: Session, user_id: int) -> Balance:
    """What a driver has, holds and owes, in paise."""
    wallet = db.get_one(Account, wallet_code(user_id))
    due = db.get_one(Account, due_code(user_id))
    return Balance(wallet.balance_paise, wallet.held_paise, -due.balance_paise)


def lock(db: Session, codes: Iterable[str]) -> dict[str, Account]:
    """The accounts, locked in the order of their codes so that no two transfers wait for each other."""
    wanted = sorted(set(codes))
    for code in wanted:
        if code in HOUSE and db.get(Account, code) is None:
            db.add(Account(code=code, kind=HOUSE[code], allow_negative=True))
            db.flush()
    found = db.exec(
        select(Account)
        .where(col(Account.code).in_(wanted))
        .order_by(Account.code)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    accounts = {account.code: account for account in found}
    if missing := set(wanted) - accounts.keys():
        raise LookupError(f"no account {', '.join(sorted(missing))}")
    return accounts


def post(
    db: Session,
    key: str,
    kind: str,
    postings: dict[str, int],
    *,
    ref: str = "",
    description: str = "",
    event_at: datetime | None = None,
) -> Transfer:
    """Move money between accounts, exactly once for each `key`; a repetition gives the first transfer back.

    `postings` are signed paise by account code; zeros are left out, the rest adds up to nothing.

    Raises:
        LedgerConflict: the key was used for other postings.
        ValueError: the postings do not add up to nothing, or there are none.
        sqlalchemy.exc.IntegrityError: an account would fall below what it may (the database's own rule).
    """
    postings = {code: paise for code, paise in sorted(postings.items()) if paise}
    if not postings or sum(postings.values()) != 0:
        raise ValueError(f"postings of {key} add up to {sum(postings.values())}")
    fingerprint = hashlib.sha256(json.dumps([kind, ref, postings]).encode()).hexdigest()
    accounts = lock(db, postings)
    if known := db.exec(select(Transfer).where(Transfer.idem_key == key)).first():
        if known.fingerprint != fingerprint:
            raise LedgerConflict(f"{key} was posted before with other figures")
        return known
    moment = now()
    transfer = Transfer(
        idem_key=key,
        fingerprint=fingerprint,
        kind=kind,
        ref=ref,
        description=str(description),
        event_at=event_at or moment,
        created_at=moment,
    )
    db.add(transfer)
    db.flush()
    assert transfer.id is not None
    for code, paise in postings.items():
        _enter(db, transfer.id, accounts[code], paise, moment)
    db.flush()
    return transfer


def _enter(db: Session, transfer_id: int, account: Account, paise: int, moment: datetime) -> None:
    account.balance_paise += paise
    account.version += 1
    db.add(account)
    db.add(
        Entry(
            transfer_id=transfer_id,
            account_code=account.code,
            amount_paise=paise,
            balance_after_paise=account.balance_paise,
            account_version=account.version,
            created_at=moment,
        )
    )
    if account.user_id is not None:
        emit(db, WalletChanged(account.user_id))


def hold(db: Session, session_id: int, user_id: int, *, at_least: int, at_most: int) -> Hold:
    """Set aside all free money up to `at_most` paise for a charge (payments.md D8).

    Raises:
        InsufficientFunds: less than `at_least` paise are free.
    """
    account = lock(db, [wallet_code(user_id)])[wallet_code(user_id)]
    amount = min(account.balance_paise - account.held_paise, at_most)
    if amount < at_least:
        raise InsufficientFunds
    account.held_paise += amount
    held = Hold(session_id=session_id, account_code=account.code, amount_paise=amount)
    db.add_all([account, held])
    db.flush()
    emit(db, WalletChanged(user_id))
    return held


def resize_hold(db: Session, session_id: int, amount_paise: int) -> int:
    """Make an open hold this large, as far as free money goes; gives what it holds now, 0 when it is closed."""
    held = db.get(Hold, session_id)
    if held is None or held.state != HoldState.OPEN:
        return 0
    account = lock(db, [held.account_code])[held.account_code]
    db.refresh(held)
    if held.state != HoldState.OPEN:
        return 0
    free = account.balance_paise - account.held_paise
    change = min(amount_paise - held.amount_paise, free)
    if change:
        account.held_paise += change
        held.amount_paise += change
        db.add_all([account, held])
        db.flush()
        assert account.user_id is not None
        emit(db, WalletChanged(account.user_id))
    return held.amount_paise


def rehold(db: Session, session_id: int, user_id: int, *, at_most: int) -> int:
    """Open a released hold again with what is free now, up to `at_most`; gives what it holds, maybe nothing."""
    held = db.get(Hold, session_id)
    if held is None:
        return hold(db, session_id, user_id, at_least=0, at_most=at_most).amount_paise
    if held.state == HoldState.VOID:
        held.state, held.amount_paise, held.closed_at = HoldState.OPEN, 0, None
        db.add(held)
        db.flush()
    return resize_hold(db, session_id, at_most)


def release(db: Session, session_id: int, state: HoldState = HoldState.VOID) -> int:
    """Give what a charge held back to the free balance; a second call changes nothing. Gives the paise released."""
    held = db.get(Hold, session_id)
    if held is None:
        return 0
    account = lock(db, [held.account_code])[held.account_code]
    db.refresh(held)
    if held.state != HoldState.OPEN:
        return 0
    account.held_paise -= held.amount_paise
    held.state, held.closed_at = state, now()
    db.add_all([account, held])
    db.flush()
    assert account.user_id is not None
    emit(db, WalletChanged(account.user_id))
    return held.amount_paise


def credit(
    db: Session, key: str, user_id: int, paise: int, *, source: str, kind: str, ref: str, description: str
) -> Transfer:
    """Money comes to a driver from `source`: his arrears first, the rest into his wallet; once for each `key`.

    A later run finds the transfer by its key before it looks at the arrears, which have changed since; under the
    locks, so that of two runs at once the second is the later one.
    """
    wallet, due = wallet_code(user_id), due_code(user_id)
    accounts = lock(db, [source, wallet, due])
    if known := db.exec(select(Transfer).where(Transfer.idem_key == key)).first():
        return known
    cleared = min(-accounts[due].balance_paise, paise)
    postings = {source: -paise, due: cleared, wallet: paise - cleared}
    return post(db, key, kind, postings, ref=ref, description=description)


def credit_recharge(db: Session, order: RechargeOrder) -> Transfer:
    """Put a paid recharge into the wallet, arrears first (payments.md 2.2, R38); once for each order."""
    return credit(
        db,
        f"recharge:{order.merchant_order_id}",
        order.user_id,
        order.amount_paise,
        source=GATEWAY,
        kind="recharge",
        ref=order.merchant_order_id,
        description=RECHARGED,
    )


def adjust(db: Session, user_id: int, paise: int, *, key: str, reason: str) -> Transfer:
    """An operator's correction: goodwill to the driver (positive) or from him (negative), with its reason.

    Raises:
        ValueError: without a reason, or for 0 paise.
        InsufficientFunds: it would take more than the wallet's free money.
    """
    if not reason.strip() or not paise:
        raise ValueError("An adjustment needs an amount and a reason.")
    account = lock(db, [wallet_code(user_id)])[wallet_code(user_id)]
    known = db.exec(select(Transfer).where(Transfer.idem_key == f"adj:{key}")).first()
    if known is None and account.balance_paise - account.held_paise + paise < 0:
        raise InsufficientFunds
    postings = {GOODWILL: -paise, wallet_code(user_id): paise}
    return post(db, f"adj:{key}", "adjustment", postings, description=reason.strip()[:200])


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
        .where(col(Entry.account_code).in_([wallet_code(user_id), due_code(user_id)]))
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
    return [
        Line(
            id=entry.id or 0,
            at=transfer.created_at,
            happened_at=transfer.event_at,
            kind=transfer.kind,
            amount_paise=entry.amount_paise,
            balance_after_paise=entry.balance_after_paise,
            description=ended.get(transfer.ref, transfer.description)
            if entry.amount_paise < 0
            else transfer.description,
            ref=transfer.ref,
            arrears=entry.account_code == due_code(user_id),
        )
        for entry, transfer in found
    ]


def _ended_refunds(db: Session, refs: set[str]) -> dict[str, str]:
    """What became of these refunds, by their merchant ids; those still on their way are left out."""
    if not refs:
        return {}
    refunds = db.exec(select(Refund).where(col(Refund.merchant_refund_id).in_(refs)))
    return {r.merchant_refund_id: REFUNDS[RefundState(r.state)] for r in refunds if r.state in REFUNDS}
