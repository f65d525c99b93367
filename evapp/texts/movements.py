"""What a movement of the wallet is called, on its page and on its statements."""

from domain.wallet import Line
from evapp.texts import t

WORDS = {
    ("recharge", False): t("Added"),
    ("recharge", True): t("Added, taken for what you owed"),
    ("charging", False): t("Paid"),
    ("charging", True): t("Owed"),
    ("refund", False): t("Refunded"),
    ("refund", True): t("Back, taken for what you owed"),
    ("adjustment", False): t("Adjusted"),
}
"""By its kind and whether it is one of arrears."""

REFERRED = ("recharge", "charging", "refund")
"""Kinds whose reference means something to a driver, or to the gateway's support."""


def word(line: Line) -> str:
    """What happened, in a word."""
    returned = line.kind == "charging" and line.amount_paise > 0
    return WORDS[("refund", False)] if returned else WORDS.get((line.kind, line.arrears), WORDS[("adjustment", False)])


def reference(line: Line) -> str:
    """What to name when asking about it."""
    return line.ref if line.kind in REFERRED else ""
