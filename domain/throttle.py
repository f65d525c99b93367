"""What strangers can cause is logged a few times a minute at most, so that a flood of it fills no log."""

import time
from collections.abc import Callable

WINDOW_S = 60.0


class Sparingly:
    """Says whether one more line may be written, and counts those left out."""

    def __init__(self, most: int = 30, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._said, self._ends = 0, clock() + WINDOW_S
        self._left_out = 0

    def once_more(self) -> bool:
        """Whether it may be written now."""
        if self._clock() > self._ends:
            self._said, self._ends = 0, self._clock() + WINDOW_S
        self._said += 1
        self._left_out += self._said > self._most
        return self._said <= self._most

    def left_out(self) -> int:
        """How many lines were left out since this was asked last."""
        count, self._left_out = self._left_out, 0
        return count
