"""A statement as CSV: for spreadsheets, which must never take a driver's words for a formula."""

import csv
import io
from collections.abc import Iterator

from domain.india import INDIA
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
