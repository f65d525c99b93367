"""Interrupted charges that go on, with their hold, their limits and their end, and those that cannot (C4, Q23)."""

from datetime import timedelta

import pytest

from domain import charging, metering
from domain.models import SessionState
from tests.money.charges import METER, Desk


@pytest.mark.row("C34")
def test_a_charge_that_meters_on_runs_again_with_its_hold(desk: Desk) -> None:
    """C34."""
    asha, session_id = desk.a_charge(kwh=2)
    desk.passes(minutes=16)
    desk.interrupt_lost()
    assert desk.money(asha).held_paise == 3_600
    desk.meter(session_id, METER + 2_500)
    session = desk.session(session_id)
    assert (session.state, session.estimated, session.stopped_at) == (SessionState.CHARGING, False, None)
    assert (session.energy_wh, session.cost_paise) == (2_500, 0)
    assert desk.money(asha).held_paise == 100_000
    desk.stop(session_id, METER + 3_000)
    assert desk.bill(session_id) == (3_000, 5_400)


def test_a_limit_in_minutes_survives_an_interruption(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver(), minutes=30)
    desk.passes(minutes=16)
    desk.interrupt_lost()
    desk.meter(session_id, METER + 100, 0)
    desk.status("BLR-1", 1, "SuspendedEV")
    assert desk.state(session_id) == SessionState.CHARGING
    desk.passes(minutes=14)
    assert desk.sweep() == {session_id: "stop"}


def test_a_wish_to_stop_survives_an_interruption(desk: Desk) -> None:
    """Q30: the charger was away when the driver pressed stop; it is told when it is back."""
    desk.charger()
    session_id = desk.begun(desk.driver(), 1)
    desk.do(charging.request_stop, session_id, "driver")
    desk.passes(minutes=16)
    desk.interrupt_lost()
    assert desk.state(session_id) == SessionState.INTERRUPTED
    desk.meter(session_id, METER + 1_500)
    session = desk.session(session_id)
    assert (session.state, session.stop_cause) == (SessionState.STOPPING, "driver")
    desk.passes(seconds=36)
    assert desk.sweep() == {session_id: "stop"}


def test_a_stale_sample_resumes_nothing_but_the_estimate_grows(desk: Desk) -> None:
    """Q27: a charger sends what it queued, and then its stop."""
    asha, session_id = desk.a_charge(kwh=2)
    began = desk.clock.at
    desk.passes(minutes=40)
    desk.interrupt_lost()
    desk.meter(session_id, METER + 7_000, at=began + timedelta(minutes=5))
    session = desk.session(session_id)
    assert (session.state, session.cost_paise) == (SessionState.INTERRUPTED, 12_600)
    assert session.stopped_at == began + timedelta(minutes=5)
    assert desk.money(asha).held_paise == 12_600
    desk.stop(session_id, METER + 7_100, at=began + timedelta(minutes=6))
    assert desk.bill(session_id) == (7_100, 12_780)


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_charge_that_was_replaced_stays_an_estimate_and_is_stopped(desk: Desk, elsewhere: bool) -> None:
    """By its driver's next charge, or by the next charge on its connector: there is no way back into running."""
    asha = desk.driver()
    desk.charger()
    desk.charger("BLR-2")
    first = desk.charging(asha)
    desk.flows(first, 2)
    desk.lose(first)
    second = desk.charging(asha, "BLR-2") if elsewhere else desk.charging(desk.driver())
    desk.passes(minutes=1)
    other = desk.sample(second, METER + 900)
    to_stop = desk.do(metering.record, [desk.sample(first, METER + 2_900), other])
    assert to_stop == [first]
    session = desk.session(first)
    assert (session.state, session.energy_wh, session.cost_paise) == (SessionState.INTERRUPTED, 2_900, 5_220)
    assert desk.session(second).energy_wh == 900, "one sample of the batch does not cost the others theirs"
    desk.stop(first, METER + 3_000)
    assert desk.bill(first) == (3_000, 5_400)


def test_no_way_back_from_a_settled_estimate(desk: Desk) -> None:
    """Q31."""
    desk.charger()
    session_id = desk.begun(desk.driver())
    desk.lose(session_id)
    desk.passes(hours=24)
    desk.sweep()
    desk.changes_nothing(desk.meter, session_id, METER + 2_500)
