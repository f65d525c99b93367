"""What charges cost, against references of another kind: Decimal sums, and time told minute by minute."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import money, prices
from domain.india import INDIA
from domain.prices import GAP_S, MOST_IDLE_MINUTES, Band, Line, Price, Usage

BEGAN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NIGHT = Price(1_800, 1_800, bands=(Band(22 * 60, 6 * 60, 1_200), Band(18 * 60, 22 * 60, 2_400)))
"""₹18; ₹24 from 6 pm to 10 pm, ₹12 from 10 pm to 6 am."""


def half_up(exact: Decimal) -> int:
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


# payments.md C39


@pytest.mark.row("C39")
def test_gst_and_rounding_are_decimals_for_every_paisa_to_2000_rupees() -> None:
    """C39, every whole paisa: the GST in it, and the energy on either side of the half paisa below it."""
    eighteen, whole = Decimal(18), Decimal(118)
    for paise in range(200_001):
        assert money.gst_within(paise, 1_800) == half_up(paise * eighteen / whole)
        for wh in (1000 * paise + 499, 1000 * paise + 500):
            assert money.cost(wh, 1) == half_up(Decimal(wh).scaleb(-3))


@pytest.mark.row("C39")
@pytest.mark.parametrize("rate", [1, 499, 500, 501, 999, 1_000, 1_001, 1_200, 1_800, 1_820, 1_850, 9_999, 100_000])
def test_the_edges_of_energy_are_decimals(rate: int) -> None:
    """C39: 1 Wh, a million Wh, and wherever a paisa ends, a Wh before and after."""
    edges = {0, 1, 2, 10**6 - 1, 10**6, 10**6 + 1}
    for paise in range(2_000):
        edge = (paise * 1000 + 500) // rate
        edges.update((edge - 1, edge, edge + 1) if edge else (edge, edge + 1))
    for wh in edges:
        assert money.cost(wh, rate) == half_up(Decimal(wh) * rate / 1000)


# Lines

RATES = st.integers(0, 5_000)
USAGES = st.builds(
    Usage,
    wh=st.dictionaries(RATES, st.integers(0, 10**6), max_size=4).map(lambda taken: tuple(sorted(taken.items()))),
    charging_s=st.integers(0, 10**6),
    idle_s=st.integers(0, 10**5),
)


@st.composite
def priced(draw: st.DrawFn) -> Price:
    borders = sorted(draw(st.sets(st.integers(0, 1_439), max_size=5)))
    bands = [Band(a, b, draw(RATES)) for a, b in zip(borders[::2], borders[1::2], strict=False)]
    idle = draw(st.integers(0, 1_000))
    return Price(
        draw(RATES),
        draw(st.sampled_from([0, 500, 1_800])),
        draw(st.integers(0, 10_000)),
        draw(st.integers(0, 1_000)),
        draw(st.integers(5, 60)) if idle else 0,
        idle,
        tuple(bands),
    )


@given(priced(), USAGES)
def test_the_lines_are_the_decimal_bill_and_their_sum_the_cost(price: Price, usage: Usage) -> None:
    lines = price.lines(usage)
    assert all(type(line.paise) is int for line in lines)
    assert price.cost(usage) == sum(line.paise for line in lines)
    reference = Decimal(0)
    if any(wh for _, wh in usage.wh):
        reference += price.start_paise
        reference += sum(half_up(Decimal(wh) * rate / 1000) for rate, wh in usage.wh)
        reference += int(Decimal(usage.charging_s) / 60) * price.per_minute_paise
        reference += min(int(Decimal(usage.idle_s) / 60), MOST_IDLE_MINUTES) * price.idle_per_minute_paise
    assert price.cost(usage) == reference
    assert price.gst(price.cost(usage)) == half_up(
        reference * price.gst_basis_points / (10_000 + price.gst_basis_points)
    )


@given(priced(), st.integers(0, 10**6), st.integers(0, 10**6))
def test_without_energy_nothing_costs_anything(price: Price, charging_s: int, idle_s: int) -> None:
    """ui.md: 0 kWh is ₹0, the start, the time and the place included."""
    assert price.lines(Usage(((price.paise_per_kwh, 0),), charging_s, idle_s)) == ()


@given(priced(), USAGES, st.integers(1, 10**5), st.integers(0, 10**5))
def test_more_energy_and_more_time_never_cost_less(price: Price, usage: Usage, wh: int, seconds: int) -> None:
    read = BEGAN + timedelta(seconds=usage.read_s)
    cost = price.cost(usage)
    assert price.cost(price.after(usage, read + timedelta(seconds=seconds), wh)) >= cost
    assert price.cost(price.idled(usage, read, read + timedelta(seconds=seconds))) >= cost


@given(priced(), USAGES)
def test_price_and_usage_come_back_from_their_text(price: Price, usage: Usage) -> None:
    assert Price.kept(price.paise_per_kwh, price.gst_basis_points, price.terms) == price
    assert Usage.of(usage.text) == usage
    assert (price.terms is None) == price.plain


def test_what_was_counted_before_pauses_were_is_read() -> None:
    """A charge that runs while the product is brought up to date."""
    assert Usage.of("[120, 30, 5, [[1800, 1]]]") == Usage(((1_800, 1),), 120, 30, 5)


def test_a_plain_price_is_one_line_as_it_was() -> None:
    assert Price(1_820, 0).of_energy(7_456) == (Line("energy", 7_456, 1_820, 13_570),)
    assert Price(1_820, 0).terms is None


def test_every_part_has_its_line() -> None:
    price = Price(1_800, 0, 1_000, 50, 10, 200, NIGHT.bands)
    usage = Usage(((1_200, 2_000), (1_800, 1_005), (2_400, 0)), charging_s=659, idle_s=125)
    assert price.lines(usage) == (
        Line("start", 1, 1_000, 1_000),
        Line("energy", 2_000, 1_200, 2_400),
        Line("energy", 1_005, 1_800, 1_809),
        Line("time", 10, 50, 500),
        Line("idle", 2, 200, 400),
    )


def test_idling_costs_after_its_free_minutes_and_not_for_ever() -> None:
    price, taken = Price(1_800, 0, idle_after_minutes=10, idle_per_minute_paise=200), Usage(((1_800, 1_000),))

    def costs(minutes: float) -> int:
        return price.cost(price.idled(taken, BEGAN, BEGAN + timedelta(minutes=minutes))) - 1_800

    assert [costs(minutes) for minutes in (0, 10, 10.9, 11, 30, 130, 131, 5_000)] == [
        *(0, 0, 0, 200),
        *(4_000, 24_000, 24_000, 24_000),
    ]


# Time of day


def minute_by_minute(price: Price, since: datetime, until: datetime) -> int:
    """The lowest rate from one moment to another, told by the clock on the wall in Kolkata."""
    rates, at = [], since
    while at < until or not rates:
        local = at.astimezone(INDIA)
        minute = local.hour * 60 + local.minute
        held = [
            band.paise_per_kwh
            for band in price.bands
            if (band.since <= minute < band.until)
            or (band.until < band.since and (minute >= band.since or minute < band.until))
        ]
        rates.append(held[0] if held else price.paise_per_kwh)
        at = at.replace(second=0) + timedelta(minutes=1)
    return min(rates)


@settings(max_examples=60)
@given(priced(), st.integers(0, 86_400), st.integers(0, 3 * 86_400))
def test_energy_between_two_readings_is_at_the_lowest_rate_between_them(price: Price, begin: int, seconds: int) -> None:
    since = BEGAN + timedelta(seconds=begin)
    until = since + timedelta(seconds=seconds)
    usage = price.after(Usage.begun(since), until, 1_000)
    assert usage.wh == ((minute_by_minute(price, since, until), 1_000),)


@pytest.mark.parametrize(
    ("since", "until", "rate"),
    [
        ("18:00:00", "21:59:59", 2_400),
        ("17:59:59", "18:00:00", 1_800),
        ("17:59:59", "18:00:01", 1_800),
        ("21:59:30", "22:00:00", 2_400),
        ("21:59:30", "22:00:01", 1_200),
        ("23:59:30", "00:00:30", 1_200),
        ("05:59:59", "06:00:30", 1_200),
        ("06:00:00", "06:00:30", 1_800),
    ],
)
def test_the_borders_of_hours(since: str, until: str, rate: int) -> None:
    first = datetime.fromisoformat(f"2026-11-22T{since}+05:30")
    last = datetime.fromisoformat(f"2026-11-22T{until}+05:30")
    last += timedelta(days=last < first)
    assert NIGHT.after(Usage.begun(first), last, 7).wh == ((rate, 7),)


READINGS = st.lists(st.tuples(st.integers(0, 3_600), st.integers(0, 3_000)), min_size=1, max_size=40)


@given(priced(), READINGS)
def test_readings_add_up_and_no_energy_is_lost(price: Price, readings: Sequence[tuple[int, int]]) -> None:
    usage, at, before = Usage.begun(BEGAN), BEGAN, 0
    for seconds, wh in readings:
        at += timedelta(seconds=seconds)
        usage = price.after(usage, at, wh)
        assert price.cost(usage) >= before
        before = price.cost(usage)
    assert usage.energy_wh == sum(wh for _, wh in readings)
    assert usage.charging_s == sum(min(seconds, GAP_S) for seconds, wh in readings if wh)
    assert usage.read_s == prices.second(at)


@given(priced(), USAGES, st.integers(0, 10**7))
def test_the_final_meter_is_billed_to_the_wh(price: Price, usage: Usage, wh: int) -> None:
    fitted = price.fitted(usage, BEGAN, wh)
    assert fitted.energy_wh == wh
    if wh <= usage.energy_wh:
        assert price.cost(fitted) <= price.cost(usage)


def test_what_was_too_much_was_the_dearest() -> None:
    usage = Usage(((1_200, 500), (2_400, 700)))
    assert NIGHT.fitted(usage, BEGAN, 600).wh == ((1_200, 500), (2_400, 100))


def test_a_late_reading_moves_no_clock_back() -> None:
    """A charger that was offline sends old samples after new ones."""
    usage = NIGHT.after(Usage.begun(BEGAN), BEGAN + timedelta(minutes=5), 500)
    again = NIGHT.after(usage, BEGAN + timedelta(minutes=2), 0)
    assert again == usage


def test_a_clock_that_is_set_back_counts_no_time_twice() -> None:
    """ADR 0007: never dearer. The clock goes back by an hour: its time counts again once it is past the latest."""
    price, usage = Price(1_800, 0, per_minute_paise=50), Usage.begun(BEGAN)
    for minutes in (10, -50, -49, 9, 12):
        usage = price.after(usage, BEGAN + timedelta(minutes=minutes), 100)
    assert (usage.energy_wh, usage.charging_s) == (500, 12 * 60)


@pytest.mark.parametrize(("most_s", "counted_s"), [(-5, 0), (0, 0), (30, 30), (61, 60)])
def test_no_reading_counts_more_than_can_have_passed(most_s: int, counted_s: int) -> None:
    price, later = Price(1_800, 0, per_minute_paise=50), BEGAN + timedelta(minutes=1)
    assert price.after(Usage.begun(BEGAN), later, 1, most_s).charging_s == counted_s
    assert price.fitted(Usage.begun(BEGAN), later, 1, most_s).charging_s == counted_s


# Estimates


def test_an_estimate_goes_through_the_hours() -> None:
    """From 9:30 pm at 60 kW: half an hour dear, the rest cheap."""
    nine_thirty = datetime(2026, 11, 22, 21, 30, tzinfo=INDIA)
    told = prices.estimate(NIGHT, 45_000, 60_000, nine_thirty)
    assert (told.lines, told.seconds) == (
        (Line("energy", 15_000, 1_200, 18_000), Line("energy", 30_000, 2_400, 72_000)),
        2_700,
    )
    assert told.paise == 90_000


def test_an_estimate_finds_the_border_of_an_indian_morning() -> None:
    """From 5 am to 7 am in India, of which midnight in UTC is the half: cheap until 6."""
    told = prices.estimate(NIGHT, 20_000, 10_000, datetime(2026, 11, 22, 5, tzinfo=INDIA))
    assert told.lines == (Line("energy", 10_000, 1_200, 12_000), Line("energy", 10_000, 1_800, 18_000))


def test_a_price_of_energy_alone_and_a_charge_that_took_nothing() -> None:
    assert Price(1_800, 0) == Price(1_800, 0, 0, 0, 0, 0, ())
    assert Price(1_800, 0).plain
    assert Usage() == Usage((), 0, 0, 0)
    assert Usage().energy_wh == 0


def test_nothing_is_affordable_for_nothing() -> None:
    assert prices.affordable_wh(NIGHT, 0, 7_000, BEGAN) == 0


@settings(max_examples=50)
@given(priced(), st.integers(0, 200_000), st.sampled_from([0, 3_300, 7_400, 60_000]), st.integers(0, 86_400))
def test_an_estimate_loses_no_energy_and_what_is_affordable_is_the_most(
    price: Price, wh: int, power_w: int, begin: int
) -> None:
    at = BEGAN + timedelta(seconds=begin)
    told = prices.estimate(price, wh, power_w, at)
    assert sum(line.quantity for line in told.lines if line.name == "energy") == wh
    most = prices.affordable_wh(price, told.paise, power_w, at)
    assert most >= min(wh, prices.MOST_WH)
    assert prices.estimate(price, most, power_w, at).paise <= told.paise
    if most < prices.MOST_WH:
        assert prices.estimate(price, most + 1, power_w, at).paise > told.paise


def test_a_plain_estimate_is_the_old_sum() -> None:
    price = Price(1_820, 0)
    assert prices.estimate(price, 7_456, 7_400, BEGAN).lines == price.of_energy(7_456)
    assert prices.affordable_wh(price, 100_000, 7_400, BEGAN) == money.energy_for(100_000, 1_820)


@given(priced(), st.integers(1, 400_000))
def test_no_hour_costs_more_than_its_pace(price: Price, power_w: int) -> None:
    told = prices.estimate(price, power_w, power_w, BEGAN)
    assert told.paise - price.start_paise <= price.pace(power_w) + len(told.lines)


def test_the_terms_are_small() -> None:
    assert json.loads(Price(1_800, 0, start_paise=500).terms or "") == {"start_paise": 500}


def test_the_limits_in_plain_figures() -> None:
    """ADR 0007: a quarter of an hour between readings, two hours of idling, 10,000 kWh, and seconds since 1970."""
    fees = Price(0, 0, per_minute_paise=50, idle_after_minutes=5, idle_per_minute_paise=200)
    read = fees.after(Usage.begun(datetime(1970, 1, 2, tzinfo=UTC)), datetime(1970, 1, 2, 0, 16, tzinfo=UTC), 1_000)
    assert (read.read_s, read.charging_s) == (86_400 + 16 * 60, 15 * 60)
    idled = Usage(((0, 1_000),), idle_s=121 * 60)
    assert fees.lines(idled)[-1] == Line("idle", 120, 200, 24_000)
    for price in (Price(1, 0), Price(1, 0, start_paise=1)):
        assert prices.affordable_wh(price, 10**9, 7_000, BEGAN) == 10_000_000


def test_a_reading_of_one_watt_hour_counts_and_one_of_none_moves_only_the_time() -> None:
    price, later = Price(1_800, 0, per_minute_paise=50), BEGAN + timedelta(minutes=2)
    one = price.after(Usage.begun(BEGAN), later, 1)
    assert one == Usage(((1_800, 1),), 120, 0, prices.second(later))
    end = later + timedelta(minutes=1)
    assert price.fitted(one, end, 1) == price.after(one, end, 0) == Usage(one.wh, 120, 0, prices.second(end))


def test_idling_within_its_grace_is_none_and_without_power_is_the_pace() -> None:
    price = Price(1_800, 0, per_minute_paise=50, idle_after_minutes=5, idle_per_minute_paise=200)
    assert price.idled(Usage(), BEGAN, BEGAN + timedelta(minutes=4)).idle_s == 0
    assert (price.pace(0), price.pace(7_000)) == (12_000, 12_600 + 3_000)
