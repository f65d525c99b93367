"""What the server works out for the meter, the curve and the links, so that the browser need not."""

import json

import pytest
import reflex as rx

from evapp.components import addresses, meter, spark
from evapp.components.status import STATES, status
from evapp.texts import t


@pytest.mark.parametrize(
    ("highest_wh", "scale_wh"), [(0, 4_000), (3_800, 4_000), (3_801, 8_000), (15_000, 20_000), (9_000_000, 400_000)]
)
def test_the_scale_leaves_room(highest_wh: int, scale_wh: int) -> None:
    assert meter.full_scale(highest_wh) == scale_wh


@pytest.mark.parametrize(
    ("energy_wh", "goal_wh", "scale_wh"),
    [
        (0, 20_000, 20_000),
        (19_900, 20_000, 20_000),
        (20_040, 20_000, 20_000),
        (23_000, 20_000, 24_000),
        (7_000, 30_000, 32_000),
        (0, 500, 4_000),
    ],
)
def test_with_a_goal_the_scale_ends_where_the_charge_does(energy_wh: int, goal_wh: int, scale_wh: int) -> None:
    assert meter.full_scale(energy_wh, goal_wh) == scale_wh


@pytest.mark.parametrize("scale_wh", meter.SCALES_WH)
def test_the_marks_of_every_scale_are_whole(scale_wh: int) -> None:
    assert [int(mark) * 1000 for mark in meter.marks(scale_wh)] == [scale_wh * n // 4 for n in range(5)]
    assert scale_wh % 4000 == 0


@pytest.mark.parametrize(("wh", "place"), [(-5, "0.00%"), (0, "0.00%"), (7_450, "37.25%"), (99_999, "100.00%")])
def test_a_place_on_the_scale_stays_on_it(wh: int, place: str) -> None:
    assert meter.along(wh, 20_000) == place


def test_a_curve_spans_its_box() -> None:
    assert spark.spark_points([0, 3700, 7400], 7400) == "0,780 1500,400 3000,20"


@pytest.mark.parametrize(("watts", "points"), [([], ""), ([7400], "0,20 3000,20"), ([9000, -1], "0,20 3000,780")])
def test_a_curve_of_odd_readings(watts: list[int], points: str) -> None:
    assert spark.spark_points(watts, 7400) == points


def test_no_reading_has_no_scale_to_divide_by() -> None:
    assert spark.spark_points([0, 0], 0) == "0,780 3000,780"


def test_a_text_is_typed_into_whatsapp() -> None:
    link = addresses.whatsapp("919845012345", "Help at BLR-017, charge #4 & more")
    assert link == "https://wa.me/919845012345?text=Help%20at%20BLR-017%2C%20charge%20%234%20%26%20more"


def test_a_text_of_a_state_is_encoded_in_the_browser() -> None:
    link = addresses.whatsapp("91", rx.Var("typed").to(str))
    assert "encodeURIComponent" in str(rx.Var.create(link))


def test_a_letter_is_begun() -> None:
    assert (
        addresses.mail("help@evapp.example", "A & B", "Hi") == "mailto:help@evapp.example?subject=A%20%26%20B&body=Hi"
    )


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_word_beside_its_dot(state: str) -> None:
    assert json.dumps(t(STATES[state])) in str(status(state))


def test_a_state_we_do_not_know_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        status("on_fire")
