"""Names: however they are typed, each has one spelling, and look-alikes have none."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import identity
from domain.identity import Unusable


@pytest.mark.parametrize(
    "typed",
    [
        "9845012345",
        "09845012345",
        "+919845012345",
        "919845012345",
        "+91 98450 12345",
        "98450-12345",
        "(+91) 98450 12345",
        "0091 9845012345",
        " 98450 12345 ",
        "९८४५०१२३४५",
        "９８４５０１２３４５",
        "98450\u00a012345",
        "\u202a+91 98450 12345\u202c",
        "\u200e98450 12345",
    ],
)
def test_one_phone_has_one_spelling(typed: str) -> None:
    assert identity.phone(typed) == "+919845012345"


@pytest.mark.parametrize("typed", ["8765611597", "7607598386", "8577218518", "6201234567", "7000000001"])
def test_every_series_of_mobile_numbers_is_taken(typed: str) -> None:
    """Of the series 7 and 8 the library itself is not sure of every third number."""
    assert identity.phone(typed) == f"+91{typed}"
    assert identity.login(typed) == ("phone", f"+91{typed}")
    with pytest.raises(Unusable, match="letter"):
        identity.username(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "98450",
        "1234567890",
        "5876543210",
        "+14155552671",
        "080 2222 3333",
        "1800 180 1234",
        "9845012345;ext=5",
        "9845012345 x5",
        "call 9845012345",
        "98450\u200b12345",
        "9845012345\x00",
        "9" * 10_000,
        None,
        9845012345,
        ["9845012345"],
    ],
)
def test_what_is_no_indian_mobile_number_is_refused(typed: object) -> None:
    with pytest.raises(Unusable, match="Indian mobile number"):
        identity.phone(typed)


@pytest.mark.parametrize(
    ("typed", "name"), [("Asha", "asha"), (" ASHA_1 ", "asha_1"), ("ａｓｈａ", "asha"), ("\u212airan", "kiran")]
)
def test_one_username_has_one_spelling(typed: str, name: str) -> None:
    assert identity.username(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ab",
        "a" * 31,
        "a" * 10_240,
        "<script>",
        "аsha",
        "as\u200bha",
        "as ha",
        "as\x00ha",
        "a\r\nb",
        "o'asha",
        None,
        7,
    ],
)
def test_look_alikes_and_markup_are_no_usernames(typed: object) -> None:
    with pytest.raises(Unusable, match="3 to 30"):
        identity.username(typed)


@pytest.mark.parametrize("typed", ["9845012345", "09845012345", "919845012345", "123", "42_00", "___"])
def test_nobody_can_be_called_like_another_ones_phone_or_number(typed: str) -> None:
    with pytest.raises(Unusable, match="needs a letter"):
        identity.username(typed)


def test_who_was_called_by_a_number_before_still_signs_in_by_it() -> None:
    assert identity.login("4200") == ("username", "4200")


@given(st.text(alphabet=string.ascii_letters + string.digits + "_", min_size=3, max_size=30))
def test_a_username_is_its_own_spelling(typed: str) -> None:
    try:
        name = identity.username(typed)
    except Unusable:
        return
    assert identity.username(name) == name == typed.lower()


@given(st.text())
def test_whatever_is_typed_becomes_plain_text_or_is_refused(typed: str) -> None:
    column, spelling = identity.login(typed)
    assert column in ("username", "phone")
    assert set(spelling) <= set(string.ascii_lowercase + string.digits + "_+")


@pytest.mark.parametrize("typed", ["asha@example.in", " a.b+c@sub.example.co.in ", ""])
def test_an_address_that_could_get_mail_is_taken(typed: str) -> None:
    assert identity.email(typed) == typed.strip()


@pytest.mark.parametrize(
    "typed",
    [
        "asha",
        "asha@",
        "asha@localhost",
        "@example.in",
        "a b@example.in",
        "a@b@example.in",
        "a@example.in\r\nBcc: x@example.in",
        "<a@example.in>",
        "a@-example.in",
        "a@example..in",
        "a\x00@example.in",
        "a" * 65 + "@example.in",
        "a@" + "b." * 130 + "in",
    ],
)
def test_what_could_get_no_mail_is_refused(typed: str) -> None:
    with pytest.raises(Unusable, match="e-mail"):
        identity.email(typed)


def test_a_login_names_a_phone_or_a_username() -> None:
    assert identity.login("98450 12345") == ("phone", "+919845012345")
    assert identity.login("Asha") == ("username", "asha")
    assert identity.login("' OR 1=1 --") == ("username", "")
