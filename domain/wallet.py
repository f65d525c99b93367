"""The ledger: double entry in whole paise, append-only, every movement exactly once (payments.md 2.2-2.4)."""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from domain import push, sessions
from domain.db import emit
from domain.events import WalletChanged
from domain.models import Account, Entry, Hold, HoldState, RechargeOrder, Transfer, now
from domain.money import plain_rupees
from domain.sentences import GIVEN_UP, PAID_OWED, RECHARGED, Sentence
from domain.settings import settings

GATEWAY = "gateway:phonepe"
CLEARING = "refund_clearing"
REVENUE = "revenue:charging"
GST = "gst:output"
GOODWILL = "adjust:goodwill"
SUSPENSE = "suspense"
WAIVED = "waived"
HOUSE = {
    GATEWAY: "gateway",
    CLEARING: "clearing",
    REVENUE: "revenue",
    GST: "gst",
    GOODWILL: "goodwill",
    SUSPENSE: "suspense",
    WAIVED: "waived",
}
"""Accounts of the operator's own, and their kinds."""

MOST_ADJUSTED_PAISE = 10_000_000
"""No adjustment is of more than ₹1,00,000: a slip of zeros moves no crore."""

LOW_PAISE = 20_000
"""₹200: with less left, a driver is told to add money."""


class LedgerConflict(Exception):
    """The same movement came again with other figures: nothing was moved, an operator must look."""


class InsufficientFunds(Exception):
    """The wallet has less free money than asked for."""


class NotAdjusted(Exception):
    """Nothing was moved; the argument is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Balance:
    """A driver's money in paise: what the wallet has, what charges hold of it, what is owed."""

    balance_paise: int
    held_paise: int
    arrears_paise: int

    @property
    def free_paise(self) -> int:
        return self.balance_paise - self.held_paise


def wallet_code(user_id: int) -> str:
    return f"wallet:{user_id}"


def due_code(user_id: int) -> str:
    return f"due:{user_id}"


def of_driver(user_id: int) -> tuple[str, str]:
    """Both accounts of a driver."""
    return wallet_code(user_id), due_code(user_id)


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


def balances(db: Session, user_ids: Collection[int]) -> dict[int, Balance]:
    """The same of several drivers at once, of each by the number."""
    known = {one.code: one for one in db.exec(select(Account).where(col(Account.user_id).in_(user_ids)))}
    pairs = {user_id: (known[wallet_code(user_id)], known[due_code(user_id)]) for user_id in user_ids}
    return {
        user_id: Balance(wallet.balance_paise, wallet.held_paise, -due.balance_paise)
        for user_id, (wallet, due) in pairs.items()
    }


def owed_of(db: Session, user_id: int, ref: str) -> int:
    """Paise of one charge that are owed still: what comes pays the oldest debt first, so that the newest are left."""
    debts = (
        select(Entry.amount_paise, Transfer.ref)
        .join(Transfer, col(Transfer.id) == Entry.transfer_id)
        .where(Entry.account_code == due_code(user_id), Entry.amount_paise < 0)
        .order_by(col(Entry.account_version).desc())
    )
    left, owed = balance(db, user_id).arrears_paise, 0
    for paise, of in db.exec(debts):
        unpaid = min(left, -paise)
        left -= unpaid
        owed += unpaid if of == ref else 0
    return owed


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
    if known := posted(db, key):
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
    for code, paise in postings.items():
        _enter(db, transfer.id, accounts[code], paise, moment)
    db.flush()
    return transfer


def posted(db: Session, key: str) -> Transfer | None:
    """The transfer of this key, if there is one yet."""
    return db.exec(select(Transfer).where(Transfer.idem_key == key)).first()


def entries(db: Session, transfer: Transfer) -> list[Entry]:
    """Both sides of a transfer, and more, in the order in which they were entered."""
    return entries_of(db, [transfer.id])[transfer.id]


