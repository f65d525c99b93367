"""What a movement of the wallet is called, on its page and on its statements."""

import re

from domain.sentences import BOOKED, PAID_OWED, Sentence
from domain.story import Line
from evapp.texts import later, t

WORDS = {
    ("recharge", False): later("Added"),
    ("recharge", True): later("Added, taken for what you owed"),
    ("charging", False): later("Paid"),
    ("charging", True): later("Owed"),
    ("owed", False): later("Paid"),
    ("owed", True): later("No longer owed"),
    ("refund", False): later("Refunded"),
    ("refund", True): later("Back, taken for what you owed"),
    ("adjustment", False): later("Adjusted"),
}
"""By its kind, or what it is for, and whether it is one of arrears."""

REFERRED = ("recharge", "charging", "refund")
"""Kinds whose reference means something to a driver, or to the gateway's support."""


def word(line: Line) -> str:
    """What happened, in a word."""
    return t(WORDS.get(_key(line), WORDS[("adjustment", False)]))


def _key(line: Line) -> tuple[str, bool]:
    if line.kind == "charging" and line.description == PAID_OWED:
        return "owed", line.arrears
    returned = line.kind == "charging" and line.amount_paise > 0
    return ("refund", False) if returned else (line.kind, line.arrears)


def described(line: Line) -> str:
    """What the ledger says of it, in the reader's language; an operator's own words stay as they are."""
    for sentence, pattern in _PATTERNS:
        if found := pattern.fullmatch(line.description):
            return t(sentence, **found.groupdict())
    return line.description


def _pattern(sentence: Sentence) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(sentence.key)))


_PATTERNS = [(sentence, _pattern(sentence)) for sentence in BOOKED]


def reference(line: Line) -> str:
    """What to name when asking about it."""
    return line.ref if line.kind in REFERRED else ""
