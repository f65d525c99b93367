"""What a scene of a charge tells the oracle, and how most of them end."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from tests.money.charges import METER, Desk

KWH = 1_800
"""Paise."""


class Told(NamedTuple):
    """What the model says of a scene."""

    used: int
    """Paise that the driver's charges cost in all."""
    reads: str
    """A sentence that he reads, as far as it matters; empty where the scene has asserted it."""
    again: tuple[Callable[[], object], ...] = ()
    """Events that come once more, and must change nothing."""


def ended(desk: Desk, session_id: int, wh: int = 2_000, **how: object) -> tuple[Callable[[], object], ...]:
    """The charge stops at this many Wh; gives the stop, to come again."""
    stop = partial(desk.stop, session_id, METER + wh, **how)
    stop()
    return (stop,)
