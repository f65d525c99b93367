"""IDs as people type them: what is found, and what is suggested."""

import pytest
from sqlmodel import Session

from domain import chargers, typed_ids


@pytest.mark.parametrize(
    "typed", ["BLR-017", "blr-017", "blr017", " BLR 017 ", "ＢＬＲ－０１７", "b.l.r_0-1-7", "BLR—017"]
)
def test_people_type_as_they_like(db: Session, typed: str) -> None:
    chargers.add(db, "BLR-017")
    assert typed_ids.find(db, typed).charger_id == "BLR-017"


def test_the_exact_name_goes_before_a_similar_one(db: Session) -> None:
    for charger_id in ("BLR-1", "BLR1", "blr-1"):
        chargers.add(db, charger_id)
    for charger_id in ("BLR-1", "BLR1", "blr-1"):
        assert typed_ids.find(db, charger_id).charger_id == charger_id
    assert typed_ids.find(db, "bLr-1").charger_id == typed_ids.find(db, "b l r 1").charger_id


def test_a_near_miss_is_answered_with_what_is_close(db: Session) -> None:
    for n in range(10, 16):
        chargers.add(db, f"BLR-0{n}")
    chargers.add(db, "MYS-900")
    found = typed_ids.find(db, "BLR-O16")
    assert found.charger_id is None
    assert len(found.suggestions) == 3
    assert all(suggestion.startswith("BLR-0") for suggestion in found.suggestions)
    assert typed_ids.find(db, "QQQQ").suggestions == ()


@pytest.mark.parametrize("typed", ["BLR-71", "blr 17", "BLR-0017", "BLR-O17"])
def test_zeros_left_out_and_digits_swapped_are_the_first_suggestion(db: Session, typed: str) -> None:
    for charger_id in ("BLR-104", "BLR-061", "BLR-017", "BLR-090"):
        chargers.add(db, charger_id)
    assert typed_ids.find(db, typed).suggestions[0] == "BLR-017"


@pytest.mark.parametrize("typed", ["", "  ", "\x00", "\ud800", "' OR 1=1 --", "%", "🔌", "x" * 10_000, "---", "\n"])
def test_odd_input_finds_nothing(db: Session, typed: str) -> None:
    chargers.add(db, "BLR-017")
    assert typed_ids.find(db, typed) == typed_ids.Found(None)
