"""Whether the gateway seems to be there, so that nobody begins a payment that nobody answers (payments.md 1.7)."""

import time
from collections.abc import Callable

SILENCES = 5
"""Calls in a row without an answer, after which no new payment is begun."""
REST_S = 30.0
"""Seconds after the last silence; then one new payment or refund is let through as a probe, and one more after each
further pause. Any answer, to a poll too, closes the breaker."""


class Breaker:
    """What the calls of one process found; forgotten with it."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.silences = 0
        self.silent_at = 0.0

    def silent(self) -> None:
        self.silences += 1
        self.silent_at = self._monotonic()

    def answered(self) -> None:
        self.silences = 0

    @property
    def open(self) -> bool:
        return self.silences >= SILENCES and self._monotonic() < self.silent_at + REST_S

    def lets_through(self) -> bool:
        """Whether something new may be begun; after a pause, asking this uses the one probe up."""
        if self.open:
            return False
        if self.silences >= SILENCES:
            self.silent_at = self._monotonic()
        return True
