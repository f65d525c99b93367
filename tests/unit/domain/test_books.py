"""A driver's papers of a financial year; the operator's month is in test_shell_books.py."""

from datetime import UTC, datetime

import pytest

from domain import books, goodwill, statements
from tests.money.charges import METER, Desk


def charged(desk: Desk, user_id: int, charger: str) -> int:
    desk.charger(charger)
    session_id = desk.charging(user_id, charger)
    desk.flows(session_id, 2)
    desk.stop(session_id, METER + 2_000)
    return session_id


def test_a_year_has_each_paper_of_its_driver_once(desk: Desk) -> None:
    asha, ravi = desk.driver(), desk.driver()
    assert desk.do(books.years, asha) == []
    first = charged(desk, asha, "BLR-1")
    charged(desk, ravi, "BLR-2")
    begun = desk.clock.at
    desk.clock.at = datetime(begun.year + (begun.month >= 4), 3, 31, 18, 30, tzinfo=UTC)  # midnight in India
    desk.do(goodwill.give_back, first, 500, "It was slow")
    this, before = desk.do(books.years, asha)
    [receipt], [note] = desk.do(books.of_driver, asha, before), desk.do(books.of_driver, asha, this)
    assert (receipt.number, receipt.total_paise) == (desk.session(first).receipt_number, 3_600)
    assert (note.number, note.corrects, note.total_paise) == (f"CN/{this}/0000001", receipt.number, -500)
    assert desk.do(books.years, ravi) == [before]
    assert len(desk.do(books.of_driver, ravi, before)) == 1


def test_a_financial_year_is_from_april_to_march_in_india() -> None:
    since, until = statements.year_bounds("25-26")
    assert (since.isoformat(), until.isoformat()) == ("2025-04-01T00:00:00+05:30", "2026-04-01T00:00:00+05:30")


@pytest.mark.parametrize("year", ["2025-26", "25-27", "26-25", "98-99", "25", ""])
def test_what_is_no_year_that_has_begun(year: str) -> None:
    with pytest.raises(statements.NoMonth):
        statements.year_bounds(year)
