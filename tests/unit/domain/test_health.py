"""What processes saw of a charger adds up, and what was seen last stands."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from domain import chargers, health
from domain.health import Noted
from domain.models import ChargerHealth
from tests.money.charges import Desk

NIGHT = datetime(2026, 11, 29, 20, 12, tzinfo=UTC)
"""The next morning in India."""


def kept(desk: Desk, charger_id: str) -> ChargerHealth:
    return desk.do(health.of, charger_id)


def test_counts_add_up_and_the_newest_stands(desk: Desk) -> None:
    for name in ("A", "B"):
        desk.do(chargers.add, name)
    first, loop = desk.clock.at, desk.clock.at - timedelta(minutes=3)
    seen = Noted(connects=2, boots=1, clock_skew_ms=70, boot_loop_at=loop)
    desk.do(health.add, {"A": seen, "B": Noted(repairs=4), "GUESSED": Noted(refused=9)}, first)
    error_at = desk.passes(seconds=10)
    error = Noted(connects=1, protocol_errors=1, last_protocol_error="No\x00 JSON.", last_protocol_error_at=error_at)
    desk.do(health.add, {"A": error}, error_at)
    desk.passes(seconds=10)
    desk.do(health.add, {"A": Noted(unanswered=1, clock_skew_ms=-20)}, desk.clock.at)
    row = kept(desk, "A")
    assert [getattr(row, name) for name in health.COUNTS] == [3, 1, 0, 1, 0, 1]
    assert (row.last_protocol_error, row.last_protocol_error_at) == ("No JSON.", error_at)
    assert (row.clock_skew_ms, row.boot_loop_at, row.updated_at) == (-20, loop, desk.clock.at)
    assert (kept(desk, "B").repairs, kept(desk, "B").updated_at) == (4, first)

    def names(db: Session) -> list[str]:
        return sorted(db.exec(select(ChargerHealth.charger_id)))

    assert desk.do(names) == ["A", "B"]


def test_how_a_charger_counts_is_not_forgotten_with_what_is_counted(desk: Desk) -> None:
    desk.do(chargers.add, "A")
    desk.do(health.set_energy_factor, "A", 1000)
    desk.do(health.add, {"A": Noted(connects=1)}, desk.clock.at)
    assert (kept(desk, "A").energy_factor, kept(desk, "A").connects) == (1000, 1)
    desk.do(health.set_energy_factor, "A", 1)
    assert (kept(desk, "A").energy_factor, kept(desk, "A").connects) == (1, 1)


@pytest.mark.parametrize(
    ("seen", "name", "value"),
    [
        ({"connects": 1}, "connected", "once"),
        ({"connects": 2}, "connected", "2 times"),
        ({"connects": 0}, "connected", "0 times"),
        ({"boots": 1}, "booted", "once"),
        ({"repairs": 1}, "repaired", "1 message"),
        ({"unanswered": 1}, "unanswered", "1 call"),
        ({"unanswered": 3}, "unanswered", "3 calls"),
        ({"refused": 1}, "refused", "once at the door"),
        ({"clock_skew_ms": -40}, "clock", "right"),
        ({"clock_skew_ms": 49}, "clock", "right"),
        ({"clock_skew_ms": 50}, "clock", "+0.1 s"),
        ({"clock_skew_ms": -51}, "clock", "-0.1 s"),
        ({"clock_skew_ms": 1_240}, "clock", "+1.2 s"),
        ({"clock_skew_ms": 400_000}, "clock", "+400.0 s, not believed"),
        ({"clock_skew_ms": None}, "clock", "not seen"),
        ({"boot_loop_at": NIGHT}, "set-up", "left alone since the boot loop of 2026-11-30 01:42"),
    ],
)
def test_figures_are_said_as_people_say_them(seen: dict[str, Any], name: str, value: str) -> None:
    assert dict(health.lines(ChargerHealth(charger_id="A", **seen)))[name] == value


def test_nothing_noted_is_nothing_written(desk: Desk) -> None:
    desk.do(health.add, {"GUESSED": Noted(refused=1)}, desk.clock.at)
    assert desk.do(lambda db: list(db.exec(select(ChargerHealth)))) == []
