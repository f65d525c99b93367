"""Adding money: what a recharge order is allowed to become, and the gateway as the domain sees it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlmodel import Session, col, select

from domain import evidence, findings, placing, poll_schedule, push, wallet
from domain.db import emit
from domain.events import RechargeChanged
from domain.models import ORDER_OPEN, OrderState, RechargeOrder, now
from domain.money import plain_rupees
from domain.settled_payments import Line


class GatewayUnavailable(Exception):
    """The gateway did not say; whether it acted is not known (payments.md 1.7)."""


class GatewayBusy(GatewayUnavailable):
    """The gateway is asked too often: it did not say, but it is there."""


class GatewayRefused(Exception):
    """The gateway said no and did nothing; `code` and `message` are its own words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class OrderExists(GatewayRefused):
    """The merchant order id was used before: an earlier answer was lost (payments.md D4)."""


class OrderUnknown(GatewayRefused):
    """The gateway never heard of this order, or of this refund."""


@dataclass(frozen=True)
class Payment:
    """A pay page the gateway opened. `redirect_url` goes to the browser exactly as received (D11)."""

    gateway_order_id: str
    state: str
    redirect_url: str
    expires_at: datetime | None


@dataclass(frozen=True)
class OrderStatus:
    """What the gateway says of an order; `body` is its answer, redacted."""

    gateway_order_id: str
    state: str
    amount_paise: int
    utr: str
    transaction_id: str
    payment_mode: str
    error_code: str
    body: dict[str, Any]
    user_ref: str = ""
    """Whose it is, as we told the gateway at its creation."""
    paid_at: datetime | None = None
    """When it was paid, by the gateway's clock."""

    @property
    def user_id(self) -> int | None:
        """The number that its driver had."""
        named = re.fullmatch(r"u_([1-9][0-9]{0,8})", self.user_ref, re.ASCII)
        return int(named[1]) if named else None


@dataclass(frozen=True)
class RefundStatus:
    """What the gateway says of a refund; `body` is its answer, redacted."""

    gateway_refund_id: str
    state: str
    amount_paise: int
    error_code: str
    body: dict[str, Any]
    merchant_order_id: str = ""
    """The recharge that it is of."""


class PaymentGateway(Protocol):
    """A gateway, translated by a module of `payments`."""

    async def create(self, *, merchant_order_id: str, amount_paise: int, redirect_url: str, user_ref: str) -> Payment:
        """Open a pay page.

        Raises:
            OrderExists: the id was used before; ask `status`.
            GatewayRefused: nothing was opened.
            GatewayUnavailable: a pay page may have been opened; ask `status`.
        """
        ...

    async def status(self, merchant_order_id: str) -> OrderStatus:
        """What became of an order: the only evidence that money moved (D3).

        Raises:
            OrderUnknown: the gateway never received it.
            GatewayUnavailable: it did not say.
        """
        ...

    async def refund(self, *, merchant_refund_id: str, merchant_order_id: str, amount_paise: int) -> RefundStatus:
        """Send money of a paid order back to where it was paid from.

        Raises:
            GatewayRefused: nothing was sent back, and nothing will be.
            GatewayUnavailable: it may have been sent back; ask `refund_status`, never send it again (R32).
        """
        ...

    async def refund_status(self, merchant_refund_id: str) -> RefundStatus:
        """What became of a refund: the only evidence that money went back (D3).

        Raises:
            OrderUnknown: the gateway never received it.
            GatewayUnavailable: it did not say.
        """
        ...

    def settled(self, report: str) -> list[Line]:
        """What a report says that the gateway paid out to the operator's bank.

        Raises:
            ValueError: it is no such report; the argument is a sentence that names the line.
        """
        ...

    def doorbell(self, authorization: str, body: bytes) -> str | None:
        """The merchant's id of the refund or order that a webhook names, if any: what to ask about.

        Raises:
            GatewayRefused: UNAUTHORIZED for foreign credentials, MALFORMED for an unreadable body.
        """
        ...


LIFETIMES = (timedelta(minutes=5), timedelta(hours=1))
"""What PhonePe allows as an order's life; an expiry outside of it comes from a wrong clock (R35)."""
FAILED_SHOWN = 5
"""Failed orders that a driver is told of: whoever tries again and again needs no longer list."""
AGAIN = timedelta(hours=1)
"""After the schedule, as long as the gateway does not answer at all."""

