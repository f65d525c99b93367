"""Receipts: their numbers without gaps, and what stands on one (rule 46; payments.md 2.6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from domain import money, sessions, wallet
from domain.models import (
    Charger,
    ChargingSession,
    Entry,
    OrderState,
    ReceiptCounter,
    RechargeOrder,
    Transfer,
    User,
)
from domain.settings import settings

INDIA = ZoneInfo("Asia/Kolkata")
SAC = "998714"
"""The service code of charging a vehicle: energy and service are one supply (payments.md 2.6)."""


class NoReceipt(Exception):
    """This driver has no such receipt: not his, nothing paid, or not settled yet."""


class Kind(StrEnum):
    """What a paper about a charge is called by law."""

    TAX_INVOICE = "tax invoice"
    BILL_OF_SUPPLY = "bill of supply"
    """No GST was in the price, because no GSTIN was set when the charge began."""


@dataclass(frozen=True, slots=True)
class Seller:
    """The operator, as its settings name it."""

    name: str
    address: str
    state: str
    gstin: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of how the price came about: energy at its rate, rounded half up to whole paise."""

    wh: int
    paise_per_kwh: int
    paise: int


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax inside the total."""

    name: str
    basis_points: int
    paise: int


@dataclass(frozen=True, slots=True)
class Booking:
    """One transfer of the ledger: what it took from the wallet and what it left owed; negative gave back."""

    transfer_id: int
    at: datetime
    wallet_paise: int
    owed_paise: int


@dataclass(frozen=True, slots=True)
class ChargeReceipt:
    """Everything that stands on the receipt of a charge: Wh, paise, aware times."""

    kind: Kind
    number: str
    issued_at: datetime
    seller: Seller
    customer: str
    place_of_supply: str
    ref: str
    charger_id: str
    connector: int
    place: str
    started_at: datetime
    stopped_at: datetime | None
    meter_start_wh: int | None
    meter_stop_wh: int | None
    energy_wh: int
    steps: tuple[Step, ...]
    total_paise: int
    taxes: tuple[Tax, ...]
    bookings: tuple[Booking, ...]
    estimated: bool

    @property
    def taxable_paise(self) -> int:
        """The total without its taxes."""
        return self.total_paise - sum(tax.paise for tax in self.taxes)

    @property
    def by_readings(self) -> bool:
        """Whether the units billed are not simply meter stop minus meter start (payments.md C17-C19)."""
        if self.meter_start_wh is None or self.meter_stop_wh is None:
            return True
        return self.meter_stop_wh - self.meter_start_wh != self.energy_wh


@dataclass(frozen=True, slots=True)
class PaymentReceipt:
    """Everything that stands on the receipt of a recharge: a payment, not yet a supply (payments.md 2.6)."""

    seller: Seller
    customer: str
    order_id: str
    gateway_order_id: str
    utr: str
    payment_mode: str
    amount_paise: int
    paid_at: datetime
    booking: Booking


def financial_year(moment: datetime) -> str:
    """26-27 for the year from 1 April 2026 on, by Indian time (payments.md C36)."""
    local = moment.astimezone(INDIA)
    first = local.year if local.month >= 4 else local.year - 1
    return f"{first % 100:02d}-{(first + 1) % 100:02d}"


def next_number(db: Session, moment: datetime) -> str:
    """The next number of the year, at most 16 characters; taken in the transaction that debits."""
    year = financial_year(moment)
    if db.get(ReceiptCounter, year) is None:
        db.add(ReceiptCounter(financial_year=year))
        db.flush()
    counter = db.exec(
        select(ReceiptCounter)
        .where(ReceiptCounter.financial_year == year)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    counter.last += 1
    db.add(counter)
    db.flush()
    return f"EV/{year}/{counter.last:07d}"


def of_charge(db: Session, user_id: int, ref: str) -> ChargeReceipt:
    """The receipt of the driver's own charge; what it says of the price is what the charge began with (C21).

    Raises:
        NoReceipt: the charge is not his, is not settled, or cost nothing (C29).
    """
    try:
        session = sessions.owned(db, user_id, ref)
    except sessions.NotYours:
        raise NoReceipt(ref) from None
    if not session.receipt_number or session.settled_at is None:
        raise NoReceipt(ref)
    charger = db.get_one(Charger, session.charger_id)
    given = seller()
    place_of_supply = charger.state or given.state
    keys = [f"session:{session.id}", f"session:{session.id}:correction"]
    return ChargeReceipt(
        kind=Kind.TAX_INVOICE if session.gst_basis_points else Kind.BILL_OF_SUPPLY,
        number=session.receipt_number,
        issued_at=session.settled_at,
        seller=given,
        customer=db.get_one(User, user_id).username,
        place_of_supply=place_of_supply,
        ref=session.ref,
        charger_id=session.charger_id,
        connector=session.connector_number,
        place=charger.place or charger.name,
        started_at=session.started_at or session.requested_at,
        stopped_at=session.stopped_at,
        meter_start_wh=session.meter_start_wh,
        meter_stop_wh=session.meter_stop_wh,
        energy_wh=session.energy_wh,
        steps=_steps(session),
        total_paise=session.cost_paise,
        taxes=taxes(session.gst_paise, session.gst_basis_points, within=_same(place_of_supply, given.state)),
        bookings=_bookings(db, user_id, keys),
        estimated=session.estimated,
    )


def of_payment(db: Session, user_id: int, order_id: str) -> PaymentReceipt:
    """The receipt of the driver's own recharge.

    Raises:
        NoReceipt: the order is not his, or its money has not come.
    """
    order = db.exec(select(RechargeOrder).where(RechargeOrder.merchant_order_id == order_id)).first()
    if order is None or order.user_id != user_id or order.state != OrderState.CREDITED:
        raise NoReceipt(order_id)
    [booking] = _bookings(db, user_id, [f"recharge:{order_id}"])
    return PaymentReceipt(
        seller=seller(),
        customer=db.get_one(User, user_id).username,
        order_id=order_id,
        gateway_order_id=order.gateway_order_id,
        utr=order.utr,
        payment_mode=order.payment_mode,
        amount_paise=order.amount_paise,
        paid_at=booking.at,
        booking=booking,
    )


def seller() -> Seller:
    """Who gives receipts and statements, as the settings say now."""
    known = settings()
    return Seller(known.seller_name, known.seller_address, known.seller_state, known.seller_gstin)


def taxes(gst_paise: int, basis_points: int, *, within: bool) -> tuple[Tax, ...]:
    """CGST and SGST in halves within the seller's state, IGST beyond it; none without GST (payments.md 2.6)."""
    if not basis_points:
        return ()
    if not within:
        return (Tax("IGST", basis_points, gst_paise),)
    half, share = basis_points // 2, gst_paise // 2
    return Tax("CGST", half, share), Tax("SGST", basis_points - half, gst_paise - share)


def _steps(session: ChargingSession) -> tuple[Step, ...]:
    paise = money.cost(session.energy_wh, session.paise_per_kwh)
    return (Step(session.energy_wh, session.paise_per_kwh, paise),)


def _same(place: str, state: str) -> bool:
    return place.strip().casefold() == state.strip().casefold()


def _bookings(db: Session, user_id: int, keys: Sequence[str]) -> tuple[Booking, ...]:
    """What these transfers did to the driver's two accounts, in the order of the ledger."""
    code, due = wallet.wallet_code(user_id), wallet.due_code(user_id)
    transfers = db.exec(select(Transfer).where(col(Transfer.idem_key).in_(keys)).order_by(col(Transfer.id))).all()
    bookings = []
    for transfer in transfers:
        entries = db.exec(select(Entry).where(Entry.transfer_id == transfer.id)).all()
        moved = {entry.account_code: entry.amount_paise for entry in entries}
        bookings.append(Booking(transfer.id or 0, transfer.created_at, -moved.get(code, 0), -moved.get(due, 0)))
    return tuple(bookings)
