"""Receipts and notes: numbered without gaps, and kept as they were given (rules 46 and 53; payments.md 2.6)."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, col, select

from domain import firms, gst, recharges, sessions, wallet
from domain.india import INDIA
from domain.models import (
    Charger,
    ChargingSession,
    Firm,
    OrderState,
    PaperKind,
    Receipt,
    ReceiptCounter,
    Transfer,
    User,
    now,
)
from domain.prices import Line
from domain.settings import settings

NOTE = re.compile(r"(CN|DN)-([0-9]{2}-[0-9]{2})-([0-9]{7})")
"""The number of a note as an address writes it."""
SAC = "998714"
"""The service code of charging a vehicle: energy and service are one supply (payments.md 2.6)."""


class NoReceipt(Exception):
    """This driver has no such receipt: not his, nothing paid, or not settled yet."""


class Kind(StrEnum):
    """What a paper about a charge is called by law."""

    TAX_INVOICE = "tax invoice"
    BILL_OF_SUPPLY = "bill of supply"
    """No GST was in the price, because no GSTIN was set when the charge began."""
    CREDIT_NOTE = "credit note"
    DEBIT_NOTE = "debit note"


_KINDS: dict[str, Kind] = {PaperKind.CREDIT_NOTE: Kind.CREDIT_NOTE, PaperKind.DEBIT_NOTE: Kind.DEBIT_NOTE}


@dataclass(frozen=True, slots=True)
class Seller:
    """The operator, as its settings name it."""

    name: str
    address: str
    state: str
    gstin: str


@dataclass(frozen=True, slots=True)
class Buyer:
    """A firm that is registered for GST, as it was when the receipt was given (rule 46(d))."""

    name: str
    address: str
    gstin: str


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax inside the total."""

    name: str
    basis_points: int
    paise: int


@dataclass(frozen=True, slots=True)
class Booking:
    """One transfer of the ledger: what it took from the wallet and what it left owed; negative gave back."""

    at: datetime
    wallet_paise: int
    owed_paise: int


@dataclass(frozen=True, slots=True)
class ChargeReceipt:
    """Everything that stands on the receipt of a charge, or on a note that changes one: Wh, paise, aware times.

    Of a note the total is what it gives back or asks for, and the lines are those of the whole bill as it is now.
    """

    kind: Kind
    number: str
    issued_at: datetime
    seller: Seller
    customer: str
    """The driver's name as it is now: no paper keeps anything of him, so that deleting his account takes it away."""
    buyer: Buyer | None
    """Whom it is made out to, where that is a registered firm: this stays."""
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
    lines: tuple[Line, ...]
    total_paise: int
    taxes: tuple[Tax, ...]
    bookings: tuple[Booking, ...]
    estimated: bool
    corrects: str = ""
    """Of a note: the number of the receipt it changes, and when that was given (rule 53)."""
    corrects_at: datetime | None = None
    before_paise: int = 0
    """Of a note: what the charge had cost until then."""

    @property
    def taxable_paise(self) -> int:
        """The total without its taxes."""
        return self.total_paise - sum(tax.paise for tax in self.taxes)

    @property
    def by_readings(self) -> bool:
        """Whether the units billed are not simply meter stop minus meter start (payments.md C17-C19)."""
        return is_by_readings(self.meter_start_wh, self.meter_stop_wh, self.energy_wh)


def is_by_readings(start_wh: int | None, stop_wh: int | None, energy_wh: int) -> bool:
    """Whether a charge between these registers, as far as they were told, was billed otherwise than by them."""
    return start_wh is None or stop_wh is None or stop_wh - start_wh != energy_wh


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


