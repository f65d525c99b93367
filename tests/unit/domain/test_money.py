"""Paise: what people may type, what energy costs, what tax is inside, each against a reference of its own."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.money import AmountError, cost, energy_for, gst_within, parse_rupees, plain_rupees, seconds_for
from evapp.components.money import rupees

PAISE = st.integers(0, 10**12)
TARIFFS = st.integers(1, 100_000)
ENERGY = st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("typed", "paise"),
    [
        ("500", 50_000),
        ("500.5", 50_050),
        ("500.50", 50_050),
        ("500.05", 50_005),
        ("0", 0),
        ("007", 700),
        ("499.99", 49_999),
        ("99999999", 9_999_999_900),
        ("999999999999.99", 99_999_999_999_999),
    ],
)
def test_plain_amounts_are_read(typed: str, paise: int) -> None:
    assert parse_rupees(typed) == paise


@pytest.mark.row("R28")
@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "500 ", " 500", "500\n", "\n500", "+500", "-500", "1e3", "1E3", "0x10", "5_00", "500,00", "5,000",
        "500.", ".5", ".", "500.005", "500.500", "1.2.3", "1234567890123", "NaN", "inf", "1e309", "₹500", "500 ₹",
        "५००", "５００", "٥٠٠", "²", "500\x00", "5\u200b00", "500.५०", "10000000000000",
        None, 500, 500.0, True, b"500", ["500"], {"amount": "500"},
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_a_sentence(typed: Any) -> None:
    """R28, and whatever else a payload may hold."""
    with pytest.raises(AmountError, match="Enter the amount in digits"):
        parse_rupees(typed)


@given(st.text(max_size=16))
@example("500\n")
@example("५००")
def test_the_parser_reads_exactly_what_payments_2_3_allows(typed: str) -> None:
    allowed = re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", typed)
    if allowed:
        assert parse_rupees(typed) == int(Decimal(typed) * 100)
    else:
        with pytest.raises(AmountError):
            parse_rupees(typed)


@given(st.integers(0, 99_999_999_999_999))
def test_what_is_written_is_read_back(paise: int) -> None:
    assert parse_rupees(f"{paise // 100}.{paise % 100:02d}") == paise


@pytest.mark.parametrize(
    ("wh", "tariff", "paise"),
    [
        (2_345, 1_850, 4_338),
        (7_005, 1_850, 12_959),  # from displayed 7.01 kWh it would be 129.69
        (0, 1_850, 0),
        (1_000, 0, 0),
        (1, 500, 1),  # half a paisa goes up
        (1, 499, 0),
    ],
)
def test_cost_of_the_documents(wh: int, tariff: int, paise: int) -> None:
    assert cost(wh, tariff) == paise


@given(ENERGY, st.integers(0, 100_000))
def test_cost_is_decimals_half_up(wh: int, tariff: int) -> None:
    exact = Decimal(wh) * tariff / 1000
    assert cost(wh, tariff) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))


@given(PAISE, TARIFFS)
def test_energy_for_is_the_most_that_the_money_covers(paise: int, tariff: int) -> None:
    wh = energy_for(paise, tariff)
    assert cost(wh, tariff) <= paise < cost(wh + 1, tariff)


def test_a_free_tariff_has_no_most_energy() -> None:
    with pytest.raises(ZeroDivisionError):
        energy_for(100, 0)


@pytest.mark.parametrize(
    ("wh", "power_w", "seconds"), [(7_500, 7_500, 3_600), (1, 3_600, 1), (1, 7_200, 1), (0, 7_200, 0), (-1, 1, 0)]
)
def test_energy_takes_whole_seconds_rounded_up(wh: int, power_w: int, seconds: int) -> None:
    assert seconds_for(wh, power_w) == seconds


def test_gst_of_the_documents() -> None:
    """payments.md 2.2: 43.38 holds 6.62; 618.00 holds 94.27."""
    assert (gst_within(4_338, 1_800), gst_within(61_800, 1_800), gst_within(11_800, 1_800)) == (662, 9_427, 1_800)
    assert gst_within(12_345, 0) == 0


@given(PAISE, st.integers(0, 10_000))
def test_gst_is_decimals_half_up_at_any_rate(paise: int, basis_points: int) -> None:
    exact = (Decimal(paise) * basis_points / (10_000 + basis_points)).quantize(Decimal(1), ROUND_HALF_UP)
    assert gst_within(paise, basis_points) == int(exact)
    assert 0 <= gst_within(paise, basis_points) <= paise


@pytest.mark.parametrize(
    ("paise", "words"),
    [
        (0, "₹0.00"),
        (5, "₹0.05"),
        (99_999, "₹999.99"),
        (100_000, "₹1,000.00"),
        (12_345_650, "₹1,23,456.50"),
        (100_000_000_000, "₹1,00,00,00,000.00"),
        (-5, "-₹0.05"),
        (-100_000, "-₹1,000.00"),
    ],
)
def test_rupees_in_the_domains_sentences(paise: int, words: str) -> None:
    assert plain_rupees(paise) == words


@given(st.integers(-(10**14), 10**14))
def test_the_domain_and_the_pages_write_money_alike(paise: int) -> None:
    assert plain_rupees(paise) == rupees(paise).replace("−", "-")
