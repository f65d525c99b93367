"""What is worked out from memory is what the rows say: two equal charges, one by the long way, one by the short."""

from datetime import timedelta
from random import Random

import pytest
from sqlmodel import Session, select

from domain import charging, limits, listings, metering, wallet
from domain.charging import Limit
from domain.models import ChargingSession, MeterSample, SessionState
from domain.running import Meter
from domain.samples import Sample
from tests.money.charges import METER, Desk

COMPARED = (
    *("state", "energy_wh", "meter_wh", "power_w", "metered_at", "sampled_at", "due_at", "suspended", "stop_cause"),
    "unheard_wh",
    *("review", "cost_paise", "estimated"),
)
STORED = ("at", "received_at", "energy_wh", "power_w", "current_ma", "voltage_mv", "soc_percent")


def figures(desk: Desk, session_id: int) -> list[object]:
    return [getattr(desk.session(session_id), name) for name in COMPARED]


def stored(desk: Desk, session_id: int) -> list[list[object]]:
    """As they are found from the session, which are all that there are."""
    query = select(MeterSample).where(MeterSample.session_id == session_id).order_by(MeterSample.id)
    rows = desk.do(lambda db: list(db.exec(query)))
    assert desk.do(listings.part, listings.SAMPLES, session_id=session_id) == rows
    return [[getattr(row, name) for name in STORED] for row in rows]


def twins(desk: Desk, **limit: int) -> tuple[int, int]:
    for name in ("LONG", "SHORT"):
        desk.charger(name)
    return desk.charging(desk.driver(), "LONG", **limit), desk.charging(desk.driver(), "SHORT", **limit)


def step(chance: Random, desk: Desk, register: int) -> tuple[int, dict[str, object]]:
    """The next sample: mostly what a charger says, sometimes what it should not."""
    register += chance.choice((0, 50, 300, 300, 900, 900, 900, -50, -5_000, 900_000))
    told: dict[str, object] = {
        "register": chance.choice((register, register, register, None)),
        "power_w": chance.choice((7_000, 54_000, 0, None)),
        "at": desk.clock.at - timedelta(seconds=chance.choice((1, 1, 1, 1, 90, 400))),
        "soc_percent": chance.choice((None, 40)),
    }
    return register, told


@pytest.mark.parametrize("seed", range(14))
def test_the_short_way_is_the_long_way(desk: Desk, seed: int) -> None:
    """Chargers of the last two seeds tell no power."""
    chance, meter = Random(seed), Meter()
    limit = chance.choice(({}, {"wh": 9_000}, {"paise": 20_000}, {"minutes": 15}))
    long, short = twins(desk, **limit)
    register = METER
    for _ in range(25):
        desk.passes(seconds=chance.choice((1, 30, 60)))
        moved, told = step(chance, desk, register)
        told["power_w"] = told["power_w"] if seed < 12 else None
        register = moved if chance.random() < 0.8 else register
        if chance.random() < 0.15:
            status = chance.choice(("SuspendedEV", "SuspendedEVSE", "Charging"))
            for name in ("LONG", "SHORT"):
                desk.status(name, 1, status)
        by_long = desk.do(metering.record, [desk.sample(long, **told)])
        by_short = desk.append(meter.record, [desk.sample(short, **told)])
        assert (by_long == [long]) == (by_short == [short])
        assert figures(desk, long) == figures(desk, short)
    assert stored(desk, long) == stored(desk, short)


def test_the_events_are_the_same(desk: Desk) -> None:
    long, short = twins(desk)
    meter = Meter()
    for wh in (500, 900, 1_300):
        desk.passes(minutes=1)
        desk.events.clear()
        desk.do(metering.record, [desk.sample(long, METER + wh, soc_percent=7)])
        desk.append(meter.record, [desk.sample(short, METER + wh, soc_percent=7)])
        first, second = desk.events
        assert (first.energy_wh, first.cost_paise, first.power_w, first.at, first.soc_percent) == (
            second.energy_wh,
            second.cost_paise,
            second.power_w,
            second.at,
            second.soc_percent,
        )


def warm(desk: Desk, meter: Meter, session_id: int) -> None:
    for wh in (300, 600):
        desk.passes(minutes=1)
        desk.append(meter.record, [desk.sample(session_id, METER + wh)])


def test_another_process_that_moved_the_charge_is_noticed(desk: Desk) -> None:
    """What is remembered is old: nothing is written from it."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    meter = Meter()
    warm(desk, meter, session_id)
    desk.passes(minutes=1)
    desk.meter(session_id, METER + 900)
    desk.passes(minutes=1)
    desk.append(meter.record, [desk.sample(session_id, METER + 1_200)])
    assert desk.session(session_id).energy_wh == 1_200
    assert len(stored(desk, session_id)) == 4


def test_a_sample_that_came_too_late_to_count_is_followed_too(desk: Desk) -> None:
    """Another process stored one that moved nothing: what is remembered is old all the same, and no sample is lost."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    meter = Meter()
    warm(desk, meter, session_id)
    before = figures(desk, session_id)
    desk.meter(session_id, METER + 600, at=desk.clock.at - timedelta(minutes=1), soc_percent=5)
    assert figures(desk, session_id) == before
    desk.passes(minutes=1)
    desk.append(meter.record, [desk.sample(session_id, METER + 900)])
    assert [row[2] for row in stored(desk, session_id)] == [METER + wh for wh in (300, 600, 600, 900)]


