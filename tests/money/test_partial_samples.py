"""Samples that tell a part, energy without power or all but energy: a charge ends by what they leave to estimate."""

from datetime import timedelta
from typing import Any

import pytest

from domain.models import SessionState
from tests.money.charges import KW, METER, Desk
from tests.money.test_allowance import silent


def registers_only(desk: Desk, session_id: int, every_s: int, car_w: int = 7_000) -> float:
    """A charger that tells its register every so often and never its power; gives the kWh at which it was to stop."""
    seconds, step_s = 0, min(every_s, 60)
    while desk.state(session_id) == SessionState.CHARGING and seconds < 9_000:
        seconds += step_s
        desk.passes(seconds=step_s)
        desk.heard("BLR-1")
        if seconds % every_s == 0:
            desk.meter(session_id, METER + car_w * seconds // 3_600, None)
        desk.sweep()
    return car_w * seconds / 3_600_000


@pytest.mark.parametrize("every_s", [30, 900])
@pytest.mark.parametrize("limit", [{"wh": 5_000}, {"paise": 9_000}])
def test_a_limit_ends_a_charge_without_power_by_its_own_mean(desk: Desk, every_s: int, limit: dict[str, int]) -> None:
    """The connector could give 60 kW, and the car takes 7."""
    desk.charger()
    session_id = desk.charging(desk.driver(), **limit)
    assert 4.9 < registers_only(desk, session_id, every_s) < 5.2
    assert desk.session(session_id).stop_cause == "limit"


@pytest.mark.row("C22")
@pytest.mark.parametrize("every_s", [60, 900])
def test_money_ends_a_charge_without_power_by_its_own_mean(desk: Desk, every_s: int) -> None:
    """C22: a minute at that is kept back."""
    asha = desk.driver(rupees=600)
    desk.charger()
    session_id = desk.charging(asha)
    kwh = registers_only(desk, session_id, every_s, 22_000)
    assert 32 < kwh < 33.4
    assert desk.session(session_id).stop_cause == "funds"
    desk.stop(session_id, METER + round(kwh * 1_000))
    assert desk.money(asha).arrears_paise == 0


def test_a_limit_at_a_charger_that_never_meters_is_watched_after_a_while(desk: Desk) -> None:
    """Q40: the first reading may take 15 minutes, and the most that the connector can give is no reading."""
    desk.charger()
    session_id = desk.charging(desk.driver(), wh=10_000)
    assert silent(desk, session_id, minutes=19, seconds=50) == ""
    assert silent(desk, session_id, seconds=20) == "limit"


@pytest.mark.parametrize("kw", [60, 0])
def test_a_mean_above_what_the_connector_gives_is_not_believed(desk: Desk, kw: int) -> None:
    """Its first register comes 5 s after the start, half a kilowatt-hour later; 60 kW flow at most, also where nobody
    told us what the connector gives."""
    desk.charger(kw=kw)
    session_id = desk.charging(desk.driver(), wh=4_500)
    desk.passes(seconds=5)
    desk.meter(session_id, METER + 500, None)
    assert silent(desk, session_id, minutes=3, seconds=50) == ""
    assert silent(desk, session_id, seconds=20) == "limit"


def tells_all_but_registers(desk: Desk, session_id: int, every_s: int = 30, **told: Any) -> str:
    """For two hours a charger tells this so often, and no energy; gives why the charge was stopped."""
    for step in range(240):
        if desk.state(session_id) != SessionState.CHARGING:
            break
        desk.passes(seconds=30)
        desk.heard("BLR-1")
        if step * 30 % every_s == 0:
            desk.meter(session_id, None, **told)
        desk.sweep()
    return desk.session(session_id).stop_cause


TOLD: tuple[dict[str, Any], ...] = ({"power_w": KW * 1000}, {"power_w": None, "soc_percent": 40})


@pytest.mark.row("C22")
@pytest.mark.parametrize("told", TOLD)
@pytest.mark.parametrize("every_s", [30, 60])
def test_money_ends_a_charge_whose_samples_tell_no_energy(desk: Desk, told: dict[str, Any], every_s: int) -> None:
    """C22, Q40: a sample of the power or of the car's battery is no reading of what flowed before it."""
    asha, session_id = desk.a_charge(rupees=100)
    began = desk.clock.at
    assert tells_all_but_registers(desk, session_id, every_s, **told) == "funds"
    assert timedelta(minutes=3) < desk.clock.at - began <= timedelta(minutes=5, seconds=30)
    desk.stop(session_id, METER + 5_500)
    assert desk.money(asha).arrears_paise == 0


@pytest.mark.parametrize(("told", "minutes"), [(TOLD[0], 10), (TOLD[1], 20)])
def test_a_limit_ends_a_charge_whose_samples_tell_no_energy(desk: Desk, told: dict[str, Any], minutes: int) -> None:
    """Q40: by the power at once, by the most that the connector can give after a while only."""
    desk.charger()
    session_id = desk.charging(desk.driver(), wh=10_000)
    began = desk.clock.at
    assert tells_all_but_registers(desk, session_id, **told) == "limit"
    assert abs(desk.clock.at - began - timedelta(minutes=minutes)) <= timedelta(seconds=30)


@pytest.mark.parametrize("first_w", [0, 7_000])
def test_a_car_that_takes_nothing_spends_nothing_though_no_register_says_so(desk: Desk, first_w: int) -> None:
    _, session_id = desk.a_charge(rupees=100)
    desk.passes(seconds=10)
    desk.meter(session_id, None, first_w)
    assert tells_all_but_registers(desk, session_id, power_w=0) == ""


@pytest.mark.row("C22")
def test_what_is_told_between_two_registers_brings_the_end_no_later(desk: Desk) -> None:
    """C22: power each minute, energy every quarter of an hour; what the register tells takes the estimate's place."""
    asha, session_id = desk.a_charge(rupees=600)
    car_w, minute = 22_000, 0
    while desk.state(session_id) == SessionState.CHARGING and minute < 200:
        minute += 1
        desk.passes(minutes=1)
        desk.heard("BLR-1")
        desk.meter(session_id, METER + car_w * minute // 60 if minute % 15 == 0 else None, car_w)
        assert desk.session(session_id).unheard_wh <= car_w // 4
        desk.sweep()
    kwh = car_w * minute / 60_000
    assert 32 < kwh < 33.4
    assert desk.session(session_id).stop_cause == "funds"
    desk.stop(session_id, METER + round(kwh * 1_000))
    assert desk.money(asha).arrears_paise == 0
