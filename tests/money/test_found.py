"""Charges that their chargers say go on after an outage, though no sample comes (ocpp.md Q23, Q30, Q40)."""

import pytest

from domain import charging, interruptions
from domain.events import SessionChanged
from domain.models import SessionState
from tests.money.charges import Desk


def test_a_charge_without_a_meter_goes_on_when_its_connector_says_so(desk: Desk) -> None:
    """Q23, Q40: no sample will ever come, and its money must be watched."""
    asha = desk.driver(200)
    desk.charger()
    session_id = desk.charging(asha)
    held = desk.money(asha).held_paise
    away(desk, session_id)
    desk.connect()
    desk.status("BLR-1", 1, "Charging")
    assert desk.do(interruptions.found, desk.clock.at) == [], "a stop may be queued behind the status"
    desk.passes(seconds=90)
    desk.heard("BLR-1")
    assert desk.do(interruptions.found, desk.clock.at) == [session_id]
    desk.events.clear()
    assert desk.do(interruptions.resume_found, session_id, desk.clock.at)
    assert SessionChanged(session_id, "BLR-1", asha, SessionState.CHARGING) in desk.events
    assert (desk.state(session_id), desk.money(asha).held_paise) == (SessionState.CHARGING, held)
    desk.passes(seconds=10)
    assert desk.sweep() == {session_id: "stop"}, "at full power its money is spent by now"
    assert desk.interrupt_lost() == []


def test_a_stop_that_was_asked_for_before_the_outage_is_asked_for_again(desk: Desk) -> None:
    """Q30, also of a charger that does not meter."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.do(charging.request_stop, session_id, "driver")
    away(desk, session_id)
    desk.connect()
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(seconds=90)
    desk.heard("BLR-1")
    assert desk.do(interruptions.resume_found, session_id, desk.clock.at)
    session = desk.session(session_id)
    assert (session.state, session.stop_cause, session.suspended) == ("STOPPING", "driver", "SuspendedEV")


@pytest.mark.parametrize("what", ["free", "gone", "said before", "booted since", "replaced"])
def test_an_interrupted_charge_of_which_nothing_says_that_it_goes_on(desk: Desk, what: str) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    away(desk, session_id)
    desk.connect()
    if what != "said before":
        desk.status("BLR-1", 1, "Available" if what == "free" else "Charging")
    desk.passes(seconds=90)
    if what == "booted since":
        desk.boot()
    if what == "replaced":
        desk.walk_up()
    desk.heard("BLR-1")
    if what == "gone":
        desk.disconnect()
    assert not desk.do(interruptions.resume_found, session_id, desk.clock.at)
    assert desk.state(session_id) == SessionState.INTERRUPTED


def away(desk: Desk, session_id: int) -> None:
    """The charger is out of contact for so long that its charge counts as interrupted."""
    desk.disconnect()
    desk.passes(minutes=16)
    assert desk.interrupt_lost() == [session_id]
    desk.passes(seconds=5)


def test_what_a_connector_said_of_a_newer_charge_is_not_said_of_the_older(desk: Desk) -> None:
    """Q23: the newer one has ended, and its connector says so a moment later."""
    asha = desk.driver()
    desk.charger()
    older = desk.charging(asha)
    desk.passes(minutes=5)
    newer = desk.walk_up()
    desk.passes(seconds=2)
    desk.status("BLR-1", 1, "Charging")
    desk.passes(minutes=5)
    desk.heard("BLR-1")
    desk.stop(newer.session_id, 3_000)
    assert desk.do(interruptions.found, desk.clock.at) == []
    assert not desk.do(interruptions.resume_found, older, desk.clock.at)
    assert desk.state(older) == SessionState.INTERRUPTED
