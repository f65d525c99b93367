"""A statement as CSV: exact figures, and no text that a spreadsheet would work out."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.books import Paper
from domain.receipts import Buyer, Seller
from domain.statements import Statement
from domain.story import Line
from evapp.web import sheet

AT = datetime(2026, 11, 22, 18, 45, tzinfo=UTC)
LINE = Line(1, AT, AT, "recharge", 100_000, 110_050, "Payment with PhonePe", "RCH-1", False)
OWED = Line(2, AT, AT, "charging", -1_205, -1_205, "Charging at BLR-1", "K3J9", True)
TOLD = Statement(AT, AT, AT, Seller("evapp", "", "", ""), "asha", 10_050, 0, (LINE, OWED))


def read(told: Statement) -> list[list[str]]:
    return list(csv.reader(io.StringIO(sheet.statement(told).decode("utf-8-sig"))))


def test_each_line_has_plain_figures_and_indian_time() -> None:
    heads, opening, added, owed, closing = read(TOLD)
    assert heads[5:] == ["Amount (INR)", "Wallet balance (INR)", "Owed (INR)"]
    assert opening == ["", "", "Opening balance", "", "", "", "100.50", "0.00"]
    assert added == ["2026-11-23", "00:15:00", "Added", "Payment with PhonePe", "RCH-1", "1000.00", "1100.50", ""]
    assert owed == ["2026-11-23", "00:15:00", "Owed", "Charging at BLR-1", "K3J9", "-12.05", "", "12.05"]
    assert closing == ["", "", "Closing balance", "", "", "", "1100.50", "12.05"]


@pytest.mark.parametrize(
    "words", ["=1+1", "+91", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "=cmd|' /C calc'!A0"]
)
def test_no_text_is_a_formula(words: str) -> None:
    told = replace(TOLD, lines=(replace(LINE, kind="refund", description=words, ref=words),))
    line = read(told)[2]
    assert (line[3], line[4]) == (f"'{words}", f"'{words}")


def test_papers_have_what_a_claim_of_input_tax_needs() -> None:
    buyer = Buyer("=Kaveri Cabs", "Chennai", "33AABCK4567Q1Z1")
    invoice = Paper(
        number="EV/26-27/0000001",
        on="2026-11-23",
        corrects="",
        seller="evapp Charging",
        gstin="29ABCDE1234F1ZW",
        place_of_supply="Tamil Nadu",
        basis_points=1_800,
        total_paise=18_000,
        taxes={"IGST": 2_746},
        buyer=buyer,
    )
    note = replace(
        invoice, number="CN/26-27/0000001", corrects=invoice.number, total_paise=-5_000, taxes={"IGST": -763}
    )
    other = replace(invoice, buyer=None, place_of_supply="Karnataka", taxes={"CGST": 1_373, "SGST": 1_373})
    heads, *lines = csv.reader(io.StringIO(sheet.papers((invoice, note, other)).decode("utf-8-sig")))
    assert [dict(zip(heads, line, strict=True)) for line in lines[:1]] == [
        {
            "Number": "EV/26-27/0000001",
            "Date": "2026-11-23",
            "Changes receipt": "",
            "Seller": "evapp Charging",
            "Seller's GSTIN": "29ABCDE1234F1ZW",
            "Customer's GSTIN": "33AABCK4567Q1Z1",
            "Customer": "'=Kaveri Cabs",
            "Place of supply": "Tamil Nadu",
            "SAC": "998714",
            "Rate (%)": "18",
            "Taxable value (INR)": "152.54",
            "CGST (INR)": "0.00",
            "SGST (INR)": "0.00",
            "IGST (INR)": "27.46",
            "Total (INR)": "180.00",
        }
    ]
    assert (lines[1][2], lines[1][-5:]) == (invoice.number, ["-42.37", "0.00", "0.00", "-7.63", "-50.00"])
    assert (lines[2][5:7], lines[2][-4:]) == (["", ""], ["13.73", "13.73", "0.00", "180.00"])


@pytest.mark.parametrize("words", ["Recharge", "a=b", "₹5", "", '12, "x"', "ನಗರ"])
def test_other_texts_stay_as_they_are(words: str) -> None:
    assert read(replace(TOLD, lines=(replace(LINE, description=words),)))[2][3] == words
