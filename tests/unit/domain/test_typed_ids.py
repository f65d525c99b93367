"""IDs as people type them: what is found, and what is suggested."""

import difflib

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


@pytest.mark.parametrize("typed", ["whitefield", "Phoenix mall", "gate 1"])
def test_a_place_is_answered_with_what_stands_there(db: Session, typed: str) -> None:
    """Who does not stand before it knows where it is, not what it is called."""
    chargers.add(db, "BLR-017", name="Gate 1", place="Phoenix Mall, Whitefield")
    chargers.add(db, "MYS-900", name="Gate 2", place="Palace")
    chargers.add(db, "OLD-001", name="Gate 1", place="Phoenix Mall, Whitefield")
    chargers.retire(db, "OLD-001")
    found = typed_ids.find(db, typed)
    assert found == typed_ids.Found(None, at_place=("BLR-017",))


@pytest.mark.parametrize("typed", ["", "  ", "\x00", "\ud800", "' OR 1=1 --", "%", "🔌", "x" * 10_000, "---", "\n"])
def test_odd_input_finds_nothing(db: Session, typed: str) -> None:
    chargers.add(db, "BLR-017")
    assert typed_ids.find(db, typed) == typed_ids.Found(None)


def test_an_exact_one_is_only_as_people_spell_it(db: Session) -> None:
    for charger_id in ("BLR-017", "OLD-001"):
        chargers.add(db, charger_id)
    chargers.retire(db, "OLD-001")
    typed = ("BLR-017", "blr 017", "BLR-0017", "OLD-001", "", "\x00")
    assert [typed_ids.exact(db, one) for one in typed] == ["BLR-017", "BLR-017", None, None, None, None]


@pytest.mark.parametrize("typed", ["BLRO1234", "BLR12345678", "BLR9", "BLR00071"])
def test_the_closest_are_found_without_comparing_all(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """The same three as by a whole comparison with each of thousands."""
    known = [f"BLR{number:05}" for number in range(0, 20_000, 7)]
    every = {one: difflib.SequenceMatcher(a=plain(one), b=plain(typed)).ratio() for one in known}
    alike = [one for one in known if every[one] >= typed_ids.ALIKE]
    wanted = sorted(alike, key=lambda one: (-every[one], sorted(plain(one)) != sorted(plain(typed)), one))[:3]
    compared = watch(monkeypatch)
    assert typed_ids._closest(typed, known) == wanted
    assert len(compared) <= typed_ids.COMPARED


def test_letters_in_another_order_are_not_compared_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the others is as hopeful."""
    compared = watch(monkeypatch)
    typed_ids._closest("43210BLR", [f"BLR{number:05}" for number in range(20_000)])
    assert len(compared) == typed_ids.COMPARED


def watch(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is compared to the last letter."""
    ratio = difflib.SequenceMatcher.ratio
    compared: list[object] = []

    def counted(matcher: "difflib.SequenceMatcher[str]") -> float:
        compared.append(matcher)
        return ratio(matcher)

    monkeypatch.setattr(difflib.SequenceMatcher, "ratio", counted)
    return compared


def plain(key: str) -> str:
    return typed_ids._ZEROS.sub("", key)
