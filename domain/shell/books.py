"""The operator's words for the end of a month: what an accountant and the tax office ask for."""

import csv
import io
from argparse import ArgumentTypeError, Namespace
from collections import defaultdict
from collections.abc import Iterable, Iterator

from sqlmodel import Session

from domain import books, statements
from domain.books import Paper
from domain.models import now
from domain.money import plain_rupees
from domain.shell.command import Command, Shell, argument, columns
from domain.spreadsheets import decimal, harmless

KINDS = {
    "wallet": "what drivers have in their wallets",
    "due": "what drivers owe, negative",
    "clearing": "refunds on their way back",
    "suspense": "paid with another amount, not given yet",
    "revenue": "charges, without GST",
    "gst": "GST of charges",
    "goodwill": "adjustments of wallets; negative: given to drivers",
    "waived": "given up by drivers who left",
    "gateway": "negative: what PhonePe took, less what it paid back",
}
"""The ledger's kinds of accounts, what is owed to others before what was earned, and what each is."""
TAXES = ("CGST", "SGST", "IGST")


def month(shell: Shell, given: Namespace) -> Iterator[str]:
    _, until = statements.bounds(given.month)
    if until > now():
        yield f"{given.month} is not over: this is what it has so far."
    sums = {one.kind: one for one in shell.read(books.of_month, given.month)}
    yield from columns(
        ("ACCOUNT", "OPENING", "IN", "OUT", "CLOSING", "WHAT IT IS"),
        (
            (kind, *map(plain_rupees, (one.opening_paise, one.in_paise, one.out_paise, one.closing_paise)), KINDS[kind])
            for kind in KINDS
            if (one := sums.get(kind)) is not None
        ),
    )
    papers = shell.read(_papers, given.month)
    yield ""
    yield from columns(
        ("SERIES", "PAPERS", "FIRST", "LAST", "TAXABLE", *TAXES, "TOTAL"),
        ((series, len(some), some[0].number, some[-1].number, *_sums(some)) for series, some in _by_series(papers)),
    )
    yield ""
    yield from columns(
        ("GSTIN", "TO", "PLACE OF SUPPLY", "RATE", "TAXABLE", *TAXES, "TOTAL"),
        (
            (gstin or "-", to, place, f"{rate / 100:g} %", *_sums(some))
            for (gstin, to, place, rate), some in _by_tax(papers)
        ),
    )


def papers(shell: Shell, given: Namespace) -> Iterator[str]:
    yield books.HEAD
    for one in shell.read(_papers, given.month):
        taxes = (one.taxes.get(tax, 0) for tax in TAXES)
        sums = map(decimal, (one.taxable_paise, *taxes, one.total_paise))
        said = one.number, one.on, one.corrects, one.gstin, one.place_of_supply, f"{one.basis_points / 100:g}"
        yield _line((*said, *sums, *((one.buyer.gstin, harmless(one.buyer.name)) if one.buyer else ("", ""))))


def a_month(typed: str) -> str:
    """A month of India that has begun."""
    try:
        statements.bounds(typed)
    except statements.NoMonth:
        raise ArgumentTypeError("a month that has begun, such as 2026-11") from None
    return typed


def _papers(db: Session, of: str) -> list[Paper]:
    return list(books.papers(db, of))


def _by_series(papers: Iterable[Paper]) -> Iterable[tuple[str, list[Paper]]]:
    series: dict[str, list[Paper]] = defaultdict(list)
    for one in papers:
        series[one.number.rpartition("/")[0]].append(one)
    return series.items()


def _by_tax(papers: Iterable[Paper]) -> Iterable[tuple[tuple[str, str, str, int], list[Paper]]]:
    alike: dict[tuple[str, str, str, int], list[Paper]] = defaultdict(list)
    for one in papers:
        alike[one.gstin, "B2B" if one.buyer else "B2C", one.place_of_supply, one.basis_points].append(one)
    return sorted(alike.items())


def _sums(papers: list[Paper]) -> Iterator[str]:
    yield plain_rupees(sum(one.taxable_paise for one in papers))
    yield from (plain_rupees(sum(one.taxes.get(tax, 0) for one in papers)) for tax in TAXES)
    yield plain_rupees(sum(one.total_paise for one in papers))


def _line(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


MONTH = argument("month", "such as 2026-11, of India", type=a_month)

COMMANDS = (
    Command("books month", "what a month comes to: accounts, papers and taxes", month, (MONTH,)),
    Command("books papers", "every receipt and note of a month with its taxes, a CSV file", papers, (MONTH,)),
)
