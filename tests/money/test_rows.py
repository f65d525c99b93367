"""Every row of both failure matrices has its test, and every row of a charge is judged by the one oracle."""

import pytest

from tests.money import scenes_of_meters, scenes_of_stops, scenes_of_wishes  # noqa: F401 - their scenes
from tests.money.charges import RUPEE, Desk
from tests.money.rows import ROWS, SCENES, proofs, told
from tests.money.scene_of_a_charge import Told


def test_every_row_has_its_test() -> None:
    found = proofs("pytest.mark.row", "scene")
    assert {row: words for row, words in ROWS.items() if row not in found} == {}
    assert set(found) - set(ROWS) == set()


def test_every_row_is_judged_by_the_oracle() -> None:
    assert set(proofs("scene")) == set(ROWS)


@pytest.mark.parametrize("row", [row for row in ROWS if row.startswith("C")])
def test_the_oracle(desk: Desk, row: str) -> None:
    """Audit clean (by the fixture), wallet = model, a true sentence, and a repetition that changes nothing."""
    desk.charger(connectors=2)
    asha = desk.driver(1_000)
    outcome = SCENES[row](desk, asha)
    assert isinstance(outcome, Told)
    money = desk.money(asha)
    assert money.balance_paise - money.arrears_paise == 1_000 * RUPEE - outcome.used
    assert money.held_paise == 0
    assert outcome.reads in desk.do(told, asha)
    assert outcome.again
    for event in outcome.again:
        desk.changes_nothing(event)
