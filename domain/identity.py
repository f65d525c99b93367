"""What people are called: a username, an Indian mobile number, an e-mail address, a number; each in one spelling."""

import re
import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from domain.sentences import Sentence

LONGEST = 100
"""Characters of a typed name that are worth reading."""
MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
"""Of the series 7 and 8 the library takes every third number for one that a landline could have as well; landlines that
are no mobile number for sure stay out (payments.md 2.8)."""
MARKS = dict.fromkeys((0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Of direction: phones copy a contact's number between two of them, and nobody sees them."""
_LETTER = re.compile(r"[a-z]")
_USERNAME = re.compile(r"[a-z0-9_]{3,30}")
_DIALLED = re.compile(r"\(?[+＋]?[\d\s().\-‐-―]{8,40}")
"""How numbers are typed; letters and extensions, which the library would read too, are not among it."""
_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+"
)
"""What browsers accept in an e-mail field (WHATWG), with a dot in the domain."""


class Unusable(ValueError):
    """What was typed cannot be used; the argument is a sentence for whoever typed it."""


def username(typed: object) -> str:
    """The one spelling of a username: NFKC, case folded, then ASCII letters, digits and underscores.

    Raises:
        Unusable: too short, too long, other characters, or a number, which could be somebody's phone or user number.
    """
    name = _spelled(typed)
    if not name:
        raise Unusable(Sentence("A username has 3 to 30 letters (a to z), digits or underscores."))
    if not _LETTER.search(name):
        raise Unusable(Sentence("A username needs a letter in it: a number could be somebody's phone."))
    return name


def phone(typed: object) -> str:
    """An Indian mobile number in E.164, however it was typed (payments.md 2.8).

    Raises:
        Unusable: not a mobile number of India.
    """
    if number := _mobile(typed):
        return number
    raise Unusable(Sentence("Enter an Indian mobile number: ten digits, with or without +91."))


def email(typed: object) -> str:
    """An e-mail address; empty when none is given.

    Raises:
        Unusable: nothing could be delivered to it.
    """
    address = "" if typed is None else typed.strip() if isinstance(typed, str) else "?"
    if address and not (len(address) <= 254 and _EMAIL.fullmatch(address)):
        raise Unusable(Sentence("This does not look like an e-mail address. Leave it empty if you have none."))
    return address


def login(typed: object) -> tuple[str, str]:
    """What somebody signs in with: the column it names, `username` or `phone`, and its one spelling.

    The spelling is empty when nobody can be called so.
    """
    if number := _mobile(typed):
        return "phone", number
    return "username", _spelled(typed)


def typed_number(typed: str) -> int | None:
    """The number of a user or of a charge, where one was typed."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None


def _spelled(typed: object) -> str:
    name = typed if isinstance(typed, str) and len(typed) <= LONGEST else ""
    name = unicodedata.normalize("NFKC", name).strip().casefold()
    return name if _USERNAME.fullmatch(name) else ""


def _mobile(typed: object) -> str:
    typed = typed[: 2 * LONGEST].translate(MARKS).strip() if isinstance(typed, str) else ""
    if not _DIALLED.fullmatch(typed):
        return ""
    try:
        number = phonenumbers.parse(typed, "IN")
    except NumberParseException:
        return ""
    if not phonenumbers.is_valid_number_for_region(number, "IN") or phonenumbers.number_type(number) not in MOBILE:
        return ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
