"""The list of past charges: its months and its filters, which take nothing that was not offered."""

from datetime import UTC, datetime
from typing import Any

import pytest
import reflex as rx
from sqlmodel import Session

from domain.db import transact
from domain.history import Month
from domain.models import ChargingSession, SessionState
from evapp.state.history import Choice, History, Year, _sum, _year
from evapp.state.install import Install
from tests.money.house import charge

SEPTEMBER = datetime(2026, 9, 3, 6, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 31, 18, 45, tzinfo=UTC)
"""In India it is November already."""


def life(db: Session, user_id: int) -> None:
    """A charge in September and one early in November."""
    for number, at in enumerate((SEPTEMBER, OCTOBER)):
        session = db.get_one(ChargingSession, charge(db, user_id, number, SessionState.CANCELLED))
        session.requested_at = at
        db.add(session)


@pytest.fixture
async def asha(asha: int, scope: dict[str, Any]) -> int:
    await transact(life, asha)
    return asha


async def state(cls: type[rx.State]) -> Any:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    return await root.get_state(cls)


async def test_the_charges_of_one_month(asha: int) -> None:
    page = await state(History)
    await page.load()
    assert page.months == [Choice("2026-11", "November 2026"), Choice("2026-09", "September 2026")]
    assert [line.month for line in page.charges] == ["November 2026", "September 2026"]
    await page.choose_month("2026-09")
    assert [line.month for line in page.charges] == ["September 2026"]
    await page.choose_month("")
    assert len(page.charges) == 2


async def test_a_month_and_its_charges_are_written_alike() -> None:
    """A month of one charge of 0.25 kWh is no 0.2 kWh."""
    assert _sum(Month(1, 250, 450)) == "0.25 kWh · ₹4.50"


@pytest.mark.parametrize("month", ["2026-10", "2026-13", "' OR 1=1", ["2026-09"], None, 9])
async def test_a_month_that_was_not_offered_is_not_taken(asha: int, month: Any) -> None:
    page = await state(History)
    await page.load()
    await page.choose_month(month)
    assert page.month == ""
    assert len(page.charges) == 2


async def test_the_hint_to_install_comes_with_the_first_charge_and_goes_when_put_away(asha: int) -> None:
    hint = await state(Install)
    await hint._refresh(asha)
    assert hint.due
    await hint.put_away()
    assert hint.done == "yes"
    await hint._refresh(asha + 1)
    assert not hint.due


def test_a_financial_year_is_named_by_its_ends() -> None:
    assert _year("26-27") == Year("April 2026 to March 2027", "/history/receipts.csv?year=26-27")
