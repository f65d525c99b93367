"""What is a state, and what has the form of a GSTIN."""

import pytest

from domain.gst import is_gstin, is_state


@pytest.mark.parametrize(
    ("name", "known"), [("Karnataka", True), (" delhi ", True), ("Jammu and Kashmir", True), ("", False), ("29", False)]
)
def test_states_are_known_in_any_case(name: str, known: bool) -> None:
    assert is_state(name) is known


@pytest.mark.parametrize(
    ("number", "is_one"),
    [
        ("29ABCDE1234F1Z5", True),
        ("07AAACP1234C1ZA", True),
        ("28ABCDE1234F1Z5", False),  # Andhra Pradesh before it was parted: now it is 37
        ("29abcde1234f1z5", False),
        ("29ABCDE1234F1Z5 ", False),
        ("29ABCDE1234F1Z", False),
        ("abc", False),
    ],
)
def test_a_gstin_begins_with_a_state(number: str, is_one: bool) -> None:
    assert is_gstin(number) is is_one
