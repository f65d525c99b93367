"""Charges at tariffs of several parts: counted by the meter, warned of, held for, and billed once (ADR 0007)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from domain import allowance, charging, health, history, interruptions, prices, settlement, tariffs, wishes
from domain.events import SessionMetered
from domain.india import INDIA
from domain.models import SessionState, Transfer
from domain.prices import Band, Line, Price
from tests.money import house
from tests.money.charges import METER, Desk
from tests.money.priced import IDLE, lines, papers, priced


@pytest.fixture
def noon(desk: Desk) -> Iterator[Desk]:
    """The desk at noon in India."""
    local = desk.clock.at.astimezone(INDIA)
    desk.clock.at = local.replace(hour=12, minute=0, second=0, microsecond=0)
    desk.since = desk.clock.at
    yield desk


# The start


def test_a_start_costs_once_and_from_the_first_energy_on(desk: Desk) -> None:
    asha, session_id = priced(desk, start_paise=1_000)
    desk.events.clear()
    desk.passes(seconds=30)
    desk.meter(session_id, METER)
    desk.passes(seconds=30)
    desk.meter(session_id, METER + 100)
    assert [event.cost_paise for event in desk.events if isinstance(event, SessionMetered)] == [0, 1_180]
    desk.flows(session_id, 1.9)
    desk.stop(session_id, METER + 2_000)
    assert desk.bill(session_id) == (2_000, 4_600)
    assert lines(desk, session_id) == (Line("start", 1, 1_000, 1_000), Line("energy", 2_000, 1_800, 3_600))
    assert desk.free(asha) == 954
    desk.changes_nothing(desk.stop, session_id, METER + 2_000)


@pytest.mark.parametrize(
    ("connected", "slow", "paise"),
    [
        pytest.param(7_200, 0, 2_000, id="it was in contact all the time, so its clock is slow"),
        pytest.param(600, 3_700, 2_000, id="its clock is as slow as its start is old"),
        pytest.param(600, 0, 1_500, id="it was offline then, and tells it late"),
        pytest.param(600, 86_400, 1_500, id="its clock was slow once, by another time"),
    ],
)
def test_a_card_begins_at_the_price_of_when_it_really_began(desk: Desk, connected: int, slow: int, paise: int) -> None:
    """Q39, C9: as far as anybody can know whether an hour ago by the charger's clock was an hour ago."""
    desk.charger()
    desk.do(tariffs.set_price, Price(1_500, 0), effective_at=desk.clock.at)
    desk.passes(hours=3)
    began = desk.clock.at - timedelta(hours=1)
    desk.do(tariffs.set_price, Price(2_000, 0), effective_at=desk.clock.at)
    desk.passes(seconds=1)
    desk.disconnect()
    desk.clock.at -= timedelta(seconds=connected)
    desk.connect()
    desk.clock.at += timedelta(seconds=connected)
    desk.do(health.add, {"BLR-1": health.Noted(clock_skew_ms=-slow * 1_000)}, desk.clock.at)
    begun = desk.session(desk.walk_up("CARD", METER, at=began).session_id)
    assert (begun.paise_per_kwh, begun.started_at) == (paise, began)


@pytest.mark.row("C29")
def test_a_charge_of_nothing_costs_nothing_whatever_the_tariff_asks(desk: Desk) -> None:
    """ui.md: 0 kWh is 0 rupees; C29."""
    asha, session_id = priced(desk, start_paise=1_000, per_minute_paise=100, **IDLE)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(hours=2)
    desk.heard("BLR-1")
    desk.stop(session_id, METER)
    desk.status("BLR-1", 1, "Finishing")
    desk.passes(hours=2)
    desk.status("BLR-1", 1, "Available")
    assert desk.bill(session_id) == (0, 0)
    assert (desk.money(asha).balance_paise, papers(desk)) == (100_000, [])


# The hours of the day


def test_energy_is_paid_by_its_hours(noon: Desk) -> None:
    """Two kWh before 12:30 and three after it."""
    noon.passes(minutes=28)
    _, session_id = priced(noon, bands=(Band(750, 900, 1_200),))
    noon.flows(session_id, 5)
    noon.stop(session_id, METER + 5_000)
    assert lines(noon, session_id) == (Line("energy", 3_000, 1_200, 3_600), Line("energy", 2_000, 1_800, 3_600))
    assert noon.bill(session_id) == (5_000, 7_200)


