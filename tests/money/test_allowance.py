"""How far money and a limit go: when a charge must end, by what its meter tells and what not (payments.md 2.7)."""

from datetime import timedelta

import pytest

from domain import allowance, charging, goodwill, metering, sessions, settings, tariffs, wallet
from domain.events import SessionChanged, SessionMetered
from domain.models import ChargingSession, SessionState
from domain.prices import Price
from domain.wishes import PLUG
from tests.money import house
from tests.money.charges import METER, Desk
from tests.money.test_metering import energy


def test_a_stale_sample_is_billed_but_neither_shown_nor_a_reason_to_stop(desk: Desk) -> None:
    """Q27."""
    desk.charger()
    session_id = desk.charging(desk.driver(rupees=50))
    began = desk.clock.at
    desk.passes(minutes=20)
    desk.events.clear()
    assert desk.meter(session_id, METER + 5_000, at=began + timedelta(minutes=5)) == []
    assert energy(desk, session_id) == 5_000
    assert not [event for event in desk.events if isinstance(event, SessionMetered)]
    assert desk.meter(session_id, METER + 5_000) == [session_id], "the next live one is"


@pytest.mark.row("C22")
def test_the_charge_ends_before_the_money_does(desk: Desk) -> None:
    """C22: a minute of 60 kW is kept back."""
    asha, session_id = desk.a_charge(rupees=100)
    assert desk.flows(session_id, 4) == []
    assert desk.flows(session_id, 1) == [session_id]
    session = desk.session(session_id)
    assert (session.state, session.stop_cause) == (SessionState.STOPPING, "funds")
    assert desk.flows(session_id, 0.5) == [], "it is being stopped already"
    desk.stop(session_id, METER + 5_500, reason="Remote")
    assert desk.money(asha).balance_paise == 100
    assert desk.money(asha).arrears_paise == 0


def test_at_least_two_rupees_are_kept_back(desk: Desk) -> None:
    session = ChargingSession(paise_per_kwh=1_800)
    assert allowance.reserve(session, 1_000) == 200
    assert allowance.reserve(session, 60_000) == 1_800


@pytest.mark.row("C24")
def test_a_recharge_meanwhile_moves_the_end(desk: Desk) -> None:
    """C24."""
    asha, session_id = desk.a_charge(rupees=100)
    assert desk.flows(session_id, 4) == []
    desk.events.clear()
    desk.give(asha, 200)
    assert desk.money(asha).held_paise == 30_000
    assert {event.user_id for event in desk.events if hasattr(event, "user_id")} == {asha}
    assert desk.flows(session_id, 11) == []
    assert desk.flows(session_id, 1) == [session_id]


@pytest.mark.row("C24")
def test_the_hold_grows_to_the_cap_and_no_further(desk: Desk) -> None:
    """C24."""
    asha = desk.driver(rupees=100)
    desk.charger()
    desk.charging(asha)
    desk.give(asha, 9_000)
    assert desk.money(asha).held_paise == settings.settings().session_cap_paise


@pytest.mark.row("C24", "C4")
@pytest.mark.parametrize("freed", ["late stop", "goodwill", "adjustment"])
def test_money_that_is_set_free_or_given_carries_the_charge_that_runs(desk: Desk, freed: str) -> None:
    """C24: no charge ends beside money."""
    asha = desk.driver(rupees=600)
    desk.charger()
    desk.charger("BLR-2")
    first = desk.begun(asha, 15)
    if freed == "goodwill":
        desk.stop(first, METER + 15_000)
    else:
        desk.lose(first)
    desk.heard("BLR-2")
    second = desk.charging(asha, "BLR-2")
    assert desk.money(asha).held_paise == (33_000 if freed == "goodwill" else 60_000)
    desk.events.clear()
    match freed:
        case "late stop":
            desk.stop(first, METER + 1_000)
        case "goodwill":
            desk.do(goodwill.give_back, first, 25_200, "for a test")
        case _:
            desk.do(wallet.adjust, asha, 25_200, key="gift", reason="for a test")
    assert desk.free(asha) == 0
    assert second in {event.session_id for event in desk.events if isinstance(event, SessionChanged)}
    assert desk.flows(second, 31) == []
    assert desk.flows(second, 1) == [second]
    desk.audited()


@pytest.mark.parametrize(("limit", "kwh"), [({"wh": 2_500}, 3), ({"paise": 3_500}, 2), ({"minutes": 4}, 4)])
def test_a_drivers_limit_ends_the_charge(desk: Desk, limit: dict[str, int], kwh: int) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver(), **limit)
    assert desk.flows(session_id, kwh - 1) == []
    assert desk.flows(session_id, 1) == [session_id]
    assert desk.session(session_id).stop_cause == "limit"


def test_a_limit_in_minutes_needs_no_sample(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver(), minutes=30)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(minutes=29, seconds=59)
    assert desk.sweep().get(session_id, "") == ""
    assert desk.state(session_id) == SessionState.CHARGING
    desk.passes(seconds=1)
    assert desk.sweep() == {session_id: "stop"}
    assert desk.session(session_id).stop_cause == "limit"


