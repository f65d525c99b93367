"""Sending money back to where it was paid from: what a refund may be, and what it may become (payments.md 1.6)."""

import secrets
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from domain import evidence, findings, poll_schedule, wallet
from domain.db import emit
from domain.events import WalletChanged
from domain.models import REFUND_OPEN, OrderState, RechargeOrder, Refund, RefundState, now
from domain.money import plain_rupees
from domain.recharges import RefundStatus
from domain.sentences import CAME_BACK, ON_ITS_WAY, Sentence

LEAST_PAISE = 100
"""PhonePe's least refund."""
UNSENT = timedelta(minutes=1)
"""Whoever requested a refund sends it at once; after that the sweeper does."""
NEVER_ARRIVED = timedelta(hours=1)
"""A refund the gateway has not heard of so long after it was sent was lost on its way."""
SLOW = {RefundState.UNKNOWN: timedelta(days=1)}
SLOWEST = timedelta(days=10)
"""Banks take 5 to 7 working days, an acknowledgement seconds; after that an operator should ask PhonePe."""
BACK = (RefundState.FAILED, RefundState.REJECTED)
"""The money is in the wallet again."""


class RefundRefused(ValueError):
    """A refund that the rules do not allow; the argument is a sentence for the operator."""


def request(db: Session, merchant_order_id: str, amount_paise: int, *, key: str, reason: str) -> Refund:
    """Take money out of the wallet, to be sent back to where this recharge was paid from (R30).

    `key` names the wish: the same one again gives the same refund.

    Raises:
        RefundRefused: the recharge did not arrive, another refund of it is on its way, the amount is more than is left
            of the recharge or than is free in the wallet (R33); nothing was moved.
    """
    order = _locked_order(db, merchant_order_id)
    if known := wished(db, key):
        if (known.merchant_order_id, known.amount_paise) != (merchant_order_id, amount_paise):
            raise RefundRefused(
                Sentence("This wish was used for {refund}. Make a new one.", refund=known.merchant_refund_id)
            )
        return known
    if not reason.strip() or not 0 < len(key) <= 64:
        raise RefundRefused(Sentence("A refund needs a reason and a name of its own."))
    _refuse_order(db, order)
    _refuse_amount(db, order, amount_paise)
    moment = now()
    refund = Refund(
        merchant_refund_id=f"REF-{secrets.token_hex(16)}",
        merchant_order_id=merchant_order_id,
        user_id=order.user_id,
        amount_paise=amount_paise,
        request_key=key,
        reason=reason.strip()[:200],
        created_at=moment,
        due_at=moment + UNSENT,
    )
    db.add(refund)
    db.flush()
    wallet.post(
        db,
        f"refund:{refund.merchant_refund_id}:requested",
        "refund",
        {wallet.wallet_code(order.user_id): -amount_paise, wallet.CLEARING: amount_paise},
        ref=refund.merchant_refund_id,
        description=ON_ITS_WAY,
    )
    return refund


def can_go_back(db: Session, user_id: int, paise: int) -> bool:
    """Whether some of so much in a driver's wallet can go back to where a recharge of his was paid from.

    One of another amount goes back by hand, on PhonePe's dashboard.
    """
    came = col(RechargeOrder.state).in_((OrderState.CREDITED, OrderState.MISMATCH))
    theirs = select(RechargeOrder).where(RechargeOrder.user_id == user_id, came).order_by(col(RechargeOrder.id).desc())
    return paise >= LEAST_PAISE and any(
        order.state == OrderState.MISMATCH
        or order.amount_paise - _went_back(db, order.merchant_order_id) >= LEAST_PAISE
        for order in db.exec(theirs)
    )


def wished(db: Session, key: str) -> Refund | None:
    """The refund of this name of a wish."""
    return db.exec(select(Refund).where(Refund.request_key == key)).first()


