"""Figures of a CSV file are exact; texts that would be formulas are in tests/unit/evapp/web/test_sheet.py."""

import pytest

from domain import spreadsheets


@pytest.mark.parametrize(
    ("paise", "text"),
    [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-13_575, "-135.75"), (10**17 + 1, "1000000000000000.01")],
)
def test_figures_are_exact(paise: int, text: str) -> None:
    assert spreadsheets.decimal(paise) == text