def test_a_charge_that_ended_meanwhile_stays_ended(desk: Desk) -> None:
    """Q31."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    meter = Meter()
    warm(desk, meter, session_id)
    desk.stop(session_id, METER + 700)
    before = figures(desk, session_id)
    desk.append(meter.record, [desk.sample(session_id, METER + 800)])
    assert figures(desk, session_id) == before
    assert desk.session(session_id).state == SessionState.SETTLED
    assert len(stored(desk, session_id)) == 3, "the one after the stop is kept, and not billed (ocpp.md Q31)"


def test_a_wish_to_stop_is_not_overwritten(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    meter = Meter()
    warm(desk, meter, session_id)
    desk.do(charging.request_stop, session_id, "driver")
    due_at = desk.session(session_id).due_at
    desk.append(meter.record, [desk.sample(session_id, METER + 800)])
    session = desk.session(session_id)
    assert (session.state, session.due_at, session.energy_wh) == (SessionState.STOPPING, due_at, 800)


def test_the_end_of_the_money_is_decided_by_the_rows(desk: Desk) -> None:
    """A hold that grew unheard ends nothing; one that is used up ends the charge."""
    desk.charger()
    driver = desk.driver()
    session_id = desk.charging(driver)
    meter = Meter()
    warm(desk, meter, session_id)
    held = desk.do(wallet.resize_hold, session_id, 3_000)
    assert held == 3_000
    meter.forget("BLR-1")
    desk.passes(minutes=3)
    assert desk.append(meter.record, [desk.sample(session_id, METER + 1_700)]) == [session_id]
    assert desk.session(session_id).stop_cause == "funds"


@pytest.mark.parametrize("news", ["lost, and said so", "lost"])
def test_a_limit_that_was_changed_unheard_is_found(desk: Desk, news: str) -> None:
    """ADR 0013: nobody may have told what changed. Whoever changed it may have died before he could: it is not passed,
    and its deadline not put off."""
    desk.charger()
    driver = desk.driver()
    session_id = desk.charging(driver)
    meter = Meter()
    warm(desk, meter, session_id)
    desk.do(limits.change, driver, Limit(wh=1_000))
    if news == "lost, and said so":
        meter.forget_all()
    desk.passes(minutes=1)
    assert desk.append(meter.record, [desk.sample(session_id, METER + 1_100)]) == [session_id]
    assert desk.session(session_id).stop_cause == "limit"


def test_a_batch_of_many_is_one_update(desk: Desk) -> None:
    """Ten charges, one of them strange: the other nine stay short, and all are right."""
    meter, ids = Meter(), []
    for number in range(10):
        desk.charger(f"C-{number}")
        ids.append(desk.charging(desk.driver(), f"C-{number}"))
    for wh in (300, 600, 900):
        desk.passes(minutes=1)
        odd = [desk.sample(ids[0], METER + wh, transaction_id=None)]
        assert desk.append(meter.record, [*odd, *(desk.sample(session_id, METER + wh) for session_id in ids[1:])]) == []
    assert {desk.session(session_id).energy_wh for session_id in ids} == {900}


def test_a_limit_that_is_reached_exactly_ends_the_charge(desk: Desk) -> None:
    desk.charger()
    session_id, meter = desk.charging(desk.driver(), wh=1_000), Meter()
    warm(desk, meter, session_id)
    desk.passes(minutes=1)
    assert desk.append(meter.record, [desk.sample(session_id, METER + 999)]) == []
    desk.passes(minutes=1)
    assert desk.append(meter.record, [desk.sample(session_id, METER + 1_000)]) == [session_id]


@pytest.mark.parametrize("stale", ["STEADY", "SOONER"])
def test_one_that_was_moved_by_another_process_is_noticed_beside_one_that_was_not(desk: Desk, stale: str) -> None:
    """The two are moved by a statement each: one whose look stays planned, and one that now takes so much that it must
    be looked at sooner."""
    meter, ids = Meter(), {}
    for name in ("STEADY", "SOONER"):
        desk.charger(name)
        ids[name] = desk.charging(desk.driver(), name)
    for wh in (100, 200):
        desk.passes(minutes=1)
        desk.append(meter.record, [desk.sample(session_id, METER + wh, 6_000) for session_id in ids.values()])
    desk.passes(minutes=1)
    desk.meter(ids[stale], METER + 250)
    planned = desk.session(ids["SOONER"]).due_at
    desk.passes(minutes=1)
    steady = desk.sample(ids["STEADY"], METER + 400, 6_000)
    desk.append(meter.record, [steady, desk.sample(ids["SOONER"], METER + 400, 240_000)])
    assert desk.session(ids["SOONER"]).due_at != planned
    assert [desk.session(session_id).energy_wh for session_id in ids.values()] == [400, 400]
    assert [len(stored(desk, session_id)) for session_id in ids.values()] == [3 + (name == stale) for name in ids]


def test_samples_of_nobody_are_dropped(desk: Desk) -> None:
    desk.charger()
    moment = desk.clock.at
    nobody = Sample("BLR-1", 1, 4711, moment, moment, 5, None, None, None, None)
    assert desk.append(Meter().record, [nobody]) == []

    def rows(db: Session) -> int:
        return len(db.exec(select(MeterSample)).all()) + len(db.exec(select(ChargingSession)).all())

    assert desk.do(rows) == 0
