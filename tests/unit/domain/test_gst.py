"""What is a state, and what is a GSTIN without a slip."""

import pytest

from domain.gst import beside_cgst, is_gstin, is_state, state_of


@pytest.mark.parametrize(
    ("name", "known"), [("Karnataka", True), (" delhi ", True), ("Jammu and Kashmir", True), ("", False), ("29", False)]
)
def test_states_are_known_in_any_case(name: str, known: bool) -> None:
    assert is_state(name) is known


@pytest.mark.parametrize(
    ("number", "is_one"),
    [
        ("29ABCDE1234F1ZW", True),
        ("27AAPFU0939F1ZV", True),  # printed in many a manual
        ("29AACCC6636P1Z1", True),  # of the electricity company in KAR ADRG 24/2023
        ("29AACCC6636P1Z2", False),
        ("29AACCC6366P1Z1", False),  # two digits changed places
        ("29AACC6636P1Z1", False),  # as the ruling writes it the second time: a letter is missing
        ("28ABCDE1234F1ZY", False),  # Andhra Pradesh before it was parted: now it is 37
        ("29abcde1234f1zw", False),
        ("29ABCDE1234F1ZW ", False),
        ("29ABCDE1234F1Z", False),
        ("abc", False),
    ],
)
def test_a_gstin_begins_with_a_state(number: str, is_one: bool) -> None:
    assert is_gstin(number) is is_one


@pytest.mark.parametrize(
    ("state", "tax"),
    [(" chandigarh", "UTGST"), ("Ladakh", "UTGST"), ("Delhi", "SGST"), ("Puducherry", "SGST"), ("", "SGST")],
)
def test_what_is_beside_cgst(state: str, tax: str) -> None:
    assert beside_cgst(state) == tax


def test_a_gstin_says_its_state() -> None:
    assert state_of("33AABCK4567Q1Z1") == "Tamil Nadu"
