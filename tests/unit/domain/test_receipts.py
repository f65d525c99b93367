"""Receipts: one series of numbers a financial year, without gaps, and what stands on them (rule 46)."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from domain import chargers, firms, goodwill, placing, receipts, recharges, tariffs
from domain.db import Database, transact
from domain.models import Charger, ChargingSession
from domain.prices import Line, Price
from domain.receipts import Buyer, ChargeReceipt, Kind, NoReceipt, Seller, Tax
from domain.recharges import OrderStatus
from domain.settings import settings
from tests.money.charges import METER, Desk
from tests.money.house import owe

NOVEMBER = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.row("C36")
@pytest.mark.parametrize(
    ("moment", "year"),
    [
        ("2026-03-31T18:29:59+00:00", "25-26"),
        ("2026-03-31T18:30:00+00:00", "26-27"),
        ("2026-04-01T00:00:00+05:30", "26-27"),
        ("2026-12-31T23:59:00+05:30", "26-27"),
        ("2027-01-01T00:00:00+05:30", "26-27"),
        ("2099-05-01T00:00:00+05:30", "99-00"),
    ],
)
def test_the_year_begins_in_april_in_india(moment: str, year: str) -> None:
    """payments.md C36."""
    assert receipts.financial_year(datetime.fromisoformat(moment)) == year


def test_numbers_follow_each_other_and_fit(db: Session) -> None:
    numbers = [receipts.next_number(db, NOVEMBER) for _ in range(3)]
    assert numbers == ["EV/26-27/0000001", "EV/26-27/0000002", "EV/26-27/0000003"]
    assert {len(number) for number in numbers} == {16}


def test_every_year_has_its_own(db: Session) -> None:
    receipts.next_number(db, NOVEMBER)
    assert receipts.next_number(db, NOVEMBER.replace(year=2027)) == "EV/27-28/0000001"
    assert receipts.next_number(db, NOVEMBER) == "EV/26-27/0000002"


async def test_a_transaction_that_fails_leaves_no_gap(database: Database) -> None:
    def fail(db: Session) -> None:
        receipts.next_number(db, NOVEMBER)
        raise ValueError

    for _ in range(3):
        with pytest.raises(ValueError):
            await transact(fail)
    assert await transact(receipts.next_number, NOVEMBER) == "EV/26-27/0000001"


async def test_many_at_once(database: Database) -> None:
    numbers = await asyncio.gather(*(transact(receipts.next_number, NOVEMBER) for _ in range(30)))
    assert sorted(int(number[-7:]) for number in numbers) == list(range(1, 31))


# What stands on them


KARNATAKA = {"seller_gstin": "29ABCDE1234F1Z5", "seller_state": "Karnataka", "seller_address": "12 Residency Road"}


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seller has a GSTIN of Karnataka."""
    for name, value in KARNATAKA.items():
        monkeypatch.setattr(settings(), name, value)


def charged(desk: Desk, rupees: int = 1_000, kwh: int = 4) -> tuple[int, ChargingSession]:
    """A driver and his settled charge."""
    asha = desk.driver(rupees)
    desk.charger()
    session_id = desk.charging(asha)
    desk.flows(session_id, kwh)
    desk.stop(session_id, METER + kwh * 1_000)
    return asha, desk.session(session_id)


def receipt_of(desk: Desk, user_id: int, session: ChargingSession) -> ChargeReceipt:
    return desk.do(receipts.of_charge, user_id, session.ref)


def test_a_charge_has_everything_of_rule_46(desk: Desk, registered: None) -> None:
    asha, session = charged(desk)
    receipt = receipt_of(desk, asha, session)
    assert receipt.kind == Kind.TAX_INVOICE
    assert (receipt.number, receipt.issued_at) == (session.receipt_number, session.settled_at)
    assert receipt.seller == Seller("evapp Charging", "12 Residency Road", "Karnataka", "29ABCDE1234F1Z5")
    assert (receipt.customer, receipt.place_of_supply) == ("driver_0", "Karnataka")
    assert (receipt.meter_start_wh, receipt.meter_stop_wh, receipt.energy_wh) == (METER, METER + 4_000, 4_000)
    assert (receipt.started_at, receipt.stopped_at) == (session.started_at, session.stopped_at)
    assert receipt.lines == (Line("energy", 4_000, 1_800, 7_200),)
    assert receipt.taxes == (Tax("CGST", 900, 549), Tax("SGST", 900, 549))
    assert (receipt.taxable_paise, receipt.total_paise) == (6_102, 7_200)
    assert not receipt.by_readings and not receipt.estimated