def entries_of(db: Session, transfer_ids: Iterable[int]) -> dict[int, list[Entry]]:
    """The same of several transfers at once, of each by its id."""
    found: dict[int, list[Entry]] = {transfer_id: [] for transfer_id in transfer_ids}
    for entry in db.exec(select(Entry).where(col(Entry.transfer_id).in_(found)).order_by(col(Entry.id))):
        found[entry.transfer_id].append(entry)
    return found


def _enter(db: Session, transfer_id: int, account: Account, paise: int, moment: datetime) -> None:
    account.balance_paise += paise
    account.version += 1
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
    db.add(held)
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
    db.flush()
    assert account.user_id is not None
    emit(db, WalletChanged(account.user_id))
    return held.amount_paise


def fund_open_hold(db: Session, user_id: int) -> None:
    """Money came in or was set free during a charge: its hold grows up to the cap (payments.md C24), and that it
    ends is told anew when it does.

    The session's row is left alone: it would be locked after the accounts.
    """
    session = sessions.open_of(db, user_id)
    if session is not None:
        held = db.get(Hold, session.id)
        before_paise = held.amount_paise if held is not None else 0
        if resize_hold(db, session.id, settings().session_cap_paise) > before_paise:
            push.take_back(db, user_id, push.LOW, session.ref)
        sessions.announce(db, session)


def credit(
    db: Session, key: str, user_id: int, paise: int, *, source: str, kind: str, ref: str, description: str
) -> Transfer:
    """Money comes to a driver from `source`: his arrears first, the rest into his wallet; once for each `key`.

    A later run finds the transfer by its key before it looks at the arrears, which have changed since; under the
    locks, so that of two runs at once the second is the later one.
    """
    wallet, due = of_driver(user_id)
    accounts = lock(db, [source, wallet, due])
    if known := posted(db, key):
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

    What the driver owes is paid from it by a transfer of its own: the operator's line stays as it was given. The rest
    carries the charge that runs.

    Raises:
        NotAdjusted: what `refuse_adjustment` refuses, or it would take more than the wallet's free money.
    """
    refuse_adjustment(paise, reason)
    lock(db, [GOODWILL, *of_driver(user_id)])
    known = adjusted(db, key)
    free = balance(db, user_id).free_paise
    if known is None and free + paise < 0:
        raise NotAdjusted(Sentence("The wallet has only {free} available. Nothing was moved.", free=plain_rupees(free)))
    postings = {GOODWILL: -paise, wallet_code(user_id): paise}
    transfer = post(db, f"adj:{key}", "adjustment", postings, description=reason.strip()[:200])
    if known is None:
        pay_owed(db, f"owed:{key}", user_id)
        fund_open_hold(db, user_id)
    return transfer


def adjusted(db: Session, key: str) -> Transfer | None:
    """What was moved under this name of an adjustment."""
    return posted(db, f"adj:{key}")


def refuse_adjustment(paise: int, reason: str) -> None:
    """An adjustment moves something, MOST_ADJUSTED_PAISE at most, and has a reason.

    Raises:
        NotAdjusted: it does not.
    """
    if not 0 < abs(paise) <= MOST_ADJUSTED_PAISE:
        raise NotAdjusted(Sentence("Choose an amount up to {sum}.", sum=plain_rupees(MOST_ADJUSTED_PAISE)))
    if not reason.strip():
        raise NotAdjusted(Sentence("An adjustment needs a reason."))


def give_up(db: Session, user_id: int) -> None:
    """What is left in the wallet of somebody who leaves, and says that he wants none of it, is the operator's."""
    if left := balance(db, user_id).balance_paise:
        post(db, f"waived:{user_id}", "adjustment", {wallet_code(user_id): -left, WAIVED: left}, description=GIVEN_UP)


def pay_owed(db: Session, key: str, user_id: int, *, ref: str = "") -> None:
    """What an earlier charge left owed is paid from money that came or was set free: nobody owes who has money.

    Whoever calls it holds the locks of the driver's accounts and knows that it is the first time.
    """
    has = balance(db, user_id)
    if paid := min(has.free_paise, has.arrears_paise):
        postings = {wallet_code(user_id): -paid, due_code(user_id): paid}
        post(db, key, "charging", postings, ref=ref, description=PAID_OWED)
