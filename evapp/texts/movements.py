"""What a movement of the wallet is called, on its page and on its statements."""

import re

from domain.sentences import BOOKED, Sentence
from domain.wallet import Line
from evapp.texts import later, t

WORDS = {
    ("recharge", False): later("Added"),
    ("recharge", True): later("Added, taken for what you owed"),
    ("charging", False): later("Paid"),
    ("charging", True): later("Owed"),
    ("refund", False): later("Refunded"),
    ("refund", True): later("Back, taken for what you owed"),
    ("adjustment", False): later("Adjusted"),
}
"""By its kind and whether it is one of arrears."""

REFERRED = ("recharge", "charging", "refund")
"""Kinds whose reference means something to a driver, or to the gateway's support."""


def word(line: Line) -> str:
    """What happened, in a word."""
    returned = line.kind == "charging" and line.amount_paise > 0
    key = ("refund", False) if returned else (line.kind, line.arrears)
    return t(WORDS.get(key, WORDS[("adjustment", False)]))


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