def _refuse_order(db: Session, order: RechargeOrder) -> None:
    if order.state != OrderState.CREDITED:
        raise RefundRefused(
            Sentence(
                "{order} is {state}; only money that arrived can go back.",
                order=order.merchant_order_id,
                state=order.state,
            )
        )
    if underway := open_of(db, order.merchant_order_id):
        raise RefundRefused(
            Sentence(
                "{sum} of it are on their way back already ({refund}).",
                sum=plain_rupees(underway.amount_paise),
                refund=underway.merchant_refund_id,
            )
        )


def _refuse_amount(db: Session, order: RechargeOrder, amount_paise: int) -> None:
    left = max(0, order.amount_paise - _went_back(db, order.merchant_order_id))
    wallet.lock(db, [wallet.CLEARING, *wallet.of_driver(order.user_id)])
    money = wallet.balance(db, order.user_id)
    free = money.free_paise - money.arrears_paise
    if type(amount_paise) is not int or amount_paise < LEAST_PAISE:
        raise RefundRefused(Sentence("The least that can go back is {sum}.", sum=plain_rupees(LEAST_PAISE)))
    if amount_paise > left:
        raise RefundRefused(Sentence("No more than {sum} of this recharge can go back.", sum=plain_rupees(left)))
    if amount_paise > free:
        raise RefundRefused(
            Sentence("The wallet has only {sum} that is neither set aside nor owed.", sum=plain_rupees(max(0, free)))
        )


def sending(db: Session, merchant_refund_id: str) -> Refund | None:
    """Take a refund to send it; None when somebody has. So it is sent once, whoever dies meanwhile (R32)."""
    refund = _locked(db, merchant_refund_id)
    if refund.state != RefundState.NEW:
        return None
    refund.sent_at = now()
    refund.due_at = poll_schedule.next_refund_ask(refund.created_at, refund.sent_at)
    _become(db, refund, RefundState.UNKNOWN)
    return refund


def apply(db: Session, merchant_refund_id: str, status: RefundStatus) -> None:
    """What the gateway says becomes what the domain knows: COMPLETED with our amount ends the clearing, FAILED brings
    the money back, once; CONFIRMED is not final, and a state nobody knows means "ask again"."""
    refund = _locked(db, merchant_refund_id)
    evidence.keep(db, "refund", refund.merchant_order_id, status.body)
    refund.gateway_refund_id = status.gateway_refund_id[:80] or refund.gateway_refund_id
    if refund.state not in REFUND_OPEN:
        _note_contradiction(db, refund, status)
    elif status.state == RefundState.COMPLETED:
        if status.amount_paise == refund.amount_paise:
            _completed(db, refund, status.amount_paise)
        else:
            _note_another_amount(db, refund, status)
    elif status.state == RefundState.FAILED:
        _returned(db, refund, RefundState.FAILED, status.error_code)
    elif status.state in (RefundState.PENDING, RefundState.CONFIRMED):
        _accepted(db, refund, RefundState(status.state))


def _accepted(db: Session, refund: Refund, state: RefundState) -> None:
    if refund.state != state and refund.state != RefundState.CONFIRMED:
        _become(db, refund, state)


def accept(db: Session, merchant_refund_id: str, status: RefundStatus) -> Refund:
    """An operator has asked PhonePe, and another amount than ours went back indeed: end it with what PhonePe says.

    What did not go back is in the wallet again. What went back beyond is lost to the operator, as goodwill, until he
    takes it from the wallet (`wallet.adjust`).

    Raises:
        RefundRefused: there is no such refund, it has ended, or PhonePe does not say that it was paid back.
    """
    refund = _named(db, merchant_refund_id)
    if refund.state not in REFUND_OPEN:
        raise RefundRefused(f"{merchant_refund_id} is {refund.state}; only one that is on its way can be ended.")
    if status.state != RefundState.COMPLETED:
        said = status.state or "nothing"
        raise RefundRefused(f"PhonePe says {said} of {merchant_refund_id}; there is nothing to book yet.")
    evidence.keep(db, "refund", refund.merchant_order_id, status.body)
    if status.amount_paise:
        _completed(db, refund, status.amount_paise)
    else:
        _returned(db, refund, RefundState.FAILED, "NOTHING_PAID")
    return refund


