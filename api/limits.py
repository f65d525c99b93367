"""How much one key may ask: a bucket of requests that fills again, in the memory of this process."""

import math
import time
from collections.abc import Callable

A_SECOND = 20.0
AT_ONCE = 200.0
"""Requests of one key: so many a second, and so many at once after a rest. Each process counts for itself."""


class Buckets:
    """A bucket for each key that was shown; there are as many as there are keys."""

    def __init__(
        self, a_second: float = A_SECOND, at_once: float = AT_ONCE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._a_second, self._at_once, self._clock = a_second, at_once, clock
        self._left: dict[int, tuple[float, float]] = {}

    def wait_s(self, key_id: int) -> int:
        """Take one request out; 0, or the seconds after which there will be one."""
        moment = self._clock()
        left, since = self._left.get(key_id, (self._at_once, moment))
        left = min(self._at_once, left + (moment - since) * self._a_second)
        if left < 1:
            self._left[key_id] = (left, moment)
            return math.ceil((1 - left) / self._a_second)
        self._left[key_id] = (left - 1, moment)
        return 0
