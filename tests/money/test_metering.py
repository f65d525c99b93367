"""Samples: whose they are, what they add up to, and when they end a charge (payments.md 2.7, ocpp.md Q22-Q38)."""

from datetime import timedelta

import pytest
from sqlmodel import select

from domain import allowance, charging, history, metering, sessions, settings, tariffs
from domain.charging import PLUG
from domain.events import SessionMetered
from domain.models import ChargingSession, MeterSample, SessionState
from tests.money import house
from tests.money.charges import METER, Desk


def samples(desk: Desk, session_id: int) -> list[MeterSample]:
    query = select(MeterSample).where(MeterSample.session_id == session_id).order_by(MeterSample.id)
    return desk.do(lambda db: list(db.exec(query)))


def energy(desk: Desk, session_id: int) -> int:
    return desk.session(session_id).energy_wh


# Whose they are


def test_a_sample_is_stored_added_up_and_announced(desk: Desk) -> None:
    asha, session_id = desk.a_charge()
    desk.passes(minutes=1)
    desk.events.clear()
    assert desk.meter(session_id, METER + 900, 54_000, soc_percent=40, voltage_mv=400_000) == []
    [stored] = samples(desk, session_id)
    assert (stored.energy_wh, stored.power_w, stored.soc_percent) == (METER + 900, 54_000, 40)
    assert desk.events == [SessionMetered(session_id, "BLR-1", asha, 900, 1_620, 54_000, desk.clock.at, soc_percent=40)]
    session = desk.session(session_id)
    assert (session.energy_wh, session.power_w, session.meter_wh) == (900, 54_000, METER + 900)
    assert session.metered_at == desk.clock.at
    assert session.sampled_at == desk.clock.at - timedelta(seconds=1)
    assert desk.do(history.curve, session_id) == [(stored.at, 54_000)]


@pytest.mark.parametrize("transaction_id", [None, 0, -1, 123_456])
def test_a_charger_that_ignores_our_numbers_is_understood_by_its_connector(
    desk: Desk, transaction_id: int | None
) -> None:
    """Q22."""
    desk.charger(connectors=2)
    first, second = desk.charging(desk.driver()), desk.charging(desk.driver(), connector=2)
    desk.passes(minutes=1)
    desk.meter(second, METER + 500, transaction_id=transaction_id)
    assert (energy(desk, first), energy(desk, second)) == (0, 500)


def test_the_number_counts_more_than_the_connector(desk: Desk) -> None:
    desk.charger(connectors=2)
    first, second = desk.charging(desk.driver()), desk.charging(desk.driver(), connector=2)
    desk.passes(minutes=1)
    desk.meter(first, METER + 500, connector_number=2)
    assert (energy(desk, first), energy(desk, second)) == (500, 0)


@pytest.mark.row("C12")
def test_another_chargers_number_does_not_reach_its_charge(desk: Desk) -> None:
    """C12."""
    desk.charger()
    desk.charger("BLR-2")
    session_id = desk.charging(desk.driver())
    desk.passes(minutes=1)
    desk.changes_nothing(desk.meter, session_id, METER + 500, charger_id="BLR-2")


def test_a_closed_charge_never_opens_again(desk: Desk) -> None:
    """Q31: nor is its last sample the first one of the next charge there."""
    desk.charger()
    first = desk.charging(desk.driver())
    desk.flows(first, 1)
    desk.stop(first, METER + 1_000)
    desk.changes_nothing(desk.meter, first, METER + 1_010)
    desk.status("BLR-1", 1, "Available")
    second = desk.request(desk.driver())
    desk.start(second, METER + 1_000)
    desk.passes(seconds=10)
    desk.changes_nothing(desk.meter, first, METER + 1_100)
    assert energy(desk, second) == 0