def test_beyond_the_sellers_state_it_is_igst(desk: Desk, registered: None) -> None:
    desk.do(chargers.add, "BLR-1", state="Kerala")
    asha, session = charged(desk)
    receipt = receipt_of(desk, asha, session)
    assert (receipt.place_of_supply, receipt.taxes) == ("Kerala", (Tax("IGST", 1_800, 1_098),))


CHENNAI = {"gstin": "33AABCK4567Q1Z1", "name": "Kaveri Cabs Private Limited", "address": "7 Anna Salai, Chennai"}
BENGALURU = {**CHENNAI, "gstin": "29AABCK4567Q1ZQ"}


@pytest.mark.parametrize(
    ("firm", "charger", "place", "heads"),
    [
        (CHENNAI, "", "Tamil Nadu", ["IGST"]),
        (BENGALURU, "", "Karnataka", ["CGST", "SGST"]),
        (BENGALURU, "Kerala", "Karnataka", ["CGST", "SGST"]),
        (CHENNAI, "Kerala", "Tamil Nadu", ["IGST"]),
    ],
)
def test_a_registered_firm_is_named_and_supplied_in_its_own_state(
    desk: Desk, registered: None, firm: dict[str, str], charger: str, place: str, heads: list[str]
) -> None:
    """Rule 46(d); IGST Act, section 12(2)(a): wherever the charger stands (docs/adr/0017)."""
    asha = desk.driver(1_000)
    desk.charger()
    desk.do(chargers.add, "BLR-1", state=charger)
    desk.do(firms.save, asha, firm)
    session_id = desk.charging(asha)
    desk.flows(session_id, 4)
    desk.stop(session_id, METER + 4_000)
    receipt = receipt_of(desk, asha, desk.session(session_id))
    assert receipt.buyer == Buyer(**firm)
    assert (receipt.customer, receipt.place_of_supply) == ("driver_0", place)
    assert [tax.name for tax in receipt.taxes] == heads
    assert (receipt.taxable_paise, sum(tax.paise for tax in receipt.taxes)) == (6_102, 1_098)


def test_a_firm_stays_on_its_papers_and_on_no_other(desk: Desk, registered: None) -> None:
    """A note is made out to whom its receipt was, in the same state; what a driver tells later is of later receipts."""
    asha, before = charged(desk)
    desk.do(firms.save, asha, CHENNAI)
    desk.charger("BLR-2")
    session_id = desk.charging(asha, "BLR-2")
    desk.flows(session_id, 4)
    desk.stop(session_id, METER + 4_000)
    first = receipt_of(desk, asha, desk.session(session_id))
    desk.do(firms.save, asha, {**BENGALURU, "name": "Another"})
    for charge in (before.id, session_id):
        desk.do(goodwill.give_back, charge, 500, "It was slow")
    assert receipt_of(desk, asha, before).buyer is None
    [of_none], [of_firm] = (notes_of(desk, asha, charge) for charge in (before.id, session_id))
    assert (of_none.buyer, of_none.place_of_supply) == (None, "Karnataka")
    assert (of_firm.buyer, of_firm.place_of_supply, of_firm.taxes[0].name) == (Buyer(**CHENNAI), "Tamil Nadu", "IGST")
    assert receipt_of(desk, asha, desk.session(session_id)) == first


def test_a_bill_of_supply_names_the_firm_too(desk: Desk) -> None:
    """Rule 49(c)."""
    asha = desk.driver(1_000)
    desk.do(firms.save, asha, CHENNAI)
    desk.charger()
    session_id = desk.charging(asha)
    desk.flows(session_id, 4)
    desk.stop(session_id, METER + 4_000)
    receipt = receipt_of(desk, asha, desk.session(session_id))
    assert (receipt.kind, receipt.buyer, receipt.taxes) == (Kind.BILL_OF_SUPPLY, Buyer(**CHENNAI), ())


def test_the_sellers_state_is_known_however_it_is_written(desk: Desk, registered: None) -> None:
    desk.do(chargers.add, "BLR-1", state=" karnataka")
    asha, session = charged(desk)
    assert [tax.name for tax in receipt_of(desk, asha, session).taxes] == ["CGST", "SGST"]


