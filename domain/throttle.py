"""What strangers can cause is done so often in a minute, and no oftener: a flood of it fills no log."""

import time
from collections.abc import Callable

WINDOW_S = 60.0


class Sparingly:
    """Lets a thing that strangers can cause be said so often in a minute, and no oftener."""

    def __init__(self, most: int = 30, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._said, self._ends = 0, clock() + WINDOW_S
        self._left_out = 0

    def once_more(self) -> bool:
        """Whether it may be said now."""
        if self._clock() > self._ends:
            self._said, self._ends = 0, self._clock() + WINDOW_S
        self._said += 1
        self._left_out += self._said > self._most
        return self._said <= self._most

    def left_out(self) -> int:
        """How often it was not said since this was asked."""
        count, self._left_out = self._left_out, 0
        return count