def test_samples_of_nobody_are_dropped(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    sample = desk.sample(session_id, METER + 500, connector_number=2, transaction_id=None)
    desk.changes_nothing(desk.do, metering.record, [sample])
    assert samples(desk, session_id) == []


def test_a_batch_of_many_chargers_and_many_samples_each(desk: Desk) -> None:
    ids = []
    for n in range(3):
        desk.charger(f"BLR-{n}")
        ids.append(desk.charging(desk.driver(), f"BLR-{n}"))
    desk.passes(minutes=1)
    batch = [desk.sample(session_id, METER + wh) for wh in (100, 200, 300) for session_id in reversed(ids)]
    desk.events.clear()
    assert desk.do(metering.record, batch) == []
    assert [energy(desk, session_id) for session_id in ids] == [300, 300, 300]
    assert [len(samples(desk, session_id)) for session_id in ids] == [3, 3, 3]
    assert sorted(event.energy_wh for event in desk.events if isinstance(event, SessionMetered)) == [300, 300, 300]


def test_a_sample_without_energy_keeps_the_energy(desk: Desk) -> None:
    """Q22: the first one is often the state of charge."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.meter(session_id, None, None, soc_percent=20)
    desk.passes(minutes=1)
    desk.meter(session_id, METER + 500)
    desk.meter(session_id, None, 11_000)
    session = desk.session(session_id)
    assert (session.energy_wh, session.power_w) == (500, 11_000)


# What they add up to


def test_a_register_of_its_own_that_begins_at_zero(desk: Desk) -> None:
    """Q35: live by the samples, the bill by meterStop - meterStart."""
    desk.charger()
    session_id = desk.request(desk.driver())
    desk.start(session_id, 4_076_000)
    for register in (0, 900, 1_900):
        desk.passes(minutes=1)
        desk.meter(session_id, register)
    assert energy(desk, session_id) == 1_900
    assert not desk.session(session_id).review
    desk.stop(session_id, 4_078_000)
    assert desk.bill(session_id) == (2_000, 3_600)
    assert desk.findings() == {}


@pytest.mark.row("C18")
def test_a_register_of_its_own_that_begins_at_zero_and_stops_so_too(desk: Desk) -> None:
    """C18: start says the lifetime, stop the session."""
    desk.charger()
    session_id = desk.request(desk.driver())
    desk.start(session_id, 4_076_000)
    for register in (900, 1_900):
        desk.passes(minutes=1)
        desk.meter(session_id, register)
    desk.stop(session_id, 2_000)
    assert desk.bill(session_id) == (2_000, 3_600)
    assert desk.findings() == {"review": 1}


@pytest.mark.row("C18")
def test_a_register_that_is_reset_in_the_middle(desk: Desk) -> None:
    """C18, Q38: the rises are summed, and somebody looks."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    for register in (METER + 1_000, METER + 2_000, 400, 1_400):
        desk.passes(minutes=1)
        desk.meter(session_id, register)
    assert energy(desk, session_id) == 3_400
    desk.stop(session_id, 1_500)
    assert desk.bill(session_id) == (3_500, 6_300)
    assert desk.findings() == {"review": 1}


def test_a_register_that_was_rounded_did_not_fall(desk: Desk) -> None:
    """A charger may say kWh with two decimals in its samples and Wh in its start."""
    desk.charger()
    session_id = desk.request(desk.driver())
    desk.start(session_id, 10_004)
    for register in (10_000, 10_000, 10_010, 10_500):
        desk.passes(seconds=30)
        desk.meter(session_id, register)
    session = desk.session(session_id)
    assert (session.energy_wh, session.review) == (496, "")


def test_one_absurd_value_adds_no_more_than_can_have_flowed(desk: Desk) -> None:
    """Q38: and the bill follows the meter, not it."""
    desk.charger()
    session_id = desk.begun(desk.driver(), 3)
    desk.passes(seconds=10)
    assert desk.meter(session_id, 10**11) == []
    desk.passes(seconds=10)
    desk.meter(session_id, METER + 3_300)
    assert 3_000 < energy(desk, session_id) < 4_000
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 4_300)
    assert desk.bill(session_id) == (4_300, 7_740)
    assert desk.findings() == {"review": 1}


def test_an_older_sample_that_comes_later_is_no_reset(desk: Desk) -> None:
    """Q26, Q27."""
    desk.charger()
    session_id = desk.begun(desk.driver(), 3)
    desk.meter(session_id, METER + 1_500, 22_000, at=desk.clock.at - timedelta(seconds=90))
    session = desk.session(session_id)
    assert (session.energy_wh, session.power_w, session.review) == (3_000, 60_000, "")


def test_an_hour_of_queued_samples_is_added_up_without_alarm(desk: Desk) -> None:
    """Q27: they come in one second, and their own times show that they are plausible."""
    desk.charger()
    session_id = desk.charging(desk.driver(rupees=5_000))
    began = desk.clock.at
    desk.passes(hours=1)
    batch = [
        desk.sample(session_id, METER + minute * 1_000, at=began + timedelta(minutes=minute))
        for minute in range(5, 61, 5)
    ]
    desk.do(metering.record, batch)
    session = desk.session(session_id)
    assert (session.energy_wh, session.review) == (60_000, "")


@pytest.mark.row("C9")
def test_samples_of_an_offline_charge_come_with_its_start(desk: Desk) -> None:
    """C9, Q27."""
    desk.charger()
    session_id = desk.request(desk.driver())
    began = desk.clock.at
    desk.passes(hours=1)
    desk.start(session_id, at=began)
    desk.do(
        metering.record,
        [desk.sample(session_id, METER + 10_000 * n, at=began + timedelta(minutes=10 * n)) for n in (1, 2, 3)],
    )
    session = desk.session(session_id)
    assert (session.energy_wh, session.review) == (30_000, "")


# When they end a charge


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
    session = ChargingSession(paise_per_kwh=1_800, power_w=1_000)
    assert allowance.reserve(session) == 200
    session.power_w = 60_000
    assert allowance.reserve(session) == 1_800


@pytest.mark.row("C24")
def test_a_recharge_meanwhile_moves_the_end(desk: Desk) -> None:
    """C24."""
    asha, session_id = desk.a_charge(rupees=100)
    assert desk.flows(session_id, 4) == []
    desk.give(asha, 200)
    desk.events.clear()
    desk.do(charging.fund_open_hold, asha)
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
    desk.do(charging.fund_open_hold, asha)
    assert desk.money(asha).held_paise == settings.settings().session_cap_paise


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
    desk.do(charging.fund_open_hold, asha)
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


def test_a_free_tariff_has_no_end_of_money(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    desk.do(tariffs.set_price, 0)
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
