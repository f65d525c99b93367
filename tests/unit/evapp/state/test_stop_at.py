"""The words about a limit, as a driver reads them."""

from typing import Any

import pytest
import reflex as rx

from domain import limits
from domain.charging import Limit
from domain.db import transact
from domain.limits import Outlook
from domain.starts import RESERVED, STATUS
from domain.wishes import CALLED_OFF
from evapp.components.stop_at import KINDS
from evapp.state.bill import ENDED_BY
from evapp.state.stop_at import USUAL, StopAt, _outlook, _typed, _usual, goal_words
from tests.money.house import free_charger, give


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limit(), ""),
        (Limit(paise=27_300), "Stops at ₹273"),
        (Limit(wh=15_000), "Stops at 15 kWh"),
        (Limit(wh=12_500), "Stops at 12.5 kWh"),
        (Limit(minutes=90), "Stops after 1 h 30 m"),
    ],
)
def test_where_it_stops(limit: Limit, words: str) -> None:
    assert goal_words(limit) == words


@pytest.mark.parametrize(
    ("found", "limit", "words"),
    [
        (Outlook(15_000, 27_300, 7_800, False), Limit(wh=15_000), "15 kWh · about ₹273.00 · about 2 h 10 m"),
        (Outlook(15_000, 27_300, None, False), Limit(wh=15_000), "15 kWh · about ₹273.00"),
        (Outlook(12_500, 22_500, None, False), Limit(wh=12_500), "12.5 kWh · about ₹225.00"),
        (Outlook(5_000, 9_100, 900, True), Limit(wh=15_000), "Your wallet ends it sooner: 5 kWh · about ₹91.00"),
        (
            Outlook(111_111, 200_000, None, False, cap_paise=200_000),
            Limit(),
            "One charge goes up to ₹2,000: about 111 kWh here.",
        ),
        (
            Outlook(111_111, 200_000, 54_054, False, cap_paise=200_000),
            Limit(),
            "One charge goes up to ₹2,000: about 111 kWh here, in about 15 h 00 m.",
        ),
        (
            Outlook(111_111, 200_000, 54_054, True, cap_paise=200_000),
            Limit(wh=120_000),
            "One charge goes up to ₹2,000: 111 kWh · about ₹2,000.00",
        ),
        (Outlook(55, 99, None, False), Limit(paise=100), "0.06 kWh · about ₹1.00"),
        (Outlook(None, None, 1_800, False), Limit(minutes=30), "Stops after 30 min."),
        (Outlook(33_333, 60_000, 2_000, False), Limit(), "Your wallet is good for about 33 kWh here, in about 33 min."),
        (
            Outlook(30_000, 54_600, 14_600, False, full=True),
            Limit(),
            "An empty battery is full after 30 kWh · about ₹546.00 · about 4 h 03 m",
        ),
        (
            Outlook(30_000, 54_600, None, False, full=True),
            Limit(),
            "An empty battery is full after 30 kWh · about ₹546.00",
        ),
        (
            Outlook(30_000, 54_600, 14_600, False, full=True),
            Limit(wh=40_000),
            "Your battery is full sooner: 30 kWh · about ₹546.00",
        ),
    ],
)
def test_what_it_comes_to(found: Outlook, limit: Limit, words: str) -> None:
    assert _outlook(found, limit) == words


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in USUAL.items() for value in values])
def test_a_usual_amount_is_what_it_says(kind: str, value: int) -> None:
    typed = _usual(kind, value).value
    assert limits.parsed(kind, typed) == Limit(**{kind: value})
    assert _typed(limits.parsed(kind, typed)) == (kind, typed)


def test_every_cause_of_an_end_has_its_sentence() -> None:
    assert {"driver", "funds", "limit", "operator", RESERVED, *STATUS} == set(ENDED_BY)
    assert set(CALLED_OFF) <= set(ENDED_BY)


async def test_until_a_limit_is_typed_the_outlook_is_that_of_none(asha: int, scope: dict[str, Any]) -> None:
    """The line stood empty between the tap on kWh and the first digit."""
    await transact(free_charger, "MALL-1")
    await transact(give, asha, 100_000)
    stop = await rx.State(_reflex_internal_init=True).get_state(StopAt)  # type: ignore[call-arg]
    stop._look_at("MALL-1")
    for kind in KINDS:
        await stop.choose(kind)
        assert stop.outlook == "Your wallet is good for about 56 kWh here."
    await stop.write("much")
    assert stop.outlook == ""


async def test_what_is_typed_is_never_written_over(asha: int, scope: dict[str, Any]) -> None:
    """The field is made anew only when the page puts another amount there."""
    state: Any = await rx.State(_reflex_internal_init=True).get_state(StopAt)  # type: ignore[call-arg]
    await state.choose("wh")
    await state.write("12")
    assert (state.typed, state.fills) == ("12", 1)
    await state.take("20")
    assert (state.typed, state.fills) == ("20", 2)
    for forged in ("21", None, ["20"]):
        await state.take(forged)
    assert (state.typed, state.fills) == ("20", 2)
    await state.choose("minutes")
    assert (state.typed, state.fills) == ("", 3)
