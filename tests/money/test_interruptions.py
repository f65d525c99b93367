"""Charges whose stop never came: noticed, estimated, resumed, settled late (payments.md C4, C7, C34; ocpp.md Q23)."""

from datetime import timedelta

import pytest

from domain import charging, history, interruptions, wallet
from domain.events import SessionChanged
from domain.models import SessionState
from tests.money.charges import METER, Desk
from tests.money.priced import priced


@pytest.mark.row("C4")
def test_a_connector_that_is_free_again_has_lost_its_stop(desk: Desk) -> None:
    """C4: the driver is told at once; the hold becomes the estimate."""
    asha, session_id = desk.a_charge(kwh=2)
    sampled_at = desk.session(session_id).sampled_at
    desk.events.clear()
    desk.lose(session_id)
    assert SessionChanged(session_id, "BLR-1", asha, "INTERRUPTED") in desk.events
    session = desk.session(session_id)
    assert (session.cost_paise, session.estimated, session.settled_at) == (3_600, True, None)
    assert session.stopped_at == sampled_at
    assert session.due_at == desk.clock.at + timedelta(hours=24)
    assert desk.money(asha) == wallet.Balance(100_000, 3_600, 0)
    [past] = desk.do(history.page, asha)
    assert (past.energy_wh, past.cost_paise, past.held_paise) == (2_000, 3_600, 3_600)


def test_a_stop_may_be_queued_behind_the_status(desk: Desk) -> None:
    """Q26: a minute of grace."""
    desk.charger()
    session_id = desk.begun(desk.driver())
    desk.passes(seconds=5)
    desk.status("BLR-1", 1, "Available")
    desk.passes(seconds=55)
    assert desk.interrupt_lost() == []
    desk.stop(session_id, METER + 2_100)
    assert desk.bill(session_id) == (2_100, 3_780)


@pytest.mark.parametrize("status", ["Charging", "SuspendedEV", "SuspendedEVSE", "Finishing"])
def test_other_states_lose_nothing(desk: Desk, status: str) -> None:
    desk.charger()
    desk.begun(desk.driver(), 1)
    desk.passes(seconds=5)
    desk.status("BLR-1", 1, status)
    for _ in range(6):
        desk.passes(minutes=10)
        desk.heard("BLR-1")
        assert desk.interrupt_lost() == []