def _note_another_amount(db: Session, refund: Refund, status: RefundStatus) -> None:
    asked, paid = plain_rupees(refund.amount_paise), plain_rupees(status.amount_paise)
    said = f"PhonePe says that {paid} went back instead of {asked}. Nothing was booked; all of it is in clearing."
    findings.note(db, "refund-mismatch", refund.merchant_refund_id, said)


def _completed(db: Session, refund: Refund, paise: int) -> None:
    """So much went back, which need not be what was asked for."""
    as_asked = min(paise, refund.amount_paise)
    wallet.post(
        db,
        f"refund:{refund.merchant_refund_id}:completed",
        "refund",
        {wallet.CLEARING: -as_asked, wallet.GOODWILL: as_asked - paise, wallet.GATEWAY: paise},
        ref=refund.merchant_refund_id,
    )
    if paise != refund.amount_paise:
        refund.paid_paise = paise
    if paise < refund.amount_paise:
        _bring_back(db, refund, refund.amount_paise - paise)
    _end(db, refund, RefundState.COMPLETED)


def _returned(db: Session, refund: Refund, state: RefundState, code: str) -> None:
    _bring_back(db, refund, refund.amount_paise)
    refund.error_code = code[:80]
    _end(db, refund, state)


def _bring_back(db: Session, refund: Refund, paise: int) -> None:
    """Arrears first, as with every recharge; a charge that runs gets its part of the rest (R31, R38). Who has left
    cannot come for it, as with a late recharge (R34)."""
    wallet.credit(
        db,
        f"refund:{refund.merchant_refund_id}:returned",
        refund.user_id,
        paise,
        source=wallet.CLEARING,
        kind="refund",
        ref=refund.merchant_refund_id,
        description=CAME_BACK,
    )
    wallet.fund_open_hold(db, refund.user_id)
    findings.refund_due(db, refund.user_id, refund.merchant_refund_id, f"{plain_rupees(paise)} came back to")


def _note_contradiction(db: Session, refund: Refund, status: RefundStatus) -> None:
    amount = plain_rupees(refund.amount_paise)
    if refund.state in BACK and status.state in (RefundState.PENDING, RefundState.CONFIRMED, RefundState.COMPLETED):
        said = f"PhonePe says {status.state} of {amount} that had been given back to the wallet."
        findings.note(db, "refund-late", refund.merchant_refund_id, said)
    if refund.state == RefundState.COMPLETED and status.state == RefundState.FAILED:
        said = f"PhonePe says now that paying back {amount} failed; it had said that they were paid."
        findings.note(db, "refund-undone", refund.merchant_refund_id, said)


def rejected(db: Session, merchant_refund_id: str, code: str) -> None:
    """The gateway refused and did nothing: the money is in the wallet again."""
    refund = _locked(db, merchant_refund_id)
    if refund.state in REFUND_OPEN:
        _returned(db, refund, RefundState.REJECTED, code)


def never_sent(db: Session, merchant_refund_id: str) -> Refund:
    """An operator has looked at PhonePe's dashboard: it does not know this refund, so the money comes back.

    Raises:
        RefundRefused: there is no such refund, or PhonePe has acknowledged it, or it was not sent yet.
    """
    refund = _named(db, merchant_refund_id)
    if refund.state != RefundState.UNKNOWN or refund.gateway_refund_id:
        raise RefundRefused(f"{merchant_refund_id} is {refund.state}; only one PhonePe never took can be given up.")
    _returned(db, refund, RefundState.REJECTED, "GIVEN_UP")
    return refund


