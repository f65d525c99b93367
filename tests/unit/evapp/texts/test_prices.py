"""Prices and bills in words."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.models import ChargingSession
from domain.prices import Band, Line, Price
from evapp.texts.prices import idle_words, line_words, price_lines


def test_a_plain_price_is_a_figure_and_no_list() -> None:
    assert price_lines(Price(1_820, 1_800)) == []


def test_every_part_is_a_sentence() -> None:
    price = Price(1_800, 0, 1_000, 50, 10, 200, (Band(1_080, 1_320, 2_450), Band(1_320, 360, 1_200)))
    assert price_lines(price) == [
        "₹24.50/kWh from 6:00 pm to 10:00 pm.",
        "₹12.00/kWh from 10:00 pm to 6:00 am.",
        "₹18.00/kWh at all other hours.",
        "₹10.00 once, for the start.",
        "₹0.50 for each minute of charging.",
        "₹2.00 for each minute that the cable stays in the car without charging, after 10 free minutes; "
        "at most ₹240.00.",
    ]
    assert price_lines(Price(1_800, 0, 1_000))[0] == "₹18.00/kWh for energy."


def test_where_the_bands_are_the_whole_day_there_are_no_other_hours() -> None:
    assert len(price_lines(Price(1_800, 0, bands=(Band(360, 1_320, 2_000), Band(1_320, 360, 1_200))))) == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (Line("start", 1, 1_000, 1_000), "Start fee"),
        (Line("energy", 7_456, 1_820, 13_570), "Energy: 7.456 kWh × ₹18.20/kWh"),
        (Line("time", 12, 50, 600), "Time: 12 min × ₹0.50"),
        (Line("idle", 3, 200, 600), "Cable left in the car: 3 min × ₹2.00"),
    ],
)
def test_a_line_says_how_it_came_about(line: Line, words: str) -> None:
    assert line_words(line) == words


def test_idling_is_told_with_its_end_and_what_it_costs_by_now() -> None:
    """Who came too late read until when he would have had time."""
    price = Price(1_800, 0, idle_after_minutes=10, idle_per_minute_paise=200)
    session = ChargingSession(paise_per_kwh=1_800, terms=price.terms)
    since = session.idle_since = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
    before, costs = since + timedelta(minutes=9), since + timedelta(minutes=10)
    assert idle_words(session, before) == "Unplug by 6:10 pm. After that each minute costs ₹2.00, at most ₹240.00."
    assert idle_words(session, costs) == "Unplug now. Since 6:10 pm each minute costs ₹2.00, at most ₹240.00."
    session.idle_since = None
    assert idle_words(session, costs) == ""
