"""Statements and lists of papers as CSV: for spreadsheets, which must never take a driver's words for a formula."""

import csv
import io
from collections.abc import Iterator, Sequence

from domain.books import Paper
from domain.india import INDIA
from domain.receipts import SAC
from domain.spreadsheets import decimal, harmless
from domain.statements import Statement
from domain.story import Line
from evapp.texts import later, t
from evapp.texts.movements import described, reference, word

HEADS = (
    later("Date"),
    later("Time"),
    later("Entry"),
    later("Description"),
    later("Reference"),
    later("Amount (INR)"),
    later("Wallet balance (INR)"),
    later("Owed (INR)"),
)

PAPER_HEADS = (
    later("Number"),
    later("Date"),
    later("Changes receipt"),
    later("Seller"),
    later("Seller's GSTIN"),
    later("Customer's GSTIN"),
    later("Customer"),
    later("Place of supply"),
    later("SAC"),
    later("Rate (%)"),
    later("Taxable value (INR)"),
    later("CGST (INR)"),
    later("SGST (INR)"),
    later("IGST (INR)"),
    later("Total (INR)"),
)


def statement(told: Statement) -> bytes:
    """UTF-8 with the mark by which Excel knows it; amounts are plain numbers with a point."""
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(map(t, HEADS))
    opening = decimal(told.opening_paise), decimal(told.opening_owed_paise)
    closing = decimal(told.closing_paise), decimal(told.closing_owed_paise)
    writer.writerow(["", "", t("Opening balance"), "", "", "", *opening])
    writer.writerows(_rows(told))
    writer.writerow(["", "", t("Closing balance"), "", "", "", *closing])
    return sheet.getvalue().encode("utf-8-sig")


def papers(given: Sequence[Paper]) -> bytes:
    """A driver's receipts and notes with their taxes, as a claim of input tax credit needs them; what a credit
    note gives back is negative."""
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(map(t, PAPER_HEADS))
    for one in given:
        buyer = (one.buyer.gstin, one.buyer.name) if one.buyer else ("", "")
        taxes = (one.taxes.get(name, 0) for name in ("CGST", "SGST", "IGST"))
        said = (one.number, one.on, one.corrects, one.seller, one.gstin, *buyer, one.place_of_supply, SAC)
        rate = f"{one.basis_points / 100:g}"
        writer.writerow([*map(harmless, said), rate, *map(decimal, (one.taxable_paise, *taxes, one.total_paise))])
    return sheet.getvalue().encode("utf-8-sig")


def _rows(told: Statement) -> Iterator[list[str]]:
    for line in told.lines:
        at = line.at.astimezone(INDIA)
        texts = (word(line), described(line), reference(line))
        after = decimal(abs(line.balance_after_paise))
        yield [
            f"{at:%Y-%m-%d}",
            f"{at:%H:%M:%S}",
            *map(harmless, texts),
            decimal(line.amount_paise),
            *_balances(line, after),
        ]


def _balances(line: Line, after: str) -> tuple[str, str]:
    return ("", after) if line.arrears else (after, "")