def test_what_was_given_stays_as_it_was(desk: Desk, registered: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A seller that moves, a charger that moves, another price: none of it reaches a receipt of the past."""
    asha, session = charged(desk)
    before = receipt_of(desk, asha, session)
    for name in KARNATAKA:
        monkeypatch.setattr(settings(), name, "another")
    desk.do(chargers.add, session.charger_id, state="Kerala", place="Elsewhere")
    desk.do(tariffs.set_price, Price(9_900, 0))
    desk.passes(days=400)
    assert receipt_of(desk, asha, session) == before


def test_a_slow_clock_is_on_no_paper(desk: Desk) -> None:
    """A start and a stop that were told a month late were told by a slow clock, where the driver asked for it today."""
    asha = desk.driver()
    desk.charger()
    asked_at, month = desk.clock.at, timedelta(days=30)
    session_id = desk.request(asha)
    desk.start(session_id, at=desk.clock.at - month)
    desk.passes(minutes=10)
    desk.stop(session_id, METER + 1_000, at=desk.clock.at - month)
    receipt = receipt_of(desk, asha, desk.session(session_id))
    assert (receipt.started_at, receipt.stopped_at) == (asked_at, desk.clock.at)


def test_without_a_gstin_it_is_a_bill_of_supply_and_stays_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asha, session = charged(desk)
    monkeypatch.setattr(settings(), "seller_gstin", "29ABCDE1234F1Z5")
    receipt = receipt_of(desk, asha, session)
    assert (receipt.kind, receipt.taxes) == (Kind.BILL_OF_SUPPLY, ())
    assert receipt.taxable_paise == receipt.total_paise == 7_200


@pytest.mark.row("C21")
def test_the_price_is_the_one_the_charge_began_with(desk: Desk, registered: None) -> None:
    """payments.md C21."""
    asha, session = charged(desk)
    desk.do(tariffs.set_price, Price(9_900, 0))
    assert receipt_of(desk, asha, session).lines == (Line("energy", 4_000, 1_800, 7_200),)


def test_what_the_wallet_lacked_is_said(desk: Desk) -> None:
    asha, session = charged(desk, rupees=60)
    [booking] = receipt_of(desk, asha, session).bookings
    assert (booking.wallet_paise, booking.owed_paise) == (6_000, 1_200)


def test_an_estimate_and_its_correction_are_a_receipt_and_a_credit_note(desk: Desk) -> None:
    asha, session_id = desk.a_charge(kwh=2)
    desk.lose(session_id)
    with pytest.raises(NoReceipt):
        receipt_of(desk, asha, desk.session(session_id))
    desk.passes(hours=25)
    desk.sweep()
    estimate = receipt_of(desk, asha, desk.session(session_id))
    assert estimate.estimated and estimate.by_readings
    desk.stop(session_id, METER + 1_500)
    final = receipt_of(desk, asha, desk.session(session_id))
    assert final == estimate
    [credit] = notes_of(desk, asha, session_id)
    assert credit.corrects_at == estimate.issued_at
    assert (credit.kind, credit.number, credit.corrects) == (Kind.CREDIT_NOTE, "CN/26-27/0000001", estimate.number)
    assert (credit.before_paise, credit.total_paise, credit.lines) == (
        3_600,
        900,
        (Line("energy", 1_500, 1_800, 2_700),),
    )
    assert not credit.estimated
    bookings = [*estimate.bookings, *credit.bookings]
    assert [(b.wallet_paise, b.owed_paise) for b in bookings] == [(3_600, 0), (-900, 0)]


def notes_of(desk: Desk, user_id: int, session_id: int) -> list[ChargeReceipt]:
    found = desk.do(lambda db: receipts.notes(db, db.get_one(ChargingSession, session_id)))
    return [desk.do(receipts.of_note, user_id, note.number.replace("/", "-")) for note in found]


def test_a_correction_upwards_is_a_debit_note_with_its_gst(desk: Desk, registered: None) -> None:
    asha = desk.driver()
    desk.charger()
    session_id = desk.estimated(asha)
    desk.stop(session_id, METER + 2_500)
    [debit] = notes_of(desk, asha, session_id)
    assert (debit.kind, debit.number) == (Kind.DEBIT_NOTE, "DN/26-27/0000001")
    assert (debit.total_paise, debit.taxable_paise) == (900, 763)
    assert desk.session(session_id).gst_paise == 549 + 137
    with pytest.raises(NoReceipt):
        desk.do(receipts.of_note, desk.driver(), "DN-26-27-0000001")
    for name in ("DN-26-27-0000002", "DN/26-27/0000001", "EV-26-27-0000001", "x"):
        with pytest.raises(NoReceipt):
            desk.do(receipts.of_note, asha, name)


def test_a_note_has_the_tax_head_and_the_seller_of_the_receipt_it_corrects(
    desk: Desk, registered: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supply was made by that seller at that place, whatever has moved since."""
    asha, session = charged(desk)
    given = receipt_of(desk, asha, session)
    desk.do(chargers.add, "BLR-1", state="Kerala")
    for name in KARNATAKA:
        monkeypatch.setattr(settings(), name, "another")
    desk.do(goodwill.give_back, session.id, 1_000, "Sorry")
    [credit] = notes_of(desk, asha, session.id or 0)
    assert (credit.seller, credit.place_of_supply) == (given.seller, "Karnataka")
    assert credit.taxes == (Tax("CGST", 900, 76), Tax("SGST", 900, 76))


def test_an_estimate_that_was_all_too_much_is_credited_whole(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    session_id = desk.estimated(asha)
    desk.stop(session_id, METER)
    [credit] = notes_of(desk, asha, session_id)
    assert (credit.total_paise, credit.lines) == (3_600, ())
    assert desk.money(asha).balance_paise == 100_000


@pytest.mark.row("C16", "C19")
def test_units_that_are_not_the_meters_difference_are_marked(desk: Desk) -> None:
    """payments.md C16, C19."""
    asha, session_id = desk.a_charge(kwh=2)
    desk.stop(session_id, METER + 900_000)
    receipt = receipt_of(desk, asha, desk.session(session_id))
    assert receipt.by_readings
    assert receipt.energy_wh == 2_000


@pytest.mark.row("C29")
def test_ones_own_only_and_nothing_for_nothing(desk: Desk) -> None:
    """payments.md C29."""
    asha, session = charged(desk)
    ben = desk.driver()
    for user_id, ref in ((ben, session.ref), (asha, "NOSUCHCHARGE0000"), (asha, "../x")):
        with pytest.raises(NoReceipt):
            desk.do(receipts.of_charge, user_id, ref)
    desk.status("BLR-1", 1, "Available")
    free = desk.charging(asha)
    desk.stop(free, METER)
    with pytest.raises(NoReceipt):
        receipt_of(desk, asha, desk.session(free))


@pytest.mark.parametrize("gst", range(0, 2_000, 7))
def test_the_halves_are_the_whole(gst: int) -> None:
    parts = receipts.taxes(gst, 1_800, within=True)
    assert sum(tax.paise for tax in parts) == gst
    assert sum(tax.basis_points for tax in parts) == 1_800
    assert parts[1].paise - parts[0].paise in (0, 1)


def test_a_recharge_says_where_the_money_went(desk: Desk) -> None:
    asha = desk.driver(rupees=0)
    desk.do(owe, asha, 10_000)
    order = desk.do(placing.place, asha, 100_000, "n1")
    paid = OrderStatus("OMO1", "COMPLETED", 100_000, "4550", "OM1", "UPI_QR", "", {"state": "COMPLETED"})
    with pytest.raises(NoReceipt):
        desk.do(receipts.of_payment, asha, order.merchant_order_id)
    desk.do(recharges.apply, order.merchant_order_id, paid)
    receipt = desk.do(receipts.of_payment, asha, order.merchant_order_id)
    assert (receipt.amount_paise, receipt.utr, receipt.gateway_order_id) == (100_000, "4550", "OMO1")
    assert (receipt.booking.wallet_paise, receipt.booking.owed_paise) == (-90_000, -10_000)
    with pytest.raises(NoReceipt):
        desk.do(receipts.of_payment, desk.driver(), order.merchant_order_id)


def test_a_correction_that_finds_the_wallet_empty_is_owed_and_its_paper_says_so(desk: Desk) -> None:
    desk.charger()
    asha = desk.driver(50)
    session_id = desk.charging(asha)
    desk.flows(session_id, 2)
    desk.lose(session_id)
    desk.passes(hours=25)
    desk.sweep()
    desk.give(asha, -14, "all that is left")
    desk.passes(minutes=1)
    desk.stop(session_id, METER + 3_000)
    [debit] = notes_of(desk, asha, session_id)
    assert [(b.wallet_paise, b.owed_paise) for b in debit.bookings] == [(0, 1_800)]


@pytest.mark.parametrize(
    ("name", "place", "printed"), [("Gate 2", "", "Gate 2"), ("Gate 2", "Forum Mall", "Forum Mall")]
)
def test_a_charger_without_a_place_is_called_by_its_name(desk: Desk, name: str, place: str, printed: str) -> None:
    def called(db: Session) -> None:
        charger = db.get_one(Charger, "BLR-1")
        charger.name, charger.place = name, place

    asha = desk.driver()
    desk.charger()
    desk.do(called)
    session_id = desk.begun(asha, 1)
    desk.stop(session_id, METER + 1_000)
    assert desk.do(receipts.of_charge, asha, desk.session(session_id).ref).place == printed