def next_number(db: Session, moment: datetime, kind: PaperKind = PaperKind.RECEIPT) -> str:
    """The next number of the year, at most 16 characters; taken in the transaction that debits."""
    year = financial_year(moment)
    if db.get(ReceiptCounter, (kind, year)) is None:
        db.add(ReceiptCounter(series=kind, financial_year=year))
        db.flush()
    counter = db.get_one(ReceiptCounter, (kind, year), with_for_update=True, populate_existing=True)
    counter.last += 1
    db.flush()
    return f"{kind}/{year}/{counter.last:07d}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands on a paper beside its sums, as it was when it was given."""

    seller: dict[str, str]
    place_of_supply: str
    place: str
    stopped_at: str
    meter_stop_wh: int | None
    energy_wh: int
    lines: list[list[str | int]]
    estimated: bool
    before_paise: int
    transfers: list[str]
    """The keys of the transfers that moved the money."""


def issue(
    db: Session, session: ChargingSession, paise: int, gst_paise: int, lines: Sequence[Line], transfer: str
) -> None:
    """Give the paper for what `transfer` debited for a charge, or gave back: a receipt first, then notes (C37).

    `session` and `lines` are what the charge comes to with it.
    """
    moment = now()
    kind = PaperKind.RECEIPT
    if session.receipt_number:
        kind = PaperKind.DEBIT_NOTE if paise > 0 else PaperKind.CREDIT_NOTE
    number = next_number(db, moment, kind)
    charger = db.get_one(Charger, session.charger_id)
    firm = None if session.receipt_number or session.user_id is None else firms.of(db, session.user_id)
    by, place_of_supply = _supply(db, session, charger, firm)
    facts = Facts(
        seller=asdict(by),
        place_of_supply=place_of_supply,
        place=charger.place or charger.name,
        stopped_at=session.stopped_at.isoformat() if session.stopped_at else "",
        meter_stop_wh=session.meter_stop_wh,
        energy_wh=session.energy_wh,
        lines=[[line.name, line.quantity, line.rate_paise, line.paise] for line in lines],
        estimated=session.estimated,
        before_paise=session.cost_paise - paise,
        transfers=[transfer],
    )
    db.add(
        Receipt(
            number=number,
            kind=kind,
            session_id=session.id,
            corrects=session.receipt_number or None,
            total_paise=abs(paise),
            gst_paise=abs(gst_paise),
            gst_basis_points=session.gst_basis_points,
            facts=json.dumps(asdict(facts)),
            buyer=json.dumps(asdict(Buyer(firm.name, firm.address, firm.gstin))) if firm else None,
            created_at=moment,
        )
    )
    session.receipt_number = session.receipt_number or number
    db.flush()


def _supply(db: Session, session: ChargingSession, charger: Charger, firm: Firm | None) -> tuple[Seller, str]:
    """Who supplied a charge, and where (ADR 0017): a registered firm's state, else the one that the charger is said to
    stand in, else the seller's. Of a note what its receipt says, since it has the tax head of what it corrects."""
    if not session.receipt_number:
        by = seller()
        return by, gst.state_of(firm.gstin) if firm else charger.state or by.state
    facts = _facts(db.get_one(Receipt, session.receipt_number))
    return Seller(**facts.seller), facts.place_of_supply


def of_charge(db: Session, user_id: int, ref: str) -> ChargeReceipt:
    """The receipt of the driver's own charge, as it was given.

    Raises:
        NoReceipt: the charge is not his, is not settled, or cost nothing (C29).
    """
    try:
        session = sessions.owned(db, user_id, ref)
    except sessions.NotYours:
        raise NoReceipt(ref) from None
    receipt = db.get(Receipt, session.receipt_number) if session.receipt_number else None
    if receipt is None:
        raise NoReceipt(ref)
    return _paper(db, user_id, session, receipt)


def of_note(db: Session, user_id: int, name: str) -> ChargeReceipt:
    """A note about the driver's own charge by its number, written CN-26-27-0000001.

    Raises:
        NoReceipt: there is no such note, or it is not his.
    """
    match = NOTE.fullmatch(name)
    note = db.get(Receipt, "/".join(match.groups())) if match else None
    session = db.get(ChargingSession, note.session_id) if note else None
    if note is None or session is None or session.user_id != user_id:
        raise NoReceipt(name)
    return _paper(db, user_id, session, note)


