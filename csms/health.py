"""Gathers what is seen of each charger's health between two beats; domain/health.py keeps it."""

from datetime import datetime

from domain import health
from domain.db import transact
from domain.models import now

MOVED_MS = 1_000
"""A clock that moved by less is no news: each one does by some milliseconds, and there are thousands."""
MOST = 10_000
"""Chargers counted in one beat, so that a stranger who knocks under a thousand names a second fills no memory."""


class Health:
    """The figures since the last beat."""

    def __init__(self) -> None:
        self._noted: dict[str, health.Noted] = {}
        self._skews: dict[str, int] = {}
        """Of the clocks, as they were noted last."""

    def count(self, charger_id: str, what: str) -> None:
        """One more of `domain.health.COUNTS`."""
        if seen := self._of(charger_id):
            setattr(seen, what, getattr(seen, what) + 1)

    def protocol_error(self, charger_id: str, sentence: str) -> None:
        """It sent what is no OCPP-J, or no websocket."""
        if seen := self._of(charger_id):
            seen.protocol_errors += 1
            seen.last_protocol_error, seen.last_protocol_error_at = sentence, now()

    def boot_loop(self, charger_id: str, at: datetime) -> None:
        """Its set-up is left alone."""
        if seen := self._of(charger_id):
            seen.boot_loop_at = at

    def clock(self, charger_id: str, skew_ms: int | None) -> None:
        """How far its clock is ahead of ours, if that was seen and is news."""
        known = self._skews.get(charger_id)
        if skew_ms is None or (known is not None and abs(skew_ms - known) < MOVED_MS):
            return
        if seen := self._of(charger_id):
            seen.clock_skew_ms = self._skews[charger_id] = skew_ms

    async def write(self) -> None:
        """Keep what was seen; what cannot be kept now is kept with the next beat."""
        if self._noted:
            noted, self._noted = self._noted, {}
            try:
                await transact(health.add, noted, now())
            except Exception:
                meanwhile, self._noted = self._noted, noted
                for charger_id, later in meanwhile.items():
                    if earlier := self._of(charger_id):
                        earlier.add(later)
                raise

    def _of(self, charger_id: str) -> health.Noted | None:
        if charger_id in self._noted or len(self._noted) < MOST:
            return self._noted.setdefault(charger_id, health.Noted())
        return None
