"""Minutes of charging: counted while the meter rises, whatever clocks do and however late they are heard (ADR 0007)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csms.clock import Clock
from domain import settlement, tariffs, wishes
from domain.models import ChargingSession
from domain.prices import GAP_S, Line, Price, Usage
from domain.samples import STALE
from tests.money.charges import METER, Desk
from tests.money.priced import lines, priced

SLOW, RIGHT = timedelta(hours=1), timedelta(0)
STEPS = st.integers(-10_000, 10_000) | st.sampled_from([0, -3_600, -301, -299, 240])
"""Seconds by which a clock is ahead."""
GAPS = st.lists(st.tuples(st.integers(1, 1_200), st.booleans()), min_size=1, max_size=30)


def test_time_is_paid_while_the_meter_rises(desk: Desk) -> None:
    """Three minutes of charging, a pause of five, half a minute: three whole minutes."""
    _, session_id = priced(desk, per_minute_paise=50)
    desk.flows(session_id, 3)
    for _ in range(5):
        desk.passes(minutes=1)
        desk.meter(session_id, METER + 3_000, 0)
    desk.flows(session_id, 0.5)
    desk.stop(session_id, METER + 3_500)
    assert desk.bill(session_id) == (3_500, 6_300 + 150)
    assert lines(desk, session_id)[-1] == Line("time", 3, 50, 150)


@pytest.mark.parametrize("status", ["SuspendedEV", "SuspendedEVSE", "Faulted"])
@pytest.mark.parametrize("read_at", [(), (8,)])
def test_a_pause_between_rare_readings_is_no_charging(desk: Desk, status: str, read_at: tuple[int, ...]) -> None:
    """Of a quarter of an hour with a reading or none a pause takes nine minutes, which are paid as idling or not at all
    (ADR 0007: never dearer)."""
    _, session_id = priced(desk, per_minute_paise=100, idle_after_minutes=5, idle_per_minute_paise=200)
    desk.flows(session_id, 1)
    for minute in range(1, 16):
        desk.passes(minutes=1)
        if minute in (5, 14):
            desk.status("BLR-1", 1, status if minute == 5 else "Charging")
        if minute in read_at:
            desk.meter(session_id, METER + 4_000)
    assert settlement.cost_of(desk.session(session_id), desk.clock.at, more_wh=1) >= 100
    desk.stop(session_id, METER + 5_000)
    idle = 4 * 200 if status == "SuspendedEV" else 0
    assert desk.bill(session_id) == (5_000, 9_000 + (1 + 15 - 9) * 100 + idle)


def test_a_pause_that_lasts_is_no_charging_on_the_page_nor_at_the_stop(desk: Desk) -> None:
    """A minute heard, two not heard, and a pause of ten that the stop ends."""
    _, session_id = priced(desk, per_minute_paise=100)
    desk.flows(session_id, 1)
    desk.passes(minutes=2)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(minutes=10)
    assert settlement.cost_of(desk.session(session_id), desk.clock.at, more_wh=1_000) == 2 * 1_800 + 3 * 100
    desk.stop(session_id, METER + 2_000)
    assert desk.bill(session_id) == (2_000, 3_600 + 3 * 100)


def test_what_is_told_late_of_the_time_before_a_pause_is_counted(desk: Desk) -> None:
    """Q27: readings of minutes 5 and 15 come in minute 20; from 6 to 10 it paused, which its line told at once."""
    _, session_id = priced(desk, per_minute_paise=100)
    began = desk.clock.at
    desk.passes(minutes=6)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(minutes=4)
    desk.status("BLR-1", 1, "Charging")
    desk.passes(minutes=10)
    for minute, register in ((5, METER + 500), (15, METER + 1_000)):
        desk.meter(session_id, register, at=began + timedelta(minutes=minute))
    desk.stop(session_id, METER + 1_500)
    assert desk.bill(session_id) == (1_500, 2_700 + (20 - 4) * 100)


def test_an_outage_is_no_pause_that_goes_on(desk: Desk) -> None:
    """Nobody follows the pauses of an interrupted charge; its own late readings tell what it took."""
    _, session_id = priced(desk, per_minute_paise=100)
    desk.flows(session_id, 1)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.lose(session_id)
    began = desk.clock.at
    desk.passes(minutes=30)
    desk.meter(session_id, METER + 1_001, at=began)
    for minute in range(1, 11):
        desk.meter(session_id, METER + 1_001 + 100 * minute, at=began + timedelta(minutes=minute))
    assert settlement.usage_of(desk.session(session_id)).charging_s >= 11 * 60


def test_a_silent_meter_pays_a_quarter_of_an_hour_at_most(desk: Desk) -> None:
    _, session_id = priced(desk, per_minute_paise=50)
    desk.flows(session_id, 1)
    desk.passes(hours=3)
    desk.stop(session_id, METER + 2_000)
    assert desk.bill(session_id) == (2_000, 3_600 + 16 * 50)


def test_a_message_without_a_register_takes_no_minute_away(desk: Desk) -> None:
    """ADR 0007: time is counted from reading to reading, whatever comes between them."""
    _, session_id = priced(desk, per_minute_paise=100)
    for minute in range(1, 21):
        desk.passes(seconds=59)
        desk.meter(session_id, None, None, soc_percent=50)
        desk.passes(seconds=1)
        desk.meter(session_id, METER + 500 * minute)
    desk.passes(seconds=59)
    desk.meter(session_id, None, None, soc_percent=80)
    desk.passes(seconds=2)
    desk.stop(session_id, METER + 10_500)
    assert desk.bill(session_id) == (10_500, 18_900 + 2_100)


def test_what_flows_unheard_is_as_old_by_a_slow_clock_as_by_ours(desk: Desk) -> None:
    """Two minutes are heard by a clock that is four behind, and one is not heard yet."""
    behind = timedelta(minutes=4)
    desk.do(tariffs.set_price, Price(1_800, 0, per_minute_paise=100), effective_at=desk.clock.at)
    desk.charger()
    session_id = desk.request(desk.driver())
    desk.start(session_id, at=desk.clock.at - behind)
    for minute in (1, 2):
        desk.passes(minutes=1)
        desk.meter(session_id, METER + 1_000 * minute, at=desk.clock.at - behind)
    desk.passes(minutes=1)
    cost = settlement.cost_of(desk.session(session_id), desk.clock.at, more_wh=1_000)
    assert cost == 3 * 1_800 + 3 * 100


@pytest.mark.parametrize(("more_s", "by_its_clock"), [(0, True), (1, False)])
def test_a_start_that_is_told_late_began_no_sooner_than_it_was_asked_for(
    desk: Desk, more_s: int, by_its_clock: bool
) -> None:
    """ADR 0007: from STALE on its clock is taken to be slow."""
    desk.charger()
    session_id = desk.request(desk.driver())
    asked_for, told = desk.clock.at, desk.clock.at - STALE - timedelta(seconds=more_s)
    desk.start(session_id, at=told)
    assert settlement.usage_of(desk.session(session_id)) == Usage.begun(told if by_its_clock else asked_for)


def test_a_wish_that_has_not_begun_costs_nothing(desk: Desk) -> None:
    desk.do(tariffs.set_price, Price(1_800, 0, per_minute_paise=100), effective_at=desk.clock.at)
    desk.charger()
    session_id = desk.request(desk.driver())
    desk.passes(minutes=1)
    assert settlement.cost_by_now(desk.session(session_id), desk.clock.at) == 0


@pytest.mark.parametrize("minutes", [4, 8])
def test_readings_that_come_together_tell_their_own_minutes(desk: Desk, minutes: int) -> None:
    """ADR 0007, Q27: a line that was away for some minutes, again and again."""
    _, session_id = priced(desk, per_minute_paise=100)
    for burst in range(5):
        began = desk.clock.at
        desk.passes(minutes=minutes)
        for minute in range(1, minutes + 1):
            register = METER + 500 * (burst * minutes + minute)
            desk.meter(session_id, register, at=began + timedelta(minutes=minute))
    desk.stop(session_id, METER + 2_500 * minutes)
    assert desk.bill(session_id) == (2_500 * minutes, 5 * minutes * (900 + 100))


def _begun_offline(desk: Desk, minutes: int) -> tuple[int, datetime]:
    """A charge paid by the minute, that began an hour before its charger came back and told so many minutes of it."""
    desk.do(tariffs.set_price, Price(1_800, 0, per_minute_paise=100), effective_at=desk.clock.at)
    desk.charger()
    session_id = desk.request(desk.driver())
    began = desk.clock.at
    desk.passes(hours=1)
    desk.start(session_id, at=began)
    for minute in range(1, minutes + 1):
        desk.meter(session_id, METER + 100 * minute, 6_000, at=began + timedelta(minutes=minute))
    return session_id, began


def test_what_was_told_late_takes_no_minute_from_what_follows(desk: Desk) -> None:
    """C9: a charge that began while the charger was away, and goes on after it is back."""
    session_id, _ = _begun_offline(desk, minutes=50)
    for minute in range(61, 71):
        desk.passes(minutes=1)
        desk.meter(session_id, METER + 100 * minute, 6_000)
    desk.stop(session_id, METER + 7_000)
    assert desk.bill(session_id) == (7_000, 12_600 + 100 * (50 + 10))


@pytest.mark.parametrize(
    ("offsets", "minutes"),
    [
        ((RIGHT,) * 21, 20),
        ((-SLOW,) * 21, 19),  # its samples are taken as received, its stop is behind them
        ((*(RIGHT,) * 6, *(-SLOW,) * 15), 20),  # its samples are behind the fifth, its stop is taken as received
        ((*(-SLOW,) * 6, *(RIGHT,) * 15), 20),
        ((*(timedelta(minutes=4),) * 6, *(RIGHT,) * 15), 20),
        ((*(RIGHT,) * 6, *(timedelta(minutes=4),) * 15), 20),
        ((timedelta(minutes=4),) * 21, 20),
        ((timedelta(minutes=-4),) * 21, 20),
    ],
)
def test_a_wrong_clock_costs_no_minute_more(desk: Desk, offsets: tuple[timedelta, ...], minutes: int) -> None:
    """ADR 0007: a start, 19 samples and a stop, a minute from each other, by a clock so far ahead."""
    desk.do(tariffs.set_price, Price(1_800, 0, per_minute_paise=100), effective_at=desk.clock.at)
    desk.charger()
    session_id = desk.request(desk.driver())
    desk.do(wishes.answered, session_id, "accepted")
    clock, moment = Clock(), desk.clock.at
    for number, offset in enumerate(offsets):
        desk.clock.at = moment + timedelta(minutes=number)
        told, queued = (desk.clock.at + offset).isoformat(), number in (0, 20)
        at = clock.at(told, desk.clock.at, [], queued=queued)
        if number == 0:
            desk.start(session_id, at=at)
        elif number == 20:
            desk.stop(session_id, METER + 2_000, at=at)
        else:
            desk.meter(session_id, METER + 100 * number, 6_000, at=at)
    assert desk.bill(session_id) == (2_000, 3_600 + 100 * minutes)


def test_an_offline_charge_is_paid_by_its_own_minutes(desk: Desk) -> None:
    """C9: it comes within a second, and its own times tell how long it took."""
    session_id, began = _begun_offline(desk, minutes=9)
    desk.stop(session_id, METER + 1_000, at=began + timedelta(minutes=10))
    assert desk.bill(session_id) == (1_000, 1_800 + 1_000)


def counted(
    moments: Sequence[tuple[datetime, bool]], offsets: Sequence[int], heard: Sequence[datetime] | None = None
) -> int:
    """Seconds of charging that are paid: a charge begins, and at each moment its meter has risen or not, by a clock
    that is so many seconds ahead; we hear of it at once, or at these times, each a moment after something else."""
    terms, clock = Price(1_800, 0, per_minute_paise=100).terms, Clock()
    clock.right = True
    began = moments[0][0]

    def told(at: datetime, offset: int, received_at: datetime) -> datetime:
        return clock.at((at + timedelta(seconds=offset)).isoformat(), received_at, [], queued=at == began)

    session = ChargingSession(user_id=1, paise_per_kwh=1_800, terms=terms, requested_at=began - timedelta(minutes=2))
    session.started_at, session.started_received_at = told(began, offsets[0], began), began
    times = heard or [moment for moment, _ in moments]
    for (moment, rose), offset, received_at in zip(moments[1:], offsets[1:], times[1:], strict=True):
        at = told(moment, offset, received_at)
        session.metered_at = received_at if heard else session.metered_at
        settlement.count(session, at, received_at, 10 * rose)
        session.metered_at, session.sampled_at = received_at, max(session.sampled_at or at, at)
    return settlement.usage_of(session).charging_s


def at_moments(gaps: Sequence[tuple[int, bool]]) -> list[tuple[datetime, bool]]:
    moments = [(datetime(2026, 11, 22, 12, tzinfo=UTC), False)]
    for seconds, rose in gaps:
        moments.append((moments[-1][0] + timedelta(seconds=seconds), rose))
    return moments


@given(GAPS, st.data())
def test_whatever_steps_a_clock_makes_no_more_is_counted_than_passed(
    gaps: Sequence[tuple[int, bool]], data: st.DataObject
) -> None:
    moments = at_moments(gaps)
    offsets = data.draw(st.lists(STEPS, min_size=len(moments), max_size=len(moments)))
    assert counted(moments, offsets) <= (moments[-1][0] - moments[0][0]).total_seconds()


@given(GAPS, STEPS, st.data())
def test_a_clock_that_steps_and_is_set_right_counts_no_more_than_a_right_one(
    gaps: Sequence[tuple[int, bool]], step: int, data: st.DataObject
) -> None:
    """Where the meter rises all the time. A clock that was behind during a pause and is set right may have told late
    that the pause ended: that costs as much as it was behind, once."""
    moments = at_moments(gaps)
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(moments))] * 2)))
    offsets = [step if first <= number < last else 0 for number in range(len(moments))]
    right = [0] * len(moments)
    once = 0 if all(rose and seconds <= GAP_S for seconds, rose in gaps) else min(max(-step, 0), GAP_S)
    assert counted(moments, offsets) <= counted(moments, right) + once


@given(GAPS, st.data())
def test_however_late_a_right_clock_is_heard_its_minutes_are_counted(
    gaps: Sequence[tuple[int, bool]], data: st.DataObject
) -> None:
    moments = at_moments(gaps)
    sent = [*data.draw(st.lists(st.booleans(), min_size=len(gaps), max_size=len(gaps))), True]
    heard = [next(at for (at, _), goes in zip(moments[n:], sent[n:], strict=True) if goes) for n in range(len(moments))]
    assert counted(moments, [0] * len(moments), heard) == sum(min(seconds, GAP_S) for seconds, rose in gaps if rose)


@given(GAPS, st.data())
def test_of_the_minutes_between_readings_pauses_count_for_nothing(
    gaps: Sequence[tuple[int, bool]], data: st.DataObject
) -> None:
    """Whenever a charge pauses and goes on: seconds are counted in which it did not, of each gap GAP_S at most."""
    price, began = Price(1_800, 0, per_minute_paise=100), at_moments(gaps)[0][0]
    session = ChargingSession(user_id=1, paise_per_kwh=1_800, terms=price.terms, requested_at=began)
    session.started_at = session.started_received_at = began
    at, pauses, expected_s = began, False, 0
    for seconds, rose in gaps:
        turns, charged_s, since = sorted(data.draw(st.lists(st.integers(0, seconds), max_size=3))), 0, 0
        for turn in turns:
            charged_s += 0 if pauses else turn - since
            since, pauses = turn, not pauses
            settlement.pauses(session, at + timedelta(seconds=turn), pauses)
        charged_s += 0 if pauses else seconds - since
        at += timedelta(seconds=seconds)
        settlement.count(session, at, at, 10 * rose)
        expected_s += min(charged_s, GAP_S) if rose else 0
    assert settlement.usage_of(session).charging_s == expected_s