def paper(db: Session, given: Receipt) -> ChargeReceipt:
    """A receipt or a note as it was given: whoever is asked for one has paid."""
    session = db.get_one(ChargingSession, given.session_id)
    assert session.user_id is not None
    return _paper(db, session.user_id, session, given)


def notes(db: Session, session: ChargingSession) -> Sequence[Receipt]:
    """What was given for a charge after its receipt, oldest first."""
    of_session = select(Receipt).where(Receipt.session_id == session.id, Receipt.kind != PaperKind.RECEIPT)
    return db.exec(of_session.order_by(col(Receipt.created_at), col(Receipt.number))).all()


def buyer(db: Session, given: Receipt) -> Buyer | None:
    """The registered firm that a receipt is made out to, or the receipt that a note changes."""
    receipt = db.get_one(Receipt, given.corrects) if given.corrects else given
    return Buyer(**json.loads(receipt.buyer)) if receipt.buyer else None


def supply(given: Receipt) -> tuple[Seller, str, tuple[Tax, ...]]:
    """Who gave a receipt or note, the place of supply, and the taxes within its total."""
    facts = _facts(given)
    by = Seller(**facts.seller)
    within = _same(facts.place_of_supply, by.state)
    return by, facts.place_of_supply, taxes(given.gst_paise, given.gst_basis_points, within=within)


def _paper(db: Session, user_id: int, session: ChargingSession, given: Receipt) -> ChargeReceipt:
    facts = _facts(given)
    by = Seller(**facts.seller)
    stopped_at = datetime.fromisoformat(facts.stopped_at) if facts.stopped_at else None
    return ChargeReceipt(
        kind=_KINDS.get(given.kind) or (Kind.TAX_INVOICE if given.gst_basis_points else Kind.BILL_OF_SUPPLY),
        number=given.number,
        issued_at=given.created_at,
        seller=by,
        customer=db.get_one(User, user_id).username,
        buyer=buyer(db, given),
        place_of_supply=facts.place_of_supply,
        ref=session.ref,
        charger_id=session.charger_id,
        connector=session.connector_number,
        place=facts.place,
        started_at=sessions.begun_at(session),
        stopped_at=sessions.ended_at(session, stopped_at),
        meter_start_wh=session.meter_start_wh,
        meter_stop_wh=facts.meter_stop_wh,
        energy_wh=facts.energy_wh,
        lines=tuple(Line(str(name), int(q), int(rate), int(paise)) for name, q, rate, paise in facts.lines),
        total_paise=given.total_paise,
        taxes=taxes(given.gst_paise, given.gst_basis_points, within=_same(facts.place_of_supply, by.state)),
        bookings=_bookings(db, user_id, facts.transfers),
        estimated=facts.estimated,
        corrects=given.corrects or "",
        corrects_at=db.get_one(Receipt, given.corrects).created_at if given.corrects else None,
        before_paise=facts.before_paise,
    )


def _facts(given: Receipt) -> Facts:
    return Facts(**json.loads(given.facts))


def of_payment(db: Session, user_id: int, order_id: str) -> PaymentReceipt:
    """The receipt of the driver's own recharge.

    Raises:
        NoReceipt: the order is not his, or its money has not come.
    """
    order = recharges.found(db, order_id)
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


def _same(place: str, state: str) -> bool:
    return place.strip().casefold() == state.strip().casefold()


def _bookings(db: Session, user_id: int, keys: Sequence[str]) -> tuple[Booking, ...]:
    """What these transfers did to the driver's two accounts, in the order of the ledger."""
    code, due = wallet.of_driver(user_id)
    transfers = db.exec(select(Transfer).where(col(Transfer.idem_key).in_(keys)).order_by(col(Transfer.id))).all()
    bookings = []
    for transfer in transfers:
        moved = {entry.account_code: entry.amount_paise for entry in wallet.entries(db, transfer)}
        bookings.append(Booking(transfer.created_at, -moved.get(code, 0), -moved.get(due, 0)))
    return tuple(bookings)
