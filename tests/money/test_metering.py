"""Samples: whose they are, and what they add up to (payments.md 2.7, ocpp.md Q22-Q38)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import func, select

from domain import history, metering, settlement
from domain import samples as stored
from domain.events import SessionMetered
from domain.models import ChargingSession, MeterSample
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


def test_a_sample_from_before_a_charge_that_does_not_name_it_is_not_its_own(desk: Desk) -> None:
    """Q22, Q27: a queue tells of the charge before; a time in whole seconds is not from before."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    began = desk.session(session_id).started_at
    desk.passes(minutes=1)
    for seconds, register in ((-7_200, METER - 2_000), (-2, METER - 1), (-1, METER)):
        desk.meter(session_id, register, transaction_id=None, at=began + timedelta(seconds=seconds))
    assert [(sample.at - began).total_seconds() for sample in samples(desk, session_id)] == [-1]
    desk.meter(session_id, METER + 100)
    session = desk.session(session_id)
    assert (session.energy_wh, session.meter_wh, session.review) == (100, METER + 100, "")


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


@pytest.mark.row("C17", "C19")
@pytest.mark.parametrize("kw", [0, 60])
def test_the_first_lifetime_register_is_the_start_where_none_was_told(desk: Desk, kw: int) -> None:
    """C17: meterStart was missing; 4.8 kWh flowed."""
    desk.charger(kw=kw)
    session_id = desk.request(desk.driver())
    desk.start(session_id, 0)
    desk.passes(seconds=15)
    for minute in range(41):
        desk.meter(session_id, 5_439_000 + 117 * minute, 7_000)
        desk.passes(minutes=1)
    assert energy(desk, session_id) == 4_680
    desk.stop(session_id, 5_439_000 + 117 * 41)
    assert desk.bill(session_id)[0] == 4_797
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
    before = energy(desk, session_id)
    assert 3_000 < before < 4_000
    desk.flows(session_id, 1)
    assert desk.session(session_id).meter_wh == METER + 4_300
    assert energy(desk, session_id) == before + 1_000
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


@pytest.mark.parametrize("told", [{"power_w": 22_000}, {"power_w": 0}, {"power_w": None, "soc_percent": 40}])
def test_a_register_is_measured_by_the_time_since_the_last_one(desk: Desk, told: dict[str, Any]) -> None:
    """C19: energy comes each quarter of an hour, something else each minute; a jump in between is cut all the same."""
    _, session_id = desk.a_charge(rupees=5_000)
    for minute in range(1, 31):
        desk.passes(minutes=1)
        desk.meter(session_id, METER + 22_000 * minute // 60 if minute % 15 == 0 else None, **told)
    assert (energy(desk, session_id), desk.session(session_id).review) == (11_000, "")
    desk.passes(minutes=1)
    desk.meter(session_id, None, **told)
    desk.passes(minutes=14)
    desk.meter(session_id, METER + 100_000, **told)
    assert energy(desk, session_id) == 11_000 + settlement.plausible_wh(60_000, timedelta(minutes=15))
    assert "jumped" in desk.session(session_id).review


def test_a_register_that_was_reset_counts_what_it_rose_since_the_last_one(desk: Desk) -> None:
    """Q38: it began at zero 14 minutes ago, and told only the power since."""
    _, session_id = desk.a_charge(kwh=2, rupees=5_000)
    for minute in range(1, 15):
        desk.passes(minutes=1)
        desk.meter(session_id, 300 * 14 if minute == 14 else None, 18_000)
    assert energy(desk, session_id) == 2_000 + 300 * 14


def test_the_last_register_is_looked_for_no_further_back_than_it_is(desk: Desk) -> None:
    """A charger whose register jumps with each sample makes nobody read all that it ever told."""
    _, session_id = desk.a_charge()
    for second, register in enumerate((METER, METER + 5, None, None, METER + 900_000), 1):
        desk.passes(seconds=second)
        desk.meter(session_id, register)
    looked_at = select(func.count()).select_from(stored.of(session_id, "energy_wh", METER + 5))
    assert desk.do(lambda db: db.exec(looked_at).one()) == 4
    assert desk.do(lambda db: stored.told_at(db, db.get_one(ChargingSession, session_id)))[1] == desk.clock.at
