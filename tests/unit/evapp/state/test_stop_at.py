"""The words about a limit, as a driver reads them."""

import pytest

from domain import limits
from domain.charging import Limit
from domain.limits import Outlook
from domain.starts import CALLED_OFF, RESERVED, STATUS
from evapp.state.bill import ENDED_BY
from evapp.state.stop_at import USUAL, _outlook, _typed, _usual, goal_words


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
        (Outlook(5_000, 9_100, 900, True), Limit(wh=15_000), "Your wallet ends it sooner: 5 kWh · about ₹91.00"),
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
