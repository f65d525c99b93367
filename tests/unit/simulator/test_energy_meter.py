"""The meter that virtual chargers read: the same every time, never backwards, never more than its power gives."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from simulator.meter import Meter

START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def meter(seed: str = "a", **options: object) -> Meter:
    return Meter(**{"max_power_w": 7400, "supply": "AC", "speed": 1, "seed": seed, **options})


def story(seed: str) -> list[tuple[int, int]]:
    one = meter(seed)
    one.draw(True, START)
    told = []
    for second in range(0, 600, 10):
        told.append((one.read(START + timedelta(seconds=second)), one.power_w))
        one.step()
    return told


def test_one_seed_tells_one_story():
    assert story("a") == story("a")
    assert story("a") != story("b")


def test_nothing_flows_before_and_after_a_charge():
    one = meter()
    before = one.read(START)
    assert one.read(START + timedelta(hours=1)) == before
    one.draw(True, START + timedelta(hours=1))
    one.draw(False, START + timedelta(hours=2))
    after = one.read(START + timedelta(hours=2))
    assert after > before
    assert one.read(START + timedelta(hours=9)) == after
    assert one.power_w == 0


@given(st.lists(st.integers(0, 3_600), max_size=30))
def test_the_register_never_falls_and_never_outruns_its_power(pauses):
    one = meter()
    one.draw(True, START)
    at, register = START, one.read(START)
    for seconds in pauses:
        at += timedelta(seconds=seconds)
        one.step()
        now = one.read(at)
        assert 0 <= now - register <= 7400 * seconds // 3600 + 1
        register = now


def test_a_battery_takes_less_above_80_percent_and_nothing_when_full():
    one = meter(supply="DC", max_power_w=60_000)
    one.draw(True, START)
    at, powers = START, {}
    while not one.full:
        powers[one.soc_percent] = one.power_w
        at += timedelta(minutes=1)
        one.read(at)
        one.step()
    assert powers[70] > 55_000
    assert powers[90] < powers[70]
    assert powers[98] < powers[90]
    assert (one.power_w, one.soc_percent) == (0, 100)
    full = one.read(at)
    assert one.read(at + timedelta(hours=1)) == full


def test_only_a_dc_charger_knows_the_state_of_charge():
    sample = meter(supply="DC").sample(["SoC", "Voltage"], "Sample.Periodic", START)
    assert [(value["measurand"], value["unit"], value["location"]) for value in sample] == [
        ("SoC", "Percent", "EV"),
        ("Voltage", "V", "Outlet"),
    ]
    assert all(isinstance(value["value"], str) for value in sample)