@pytest.mark.row("C22")
def test_a_meter_that_falls_silent_is_no_free_charge(desk: Desk) -> None:
    """C22, payments.md 2.7: what flows unseen is estimated by the last power."""
    asha, session_id = desk.a_charge(kwh=2, rupees=100)
    desk.passes(minutes=2, seconds=30)
    assert desk.sweep() == {}
    desk.passes(seconds=10)
    assert desk.sweep() == {session_id: "stop"}
    assert desk.session(session_id).stop_cause == "funds"
    desk.passes(seconds=10)
    desk.stop(session_id, METER + 4_800)
    assert desk.money(asha).arrears_paise == 0


def test_a_charger_that_never_meters_gives_what_its_connector_can(desk: Desk) -> None:
    """Q40: the pessimistic estimate."""
    asha, session_id = desk.a_charge(rupees=100)
    desk.passes(minutes=5)
    assert desk.sweep() == {}
    desk.passes(seconds=30)
    assert desk.sweep() == {session_id: "stop"}
    desk.stop(session_id, METER + 5_500)
    assert desk.money(asha).arrears_paise == 0


@pytest.mark.row("C24")
def test_a_silent_meter_is_looked_at_again_when_money_came_in(desk: Desk) -> None:
    """C24."""
    asha, session_id = desk.a_charge(rupees=100)
    desk.give(asha, 100)
    desk.passes(minutes=6)
    assert desk.sweep() == {session_id: ""}
    desk.passes(minutes=5)
    assert desk.sweep() == {session_id: "stop"}


def test_a_car_that_pauses_spends_nothing(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver(rupees=100))
    desk.flows(session_id, 2)
    desk.meter(session_id, METER + 2_000, 0)
    desk.status("BLR-1", 1, "SuspendedEV")
    for _ in range(20):
        desk.passes(minutes=10)
        desk.heard("BLR-1")
        assert desk.sweep().get(session_id, "") == ""
    assert desk.state(session_id) == SessionState.CHARGING


def silent(desk: Desk, session_id: int, **time: float) -> str:
    """So long the charger is in contact and its meter says nothing; gives why the charge was stopped."""
    until = desk.clock.at + timedelta(**time)
    while desk.clock.at < until and desk.state(session_id) == SessionState.CHARGING:
        desk.passes(seconds=10)
        desk.heard("BLR-1")
        assert desk.interrupt_lost() == []
        desk.sweep()
    return desk.session(session_id).stop_cause


@pytest.mark.row("C22")
@pytest.mark.parametrize("pause", ["SuspendedEV", "SuspendedEVSE"])
def test_a_pause_over_the_end_of_the_money_does_not_end_the_watch(desk: Desk, pause: str) -> None:
    """C22, Q40: a charger that never meters; the pause costs nothing, and what follows it is counted."""
    asha, session_id = desk.a_charge(rupees=100)
    desk.passes(minutes=1)
    desk.status("BLR-1", 1, pause)
    assert silent(desk, session_id, minutes=30) == ""
    assert desk.session(session_id).due_at is None
    desk.status("BLR-1", 1, "Charging")
    resumed = desk.clock.at
    assert silent(desk, session_id, minutes=4, seconds=20) == ""
    assert silent(desk, session_id, minutes=30) == "funds"
    assert desk.clock.at - resumed < timedelta(minutes=5)
    desk.stop(session_id, METER + 5_500)
    assert desk.money(asha).arrears_paise == 0


@pytest.mark.row("C22")
@pytest.mark.parametrize("kwh", [0, 2])
def test_a_pause_takes_off_its_own_length_only(desk: Desk, kwh: int) -> None:
    """C22, Q40: load management pauses for 5 s every 5 minutes; what flowed before each pause is not forgotten."""
    asha, session_id = desk.a_charge(kwh, rupees=200 + kwh * 18)
    began = desk.clock.at
    for _ in range(3):
        if silent(desk, session_id, minutes=5):
            break
        desk.status("BLR-1", 1, "SuspendedEVSE")
        desk.passes(seconds=5)
        desk.status("BLR-1", 1, "Charging")
    assert timedelta(minutes=10) < desk.clock.at - began < timedelta(minutes=13)
    desk.stop(session_id, METER + kwh * 1_000 + 11_000)
    assert (desk.session(session_id).stop_cause, desk.money(asha).arrears_paise) == ("funds", 0)


def test_what_flowed_before_a_pause_is_told_by_the_next_register(desk: Desk) -> None:
    _, session_id = desk.a_charge(kwh=2)
    desk.passes(minutes=1)
    desk.status("BLR-1", 1, "SuspendedEVSE")
    assert desk.session(session_id).unheard_wh == 1_000
    desk.passes(minutes=5)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.meter(session_id, None, 0, soc_percent=40)
    assert desk.session(session_id).unheard_wh == 1_000
    desk.meter(session_id, METER + 2_900, 0)
    assert desk.session(session_id).unheard_wh == 0