def absent(db: Session, merchant_refund_id: str) -> None:
    """The gateway never heard of this refund; once it cannot be on its way any more, the money comes back."""
    refund = _locked(db, merchant_refund_id)
    unheard_of = refund.state == RefundState.UNKNOWN and not refund.gateway_refund_id
    if unheard_of and refund.sent_at is not None and now() >= refund.sent_at + NEVER_ARRIVED:
        _returned(db, refund, RefundState.REJECTED, "NEVER_ARRIVED")


def rang(db: Session, named: str, body: bytes) -> list[str]:
    """A webhook named a refund, or only the recharge whose refund it tells of (payments.md 1.5): keep that it did, and
    give those worth asking about."""
    refund = found(db, named) or open_of(db, named)
    if refund is None or refund.state == RefundState.COMPLETED:
        return []
    evidence.keep_ring(db, refund.merchant_order_id, body)
    return [refund.merchant_refund_id]


def due(db: Session, at: datetime, limit: int = 20) -> list[str]:
    """Take the refunds to send or to ask about now, oldest first; each is already due again."""
    refunds = db.exec(
        select(Refund)
        .where(col(Refund.due_at) <= at)
        .order_by(col(Refund.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for refund in refunds:
        refund.due_at = poll_schedule.next_refund_ask(refund.created_at, at)
        slow = SLOW.get(RefundState(refund.state), SLOWEST)
        if at >= refund.created_at + slow:
            said = f"{plain_rupees(refund.amount_paise)} have been {refund.state} for {slow.days} days; ask PhonePe."
            findings.note(db, "refund-slow", refund.merchant_refund_id, said)
    return [refund.merchant_refund_id for refund in refunds]


def found(db: Session, merchant_refund_id: str) -> Refund | None:
    """The refund with this id."""
    return db.exec(select(Refund).where(Refund.merchant_refund_id == merchant_refund_id)).first()


def open_of(db: Session, merchant_order_id: str) -> Refund | None:
    """The refund of this recharge that is on its way."""
    of_order = select(Refund).where(Refund.merchant_order_id == merchant_order_id)
    return db.exec(of_order.where(col(Refund.state).in_(REFUND_OPEN))).first()


def newest(db: Session, limit: int = 50) -> list[Refund]:
    """Newest first."""
    return list(db.exec(select(Refund).order_by(col(Refund.id).desc()).limit(limit)))


def _went_back(db: Session, merchant_order_id: str) -> int:
    """Paise of a recharge that went back, or are on their way."""
    each = func.coalesce(Refund.paid_paise, Refund.amount_paise)
    of_order = select(func.coalesce(func.sum(each), 0)).where(
        Refund.merchant_order_id == merchant_order_id, col(Refund.state).not_in(BACK)
    )
    return int(db.exec(of_order).one())


def _locked_order(db: Session, merchant_order_id: str) -> RechargeOrder:
    order = db.exec(
        select(RechargeOrder).where(RechargeOrder.merchant_order_id == merchant_order_id).with_for_update()
    ).first()
    if order is None:
        raise RefundRefused(Sentence("There is no recharge {order}.", order=merchant_order_id))
    return order


def _named(db: Session, merchant_refund_id: str) -> Refund:
    if found(db, merchant_refund_id) is None:
        raise RefundRefused(f"There is no refund {merchant_refund_id}.")
    return _locked(db, merchant_refund_id)


def _locked(db: Session, merchant_refund_id: str) -> Refund:
    return db.exec(
        select(Refund)
        .where(Refund.merchant_refund_id == merchant_refund_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _become(db: Session, refund: Refund, state: RefundState) -> None:
    refund.state = state
    db.flush()
    emit(db, WalletChanged(refund.user_id))


def _end(db: Session, refund: Refund, state: RefundState) -> None:
    refund.ended_at, refund.due_at = now(), None
    _become(db, refund, state)
