"""PhonePe's settlement report, a CSV file from its dashboard, read exactly or not at all."""

import csv
import re
from collections.abc import Iterator
from datetime import date, datetime

from domain.settled_payments import Line

COLUMNS = {
    "kind": "PaymentType",
    "merchant_reference": "MerchantReferenceId",
    "gateway_reference": "PhonePeReferenceId",
    "amount": "Amount",
    "fee": "Fee",
    "igst": "IGST",
    "cgst": "CGST",
    "sgst": "SGST",
    "paid_on": "TransactionDate",
    "settled_on": "SettlementDate",
    "bank_reference": "BankReferenceNo",
}
"""What we read of it, by the names of PhonePe's documentation."""
NEEDED = ("kind", "merchant_reference", "gateway_reference", "amount", "paid_on", "settled_on")
DAYS = ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y", "%d %b %Y", "%d-%b-%Y")
"""How reports write a day; what follows it is the time of day."""
YEARS = range(2000, 2100)
"""Of these a day can be: one that is only mistyped must not end whoever counts on from it."""
LONGEST = 80
_RUPEES = re.compile(r"(-?)([0-9]{1,9})(?:\.([0-9]{1,2}))?")


class Unreadable(ValueError):
    """The file is not a settlement report; the argument is a sentence that names the line."""


def lines(text: str) -> list[Line]:
    """Every line of a report. Spelling of the heading may vary in case and spaces, as spreadsheets make it.

    Raises:
        Unreadable: a heading, a figure or a day is missing or is not what it should be.
    """
    rows = csv.reader(text.removeprefix("\ufeff").splitlines())
    try:
        places = _places(next(rows, []))
        return [_line(number, row, places) for number, row in _filled(rows)]
    except csv.Error as error:
        raise Unreadable(f"Line {rows.line_num}: {error}.") from None


def _filled(rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    return ((number, row) for number, row in enumerate(rows, 2) if any(cell.strip() for cell in row))


def _places(heading: list[str]) -> dict[str, int]:
    known = {_bare(cell): place for place, cell in enumerate(heading)}
    places = {name: known[_bare(column)] for name, column in COLUMNS.items() if _bare(column) in known}
    if absent := [COLUMNS[name] for name in NEEDED if name not in places]:
        raise Unreadable(f"This is no settlement report: its first line has no {', '.join(absent)}.")
    return places


def _line(number: int, row: list[str], places: dict[str, int]) -> Line:
    cells = {name: row[place].strip() if place < len(row) else "" for name, place in places.items()}
    try:
        return Line(
            kind=_reference(cells["kind"].upper(), "PaymentType"),
            merchant_reference=_reference(cells["merchant_reference"], "MerchantReferenceId"),
            gateway_reference=_reference(cells["gateway_reference"], "PhonePeReferenceId"),
            amount_paise=abs(_paise(cells["amount"], "Amount")),
            fee_paise=_paise(cells.get("fee", ""), "Fee"),
            tax_paise=sum(_paise(cells.get(tax, ""), tax.upper()) for tax in ("igst", "cgst", "sgst")),
            paid_on=_day(cells["paid_on"], "TransactionDate"),
            settled_on=_day(cells["settled_on"], "SettlementDate"),
            bank_reference=_optional(cells.get("bank_reference", ""), "BankReferenceNo"),
        )
    except ValueError as error:
        raise Unreadable(f"Line {number}: {error}.") from None


def _paise(text: str, column: str) -> int:
    """Signed paise; an empty cell is nothing."""
    match = _RUPEES.fullmatch(text or "0")
    if match is None:
        raise ValueError(f"{column} {text!r} is not an amount in rupees")
    sign, rupees, paise = match.groups(default="")
    return (-1 if sign else 1) * (int(rupees) * 100 + int(paise.ljust(2, "0")))


def _day(text: str, column: str) -> date:
    for form in DAYS:
        try:
            day = datetime.strptime(re.split(r"[T ](?=[0-9]{1,2}:)", text)[0], form).date()  # noqa: DTZ007
        except ValueError:
            continue
        if day.year in YEARS:
            return day
    raise ValueError(f"{column} {text!r} is not a day")


def _reference(text: str, column: str) -> str:
    if not text or len(text) > LONGEST or not text.isprintable():
        raise ValueError(f"{column} {text!r} is not a reference")
    return text


def _optional(text: str, column: str) -> str:
    """A bank's own reference, cut to what is kept; refunds may have none."""
    return _reference(text[:LONGEST], column) if text else ""


def _bare(heading: str) -> str:
    return "".join(c for c in heading.lower() if c.isalnum())
