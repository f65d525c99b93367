"""Chargers that come, say what they are, and go: what is known of them, and who hears of it."""

from datetime import timedelta

from domain import arrivals, chargers, charging
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
    desk.charger(connectors=2)
    stopping, running = desk.charging(desk.driver()), desk.charging(desk.driver(), connector=2)
    desk.do(charging.request_stop, stopping, "driver")
    for _ in range(6):
        desk.do(charging.stop_asked, stopping, False)
    desk.connect()
    session = desk.session(stopping)
    assert (session.stop_tries, session.due_at) == (0, desk.clock.at + charging.AGAIN)
    assert desk.session(running).state == SessionState.CHARGING
