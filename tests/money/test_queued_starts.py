"""Charges that a charger tells when they are over, hours later: whose they are, and whom they leave alone (Q27, C9)."""

from datetime import datetime, timedelta

import pytest

from domain import charging, tokens, wishes
from domain.models import SessionState
from domain.starts import Started
from tests.money.charges import METER, Desk


def _back(desk: Desk) -> datetime:
    """The charger was away for three hours and is in contact again; gives when two of them had not passed yet."""
    desk.disconnect()
    desk.passes(hours=3)
    desk.connect()
    desk.status("BLR-1", 1, "Available")
    return desk.clock.at - timedelta(hours=2)


def _queued(desk: Desk, at: datetime, tag: str = "CARD", **told: object) -> Started:
    """The start of an hour of charging from `at` on."""
    return desk.walk_up(tag, METER, at=at, **told)


def _ends(desk: Desk, begun: Started, at: datetime) -> None:
    """Its stop, an hour and 20 kWh later."""
    desk.stop(begun.session_id, METER + 20_000, at=at + timedelta(hours=1))


def _card(desk: Desk, rupees: int = 1_000, **kind: object) -> int:
    user_id = desk.driver(rupees)
    desk.do(tokens.add, "CARD", user_id=user_id, **kind)
    return user_id


@pytest.mark.row("C9")
def test_a_charge_that_is_over_leaves_the_wish_of_who_waits_there_alone(desk: Desk) -> None:
    """Q27, C9: the card's user pays it, and the one in the app charges when he plugs in."""
    asha, bela = _card(desk), desk.driver()
    desk.charger()
    at = _back(desk)
    wish = desk.request(bela)
    desk.do(wishes.answered, wish, "accepted")
    old = _queued(desk, at)
    assert (old.status, old.stop) == ("Accepted", False)
    assert _queued(desk, at) == old
    assert desk.state(wish) == SessionState.AWAITING_PLUG
    _ends(desk, old, at)
    assert desk.bill(old.session_id) == (20_000, 36_000)
    assert desk.free(asha) == 640
    begun = desk.start(wish, METER + 20_000)
    assert (begun.session_id, begun.status, desk.state(wish)) == (wish, "Accepted", SessionState.CHARGING)


def test_a_charge_that_is_over_leaves_the_one_that_runs_there_alone(desk: Desk) -> None:
    """Q27, C9: the queue is told after the start of who charges now."""
    asha, bela = _card(desk), desk.driver()
    desk.charger()
    at = _back(desk)
    running = desk.charging(bela)
    old = _queued(desk, at)
    assert desk.state(running) == SessionState.CHARGING
    _ends(desk, old, at)
    assert (desk.bill(old.session_id), desk.free(asha)) == ((20_000, 36_000), 640)


def test_the_samples_of_a_charge_that_is_over_are_held_and_stop_nothing(desk: Desk) -> None:
    """Q23, Q27: without its stop the bill is an estimate, once, after a day."""
    asha, bela = _card(desk), desk.driver()
    desk.charger()
    at = _back(desk)
    wish = desk.request(bela)
    old = _queued(desk, at)
    told = {"at": at + timedelta(minutes=30), "power_w": None}
    assert desk.meter(old.session_id, METER + 10_000, **told) == []
    assert desk.state(old.session_id) == SessionState.INTERRUPTED
    assert desk.money(asha).held_paise == 18_000
    desk.do(charging.request_stop, wish, "driver")
    desk.passes(hours=24)
    desk.sweep()
    assert desk.bill(old.session_id) == (10_000, 18_000)
    _ends(desk, old, at)
    assert (desk.bill(old.session_id), desk.free(asha)) == ((20_000, 36_000), 640)


def test_a_charge_that_was_told_late_and_goes_on_is_stopped_where_another_one_waits(desk: Desk) -> None:
    """Q27: a live sample of it shows that it was not over."""
    _card(desk)
    desk.charger()
    at = _back(desk)
    desk.request(desk.driver())
    old = _queued(desk, at)
    assert desk.meter(old.session_id, METER + 20_000) == [old.session_id]


def test_a_charge_that_began_after_the_wish_takes_the_connector_however_late_it_is_told(desk: Desk) -> None:
    desk.charger()
    desk.disconnect()
    desk.connect()
    wish = desk.request(desk.driver())
    desk.do(wishes.answered, wish, "accepted")
    desk.passes(minutes=6)
    desk.disconnect()
    desk.connect()
    _queued(desk, desk.clock.at - timedelta(minutes=5, seconds=1))
    assert (desk.state(wish), desk.session(wish).stop_cause) == (SessionState.CANCELLED, wishes.TAKEN)


def test_a_clock_of_three_minutes_ago_makes_no_start_an_old_one(desk: Desk) -> None:
    """Q39: whoever began there just now has the connector, by whatever clock."""
    desk.charger()
    desk.passes(hours=1)
    desk.disconnect()
    desk.connect()
    wish = desk.request(desk.driver())
    _queued(desk, desk.clock.at - timedelta(minutes=3))
    assert desk.state(wish) == SessionState.CANCELLED


def test_a_late_plug_that_is_over_leaves_the_wish_of_who_waits_there_alone(desk: Desk) -> None:
    """Q28: a driver's own charge of hours ago is his; who waits there now goes on waiting."""
    asha, bela = desk.driver(), desk.driver()
    desk.charger()
    first = desk.request(asha)
    desk.disconnect()
    desk.do(wishes.answered, first, "silent")
    desk.passes(hours=3)
    desk.connect()
    desk.status("BLR-1", 1, "Available")
    wish = desk.request(bela)
    desk.do(wishes.answered, wish, "accepted")
    at = desk.clock.at - timedelta(hours=3) + timedelta(minutes=1)
    # The tag of the first wish, though another driver waits at its connector by now.
    begun = desk.start(first, at=at)
    assert (begun.session_id, begun.stop) == (first, False)
    assert desk.state(wish) == SessionState.AWAITING_PLUG
    desk.stop(first, METER + 20_000, at=at + timedelta(hours=1))
    assert (desk.bill(first), desk.free(asha)) == ((20_000, 36_000), 640)
