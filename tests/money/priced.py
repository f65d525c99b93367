"""Charges at tariffs of several parts, their lines and their papers, for all tests that ask what they cost."""

from typing import Any

from sqlmodel import select

from domain import settlement, tariffs
from domain.models import Receipt
from domain.prices import Line, Price
from tests.money.charges import Desk

IDLE = {"idle_after_minutes": 10, "idle_per_minute_paise": 200}
"""10 minutes are free, then 2 rupees a minute."""


def priced(desk: Desk, rupees: int = 1_000, **parts: Any) -> tuple[int, int]:
    """A driver and his charge that has begun, at 18 rupees and these parts."""
    desk.do(tariffs.set_price, Price(1_800, 0, **parts), effective_at=desk.clock.at)
    asha = desk.driver(rupees)
    desk.charger()
    return asha, desk.charging(asha)


def lines(desk: Desk, session_id: int) -> tuple[Line, ...]:
    return settlement.lines_of(desk.session(session_id), desk.clock.at)


def papers(desk: Desk) -> list[tuple[str, int]]:
    rows = select(Receipt.kind, Receipt.total_paise).order_by(Receipt.created_at, Receipt.number)
    return desk.do(lambda db: [tuple(row) for row in db.exec(rows)])