@pytest.mark.row("C22")
def test_a_sample_in_a_pause_does_not_end_the_watch(desk: Desk) -> None:
    """C22: the meter speaks while the car pauses, and not when it goes on: its mean so far is taken to flow."""
    _, session_id = desk.a_charge(kwh=2, rupees=100)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(seconds=15)
    desk.meter(session_id, METER + 2_000, 0)
    assert desk.session(session_id).due_at is None
    desk.passes(minutes=5)
    desk.heard("BLR-1")
    desk.status("BLR-1", 1, "Charging")
    assert silent(desk, session_id, minutes=2, seconds=50) == ""
    assert silent(desk, session_id, minutes=30) == "funds"


@pytest.mark.row("C22")
def test_what_a_first_watt_hour_brings_is_watched(desk: Desk) -> None:
    """C22, ADR 0007: 10 rupees for the start; after a pause without samples 7 for each of its minutes, which are paid
    with the energy that follows."""
    desk.do(tariffs.set_price, Price(1_800, 0, start_paise=1_000, per_minute_paise=700), effective_at=desk.clock.at)
    asha, session_id = desk.a_charge(rupees=200)
    first = desk.session(session_id).due_at
    assert first is not None
    assert (first - desk.clock.at).total_seconds() <= (20_000 - 1_000 - 200) * 3_600 // 150_000
    assert desk.flows(session_id, 2) == []
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(minutes=10)
    desk.heard("BLR-1")
    desk.status("BLR-1", 1, "Charging")
    assert silent(desk, session_id, minutes=10) == "funds"
    desk.stop(session_id, METER + 3_600)
    assert desk.money(asha).arrears_paise == 0


def test_a_pause_that_ends_moves_no_other_deadline(desk: Desk) -> None:
    """A charge that is being stopped is asked again when that was due."""
    _, session_id = desk.a_charge(kwh=1)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.do(charging.request_stop, session_id, "driver")
    due_at = desk.session(session_id).due_at
    desk.passes(seconds=5)
    desk.status("BLR-1", 1, "Charging")
    assert desk.session(session_id).due_at == due_at


@pytest.mark.row("C7")
def test_a_charge_that_a_long_fault_interrupted_is_watched_again(desk: Desk) -> None:
    """C7: nobody follows the pauses of an interrupted charge; when it meters on, its connector's state counts."""
    _, session_id = desk.a_charge(kwh=2, rupees=100)
    desk.status("BLR-1", 1, "Faulted")
    desk.passes(minutes=16)
    desk.heard("BLR-1")
    assert desk.interrupt_lost() == [session_id]
    desk.status("BLR-1", 1, "Charging")
    desk.meter(session_id, METER + 2_100)
    assert desk.session(session_id).suspended == ""
    assert silent(desk, session_id, minutes=30) == "funds"


@pytest.mark.parametrize("limit", [{"paise": 10_000}, {"wh": 5_560}])
def test_a_drivers_limit_is_watched_when_the_meter_falls_silent(desk: Desk, limit: dict[str, int]) -> None:
    """2 kWh were metered; by the power of the last sample the rest takes 3 min 34 s. Only the meter is billed."""
    desk.charger()
    session_id = desk.charging(desk.driver(2_000), **limit)
    assert desk.flows(session_id, 2) == []
    assert silent(desk, session_id, minutes=3, seconds=30) == ""
    assert silent(desk, session_id, minutes=1) == "limit"
    desk.stop(session_id, METER + 4_000)
    assert desk.bill(session_id) == (4_000, 7_200)


@pytest.mark.parametrize("limit", [{"paise": 11_000}, {"wh": 4_000}])
def test_a_limit_is_watched_at_a_tariff_of_several_parts(desk: Desk, limit: dict[str, int]) -> None:
    desk.do(tariffs.set_price, Price(1_800, 0, start_paise=1_000, per_minute_paise=700), effective_at=desk.clock.at)
    desk.charger()
    session_id = desk.charging(desk.driver(2_000), **limit)
    assert desk.flows(session_id, 2) == []
    assert silent(desk, session_id, minutes=1, seconds=50) == ""
    assert silent(desk, session_id, seconds=20) == "limit"


def test_a_free_tariff_has_no_end_of_money(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    desk.do(tariffs.set_price, Price(0, 0))
    session_id = desk.charging(asha)
    assert desk.flows(session_id, 50) == []
    assert desk.session(session_id).due_at is None
    desk.stop(session_id, METER + 50_000)
    assert desk.bill(session_id) == (50_000, 0)
    assert desk.session(session_id).receipt_number == ""


def test_the_money_of_a_second_driver_does_not_matter(desk: Desk) -> None:
    asha, ben = desk.driver(rupees=60), desk.driver(rupees=1_000)
    desk.charger(connectors=2)
    poor, rich = desk.charging(asha), desk.charging(ben, connector=2)
    desk.passes(minutes=3)
    batch = [desk.sample(rich, METER + 3_000), desk.sample(poor, METER + 3_000)]
    assert desk.do(metering.record, batch) == [poor]
    assert desk.do(sessions.get, rich).state == SessionState.CHARGING


def test_the_plug_deadline_is_over_once_it_charges(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.passes(seconds=PLUG.total_seconds() + 1)
    desk.sweep()
    assert desk.state(session_id) == SessionState.CHARGING
    assert desk.do(house.broken) == []
