"""What a charger's times are worth: read as they come, and replaced by ours where its clock cannot be right."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from domain.health import SKEW

MEMORY = timedelta(days=365)
"""How old a queued message may be; before that lies a clock that was never set."""
SAME = timedelta(seconds=5)
"""Ages of messages that differ by no more are alike: chargers round to seconds, and lines are slow."""
SEVERAL, WHILE = 3, timedelta(seconds=10)
"""So many old messages that stay as old for so long are told by a clock that was set back."""


def parsed(text: str | None) -> datetime | None:
    """Any ISO 8601 time, aware; one without a zone is UTC. None where it cannot be read."""
    try:
        time = datetime.fromisoformat(text or "")
        if time.tzinfo is UTC:  # as nearly all come
            return time
    except ValueError:
        pass
    try:
        time = datetime.fromisoformat((text or "").strip().upper())
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def stamp(time: datetime) -> str:
    """How we write a time: UTC, whole seconds, Z. Some chargers refuse anything longer."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Stay(NamedTuple):
    """Old messages that came one after the other and are as old as the first of them."""

    age: timedelta
    since: datetime
    """When the first one came."""
    times: int
    known: timedelta | None
    """How far the clock was behind by what was new before; what is new between them ends this."""


class Clock:
    """One charger's clock, as its messages on one socket show it.

    An old time is either history, sent late, or a slow clock. It is history once the clock has been seen to be right,
    on this socket or on the last one, and where it is younger than the one before: a slow clock stays as far behind. By
    that, one that was right and was set back is known, too.
    """

    def __init__(self) -> None:
        self.right = False
        self._age: timedelta | None = None
        """How far it was behind ours when it last told the time of something new."""
        self._stay: Stay | None = None
        """The old messages that came last."""

    def begins(self, skew_ms: int | None) -> None:
        """The last socket knew that it was so far ahead of ours."""
        self.right = skew_ms is not None and abs(timedelta(milliseconds=skew_ms)) <= SKEW

    @property
    def skew_ms(self) -> int | None:
        """How far it was ahead of ours then."""
        return None if self._age is None else -round(self._age.total_seconds() * 1000)

    def plain(self, text: str, received_at: datetime) -> datetime | None:
        """When it happened by a clock that goes right, or None for `at` to decide."""
        time = parsed(text)
        if time is None:
            return None
        age = received_at - time
        if -SKEW <= age <= SKEW:
            self.right, self._age = True, age
            return time
        return time if self.right and SKEW < age < MEMORY and self._is_history(age, received_at) else None

    def at(self, text: str | None, received_at: datetime, repairs: list[str], *, queued: bool = False) -> datetime:
        """When it happened: the charger's own time if that can be so, else exactly `received_at` (ocpp.md Q27, Q39).

        `queued`: the message is one that chargers keep while offline and by whose time a repetition is known
        (OCPP 1.6, 3.7.1), so an old time is believed.
        """
        time = parsed(text)
        if time is None:
            repairs.append(f"timestamp {(text or 'missing')[:40]!r}, taken as received")
            return received_at
        age = received_at - time
        if -SKEW <= age <= SKEW:
            self.right, self._age = True, age
            return time
        if SKEW < age < MEMORY and (self._is_history(age, received_at) or queued):
            return time
        self._age = age
        repairs.append(f"clock off by {-age.total_seconds():+.0f} s, taken as received")
        return received_at

    def _is_history(self, age: timedelta, received_at: datetime) -> bool:
        before = self._stay
        # Each time of something new makes another `_age`, so the same one means that there was none between.
        if before is None or before.known is not self._age or abs(age - before.age) > SAME:
            self._stay = Stay(age, received_at, 1, self._age)
            return self.right or (before is not None and age < before.age - SAME)
        self._stay = before._replace(times=before.times + 1)
        if self._stay.times >= SEVERAL and received_at - before.since >= WHILE:
            self.right, self._age = False, age
        return self.right