def test_where_samples_are_missing_the_cheaper_hours_count(noon: Desk) -> None:
    """Offline from 12:01 to 12:41, past a dearer band and into it: what came in between is at the lower price."""
    _, session_id = priced(noon, bands=(Band(740, 900, 2_400),))
    noon.flows(session_id, 1)
    noon.passes(minutes=40)
    noon.stop(session_id, METER + 20_000)
    assert lines(noon, session_id) == (Line("energy", 20_000, 1_800, 36_000),)


@pytest.mark.row("C9")
def test_a_charge_told_of_late_is_paid_by_the_hours_of_its_own_clock(noon: Desk) -> None:
    """C9: an old charge, replayed in the dear hours."""
    noon.do(tariffs.set_price, Price(1_800, 0, bands=(Band(840, 900, 2_400),)), effective_at=noon.clock.at)
    asha = noon.driver()
    noon.charger()
    session_id = noon.request(asha)
    begun: datetime = noon.clock.at
    noon.do(wishes.answered, session_id, "accepted")
    noon.passes(hours=2, minutes=10)
    noon.start(session_id, at=begun)
    noon.stop(session_id, METER + 4_000, at=begun + timedelta(minutes=30))
    assert noon.bill(session_id) == (4_000, 7_200)


@pytest.mark.row("C19")
def test_a_meter_that_takes_back_takes_the_dearest_first(noon: Desk) -> None:
    """C19 and whatever else lowers a bill: 2 kWh at 18, 2 at 24, and meterStop says 3."""
    noon.passes(minutes=29)
    _, session_id = priced(noon, bands=(Band(750, 900, 2_400),))
    noon.flows(session_id, 4)
    noon.stop(session_id, METER + 3_000)
    assert lines(noon, session_id) == (Line("energy", 2_000, 1_800, 3_600), Line("energy", 1_000, 2_400, 2_400))


@pytest.mark.row("C21")
def test_a_later_tariff_changes_no_charge(desk: Desk) -> None:
    """C21: neither the one that runs nor the one that is over."""
    asha, session_id = priced(desk, start_paise=1_000)
    desk.flows(session_id, 1)
    desk.do(tariffs.set_price, Price(9_900, 0, start_paise=5_000, per_minute_paise=100), effective_at=desk.clock.at)
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 2_000)
    assert desk.bill(session_id) == (2_000, 4_600)
    before = desk.do(history.one, asha, desk.session(session_id).ref)
    desk.passes(days=30)
    desk.heard("BLR-1")
    desk.do(tariffs.set_price, Price(1, 0), effective_at=desk.clock.at)
    assert desk.do(history.one, asha, before.session.ref) == before


# The money that is there


def test_live_figure_and_bill_are_one_sum(noon: Desk) -> None:
    noon.passes(minutes=25)
    _, session_id = priced(noon, start_paise=500, per_minute_paise=50, bands=(Band(750, 900, 1_200),))
    noon.events.clear()
    noon.flows(session_id, 12)
    live = [event.cost_paise for event in noon.events if isinstance(event, SessionMetered)]
    assert live == sorted(live)
    noon.stop(session_id, METER + 12_000)
    assert noon.bill(session_id)[1] == live[-1]


def test_the_end_of_the_money_counts_every_part(desk: Desk) -> None:
    """payments.md 2.7: a rupee a minute, 18 for the kWh, 10 for the start, of 100 rupees."""
    asha, session_id = priced(desk, rupees=100, start_paise=1_000, per_minute_paise=100)
    assert desk.flows(session_id, 10) != []
    session = desk.session(session_id)
    assert (session.state, session.stop_cause) == (SessionState.STOPPING, "funds")
    assert session.meter_wh is not None
    stopped_wh = next(
        wh
        for wh in range(1_000, 10_000, 1_000)
        if 1_000 + wh // 1000 * 1_900 >= 10_000 - allowance.reserve(session, session.power_w)
    )
    desk.stop(session_id, METER + stopped_wh)
    assert desk.money(asha).arrears_paise == 0
    assert desk.bill(session_id)[1] <= 10_000


