"""Chargers that come, say what they are, and go: what is known of them, and who hears of it."""

from datetime import timedelta

import pytest

from domain import arrivals, chargers, charging, stops
from domain.events import ChargerChanged, SessionChanged
from domain.models import SessionState
from tests.money.charges import Desk


def test_coming_booting_and_going(desk: Desk) -> None:
    desk.do(chargers.add, "BLR-1")
    desk.connect()
    desk.passes(seconds=1)
    desk.boot()
    charger = desk.do(chargers.info, "BLR-1")
    assert (charger.online, charger.vendor, charger.booted_at) == (True, "V", desk.clock.at)
    desk.passes(seconds=1)
    desk.disconnect()
    charger = desk.do(chargers.info, "BLR-1")
    assert (charger.online, charger.heard_at) == (False, desk.clock.at)


def test_a_set_up_that_ends_after_a_newer_boot_is_not_of_that_boot(desk: Desk) -> None:
    """The end of a socket's set-up may be written down after its charger has come back and booted."""
    desk.charger()
    desk.boot()
    desk.passes(seconds=3)
    begun = desk.clock.at
    desk.passes(seconds=2)
    desk.boot()
    for at, due in ((begun, True), (desk.clock.at, False)):
        desk.do(arrivals.set_up, [("BLR-1", at)])
        assert desk.do(chargers.info, "BLR-1").set_up_due is due


def test_a_lost_contact_is_told_to_the_drivers_who_charge_there(desk: Desk) -> None:
    asha, session_id = desk.a_charge()
    desk.events.clear()
    desk.disconnect()
    assert desk.events == [ChargerChanged("BLR-1"), SessionChanged(session_id, "BLR-1", asha, "CHARGING")]


def test_who_was_heard_is_never_heard_earlier(desk: Desk) -> None:
    desk.charger()
    later, earlier = desk.clock.at + timedelta(seconds=9), desk.clock.at - timedelta(seconds=9)
    desk.do(arrivals.heard, {"BLR-1": later, "GONE": later})
    desk.do(arrivals.heard, {"BLR-1": earlier})
    assert desk.do(chargers.info, "BLR-1").heard_at == later


def test_a_charger_that_is_back_is_asked_again_to_stop(desk: Desk) -> None:
    """After a long absence as if for the first time."""
    desk.charger(connectors=2)
    stopping, running = desk.charging(desk.driver()), desk.charging(desk.driver(), connector=2)
    desk.do(charging.request_stop, stopping, "driver")
    desk.disconnect()
    for _ in range(6):
        desk.do(stops.stop_asked, stopping, False)
    desk.passes(seconds=90)
    desk.connect()
    session = desk.session(stopping)
    assert (session.stop_tries, session.due_at) == (0, desk.clock.at + stops.AGAIN)
    assert desk.session(running).state == SessionState.CHARGING


def test_a_charger_that_was_away_for_a_moment_is_asked_soon_and_no_later_than_without(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.do(charging.request_stop, session_id, "driver")
    desk.do(stops.stop_asked, session_id, True)
    desk.disconnect()
    desk.connect()
    session = desk.session(session_id)
    due_at = desk.clock.at + stops.AGAIN
    assert (session.stop_tries, session.due_at) == (1, due_at)
    desk.passes(seconds=10)
    desk.disconnect()
    desk.connect()
    assert desk.session(session_id).due_at == due_at


@pytest.mark.parametrize("every_s", [10, 40])
def test_a_charger_that_comes_and_goes_is_asked_and_escalated_all_the_same(desk: Desk, every_s: int) -> None:
    """ocpp.md Q30: its connections, each as short as the next, begin no round of asking anew; in ten minutes it is
    escalated twice."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.do(charging.request_stop, session_id, "driver")
    done: list[str] = []
    for second in range(600):
        if second % every_s == 0:
            desk.disconnect()
            desk.connect()
        for left in desk.sweep().values():
            done.append(left)
            step = (stops.stop_asked, session_id, False) if left == "stop" else (stops.stop_escalated, session_id)
            desk.do(*step)
        desk.passes(seconds=1)
    assert done == [*["stop"] * 6, "escalate", "stop", "escalate"]
    assert desk.findings() == {"stop-unanswered": 1}
