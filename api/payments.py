"""Endpoints for recharges, refunds, and money that was paid with another amount."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlmodel import Session

from api import cursors
from api.operation import Ask, Operation
from api.problems import Problem
from api.shapes import MOST_PAISE, Because, Filters, Given, Id, Leafing, Part, Payment, Reason, Told, Why, text
from domain import funnel, listings, models, recharges, refunds, suspense
from domain.db import read
from domain.models import OrderState, RefundState
from domain.recharges import OrderStatus, RefundStatus


class Recharge(Told):
    """One wish to add money, and what became of it."""

    order: str = Field(validation_alias="merchant_order_id")
    user_id: int
    amount_paise: int
    state: str
    utr: str = Field(description="The bank's reference.")
    gateway_order_id: str = Field(description="PhonePe's number of it.")
    gateway_transaction_id: str = Field(description="PhonePe's number of its transaction.")
    payment_mode: str
    error_code: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class Refund(Told):
    """Money of a recharge on its way back to where it was paid from."""

    id: str = Field(validation_alias="merchant_refund_id")
    order: str = Field(validation_alias="merchant_order_id")
    user_id: int
    amount_paise: int
    paid_paise: int | None = Field(description="What went back, where PhonePe paid back another amount.")
    state: str = Field(description="NEW: not sent yet; UNKNOWN: no answer; COMPLETED; FAILED and REJECTED: given back.")
    reason: str
    error_code: str
    created_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None


class Booked(Told):
    """Money of a recharge that was paid with another amount."""

    order: str
    amount_paise: int


class RechargeFilters(Leafing):
    """Which recharges."""

    user_id: Id | None = None
    find: Annotated[str, text(100, 1)] | None = Field(
        None, description="Our order, PhonePe's number of it or of its transaction, the bank's reference, or a driver."
    )
    state: Literal[tuple(map(str, OrderState))] | None = None  # type: ignore[valid-type]


class RefundFilters(Leafing):
    """Which refunds."""

    user_id: Id | None = None
    order: Payment | None = None
    find: Annotated[str, text(100, 1)] | None = Field(
        None, description="Our refund, PhonePe's number of it, its recharge, or a driver."
    )
    state: Literal[tuple(map(str, RefundState))] | None = None  # type: ignore[valid-type]


class Requested(Given):
    """No more than is left of the recharge, free in the wallet and not owed."""

    order: Payment
    amount_paise: Annotated[int, Field(ge=refunds.LEAST_PAISE, le=MOST_PAISE)]
    reason: Reason


def recharges_(db: Session, ask: Ask[RechargeFilters, None]) -> Part[Recharge]:
    """Recharges, newest first."""
    return Part[Recharge].model_validate(cursors.part(db, listings.RECHARGES, ask.query, Recharge.model_validate))


def recharge(db: Session, ask: Ask[Filters, None], order: str) -> Recharge:
    """One recharge."""
    return Recharge.model_validate(_recharge(db, order))


def refunds_(db: Session, ask: Ask[RefundFilters, None]) -> Part[Refund]:
    """Refunds, newest first."""
    return Part[Refund].model_validate(cursors.part(db, listings.REFUNDS, ask.query, Refund.model_validate))


def refund(db: Session, ask: Ask[Filters, None], refund_id: str) -> Refund:
    """One refund."""
    return Refund.model_validate(_refund(db, refund_id))


def request(db: Session, ask: Ask[Filters, Requested]) -> Refund:
    """Send money of a recharge back to where it was paid from. It leaves the wallet at once; PhonePe is asked next."""
    _recharge(db, ask.body.order)
    made = refunds.request(db, ask.body.order, ask.body.amount_paise, key=ask.wish, reason=ask.body.reason)
    return Refund.model_validate(made)


async def sending(ask: Ask[Filters, Requested], told: Refund) -> None:
    """Send it at once; if this is lost, the sweeper does."""
    await funnel.settle_refund(ask.gateway, told.id)


def give_up(db: Session, ask: Ask[Filters, Because], refund_id: str) -> Refund:
    """Bring the money of a refund back that PhonePe's dashboard does not know. Look there first."""
    _refund(db, refund_id)
    return Refund.model_validate(refunds.never_sent(db, refund_id))


async def went_back(ask: Ask[Filters, Because], refund_id: str) -> RefundStatus:
    """What PhonePe says of a refund."""
    return await ask.gateway.refund_status(refund_id)


def accept(db: Session, ask: Ask[Filters, Because], refund_id: str) -> Refund:
    """End a refund of which PhonePe says that another amount went back, with that amount. What did not go back is in
    the wallet again; what went back beyond is lost as goodwill, until an adjustment takes it from the wallet."""
    return Refund.model_validate(refunds.accept(db, refund_id, ask.learnt))


async def paid(ask: Ask[Filters, Why], order: str) -> OrderStatus:
    """What PhonePe says of an order of ours."""
    await read(_recharge, order)
    return await ask.gateway.status(order)


def set_aside(db: Session, ask: Ask[Filters, Why], order: str) -> Booked:
    """Book what PhonePe says it took for a recharge with another amount as money in suspense, once."""
    suspense.set_aside(db, order, ask.learnt)
    return Booked(order=order, amount_paise=ask.learnt.amount_paise)


def give(db: Session, ask: Ask[Filters, Why], order: str) -> Booked:
    """Give a driver what was set aside for a recharge, once; arrears first."""
    _recharge(db, order)
    suspense.give(db, order)
    return Booked(order=order, amount_paise=suspense.aside(db, order) or 0)


def _recharge(db: Session, order: str) -> models.RechargeOrder:
    row = recharges.found(db, order)
    if row is None:
        raise Problem(404, "not-there", f"There is no recharge {order}.")
    return row


def _refund(db: Session, refund_id: str) -> models.Refund:
    row = refunds.found(db, refund_id)
    if row is None:
        raise Problem(404, "not-there", f"There is no refund {refund_id}.")
    return row


ORDER, REFUND = "/recharges/{order}", "/refunds/{refund_id}"

OPERATIONS = (
    Operation("GET", "/recharges", "money:read", recharges_),
    Operation("GET", ORDER, "money:read", recharge),
    Operation(
        "POST",
        f"{ORDER}/set-aside",
        "money:write",
        set_aside,
        "payments suspense",
        named=True,
        before=paid,
        refuses=(502,),
    ),
    Operation("POST", f"{ORDER}/give", "money:write", give, "payments give", named=True),
    Operation("GET", "/refunds", "money:read", refunds_),
    Operation("GET", REFUND, "money:read", refund),
    Operation(
        "POST",
        "/refunds",
        "money:write",
        request,
        "refund request",
        about=lambda body: f"order:{body.order}",
        named=True,
        status=201,
        refuses=(404,),
        after=sending,
    ),
    Operation("POST", f"{REFUND}/give-up", "money:write", give_up, "refund give-up", named=True),
    Operation(
        "POST",
        f"{REFUND}/accept",
        "money:write",
        accept,
        "refund accept",
        named=True,
        before=went_back,
        refuses=(502,),
    ),
)
