"""Receipts and statements on paper: A4 pages as PDF, in the app's own type."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from fpdf import FPDF, XPos, YPos
from fpdf.enums import Align
from fpdf.fonts import FontFace, TTFFont

from domain import gst
from domain.receipts import SAC, Booking, ChargeReceipt, Kind, PaymentReceipt, Seller
from domain.statements import Statement
from evapp.components.money import clock, day, duration, kwh, moment, month, rupees, signed_rupees
from evapp.texts import later, t
from evapp.texts.movements import described, reference, word
from evapp.texts.prices import line_words

FONTS = Path(__file__).parent / "fonts"
INK, INK_2, PEACOCK, LINE = (21, 35, 30), (70, 82, 76), (11, 91, 88), (226, 217, 200)
"""The colours of the light theme (assets/theme.css)."""
MARGIN_MM, NAME_MM = 20, 52
FACT_MM, SUM_MM, HEAD_MM, GAP_MM = 5.2, 5.6, 9, 3.5
"""Heights: of a fact, of a sum, of a heading with its line, and between two blocks."""
SIGNS = str.maketrans({"−": "–", "→": "–"})
"""What the fonts of the app lack, and what stands in."""
LOOSE_JOINERS = re.compile(r"(?<![\u0900-\u097f])[\u200c\u200d]+|[\u200c\u200d]+(?![\u0900-\u097f])")
"""Joiners that do not stand between two letters of Devanagari. FPDF would set them alone in the font of that, and
fails at a run in which there is nothing to see."""

TITLES = {
    Kind.TAX_INVOICE: later("Tax invoice"),
    Kind.BILL_OF_SUPPLY: later("Bill of supply"),
    Kind.CREDIT_NOTE: later("Credit note"),
    Kind.DEBIT_NOTE: later("Debit note"),
}

Fact = tuple[str, str]
"""A name and what it stands for; a line without a value is left out."""


class Paper(FPDF):
    """A sheet with the seller on top and the page's number at the foot."""

    def __init__(self, title: str, made_at: datetime) -> None:
        super().__init__(format="A4")
        for style, weight in (("", "regular"), ("B", "semibold")):
            self.add_font("Anek", style, FONTS / f"anek-{weight}.ttf")
            self.add_font("Noto", style, FONTS / f"noto-devanagari-{weight}.ttf")
        self.set_fallback_fonts(["Noto"])
        self.set_text_shaping(True)  # Devanagari joins its letters and moves its vowels
        self.set_margins(MARGIN_MM, MARGIN_MM)
        self.set_auto_page_break(True, MARGIN_MM)
        self.set_draw_color(*LINE)
        self.set_title(self.shown(title))
        self.set_lang("en-IN")
        self.set_creation_date(made_at)
        self.alias_nb_pages()
        self.add_page()

    def footer(self) -> None:
        """evapp's; FPDF calls it for each page."""
        self.set_y(-14)
        self._type(8, INK_2)
        self.cell(0, 5, t("Page {page} of {pages}", page=self.page_no(), pages="{nb}"), align=Align.R)

    def shown(self, text: str) -> str:
        """The text with a stand-in for each sign that the fonts lack; names and places come in two scripts."""
        fonts = [font for font in self.fonts.values() if isinstance(font, TTFFont)]
        known = {"\n", *(sign for sign in text.translate(SIGNS) if any(ord(sign) in font.cmap for font in fonts))}
        return LOOSE_JOINERS.sub("", "".join(sign if sign in known else "?" for sign in text.translate(SIGNS)))

    def say(self, text: str, size: float = 10, colour: tuple[int, int, int] = INK, style: str = "") -> None:
        """A paragraph."""
        if text:
            self._type(size, colour, style)
            self.multi_cell(0, size * 0.5, self.shown(text), align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def head(self, seller: Seller, title: str, lead: str) -> None:
        """Who gives what to whom."""
        self.say(seller.name, 15, PEACOCK, "B")
        self.say(seller.address, 9, INK_2)
        self.say(seller.state, 9, INK_2)
        self.say(t("GSTIN {number}", number=seller.gstin) if seller.gstin else "", 9, INK_2)
        self.ln(7)
        self.say(title, 20, INK, "B")
        self.say(lead, 10, INK_2)
        self.ln(4)

    def facts(self, title: str, facts: Sequence[Fact]) -> None:
        """Names on the left, what they stand for beside them."""
        known = [(name, value) for name, value in facts if value]
        self._heading(title, len(known) * FACT_MM)
        for name, value in known:
            self._type(9.5, INK_2)
            self.cell(NAME_MM, FACT_MM, self.shown(name))
            self._type(9.5, INK)
            self.multi_cell(0, FACT_MM, self.shown(value), align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(GAP_MM)

    def sums(self, title: str, lines: Sequence[Fact], total: Fact, inside: Sequence[Fact] = ()) -> None:
        """Lines of money under each other, what they come to, and what is inside of that."""
        self._heading(title, (len(lines) + 1 + len(inside)) * SUM_MM)
        for name, value in lines:
            self._sum(name, value)
        y = self.get_y() + 1
        self.line(self.l_margin, y, self.w - self.r_margin, y)
        self.set_y(y + 1.5)
        self._sum(*total, size=12, style="B")
        for name, value in inside:
            self._sum(name, value, colour=INK_2)
        self.ln(GAP_MM)

    def rows(self, widths: Sequence[int], aligned: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table whose heads stand on every page; `aligned` has L or R for each column."""
        self._type(8.5, INK)
        looks = FontFace(emphasis="B", color=INK_2)
        with self.table(
            col_widths=tuple(widths),
            text_align=tuple(Align[side] for side in aligned),
            headings_style=looks,
            borders_layout="HORIZONTAL_LINES",
            line_height=4.6,
            padding=(1, 1),
        ) as table:
            for cells in (heads, *rows):
                table.row([self.shown(cell) for cell in cells])
        self.ln(4)

    def _heading(self, text: str, below_mm: float) -> None:
        """On the next page where what stands below it would be torn apart."""
        if self.will_page_break(HEAD_MM + below_mm):
            self.add_page()
        self.say(text, 11, PEACOCK, "B")
        y = self.get_y() + 0.8
        self.line(self.l_margin, y, self.w - self.r_margin, y)
        self.set_y(y + 1.8)

    def _sum(
        self, name: str, value: str, colour: tuple[int, int, int] = INK, size: float = 9.5, style: str = ""
    ) -> None:
        self._type(size, colour, style)
        self.cell(130, SUM_MM, self.shown(name))
        self.cell(0, SUM_MM, self.shown(value), align=Align.R, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _type(self, size: float, colour: tuple[int, int, int], style: str = "") -> None:
        self.font_family = ""  # after a line in the other script FPDF believes that its own font is still set
        self.set_font("Anek", style, size)
        self.set_text_color(*colour)


def charge(receipt: ChargeReceipt) -> bytes:
    """The PDF of a charge's receipt."""
    paper = Paper(t("Receipt {number}", number=receipt.number), receipt.issued_at)
    paper.head(receipt.seller, t(TITLES[receipt.kind]), receipt.number)
    if receipt.estimated:
        paper.say(t("Estimated from the last reading: the charger's final reading corrects it, once."), 10, INK, "B")
        paper.ln(4)
    paper.facts(
        t("Supply"),
        (
            (t("Date"), moment(receipt.issued_at)),
            (t("Changes receipt"), _corrected(receipt)),
            *_customer(receipt),
            (t("Service"), t("Charging of an electric vehicle, SAC {code}", code=SAC)),
            (t("Place of supply"), receipt.place_of_supply),
            (t("Reverse charge"), t("No") if receipt.taxes else ""),
        ),
    )
    paper.facts(t("Charge"), _charge(receipt))
    lines = [(line_words(line), rupees(line.paise)) for line in receipt.lines]
    if receipt.corrects:
        comes_to = sum(line.paise for line in receipt.lines)
        paper.sums(t("What the charge comes to now"), lines, (t("Now"), rupees(comes_to)))
        lines = [(t("Now"), rupees(comes_to)), (t("Before"), rupees(receipt.before_paise))]
    paper.sums(
        t("The difference") if receipt.corrects else t("How the price came about"),
        lines,
        (t("Total"), rupees(receipt.total_paise)),
        _inside(receipt),
    )
    paper.facts(t("Payment"), [fact for booking in receipt.bookings for fact in _paid(booking)])
    paper.say(t("All times are Indian Standard Time. Issued electronically; it needs no signature."), 8.5, INK_2)
    return bytes(paper.output())


def payment(receipt: PaymentReceipt) -> bytes:
    """The PDF of a recharge's receipt."""
    paper = Paper(t("Payment receipt {number}", number=receipt.order_id), receipt.paid_at)
    paper.head(receipt.seller, t("Payment receipt"), receipt.order_id)
    paper.facts(
        t("Payment"),
        (
            (t("Date"), moment(receipt.paid_at)),
            (t("Received from"), receipt.customer),
            (t("Paid with"), " ".join(("PhonePe", receipt.payment_mode.replace("_", " "))).strip()),
            (t("Bank reference (UTR)"), receipt.utr),
            (t("PhonePe order"), receipt.gateway_order_id),
        ),
    )
    owed, added = -receipt.booking.owed_paise, -receipt.booking.wallet_paise
    paper.sums(
        t("Where it went"),
        (
            *([(t("For what earlier charges left owed"), rupees(owed))] if owed else []),
            *([(t("Into the wallet"), rupees(added))] if added else []),
        ),
        (t("Received"), rupees(receipt.amount_paise)),
    )
    paper.say(
        t(
            "A payment into your wallet, not an invoice: each charge has its own. "
            "All times are Indian Standard Time. Issued electronically; it needs no signature."
        ),
        8.5,
        INK_2,
    )
    return bytes(paper.output())


def statement(told: Statement) -> bytes:
    """The PDF of a month's statement."""
    paper = Paper(t("Statement {month}", month=month(told.since)), told.made_at)
    paper.head(
        told.seller, t("Wallet statement"), t("{month}, {customer}", month=month(told.since), customer=told.customer)
    )
    paper.sums(
        t("The month"),
        (
            (t("Opening balance"), rupees(told.opening_paise)),
            (t("Came in"), rupees(told.in_paise)),
            (t("Went out"), rupees(-told.out_paise)),
        ),
        (t("Closing balance"), rupees(told.closing_paise)),
        [(t("Owed at the end"), rupees(told.closing_owed_paise))] if told.closing_owed_paise else [],
    )
    if told.lines:
        paper.rows((24, 86, 28, 32), "LLRR", (t("Booked"), t("Movement"), t("Amount"), t("After it")), _movements(told))
    else:
        paper.say(t("Nothing moved in this month."))
        paper.ln(4)
    paper.say(t("Made {time}. All times are Indian Standard Time.", time=moment(told.made_at)), 8.5, INK_2)
    return bytes(paper.output())


def _movements(told: Statement) -> list[tuple[str, ...]]:
    return [
        (
            f"{day(line.at)}\n{clock(line.at)}",
            "\n".join(filter(None, (word(line), described(line), reference(line)))),
            signed_rupees(line.amount_paise),
            t("Owed {sum}", sum=rupees(-line.balance_after_paise))
            if line.arrears
            else rupees(line.balance_after_paise),
        )
        for line in told.lines
    ]


def _customer(receipt: ChargeReceipt) -> tuple[Fact, ...]:
    """The driver, or the firm he charges for and he (rule 46(d))."""
    if receipt.buyer is None:
        return ((t("Customer"), receipt.customer),)
    return (
        (t("Customer"), receipt.buyer.name),
        (t("Address"), receipt.buyer.address),
        (t("Customer's GSTIN"), receipt.buyer.gstin),
        (t("Driver"), receipt.customer),
    )


def _charge(receipt: ChargeReceipt) -> tuple[Fact, ...]:
    start, stop = receipt.meter_start_wh, receipt.meter_stop_wh
    return (
        (t("Charger"), t("{charger}, connector {number}", charger=receipt.charger_id, number=receipt.connector)),
        (t("Place"), receipt.place),
        (t("Started"), moment(receipt.started_at)),
        (t("Stopped"), _stopped(receipt)),
        (t("Meter at the start"), t("{energy} kWh", energy=kwh(start, 3)) if start is not None else ""),
        (t("Meter at the stop"), t("{energy} kWh", energy=kwh(stop, 3)) if stop is not None else ""),
        (t("Units"), t("{energy} kWh", energy=kwh(receipt.energy_wh, 3))),
        (t("Note"), t("Billed by the readings during the charge.") if receipt.by_readings else ""),
        (t("Reference"), receipt.ref),
    )


def _stopped(receipt: ChargeReceipt) -> str:
    if receipt.stopped_at is None:
        return ""
    seconds = int((receipt.stopped_at - receipt.started_at).total_seconds())
    return t("{time}, after {duration}", time=moment(receipt.stopped_at), duration=duration(seconds))


def _corrected(receipt: ChargeReceipt) -> str:
    if receipt.corrects_at is None:
        return ""
    return t("{number}, {time}", number=receipt.corrects, time=day(receipt.corrects_at))


def _inside(receipt: ChargeReceipt) -> list[Fact]:
    """What the total holds, where it holds GST."""
    if not receipt.taxes:
        return []
    held = [(t("Taxable value in it"), rupees(receipt.taxable_paise))]
    for tax in receipt.taxes:
        name = gst.beside_cgst(receipt.place_of_supply) if tax.name == "SGST" else tax.name
        held.append((t("{tax} {rate} in it", tax=name, rate=_percent(tax.basis_points)), rupees(tax.paise)))
    return held


def _percent(basis_points: int) -> str:
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %"


def _paid(booking: Booking) -> tuple[Fact, ...]:
    return (
        (t("Booked"), moment(booking.at)),
        (_either(booking.wallet_paise, t("From the wallet"), t("Back to the wallet")), _some(booking.wallet_paise)),
        (_either(booking.owed_paise, t("Owed"), t("No longer owed")), _some(booking.owed_paise)),
    )


def _either(paise: int, taken: str, given: str) -> str:
    return taken if paise > 0 else given


def _some(paise: int) -> str:
    return rupees(abs(paise)) if paise else ""
