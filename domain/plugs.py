"""What a plug's kind says of its current, and the most that it can give."""

import re

MOST_W = 1_000_000
MOST_AC_W = 44_000
"""What the largest plug for AC carries, 63 A on three phases of 400 V (IEC 62196-2), as nameplates round it."""
SLOWEST_DC_W = 25_000
"""A connector of which only the power is known is taken for direct current from here on."""
DIRECT = ("CCS", "CHADEMO", "DC")
"""What the kinds of connectors for direct current contain."""
_ALTERNATING = re.compile(r"\b(AC|TYPE ?[12])\b")
"""What a kind has that is for alternating current for certain, where it has none of DIRECT."""


def is_direct(kind: str, nameplate_w: int) -> bool:
    """Whether a connector of this kind and power gives direct current, as far as they tell."""
    if not kind:
        return nameplate_w >= SLOWEST_DC_W
    return any(word in kind.upper() for word in DIRECT)


def beyond(kind: str, power_w: int) -> str:
    """The sentence for an operator who says that a connector of this kind gives more than it can; empty otherwise."""
    alternating = not is_direct(kind, 0) and _ALTERNATING.search(kind.upper())
    most_w = MOST_AC_W if alternating else MOST_W
    if power_w <= most_w:
        return ""
    plug = f"A plug of kind {kind}" if kind else "A plug"
    return f"{plug} gives at most {most_w // 1000} kW: check its power, or its kind."