def test_a_charger_that_meters_on_after_available_has_lost_nothing(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.passes(seconds=5)
    desk.status("BLR-1", 1, "Available")
    desk.flows(session_id, 2)
    assert desk.interrupt_lost() == []


@pytest.mark.row("C7")
@pytest.mark.parametrize("status", ["Faulted", "Unavailable"])
def test_a_fault_does_not_end_the_bill_and_a_long_one_ends_the_wait(desk: Desk, status: str) -> None:
    """C7, Q43: frozen at the last sample, watched like a lost stop."""
    asha, session_id = desk.a_charge(kwh=2)
    desk.status("BLR-1", 1, status)
    session = desk.session(session_id)
    assert (session.state, session.suspended) == (SessionState.CHARGING, "Faulted" if status == "Faulted" else "")
    desk.passes(minutes=14)
    desk.heard("BLR-1")
    assert desk.interrupt_lost() == []
    desk.passes(minutes=2)
    desk.heard("BLR-1")
    assert desk.interrupt_lost() == [session_id]
    assert desk.money(asha) == wallet.Balance(100_000, 3_600, 0)


@pytest.mark.parametrize("told", ["Faulted", ""])
def test_a_charge_that_meters_is_not_lost(desk: Desk, told: str) -> None:
    """Q23: whatever its connector says, and though we have not written down yet that the charger was heard."""
    _, session_id = desk.a_charge(kwh=1)
    if told:
        desk.status("BLR-1", 1, told)
    for minute in range(1, 31):
        desk.passes(minutes=1)
        if told:
            desk.heard("BLR-1")
        desk.meter(session_id, METER + 1_000 + minute * 100, 6_000)
    assert desk.interrupt_lost() == []
    desk.passes(minutes=16)
    if told:
        desk.heard("BLR-1")
    assert desk.interrupt_lost() == [session_id]


@pytest.mark.row("C7")
def test_a_fault_with_a_stop_is_billed_by_its_meter(desk: Desk) -> None:
    """C7: the reason is kept."""
    asha, session_id = desk.a_charge(kwh=2)
    desk.status("BLR-1", 1, "Faulted")
    desk.stop(session_id, METER + 2_000, reason="Other")
    session = desk.session(session_id)
    assert (session.stop_reason, session.suspended) == ("Other", "")
    assert desk.money(asha) == wallet.Balance(96_400, 0, 0)


def test_a_fault_that_passes_is_forgotten(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.status("BLR-1", 1, "Faulted")
    desk.passes(minutes=1)
    desk.status("BLR-1", 1, "Charging")
    assert desk.session(session_id).suspended == ""


@pytest.mark.row("C34")
def test_a_boot_that_does_not_resume(desk: Desk) -> None:
    """C34, Q23."""
    desk.charger()
    session_id = desk.begun(desk.driver(), 1)
    desk.passes(seconds=30)
    desk.boot()
    desk.passes(seconds=59)
    assert desk.interrupt_lost() == []
    desk.passes(seconds=2)
    assert desk.interrupt_lost() == [session_id]


@pytest.mark.row("C34")
def test_a_boot_that_resumes(desk: Desk) -> None:
    """C34: the charge goes on as if nothing had been."""
    _, session_id = desk.a_charge(kwh=1)
    desk.passes(seconds=30)
    desk.boot()
    desk.flows(session_id, 2)
    assert desk.interrupt_lost() == []
    desk.stop(session_id, METER + 3_000)
    assert desk.bill(session_id) == (3_000, 5_400)


@pytest.mark.row("C34")
@pytest.mark.parametrize("status", ["Charging", "SuspendedEV", "SuspendedEVSE"])
def test_a_boot_after_which_the_connector_says_it_charges_has_lost_nothing(desk: Desk, status: str) -> None:
    """C34: many boards boot with each reconnection, and do not meter often; its money is watched on."""
    asha, _ = desk.a_charge(kwh=2)
    desk.passes(seconds=20)
    desk.boot()
    desk.passes(seconds=2)
    desk.status("BLR-1", 1, status)
    desk.passes(seconds=90)
    desk.heard("BLR-1")
    assert desk.interrupt_lost() == []
    assert desk.money(asha).held_paise == 100_000


@pytest.mark.row("C34")
def test_what_a_connector_said_before_its_boot_is_no_sign_of_life(desk: Desk) -> None:
    """C34: what it told late is taken for the time at which it was so."""
    _, session_id = desk.a_charge(kwh=2)
    said_at = desk.clock.at
    desk.passes(seconds=20)
    desk.boot()
    desk.status("BLR-1", 1, "SuspendedEV", at=said_at)
    desk.passes(seconds=61)
    assert desk.interrupt_lost() == [session_id]


def test_a_charger_that_is_silent_for_a_quarter_of_an_hour(desk: Desk) -> None:
    desk.charger()
    session_id = desk.begun(desk.driver(), 1)
    desk.passes(minutes=15)
    assert desk.interrupt_lost() == []
    desk.passes(seconds=1)
    assert desk.interrupt_lost() == [session_id]


def test_our_own_silence_is_not_the_chargers(desk: Desk) -> None:
    """After a restart the charger has its quarter of an hour from the moment we listen again."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.since = desk.passes(hours=3)
    desk.passes(minutes=15)
    assert desk.interrupt_lost() == []
    desk.passes(seconds=1)
    assert desk.interrupt_lost() == [session_id]


def test_an_interruption_that_healed_meanwhile_is_none(desk: Desk) -> None:
    desk.charger()
    session_id = desk.begun(desk.driver(), 1)
    desk.passes(minutes=16)
    suspects = desk.do(interruptions.lost, desk.clock.at, desk.since)
    assert suspects == [session_id]
    desk.meter(session_id, METER + 1_500)
    desk.heard("BLR-1")
    assert desk.interrupt_lost() == []


def test_a_charge_that_was_stopped_meanwhile_is_not_interrupted(desk: Desk) -> None:
    """Between the look at all charges and the one at this, its stop came."""
    _, session_id = desk.a_charge(kwh=2)
    desk.stop(session_id, METER + 2_000)
    desk.changes_nothing(desk.do, interruptions.interrupt_lost, session_id, desk.clock.at, desk.since)
    desk.changes_nothing(desk.do, interruptions.resume_found, session_id, desk.clock.at)
    assert not desk.do(interruptions.interrupt_lost, 99, desk.clock.at, desk.since)
    assert not desk.do(interruptions.resume_found, 99, desk.clock.at)


@pytest.mark.row("C4")
def test_a_late_stop_settles_by_the_meter(desk: Desk) -> None:
    """C4."""
    asha, session_id = desk.a_charge(kwh=2)
    desk.lose(session_id)
    desk.passes(hours=20)
    desk.stop(session_id, METER + 2_200, at=desk.clock.at - timedelta(hours=20))
    assert desk.bill(session_id) == (2_200, 3_960)
    assert not desk.session(session_id).estimated
    assert desk.money(asha) == wallet.Balance(96_040, 0, 0)


@pytest.mark.row("C4")
def test_after_24_hours_the_estimate_is_debited(desk: Desk) -> None:
    """C4: once."""
    asha, session_id = desk.a_charge(kwh=2)
    desk.lose(session_id)
    desk.passes(hours=23, minutes=59)
    assert desk.sweep() == {}
    desk.passes(minutes=1)
    assert desk.sweep() == {session_id: ""}
    assert desk.bill(session_id) == (2_000, 3_600)
    session = desk.session(session_id)
    assert (session.estimated, session.stop_reason) == (True, "Other")
    assert session.receipt_number
    assert desk.money(asha) == wallet.Balance(96_400, 0, 0)
    desk.changes_nothing(desk.do, charging.deadline, session_id, desk.clock.at)


def _lost_and_elsewhere(desk: Desk) -> tuple[int, int, int]:
    """A driver with ₹100, his interrupted charge of 2 kWh, and the one that he has begun at another charger since."""
    asha = desk.driver(rupees=100)
    desk.charger()
    desk.charger("BLR-2")
    first = desk.charging(asha)
    desk.flows(first, 2)
    desk.lose(first)
    return asha, first, desk.charging(asha, "BLR-2")


@pytest.mark.row("C4")
def test_the_driver_may_charge_elsewhere_meanwhile_but_not_with_that_money(desk: Desk) -> None:
    """C4, Q23: money is never free to spend twice."""
    asha, first, second = _lost_and_elsewhere(desk)
    assert desk.money(asha) == wallet.Balance(10_000, 10_000, 0)
    desk.flows(second, 1)
    desk.stop(first, METER + 2_000)
    desk.stop(second, METER + 1_000)
    assert desk.money(asha) == wallet.Balance(10_000 - 3_600 - 1_800, 0, 0)


def test_what_an_interruption_sets_free_pays_first_what_is_owed(desk: Desk) -> None:
    """Each time: a charge may be interrupted, run again, and be interrupted again."""
    asha = desk.driver()
    for charger_id in ("BLR-1", "BLR-2", "BLR-3"):
        desk.charger(charger_id)
    earlier = []
    for charger_id in ("BLR-1", "BLR-2"):
        earlier.append(desk.charging(asha, charger_id))
        desk.flows(earlier[-1], 2)
        desk.lose(earlier[-1])
    running = desk.charging(asha, "BLR-3")
    desk.flows(running, 1)
    for late in earlier:
        desk.stop(late, METER + 6_000)
        assert desk.money(asha).arrears_paise == 7_200, "everything else is held"
        desk.lose(running)
        assert desk.money(asha).arrears_paise == 0
        desk.meter(running, METER + 1_000)
        desk.status("BLR-3", 1, "Charging")
    assert desk.money(asha) == wallet.Balance(100_000 - 2 * 10_800, 100_000 - 2 * 10_800, 0)


def test_an_interruption_that_frees_too_little_leaves_the_rest_owed(desk: Desk) -> None:
    asha, first, second = _lost_and_elsewhere(desk)
    desk.flows(second, 1)
    desk.passes(minutes=5)
    desk.stop(first, METER + 6_000)
    assert desk.money(asha) == wallet.Balance(6_400, 6_400, 7_200)
    desk.lose(second)
    assert desk.money(asha) == wallet.Balance(1_800, 1_800, 2_600)


@pytest.mark.parametrize("status", ["Available", "Preparing", "Reserved"])
def test_a_connector_on_which_no_charge_runs_any_more_has_lost_its_stop(desk: Desk, status: str) -> None:
    """Q23; a reservation may follow the charge at once."""
    _, session_id = desk.a_charge(kwh=2)
    desk.passes(seconds=10)
    desk.status("BLR-1", 1, status)
    desk.passes(seconds=61)
    assert desk.interrupt_lost() == [session_id]


def test_a_charger_that_names_the_charge_for_ever_has_lost_its_stop(desk: Desk) -> None:
    """Q31: EN+ does so, without power, after the car has left; that neither brings the charge back nor prolongs it."""
    asha, session_id = desk.a_charge(kwh=2)
    desk.passes(seconds=10)
    desk.status("BLR-1", 1, "Available")
    for _ in range(4):
        desk.passes(seconds=15)
        assert desk.meter(session_id, METER + 2_000, 0) == []
        assert desk.interrupt_lost() == []
    desk.passes(seconds=15)
    desk.meter(session_id, METER + 2_000, 0)
    assert desk.interrupt_lost() == [session_id]
    until = desk.session(session_id).due_at
    desk.passes(minutes=5)
    assert desk.meter(session_id, METER + 2_000, 0) == []
    assert (desk.session(session_id).state, desk.session(session_id).due_at) == (SessionState.INTERRUPTED, until)
    assert desk.money(asha) == wallet.Balance(100_000, 3_600, 0)
    desk.passes(hours=24)
    assert desk.sweep() == {session_id: ""}
    assert desk.bill(session_id) == (2_000, 3_600)


def test_power_at_a_connector_that_says_it_is_free_brings_a_charge_back(desk: Desk) -> None:
    _, session_id = desk.a_charge(kwh=2)
    desk.lose(session_id)
    desk.passes(seconds=15)
    desk.meter(session_id, METER + 2_100, 7_000)
    assert desk.session(session_id).state == SessionState.CHARGING


def test_a_connector_that_prepares_for_long_has_time_for_its_car(desk: Desk) -> None:
    """Some boards say Preparing after StartTransaction, until the car draws power."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.passes(seconds=5)
    desk.status("BLR-1", 1, "Preparing")
    for _ in range(15):
        desk.passes(minutes=1)
        desk.meter(session_id, METER, 0)
        assert desk.interrupt_lost() == []
    desk.passes(minutes=1)
    desk.meter(session_id, METER, 0)
    assert desk.interrupt_lost() == [session_id]


def test_a_charge_that_was_cut_off_is_paid_by_the_minute_until_its_last_reading(desk: Desk) -> None:
    _, session_id = priced(desk, per_minute_paise=100)
    desk.flows(session_id, 2)
    desk.passes(minutes=16)
    assert desk.interrupt_lost() == [session_id]
    assert desk.session(session_id).cost_paise == 3_600 + 2 * 100