DECIDED = (OrderState.CREDITED, OrderState.MISMATCH)
"""Nothing the gateway says changes these; FAILED can still become CREDITED."""
ASKABLE = (OrderState.PENDING, OrderState.UNKNOWN, OrderState.FAILED)
"""The gateway may know more of these than we do."""


ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,63}")
"""How the gateway lets an order be called; nothing else is looked for, as databases refuse some text."""


class NotYours(Exception):
    """There is no such order for this driver."""


def opened(db: Session, merchant_order_id: str, payment: Payment) -> None:
    """The gateway opened a pay page. An answer that comes after better news changes no state (R5)."""
    order = _locked(db, merchant_order_id)
    moment = now()
    shortest, longest = LIFETIMES
    given = payment.expires_at or moment + placing.PAY_WITHIN
    order.gateway_order_id, order.redirect_url = payment.gateway_order_id, payment.redirect_url
    order.expires_at = min(max(given, moment + shortest), moment + longest)
    evidence.keep(db, "pay", merchant_order_id, {"orderId": payment.gateway_order_id, "state": payment.state})
    if order.state in (OrderState.NEW, OrderState.UNKNOWN):
        order.due_at = poll_schedule.next_ask(order.created_at, order.expires_at, moment)
        _become(db, order, OrderState.PENDING)


def unknown(db: Session, merchant_order_id: str) -> None:
    """The gateway was asked for a pay page and did not say whether it opened one (R18)."""
    order = _locked(db, merchant_order_id)
    if order.state == OrderState.NEW:
        order.due_at = poll_schedule.next_ask(order.created_at, order.expires_at, now())
        _become(db, order, OrderState.UNKNOWN)


def rejected(db: Session, merchant_order_id: str, code: str) -> None:
    """The gateway refused to open a pay page: nothing to pay, nothing to ask (R17)."""
    order = _locked(db, merchant_order_id)
    if order.state in (OrderState.NEW, OrderState.UNKNOWN):
        order.error_code = code[:80]
        _end(db, order, OrderState.REJECTED)


def apply(db: Session, merchant_order_id: str, status: OrderStatus) -> None:
    """What the gateway says becomes what the domain knows; paid money is credited here and nowhere else (D5).

    Only COMPLETED with our own amount moves money, once, however late; states nobody knows mean "ask again" (R37).
    """
    order = _locked(db, merchant_order_id)
    evidence.keep(db, "status", merchant_order_id, status.body)
    if order.state in DECIDED:
        return
    order.gateway_order_id = status.gateway_order_id[:80] or order.gateway_order_id
    order.gateway_transaction_id = status.transaction_id[:80] or order.gateway_transaction_id
    order.payment_mode = status.payment_mode[:40] or order.payment_mode
    if status.state == "COMPLETED":
        _paid(db, order, status)
    elif status.state == "FAILED":
        _failed(db, order, status.error_code)
    else:
        if status.state == "PENDING" and order.state in (OrderState.NEW, OrderState.UNKNOWN):
            order.due_at = poll_schedule.next_ask(order.created_at, order.expires_at, now())
            _become(db, order, OrderState.PENDING)
        _give_up_after_tail(db, order)


def _paid(db: Session, order: RechargeOrder, status: OrderStatus) -> None:
    order.utr, order.error_code = status.utr[:80], ""
    if status.amount_paise != order.amount_paise:
        paid, wanted = plain_rupees(status.amount_paise), plain_rupees(order.amount_paise)
        said = f"{paid} were paid for an order of {wanted}; nothing was credited."
        findings.note(db, "mismatch", order.merchant_order_id, said)
        _end(db, order, OrderState.MISMATCH)
        return
    wallet.credit_recharge(db, order)
    wallet.fund_open_hold(db, order.user_id)
    _end(db, order, OrderState.CREDITED)
    push.tell(db, order.user_id, push.ADDED, order.merchant_order_id)
    came = f"{plain_rupees(order.amount_paise)} came in for"
    findings.refund_due(db, order.user_id, order.merchant_order_id, came)


def _failed(db: Session, order: RechargeOrder, code: str) -> None:
    """Still asked about in the tail: a success can follow a failure (R14)."""
    order.error_code = code[:80]
    if order.state in ORDER_OPEN:
        _end(db, order, OrderState.FAILED)
    if order.state == OrderState.FAILED:
        order.due_at = poll_schedule.next_late(order.expires_at, now())


def absent(db: Session, merchant_order_id: str) -> None:
    """The gateway never heard of this order; once nobody can open it any more, it is closed (R26)."""
    order = _locked(db, merchant_order_id)
    if order.state in DECIDED:
        return
    if not order.gateway_order_id and now() >= order.expires_at + poll_schedule.GRACE:
        order.error_code = order.error_code or "NEVER_OPENED"
        if order.state in ORDER_OPEN:
            _end(db, order, OrderState.FAILED)
        order.due_at = None
    _give_up_after_tail(db, order)


