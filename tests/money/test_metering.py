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


def readings(desk: Desk, start_wh: int, *registers: int, every_s: int = 60) -> int:
    """A charge from this register on whose samples say these."""
    desk.charger()
    session_id = desk.request(desk.driver(rupees=5_000))
    desk.start(session_id, start_wh)
    for register in registers:
        desk.passes(seconds=every_s)
        desk.meter(session_id, register)
    return session_id


@pytest.mark.row("C18")
@pytest.mark.parametrize(
    ("start_wh", "before", "after"),
    [(0, 30, 5), (1_000, 30, 5), (10_000_000, 30, 5), (10_000, 30, 45), (10_000_000, 5, 30)],
)
def test_a_register_that_is_reset_is_billed_by_its_rises_wherever_it_began(
    desk: Desk, start_wh: int, before: int, after: int
) -> None:
    """C18, Q38: meterStop - meterStart is believed only of a register that never fell."""
    registers = [start_wh + n * 1_000 for n in range(1, before + 1)] + [n * 1_000 for n in range(1, after + 1)]
    session_id = readings(desk, start_wh, *registers)
    desk.passes(seconds=10)
    desk.stop(session_id, after * 1_000 + 50)
    assert desk.bill(session_id)[0] == (before + after) * 1_000 + 50
    assert desk.session(session_id).review
    assert desk.findings() == {"review": 1}


@pytest.mark.row("C18")
def test_a_fall_that_may_be_samples_told_again_is_no_reset(desk: Desk) -> None:
    """C18, Q27: the register never was below its start and ends above all it told. In doubt for the driver."""
    session_id = readings(desk, 0, *(n * 1_000 for n in (*range(1, 6), *range(1, 31))))
    desk.passes(seconds=10)
    desk.stop(session_id, 30_050)
    assert desk.bill(session_id)[0] == 30_050


@pytest.mark.parametrize("every_s", [60, 900])
@pytest.mark.parametrize(
    ("registers", "stop_wh"),
    [
        ((1_000, 2_000, 3_000, 4_000, 0, 4_500, 5_000), 5_500),
        ((1_000, 2_000, 3_000, 4_000, 0, 0, 0, 4_500, 5_000), 5_500),
        ((1_000, 2_000, 3_000, 4_000, 0), 4_500),
        ((500, 1_000, 2_400, 1_050, 1_500), 1_600),
    ],
)
def test_a_register_that_comes_back_was_not_reset(
    desk: Desk, registers: tuple[int, ...], stop_wh: int, every_s: int
) -> None:
    """Q38: a reading of 0, or one too high, that no other confirms."""
    session_id = readings(desk, 0, *registers, every_s=every_s)
    desk.passes(seconds=every_s)
    desk.stop(session_id, stop_wh)
    assert desk.bill(session_id)[0] == stop_wh


TEN = tuple(range(1_000, 11_000, 1_000))
"""Ten minutes of 60 kW, from 0 on."""
NINE = TEN[:-1]


@pytest.mark.row("C18")
@pytest.mark.parametrize(
    ("registers", "stop_wh", "billed_wh"),
    [
        ((*TEN, *NINE), 9_500, 9_500),  # within the margin of what it had told: samples told again
        ((*TEN, *NINE), 9_499, 19_499),
        ((*TEN,), 9_000, 9_000),  # the stop alone fell
        ((500, 1_000, 1_400, 1_000, 1_200, *TEN[1:], 1_000), 1_050, 11_050),  # 1,400 is an error: 1,000 comes again
        ((500, 1_000, 1_400, 1_100, 1_500, *TEN[1:], 1_000), 1_050, 11_050),  # likewise, though more comes later
        ((*TEN, 1_000, 2_000, 3_000, 0), 3_500, 13_500),  # the last reading is an error
        ((*TEN, 1_600, 2_600, 3_600), 3_650, 13_650),  # as much as a minute of 60 kW can be
        ((*TEN, 1_601, 2_601, 3_601), 3_651, 12_050),
    ],
)
def test_a_reset_is_told_from_errors_and_repetitions(
    desk: Desk, registers: tuple[int, ...], stop_wh: int, billed_wh: int
) -> None:
    """C18, Q27, Q38: one that never fell below its start."""
    session_id = readings(desk, 0, *registers)
    desk.passes(seconds=60)
    desk.stop(session_id, stop_wh)
    assert desk.bill(session_id)[0] == billed_wh


@pytest.mark.row("C18")
def test_a_reset_register_whose_stop_says_its_last_reading_again_is_billed_by_its_rises(desk: Desk) -> None:
    """C18: nothing flowed since."""
    session_id = readings(desk, 2_000, *(2_000 + wh for wh in TEN), *TEN[:5])
    desk.passes(seconds=10)
    desk.stop(session_id, 5_000)
    assert desk.bill(session_id)[0] == 15_000


@pytest.mark.row("C18")
@pytest.mark.parametrize(("rise_wh", "billed_wh"), [(2_700, 14_700), (2_701, 2_701)])
def test_what_a_reset_register_rose_since_it_was_told_is_as_much_as_can_be(
    desk: Desk, rise_wh: int, billed_wh: int
) -> None:
    """C18, C19: two minutes of 60 kW, a message without a register between them; what is more is no rise."""
    session_id = readings(desk, 2_000, *(2_000 + wh for wh in TEN), 1_000, 2_000)
    desk.passes(seconds=60)
    desk.meter(session_id, None)
    desk.passes(seconds=60)
    desk.stop(session_id, 2_000 + rise_wh)
    assert desk.bill(session_id)[0] == billed_wh


@pytest.mark.parametrize("start_wh", [0, 10_000, 4_076_000])
def test_samples_that_are_told_again_are_billed_once(desk: Desk, start_wh: int) -> None:
    """Q27: after a reconnect a charger without a clock tells all samples of the charge again, and goes on."""
    told = [start_wh + 117 * minute for minute in range(1, 60)]
    session_id = readings(desk, start_wh, *told)
    desk.passes(seconds=30)
    for register in told:
        desk.passes(seconds=0.2)
        assert desk.meter(session_id, register, at=desk.clock.at) == []
    session = desk.session(session_id)
    assert (session.energy_wh, session.meter_wh) == (6_903, start_wh + 6_903)
    desk.passes(seconds=30)
    desk.meter(session_id, start_wh + 7_000)
    assert energy(desk, session_id) == 7_000
    desk.stop(session_id, start_wh + 7_020)
    assert desk.bill(session_id)[0] == 7_020
    assert desk.findings() == {}


def test_a_charge_whose_samples_were_told_again_is_estimated_once(desk: Desk) -> None:
    """Q27, C4."""
    told = [METER + 117 * minute for minute in range(1, 60)]
    session_id = readings(desk, METER, *told, *told)
    desk.status("BLR-1", 1, "Charging")
    desk.lose(session_id)
    assert desk.session(session_id).cost_paise == 12_425, "6,903 Wh"


def test_samples_on_a_register_of_their_own_do_not_outbid_the_meter(desk: Desk) -> None:
    """Q35: its stop goes on from its start, not from them."""
    session_id = readings(desk, 4_076_000, 4_077_000, 4_078_000, 2_900, 3_900, 4_900, every_s=300)
    desk.passes(seconds=10)
    desk.stop(session_id, 4_081_000)
    assert desk.bill(session_id)[0] == 5_000


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
