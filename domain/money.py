"""Rupees as whole paise: the one parser of what people type, and the arithmetic of energy and tax."""

import re

from domain.sentences import Sentence

_TYPED = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,2}))?")


class AmountError(ValueError):
    """What was typed is not an amount; the argument is a sentence for whoever typed it."""


def parse_rupees(typed: object) -> int:
    """Paise from typed rupees: "500" or "500.50", ASCII digits only (payments.md 2.3).

    Up to twelve digits of rupees are read, so that whoever typed too many hears of the most: each caller has its own.

    Raises:
        AmountError: for anything else: signs, exponents, commas, other scripts' digits, a third decimal.
    """
    match = _TYPED.fullmatch(typed) if isinstance(typed, str) else None
    if match is None:
        raise AmountError(Sentence("Enter the amount in digits, like 750 or 750.50."))
    rupees, paise = match.groups(default="")
    return int(rupees) * 100 + int(paise.ljust(2, "0"))


def cost(wh: int, paise_per_kwh: int) -> int:
    """Paise for energy, rounded half up from whole watt-hours, never from displayed kWh (payments.md 2.6)."""
    return (wh * paise_per_kwh + 500) // 1000


def energy_for(paise: int, paise_per_kwh: int) -> int:
    """The most Wh whose cost does not exceed `paise`; a free tariff has no such limit.

    Raises:
        ZeroDivisionError: for a tariff of 0.
    """
    return (paise * 1000 + 499) // paise_per_kwh


def seconds_for(wh: int, power_w: int) -> int:
    """The whole seconds, rounded up, in which so much energy flows at a steady power; 0 for less than nothing.

    Raises:
        ZeroDivisionError: for a power of 0.
    """
    return -(-max(0, wh) * 3600 // power_w)


def gst_within(paise: int, basis_points: int) -> int:
    """The tax inside a price that includes it, rounded half up: 118.00 at 1800 holds 18.00 (payments.md 2.6)."""
    whole = 10_000 + basis_points
    return (2 * paise * basis_points + whole) // (2 * whole)


def plain_rupees(paise: int) -> str:
    """₹1,23,456.50 with Indian groups, for sentences made in the domain."""
    sign = "-" if paise < 0 else ""
    rupees, rest = divmod(abs(paise), 100)
    head, tail = divmod(rupees, 1000)
    groups = [f"{tail:03d}"] if head else [str(tail)]
    while head:
        head, pair = divmod(head, 100)
        groups.insert(0, f"{pair:02d}" if head else str(pair))
    return f"{sign}₹{','.join(groups)}.{rest:02d}"


def plain_kwh(wh: int) -> str:
    """12.345, likewise."""
    return f"{wh // 1000}.{wh % 1000:03d}"
