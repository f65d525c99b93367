"""An order is placed before anybody is asked for money: within the limits, once a click, and few at a time."""

import asyncio
from typing import Any

import pytest
from sqlmodel import Session

from domain import accounts, placing
from domain.db import read
from domain.models import OrderState, RechargeOrder
from domain.placing import RechargeRefused
from domain.settings import settings
from tests.money.house import (
    RUPEES_500,
    Clock,
    driver,
    placed,
    rows,
)


@pytest.mark.row("R28", "R29")
@pytest.mark.parametrize("amount", [0, -50_000, 49_999, 1, True, 500.01, "50000", None])
def test_less_than_500_or_no_whole_number_is_refused(books: Session, amount: Any) -> None:
    """R28, R29."""
    user_id = driver(books)
    with pytest.raises(RechargeRefused, match=r"The least you can add is ₹500\."):
        placing.place(books, user_id, amount, "n1")
    assert rows(books, RechargeOrder) == 0


@pytest.mark.row("R28")
@pytest.mark.parametrize("amount", [1_000_001, 10**12, 10**30])
def test_more_than_the_most_is_refused(books: Session, amount: int) -> None:
    """R28."""
    user_id = driver(books)
    with pytest.raises(RechargeRefused, match=r"The most you can add at once is ₹10,000\."):
        placing.place(books, user_id, amount, "n1")


@pytest.mark.parametrize("amount", [50_000, 50_001, 1_000_000])
def test_the_limits_themselves_are_fine(books: Session, amount: int) -> None:
    order = placing.place(books, driver(books), amount, "n1")
    assert order.amount_paise == amount
    assert order.state == OrderState.NEW
    assert order.merchant_order_id.startswith("RCH-")
    assert len(order.merchant_order_id) == 36


def test_the_limits_are_settings(books: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "recharge_min_paise", 12_345)
    with pytest.raises(RechargeRefused, match=r"The least you can add is ₹123\.45\."):
        placing.place(books, driver(books), 12_344, "n1")


@pytest.mark.row("R23")
def test_one_nonce_is_one_order(books: Session) -> None:
    """R23."""
    user_id = driver(books)
    first = placing.place(books, user_id, RUPEES_500, "n1")
    assert placing.place(books, user_id, RUPEES_500, "n1") is first
    with pytest.raises(RechargeRefused, match="another amount"):
        placing.place(books, user_id, RUPEES_500 + 1, "n1")
    assert rows(books, RechargeOrder) == 1


def test_a_nonce_belongs_to_its_driver(books: Session) -> None:
    first = placing.place(books, driver(books), RUPEES_500, "n1")
    assert placing.place(books, driver(books, "ravi"), RUPEES_500, "n1").id != first.id


@pytest.mark.parametrize("nonce", ["", "x" * 65])
def test_a_nonce_that_no_page_made_is_refused(books: Session, nonce: str) -> None:
    with pytest.raises(RechargeRefused):
        placing.place(books, driver(books), RUPEES_500, nonce)


def test_a_blocked_driver_is_refused(books: Session) -> None:
    user_id = driver(books)
    accounts.block(books, user_id)
    with pytest.raises(RechargeRefused, match="blocked"):
        placing.place(books, user_id, RUPEES_500, "n1")


def test_only_so_many_orders_are_open_at_once(books: Session, clock: Clock) -> None:
    user_id = driver(books)
    for n in range(20):
        placing.place(books, user_id, RUPEES_500, f"n{n}")
    with pytest.raises(RechargeRefused, match="15 minutes"):
        placing.place(books, user_id, RUPEES_500, "one more")
    clock.at += placing.PAY_WITHIN
    placing.place(books, user_id, RUPEES_500, "one more")


async def test_no_more_are_open_when_they_are_placed_at_once(asha: int) -> None:
    """From as many tabs; each saw the orders of before."""
    for n in range(19):
        await placed(asha, nonce=f"n{n}")
    answers = await asyncio.gather(*(placed(asha, nonce=f"tab {n}") for n in range(8)), return_exceptions=True)
    assert [isinstance(one, RechargeRefused) for one in answers].count(True) == 7
    assert await read(rows, RechargeOrder) == 20


@pytest.mark.row("R23")
async def test_200_clicks_at_once_are_one_order(asha: int) -> None:
    """R23."""
    orders = await asyncio.gather(*(placed(asha) for _ in range(200)))
    assert len({order.merchant_order_id for order in orders}) == 1
    assert await read(rows, RechargeOrder) == 1
