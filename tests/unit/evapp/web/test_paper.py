"""Receipts on paper: every fact is on them, in the app's type, and nothing that is not so."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.prices import Line as BillLine
from domain.receipts import Booking, Buyer, ChargeReceipt, Kind, PaymentReceipt, Seller, taxes
from domain.statements import Statement
from domain.story import Line
from evapp.web import paper
from evapp.web.paper import Paper

AT = datetime(2026, 11, 22, 18, 45, tzinfo=UTC)
SELLER = Seller("evapp Charging", "12 Residency Road", "Karnataka", "29ABCDE1234F1Z5")
CHARGE = ChargeReceipt(
    kind=Kind.TAX_INVOICE,
    number="EV/26-27/0000042",
    issued_at=AT,
    seller=SELLER,
    customer="asha",
    buyer=None,
    place_of_supply="Karnataka",
    ref="K3J9QW7ZP2M4N8XA",
    charger_id="BLR-017",
    connector=2,
    place="Forum Mall",
    started_at=AT - timedelta(hours=1),
    stopped_at=AT,
    meter_start_wh=10_000,
    meter_stop_wh=24_880,
    energy_wh=14_880,
    lines=(BillLine("energy", 14_880, 1_820, 27_082),),
    total_paise=27_082,
    taxes=taxes(4_131, 1_800, within=True),
    bookings=(Booking(AT, 25_000, 2_082),),
    estimated=False,
)
NOTE = replace(
    CHARGE,
    kind=Kind.CREDIT_NOTE,
    number="CN/26-27/0000001",
    corrects="EV/26-27/0000042",
    corrects_at=AT,
    lines=(BillLine("start", 1, 500, 500), BillLine("energy", 10_000, 1_820, 18_200)),
    before_paise=27_082,
    total_paise=8_382,
    taxes=taxes(1_279, 1_800, within=True),
)
PAYMENT = PaymentReceipt(
    seller=SELLER,
    customer="asha",
    order_id="RCH-1",
    gateway_order_id="OMO1",
    utr="455069731511",
    payment_mode="UPI_QR",
    amount_paise=100_000,
    paid_at=AT,
    booking=Booking(AT, -90_000, -10_000),
)


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that papers show from now on."""
    words: list[str] = []
    shown = Paper.shown

    def keep(self: Paper, text: str) -> str:
        words.append(shown(self, text))
        return words[-1]

    monkeypatch.setattr(Paper, "shown", keep)
    return words


def test_a_tax_invoice_names_everything_that_rule_46_asks_for(words: list[str]) -> None:
    assert paper.charge(CHARGE).startswith(b"%PDF-")
    for fact in (
        "Tax invoice",
        "EV/26-27/0000042",
        "evapp Charging",
        "12 Residency Road",
        "GSTIN 29ABCDE1234F1Z5",
        "23 Nov 2026, 12:15 am",
        "22 Nov 2026, 11:15 pm",
        "asha",
        "Charging of an electric vehicle, SAC 998714",
        "Karnataka",
        "BLR-017, connector 2",
        "Forum Mall",
        "10.000 kWh",
        "24.880 kWh",
        "14.880 kWh",
        "Energy: 14.880 kWh × ₹18.20/kWh",
        "Taxable value in it",
        "₹229.51",
        "CGST 9 % in it",
        "₹20.65",
        "SGST 9 % in it",
        "₹20.66",
        "Total",
        "₹270.82",
        "Booked",
        "23 Nov 2026, 12:15 am, after 1 h 00 m",
        "₹250.00",
        "₹20.82",
    ):
        assert fact in words
    assert not any("Estimated" in word or "readings" in word for word in words)


def test_a_registered_firm_is_named_with_address_and_gstin(words: list[str]) -> None:
    """Rules 46(d) and 53(1)(f): of the note, too."""
    buyer = Buyer("Kaveri Cabs Private Limited", "7 Anna Salai, Chennai 600002", "33AABCK4567Q1Z1")
    for one in (CHARGE, NOTE):
        words.clear()
        paper.charge(replace(one, buyer=buyer))
        for name, fact in (
            ("Customer", "Kaveri Cabs Private Limited"),
            ("Address", "7 Anna Salai, Chennai 600002"),
            ("Customer's GSTIN", "33AABCK4567Q1Z1"),
            ("Driver", "asha"),
        ):
            assert words[words.index(name) + 1] == fact