def test_a_silent_charge_ends_before_its_money_does(desk: Desk) -> None:
    """Nothing is heard: by the deadline at the latest it is stopped."""
    _, session_id = priced(desk, rupees=100, per_minute_paise=100)
    desk.flows(session_id, 1)
    for _ in range(20):
        due_at = desk.session(session_id).due_at
        assert due_at is not None
        desk.clock.at = max(due_at, desk.clock.at + timedelta(seconds=1))
        if desk.sweep().get(session_id) == "stop":
            break
    assert desk.session(session_id).stop_cause == "funds"
    spent = settlement.cost_of(desk.session(session_id), desk.clock.at, 0)
    assert spent <= 10_000


def test_a_limit_in_rupees_counts_every_part(desk: Desk) -> None:
    desk.do(tariffs.set_price, Price(1_800, 0, start_paise=1_000), effective_at=desk.clock.at)
    desk.charger()
    session_id = desk.charging(desk.driver(), paise=2_800)
    desk.flows(session_id, 1)
    assert desk.session(session_id).stop_cause == "limit"


def test_free_energy_with_a_fee_is_not_free(desk: Desk) -> None:
    desk.do(tariffs.set_price, Price(0, 0, start_paise=1_000), effective_at=desk.clock.at)
    desk.charger()
    asha = desk.driver()
    session_id = desk.charging(asha)
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 1_000)
    assert desk.bill(session_id) == (1_000, 1_000)


def test_a_plain_tariff_counts_nothing(desk: Desk) -> None:
    _, session_id = priced(desk)
    desk.flows(session_id, 1)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(hours=2)
    desk.heard("BLR-1")
    session = desk.session(session_id)
    assert (session.terms, session.counted, session.idle_since) == (None, None, None)


@pytest.mark.row("C4")
def test_an_interrupted_charge_is_estimated_with_every_part(desk: Desk) -> None:
    """C4: and the late stop corrects it once."""
    _, session_id = priced(desk, start_paise=500, per_minute_paise=50, **IDLE)
    desk.flows(session_id, 2)
    desk.lose(session_id)
    assert desk.session(session_id).cost_paise == 500 + 3_600 + 100
    desk.passes(hours=25)
    desk.sweep()
    assert desk.bill(session_id) == (2_000, 4_200)
    desk.passes(minutes=1)
    desk.stop(session_id, METER + 1_500)
    assert desk.bill(session_id) == (1_500, 3_300)
    assert papers(desk) == [("EV", 4_200), ("CN", 900)]
    transfers = desk.do(lambda db: house.rows(db, Transfer))
    desk.stop(session_id, METER + 1_500)
    assert desk.do(lambda db: house.rows(db, Transfer)) == transfers


def test_a_walk_up_has_lines_and_no_bill(desk: Desk) -> None:
    desk.do(tariffs.set_price, Price(1_800, 0, start_paise=500, **IDLE), effective_at=desk.clock.at)
    desk.charger()
    begun = desk.do(
        charging.started,
        charger_id="BLR-1",
        connector_number=1,
        tag="CARD",
        meter_start_wh=METER,
        at=desk.clock.at,
        received_at=desk.clock.at,
    )
    desk.flows(begun.session_id, 2)
    desk.stop(begun.session_id, METER + 2_000)
    assert desk.bill(begun.session_id) == (2_000, 4_100)
    assert papers(desk) == []


def test_the_estimate_is_the_bill_of_a_steady_charge(noon: Desk) -> None:
    """What a driver reads before the start is what he pays, to the minute."""
    parts = {"start_paise": 500, "per_minute_paise": 50, "bands": (Band(725, 900, 1_200),)}
    _, session_id = priced(noon, **parts)
    price = settlement.price_of(noon.session(session_id))
    told = prices.estimate(price, 10_000, 60_000, noon.clock.at)
    noon.flows(session_id, 10)
    noon.stop(session_id, METER + 10_000)
    assert lines(noon, session_id) == told.lines
    assert interruptions.LOST.total_seconds() == prices.GAP_S
