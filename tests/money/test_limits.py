"""A driver's own end of a charge: what it comes to before, and another one while it runs."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import charging, limits, wishes
from domain.charging import Limit, Refused
from domain.limits import Outlook
from domain.models import SessionState
from domain.money import AmountError
from domain.prices import Price
from tests.money.charges import METER, Desk

PRICE = Price(1_820, 0)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "typed", "limit"),
    [
        ("", "whatever", Limit()),
        ("paise", "200", Limit(paise=20_000)),
        ("wh", "12.5", Limit(wh=12_500)),
        ("minutes", "45", Limit(minutes=45)),
    ],
)
def test_what_is_typed_is_read(kind: str, typed: str, limit: Limit) -> None:
    assert limits.parsed(kind, typed) == limit


@pytest.mark.parametrize(
    ("kind", "typed"),
    [("paise", ""), ("paise", "0"), ("paise", "10000.01"), ("wh", "-5"), ("wh", "1e3"), ("minutes", "4.5")],
)
def test_what_is_no_limit_is_refused_in_a_sentence(kind: str, typed: str) -> None:
    with pytest.raises(AmountError, match=r"\.$"):
        limits.parsed(kind, typed)


@pytest.mark.parametrize(
    ("kind", "typed", "most"),
    [
        ("paise", "10000.01", "₹10,000."),
        ("paise", "99999999", "₹10,000."),
        ("wh", "10000.1", "10,000 kWh."),
        ("wh", "99999999", "10,000 kWh."),
        ("minutes", "10001", "10,000 minutes."),
        ("minutes", "99999999", "10,000 minutes."),
    ],
)
def test_more_than_a_limit_may_be_is_told_the_most_with_its_unit(kind: str, typed: str, most: str) -> None:
    with pytest.raises(AmountError) as refused:
        limits.parsed(kind, typed)
    assert str(refused.value) == f"Choose a limit above zero and up to {most}"


@pytest.mark.parametrize(
    ("kind", "example"), [("paise", "like 750 or 750.50"), ("wh", "kWh in digits, like 12.5"), ("minutes", "like 45")]
)
def test_a_field_left_empty_is_told_what_belongs_there(kind: str, example: str) -> None:
    with pytest.raises(AmountError, match=example):
        limits.parsed(kind, "")


@pytest.mark.parametrize(
    ("limit", "rupees", "found"),
    [
        (Limit(wh=15_000), 500, Outlook(15_000, 27_300, 7_298, sooner=False)),
        (Limit(paise=18_200), 500, Outlook(10_000, 18_200, 4_865, sooner=False)),
        (Limit(minutes=60), 500, Outlook(7_400, 13_468, 3_600, sooner=False)),
        (Limit(wh=15_000), 91, Outlook(5_000, 9_100, 2_433, sooner=True)),
        (Limit(minutes=60), 91, Outlook(5_000, 9_100, 2_433, sooner=True)),
        (Limit(), 91, Outlook(5_000, 9_100, 2_433, sooner=False)),
    ],
)
def test_what_a_charge_will_come_to(limit: Limit, rupees: int, found: Outlook) -> None:
    assert limits.outlook(PRICE, 7_400, rupees * 100, limit, NOON) == found


def test_without_a_nameplate_nobody_knows_how_long() -> None:
    assert limits.outlook(PRICE, 0, 50_000, Limit(wh=15_000), NOON) == Outlook(15_000, 27_300, None, sooner=False)
    assert limits.outlook(PRICE, 0, 50_000, Limit(minutes=30), NOON) == Outlook(None, None, 1_800, sooner=False)


@pytest.mark.parametrize(
    ("limit", "battery_wh", "found"),
    [
        (Limit(), 30_000, Outlook(27_472, 49_999, 13_365, sooner=False)),
        (Limit(), 20_000, Outlook(20_000, 36_400, 9_730, sooner=False, full=True)),
        (Limit(wh=25_000), 20_000, Outlook(20_000, 36_400, 9_730, sooner=False, full=True)),
        (Limit(wh=20_000), 20_000, Outlook(20_000, 36_400, 9_730, sooner=False)),
    ],
)
def test_a_full_battery_ends_a_charge_too(limit: Limit, battery_wh: int, found: Outlook) -> None:
    assert limits.outlook(PRICE, 7_400, 50_000, limit, NOON, battery_wh) == found


@pytest.mark.parametrize(
    ("power_w", "held", "spent", "wanted_wh", "short"),
    [
        (7_400, 2_000, 0, None, False),
        (7_400, 2_000, 1_600, None, True),  # 80 %
        (60_000, 2_000, 800, None, False),
        (60_000, 2_000, 950, None, True),  # 50 kW and more use ₹1,092 in an hour
        (7_400, 300, 100, None, False),
        (7_400, 300, 101, None, True),  # the last ₹200
        (7_400, 300, 101, 5_000, False),  # the limit comes first
        (7_400, 300, 101, 11_000, True),
        (0, 2_000, 0, None, False),
        (7_400, 0, 0, None, False),  # nobody pays
    ],
)
def test_a_driver_is_warned_before_the_money_ends(
    power_w: int, held: int, spent: int, wanted_wh: int | None, short: bool
) -> None:
    assert limits.short(PRICE, power_w, held * 100, spent * 100, wanted_wh, NOON) is short
    assert not limits.short(Price(0, 0), power_w, held * 100, 0, wanted_wh, NOON)


def test_a_battery_is_full_at_this_power() -> None:
    assert limits.full_at(30_000, 75, 7_500, NOON) == NOON + timedelta(hours=1)
    assert limits.full_at(30_000, None, 7_500, NOON) is None
    assert limits.full_at(0, 75, 7_500, NOON) is None
    assert limits.full_at(30_000, 75, 0, NOON) is None


def test_a_free_charge_ends_by_its_limit_alone() -> None:
    assert limits.outlook(Price(0, 0), 7_400, 50_000, Limit(), NOON) is None
    assert limits.outlook(Price(0, 0), 7_400, 50_000, Limit(wh=7_400), NOON) == Outlook(7_400, 0, 3_600, sooner=False)


@given(
    rate=st.integers(1, 100_000),
    spendable=st.integers(0, 200_000),
    paise=st.integers(1, 1_000_000),
    power=st.integers(1),
)
def test_the_outlook_costs_no_more_than_there_is(rate: int, spendable: int, paise: int, power: int) -> None:
    found = limits.outlook(Price(rate, 0), power, spendable, Limit(paise=paise), NOON)
    assert found is not None and found.cost_paise is not None
    assert found.cost_paise <= min(spendable, paise)


def test_fees_count_for_the_limit() -> None:
    price = Price(1_820, 0, start_paise=2_000, per_minute_paise=100)
    found = limits.outlook(price, 7_400, 50_000, Limit(paise=20_200), NOON)
    assert found is not None and found.energy_wh is not None and found.cost_paise is not None
    assert found.energy_wh < 10_000
    assert 20_100 <= found.cost_paise <= 20_200


def test_when_it_is_ready() -> None:
    def ready(limit: Limit, power_w: int = 7_400) -> datetime | None:
        target = limits.target_wh(limit, PRICE, power_w, NOON)
        return limits.ready_at(limit, target, energy_wh=7_600, power_w=power_w, started_at=NOON, at=NOON)

    assert ready(Limit(wh=15_000)) == NOON + timedelta(hours=1)
    assert ready(Limit(paise=27_300)) == NOON + timedelta(hours=1)
    assert ready(Limit(wh=15_000, minutes=30)) == NOON + timedelta(minutes=30)
    assert ready(Limit(wh=15_000), power_w=0) is None
    assert ready(Limit()) is None


def test_a_limit_can_be_set_and_lifted_while_charging(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    session_id = desk.charging(asha, wh=9_000)
    desk.flows(session_id, 1)
    desk.do(limits.change, asha, Limit(wh=2_500))
    assert desk.flows(session_id, 1) == []
    desk.do(limits.change, asha, Limit())
    assert desk.flows(session_id, 3) == []
    desk.do(limits.change, asha, Limit(paise=20_000))
    assert desk.flows(session_id, 10) == [session_id]
    assert desk.session(session_id).stop_cause == "limit"


def test_a_new_limit_in_minutes_ends_it_without_a_sample(desk: Desk) -> None:
    asha, session_id = desk.a_charge()
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(minutes=10)
    desk.do(limits.change, asha, Limit(minutes=30))
    desk.passes(minutes=19)
    assert desk.sweep().get(session_id, "") == ""
    desk.passes(minutes=1)
    assert desk.sweep() == {session_id: "stop"}


@pytest.mark.parametrize(
    ("limit", "code"), [(Limit(wh=1_000), "passed"), (Limit(minutes=1), "passed"), (Limit(wh=0), "most wh")]
)
def test_a_limit_that_cannot_be_changes_nothing(desk: Desk, limit: Limit, code: str) -> None:
    asha = desk.driver()
    desk.charger()
    session_id = desk.charging(asha, wh=9_000)
    desk.flows(session_id, 2)
    with pytest.raises(Refused) as refused:
        desk.do(limits.change, asha, limit)
    assert refused.value.code == code
    assert limits.of(desk.session(session_id)) == Limit(wh=9_000)


def test_a_new_limit_is_held_against_the_meter_and_no_estimate(desk: Desk) -> None:
    """0.7 kWh were metered a minute ago by a charger that tells no power."""
    asha, session_id = desk.a_charge()
    desk.passes(minutes=6)
    desk.meter(session_id, METER + 700, None)
    desk.passes(seconds=55)
    desk.do(limits.change, asha, Limit(wh=750))
    with pytest.raises(Refused):
        desk.do(limits.change, asha, Limit(wh=700))


def test_only_ones_own_charge_has_a_limit_to_change(desk: Desk) -> None:
    asha, ravi = desk.driver(), desk.driver()
    desk.charger()
    session_id = desk.charging(asha)
    with pytest.raises(Refused, match="ending"):
        desk.do(limits.change, ravi, Limit(wh=5_000))
    desk.do(charging.request_stop, session_id, "driver")
    assert desk.state(session_id) == SessionState.STOPPING
    with pytest.raises(Refused, match="ending"):
        desk.do(limits.change, asha, Limit(wh=5_000))


def test_a_wish_takes_its_new_limit_along(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(limits.change, asha, Limit(wh=1_000))
    desk.do(wishes.answered, session_id, "accepted")
    desk.start(session_id)
    assert desk.flows(session_id, 1) == [session_id]


def test_what_it_comes_to_for_this_driver_here(desk: Desk) -> None:
    asha = desk.driver(rupees=36)
    desk.charger(kw=60)
    assert desk.do(limits.before, asha, "BLR-1", 1, Limit()) == Outlook(2_000, 3_600, 120, sooner=False)