def _give_up_after_tail(db: Session, order: RechargeOrder) -> None:
    if now() < order.expires_at + poll_schedule.TAIL[-1]:
        return
    if order.state in ORDER_OPEN:
        order.error_code = "NO_CONFIRMATION"
        said = f"{plain_rupees(order.amount_paise)} were neither confirmed nor refused within 72 hours."
        findings.note(db, "unconfirmed", order.merchant_order_id, said)
        _end(db, order, OrderState.FAILED)
    order.due_at = None


def rang(db: Session, merchant_order_id: str, body: bytes) -> bool:
    """A webhook named this order: keep that it did, by its hash, and say whether the gateway is worth asking (D3)."""
    order = found(db, merchant_order_id)
    if order is None or order.state in DECIDED:
        return False
    evidence.keep_ring(db, merchant_order_id, body)
    return True


def ask_now(db: Session, merchant_order_id: str) -> None:
    """Somebody at the desk wants to know: the gateway is asked as soon as the sweeper looks, whatever its schedule."""
    order = _locked(db, merchant_order_id)
    if order.state in ASKABLE:
        order.due_at = now()


def due(db: Session, at: datetime, limit: int = 20) -> list[str]:
    """Take the orders to ask about now, oldest first. Each is already due again when its schedule says so:
    a crash, a broken database or a second process neither loses an order nor asks twice."""
    orders = db.exec(
        select(RechargeOrder)
        .where(col(RechargeOrder.due_at) <= at)
        .order_by(col(RechargeOrder.due_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for order in orders:
        order.polls += 1
        order.due_at = poll_schedule.next_ask(order.created_at, order.expires_at, at) or at + AGAIN
    return [order.merchant_order_id for order in orders]


def found(db: Session, merchant_order_id: str) -> RechargeOrder | None:
    """The order, whoever's it is: for the funnel, which moves money only to its owner."""
    return db.exec(select(RechargeOrder).where(RechargeOrder.merchant_order_id == merchant_order_id)).first()


def owned(db: Session, user_id: int, merchant_order_id: str) -> RechargeOrder:
    """The driver's own order.

    Raises:
        NotYours: it does not exist, or belongs to another.
    """
    order = found(db, merchant_order_id) if ORDER_ID.fullmatch(merchant_order_id) else None
    if order is None or order.user_id != user_id:
        raise NotYours(merchant_order_id)
    return order


def of_user(db: Session, user_id: int) -> list[RechargeOrder]:
    """The driver's orders that a gateway knows, or may know, and has not decided, newest first."""
    return list(
        db.exec(
            select(RechargeOrder)
            .where(RechargeOrder.user_id == user_id)
            .where(col(RechargeOrder.state).in_((OrderState.PENDING, OrderState.UNKNOWN)))
            .order_by(col(RechargeOrder.id).desc())
            .limit(placing.OPEN_AT_ONCE)
        )
    )


def failed(db: Session, user_id: int, since: datetime) -> list[RechargeOrder]:
    """The driver's orders since then that were open at the gateway and brought no money; the newest few."""
    return list(
        db.exec(
            select(RechargeOrder)
            .where(RechargeOrder.user_id == user_id, RechargeOrder.state == OrderState.FAILED)
            .where(col(RechargeOrder.gateway_order_id) != "", col(RechargeOrder.created_at) >= since)
            .order_by(col(RechargeOrder.id).desc())
            .limit(FAILED_SHOWN)
        )
    )


def named(order: RechargeOrder) -> str:
    """What a bank or the gateway finds the order by."""
    return order.utr or order.gateway_order_id or order.merchant_order_id


def pay_page(order: RechargeOrder, at: datetime) -> str:
    """Where the driver pays this order; empty when he cannot, or not any more."""
    return order.redirect_url if order.state == OrderState.PENDING and at < order.expires_at else ""


def _locked(db: Session, merchant_order_id: str) -> RechargeOrder:
    return db.exec(
        select(RechargeOrder)
        .where(RechargeOrder.merchant_order_id == merchant_order_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _become(db: Session, order: RechargeOrder, state: OrderState) -> None:
    order.state = state
    db.flush()
    emit(db, RechargeChanged(order.user_id, order.merchant_order_id, state))


def _end(db: Session, order: RechargeOrder, state: OrderState) -> None:
    order.ended_at, order.due_at = now(), None
    _become(db, order, state)