def test_a_bill_of_supply_has_no_line_of_gst(words: list[str]) -> None:
    paper.charge(replace(CHARGE, kind=Kind.BILL_OF_SUPPLY, taxes=(), seller=replace(SELLER, gstin="")))
    assert "Bill of supply" in words
    assert not any("GST" in word or "axable" in word or "Reverse" in word for word in words)


def test_a_union_territory_without_an_assembly_has_utgst(words: list[str]) -> None:
    paper.charge(replace(CHARGE, place_of_supply="Ladakh"))
    assert "UTGST 9 % in it" in words and "SGST 9 % in it" not in words


def test_igst_is_one_line(words: list[str]) -> None:
    paper.charge(replace(CHARGE, taxes=taxes(4_131, 1_850, within=False)))
    assert "IGST 18.5 % in it" in words
    assert not any("CGST" in word for word in words)


def test_an_estimate_and_units_by_readings_say_so(words: list[str]) -> None:
    paper.charge(replace(CHARGE, estimated=True, meter_stop_wh=None))
    assert any(word.startswith("Estimated from the last reading") for word in words)
    assert "Billed by the readings during the charge." in words
    assert "Meter at the stop" not in words


def test_money_that_came_back_is_not_called_taken(words: list[str]) -> None:
    paper.charge(replace(CHARGE, bookings=(Booking(AT, -500, -2_082),)))
    assert "Back to the wallet" in words and "No longer owed" in words
    assert "From the wallet" not in words


def test_a_payment_says_where_it_went_and_that_it_is_no_invoice(words: list[str]) -> None:
    assert paper.payment(PAYMENT).startswith(b"%PDF-")
    for fact in (
        "Payment receipt",
        "RCH-1",
        "OMO1",
        "455069731511",
        "PhonePe UPI QR",
        "₹100.00",
        "₹900.00",
        "₹1,000.00",
    ):
        assert fact in words
    assert any("not an invoice" in word for word in words)
    assert not any("axable" in word for word in words)


def test_signs_that_the_fonts_lack_are_not_lost_silently(words: list[str]) -> None:
    paper.charge(replace(CHARGE, place="ನಗರ −2"))
    assert "??? –2" in words


def test_names_and_places_in_devanagari_are_written(words: list[str]) -> None:
    paper.charge(replace(CHARGE, place="हनुमान चौक, क्षत्रिय विद्यालय", seller=replace(SELLER, address="१२ रेज़िडेंसी रोड")))
    assert {"हनुमान चौक, क्षत्रिय विद्यालय", "१२ रेज़िडेंसी रोड"} <= set(words)


@pytest.mark.parametrize(
    "text", ["ಸಾಫ್ಟ್\u200cವೇರ್ ಪಾರ್ಕ್", "Paid by 👨\u200d👩\u200d👧", "a\u200cb", "\u200d", "क\u200d\u0a05"]
)
def test_a_joiner_between_letters_of_other_scripts_spoils_no_paper(text: str) -> None:
    """FPDF fails at a joiner in a run of its own, and the facts of a receipt never change."""
    assert paper.charge(replace(CHARGE, place=text)).startswith(b"%PDF-")
    line = Line(1, AT, AT, "adjustment", 100, 100, text, "", False)
    assert paper.statement(Statement(AT, AT, AT, SELLER, text, 0, 0, (line,))).startswith(b"%PDF-")


def test_a_joiner_in_devanagari_stays(words: list[str]) -> None:
    paper.charge(replace(CHARGE, place="क्\u200dष और श्री\u200cमान, a\u200cb"))
    assert "क्\u200dष और श्री\u200cमान, ab" in words


