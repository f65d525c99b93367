"""Figures a driver reads: exact from whole numbers, grouped and timed the Indian way."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest
from babel.numbers import format_currency, format_decimal
from hypothesis import given
from hypothesis import strategies as st

from evapp.components import money
from evapp.texts import speaking
from evapp.texts.languages import LANGUAGES, Language

EVENING = datetime(2026, 11, 22, 11, 32, tzinfo=UTC)


@pytest.mark.parametrize(
    ("paise", "text"),
    [
        (0, "₹0.00"),
        (1, "₹0.01"),
        (124_050, "₹1,240.50"),
        (25_000_000, "₹2,50,000.00"),
        (-13_575, "−₹135.75"),
        (10**17 + 1, "₹1,00,00,00,00,00,00,000.01"),
    ],
)
def test_rupees_are_exact_and_grouped_the_indian_way(paise: int, text: str) -> None:
    assert money.rupees(paise) == text


@pytest.mark.parametrize(("paise", "text"), [(50_000, "₹500"), (100_000, "₹1,000"), (100_050, "₹1,000.50")])
def test_whole_rupees_hide_only_paise_that_are_none(paise: int, text: str) -> None:
    assert money.whole_rupees(paise) == text


@pytest.mark.parametrize(("paise", "text"), [(50_000, "+₹500.00"), (-13_575, "−₹135.75"), (0, "₹0.00")])
def test_signed_rupees_say_which_way_money_went(paise: int, text: str) -> None:
    assert money.signed_rupees(paise) == text


def test_a_tariff_is_rupees_a_kilowatt_hour() -> None:
    assert money.per_kwh(1820) == "₹18.20/kWh"


@pytest.mark.parametrize(("wh", "text"), [(0, "0.00"), (7456, "7.46"), (7455, "7.46"), (7454, "7.45"), (999, "1.00")])
def test_energy_has_two_places(wh: int, text: str) -> None:
    assert money.kwh(wh) == text


def test_a_receipt_shows_every_watt_hour() -> None:
    assert money.kwh(1_234_567, places=3) == "1,234.567"


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (999, "999"), (1_204, "1,204"), (125_000, "1,25,000")])
def test_many_are_grouped_as_rupees_are(number: int, text: str) -> None:
    assert money.counted(number) == text


@pytest.mark.parametrize(("w", "text"), [(0, "0.0"), (6940, "6.9"), (6950, "7.0"), (60_000, "60.0")])
def test_power_has_one_place(w: int, text: str) -> None:
    assert money.kw(w) == text


def test_times_are_indian() -> None:
    assert money.clock(EVENING) == "5:02 pm"
    assert money.day(EVENING) == "22 Nov 2026"
    assert money.month(EVENING) == "November 2026"
    assert money.moment(EVENING) == "22 Nov 2026, 5:02 pm"


def test_the_day_turns_at_indian_midnight() -> None:
    assert money.day(datetime(2026, 12, 31, 18, 30, tzinfo=UTC)) == "1 Jan 2027"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 s"), (38, "38 s"), (60, "1 min"), (240, "4 min"), (3600, "1 h 00 m"), (3858, "1 h 04 m")],
)
def test_a_duration_keeps_the_two_units_that_matter(seconds: int, text: str) -> None:
    assert money.duration(seconds) == text


@given(st.integers(-(10**13), 10**13), st.sampled_from(list(LANGUAGES.values())))
def test_money_is_written_as_babel_would(paise: int, one: Language) -> None:
    with speaking(one):
        written, whole = money.rupees(paise), money.whole_rupees(paise)
    rupees = Decimal(abs(paise)).scaleb(-2)
    sign = "−" if paise < 0 else ""
    exact = format_currency(rupees, "INR", "¤#,##,##0.00", locale=one.locale, currency_digits=False)
    assert written == sign + exact
    if paise % 100 == 0:
        assert whole == sign + format_currency(rupees, "INR", "¤#,##,##0", locale=one.locale, currency_digits=False)


@given(st.integers(-(10**10), 10**10), st.integers(0, 3), st.sampled_from(list(LANGUAGES.values())))
def test_energy_is_written_as_babel_would(wh: int, places: int, one: Language) -> None:
    with speaking(one):
        written = money.kwh(wh, places)
    value = Decimal(wh).scaleb(-3).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    pattern = "#,##,##0" + ("." + "0" * places if places else "")
    assert written == format_decimal(value + 0, pattern, locale=one.locale)
