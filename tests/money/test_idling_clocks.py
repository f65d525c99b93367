"""Idling after a stop where the charger's clock is not ours, or the stop is told late: it begins soon or never."""

from datetime import timedelta

import pytest

from domain import (
    tariffs,
    tokens,
)
from domain.prices import Price
from tests.money.charges import METER, Desk
from tests.money.priced import IDLE, priced


def test_a_clock_that_was_ahead_idles_nobody_on(desk: Desk) -> None:
    """`Finishing` was told with a time four minutes ahead; `Available` comes with the right one."""
    _, session_id = priced(desk, **IDLE)
    desk.flows(session_id, 2)
    desk.stop(session_id, METER + 2_000)
    desk.status("BLR-1", 1, "Finishing", at=desk.clock.at + timedelta(minutes=4))
    desk.passes(minutes=2)
    desk.status("BLR-1", 1, "Available", at=desk.clock.at)
    desk.passes(hours=3)
    desk.sweep()
    assert desk.bill(session_id) == (2_000, 3_600)


@pytest.mark.row("C9")
def test_a_stop_told_of_late_begins_no_idling(desk: Desk) -> None:
    """C9: a charger that was offline for hours says Finishing of a car that has long gone."""
    _, session_id = priced(desk, **IDLE)
    desk.flows(session_id, 2)
    stopped = desk.clock.at
    desk.passes(hours=3)
    desk.heard("BLR-1")
    desk.stop(session_id, METER + 2_000, at=stopped)
    desk.changes_nothing(desk.status, "BLR-1", 1, "Finishing")


def test_a_charger_whose_clock_is_fast_idles_nobody_twice(desk: Desk) -> None:
    """Its stop is dated ahead of ours; how soon Finishing followed is told by our clock, too."""
    _, session_id = priced(desk, **IDLE | {"idle_after_minutes": 5})
    desk.flows(session_id, 2)
    desk.stop(session_id, METER + 2_000, at=desk.clock.at + timedelta(minutes=4, seconds=50))
    desk.passes(seconds=5)
    desk.status("BLR-1", 1, "Finishing")
    desk.passes(minutes=6, seconds=5)
    desk.heard("BLR-1")
    desk.status("BLR-1", 1, "Faulted")
    assert desk.bill(session_id) == (2_000, 3_600 + 200)
    desk.passes(seconds=10)
    desk.changes_nothing(desk.status, "BLR-1", 1, "Finishing")
    desk.passes(minutes=20)
    desk.heard("BLR-1")
    desk.changes_nothing(desk.status, "BLR-1", 1, "Available")
    desk.charging(desk.driver())


@pytest.mark.parametrize("card", [False, True])
@pytest.mark.parametrize("minutes", [10, 100])
def test_a_stop_by_a_slow_clock_is_soon_followed_by_its_idling(desk: Desk, card: bool, minutes: int) -> None:
    """Its samples came as it charged, whatever its stop tells: the fee is asked as of anybody else."""
    slow = timedelta(hours=1)
    asha = desk.driver()
    desk.do(tariffs.set_price, Price(1_800, 0, **IDLE), effective_at=desk.clock.at)
    desk.passes(hours=2)
    desk.charger()
    desk.do(tokens.add, "CARD", user_id=asha)
    if card:
        session_id = desk.walk_up("CARD", METER, at=desk.clock.at - slow).session_id
    else:
        session_id = desk.request(asha)
        desk.passes(seconds=50)
        desk.start(session_id, at=desk.clock.at - slow)
    for register in range(METER, METER + minutes * 100, 100):
        desk.passes(minutes=1)
        desk.meter(session_id, register + 100)
    desk.passes(seconds=20)
    desk.stop(session_id, METER + minutes * 100, at=desk.clock.at - slow)
    desk.status("BLR-1", 1, "Finishing")
    desk.passes(minutes=15)
    desk.heard("BLR-1")
    desk.status("BLR-1", 1, "Available")
    assert desk.bill(session_id) == (minutes * 100, minutes * 180 + 5 * 200)


@pytest.mark.parametrize("register", [METER + 2_000, METER + 2_500])
def test_a_stop_that_is_told_late_is_followed_by_no_idling(desk: Desk, register: int) -> None:
    """The charger was offline when the charge ended: nobody knows since when the cable is in."""
    _, session_id = priced(desk, **IDLE)
    desk.flows(session_id, 2)
    ended = desk.passes(minutes=3)
    desk.disconnect()
    desk.passes(minutes=10)
    desk.connect()
    desk.stop(session_id, register, at=ended)
    desk.changes_nothing(desk.status, "BLR-1", 1, "Finishing")


@pytest.mark.parametrize(("seconds", "idles"), [(118, True), (119, False)])
def test_two_minutes_after_the_stop_its_cable_is_not_asked_about_any_more(
    desk: Desk, seconds: int, idles: bool
) -> None:
    """Counted from when it ended, a second before we heard of it."""
    _, session_id = priced(desk, **IDLE)
    desk.flows(session_id, 2)
    desk.stop(session_id, METER + 2_000)
    desk.passes(seconds=seconds)
    desk.status("BLR-1", 1, "Finishing")
    assert (desk.session(session_id).idle_since is not None) == idles
