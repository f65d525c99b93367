"""A statement as CSV: exact figures, and no text that a spreadsheet would work out."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.receipts import Seller
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


@pytest.mark.parametrize("words", ["Recharge", "a=b", "₹5", "", '12, "x"', "ನಗರ"])
def test_other_texts_stay_as_they_are(words: str) -> None:
    assert read(replace(TOLD, lines=(replace(LINE, description=words),)))[2][3] == words