MIXED = st.text(
    st.sampled_from("a1 \n.₹−→कषि्ँ।\u0900\u094d\u0978\u25cc\u200b\u200c\u200d\u200e\u00ad\ufe0fಸ್👨ع\u0301\ud800"),
    max_size=12,
)


def test_no_text_spoils_a_paper() -> None:
    sheet = Paper("x", AT)

    @given(MIXED)
    def written(text: str) -> None:
        sheet.say(text)
        sheet.facts("x", [("x", text)])

    written()
    assert bytes(sheet.output()).startswith(b"%PDF-")


def test_a_line_after_one_in_devanagari_has_its_own_letters() -> None:
    sheet = Paper("x", AT)
    sheet.set_compression(False)
    for text in ("रोड", "Karnataka"):
        sheet.say(text, 9)
    latin, hindi = (sheet.fonts[name].i for name in ("anek", "noto"))
    fonts = [int(number) for number in re.findall(rb"/F(\d+) 9.00 Tf", bytes(sheet.output()))]
    assert fonts[-2:] == [hindi, latin]


@pytest.mark.parametrize("receipt", [CHARGE, NOTE, PAYMENT])
def test_an_ordinary_paper_is_one_page(receipt: ChargeReceipt | PaymentReceipt) -> None:
    pdf = paper.payment(receipt) if isinstance(receipt, PaymentReceipt) else paper.charge(receipt)
    assert pdf.count(b"/Type /Page\n") == 1


def test_a_block_that_does_not_fit_begins_on_the_next_page() -> None:
    """Many lines of a price, and its total beside them: no heading stands alone."""
    lines = tuple(BillLine("energy", 1_000, 1_800 + n, 1_800 + n) for n in range(24))
    pdf = paper.charge(replace(CHARGE, lines=lines))
    assert pdf.count(b"/Type /Page\n") == 2


def test_the_same_receipt_is_the_same_paper() -> None:
    assert paper.charge(CHARGE) == paper.charge(CHARGE)


def test_a_statement_goes_from_its_opening_to_its_closing(words: list[str]) -> None:
    added = Line(1, AT, AT, "recharge", 100_000, 110_050, "Payment with PhonePe", "RCH-1", False)
    owed = Line(2, AT, AT, "charging", -1_205, -1_205, "Charging at BLR-1", "K3J9", True)
    told = Statement(AT, AT, AT, SELLER, "asha", 10_050, 0, (added, owed))
    assert paper.statement(told).startswith(b"%PDF-")
    for fact in (
        "November 2026, asha",
        "₹100.50",
        "₹1,000.00",
        "₹1,100.50",
        "23 Nov 2026\n12:15 am",
        "Added\nPayment with PhonePe\nRCH-1",
        "+₹1,000.00",
        "Owed\nCharging at BLR-1\nK3J9",
        "–₹12.05",
        "Owed ₹12.05",
        "Owed at the end",
        "₹12.05",
    ):
        assert fact in words


def test_a_month_without_movements_says_so(words: list[str]) -> None:
    paper.statement(Statement(AT, AT, AT, SELLER, "asha", 10_050, 0, ()))
    assert "Nothing moved in this month." in words
    assert "Owed at the end" not in words


def test_a_long_statement_has_its_heads_on_every_page(words: list[str]) -> None:
    line = Line(1, AT, AT, "recharge", 100_000, 110_050, "Payment with PhonePe", "RCH-1", False)
    pdf = paper.statement(Statement(AT, AT, AT, SELLER, "asha", 0, 0, (line,) * 60))
    assert pdf.count(b"/Type /Page\n") > 3


@pytest.mark.row("C37")
def test_a_note_says_what_it_changes_and_the_difference(words: list[str]) -> None:
    """payments.md C37, rule 53."""
    paper.charge(NOTE)
    for fact in (
        "Credit note",
        "CN/26-27/0000001",
        "Changes receipt",
        "EV/26-27/0000042, 23 Nov 2026",
        "Start fee",
        "Now",
        "Before",
    ):
        assert fact in words
    for sum in ("₹5.00", "₹182.00", "₹187.00", "₹270.82", "₹83.82", "₹71.03"):
        assert sum in words
