"""When a gateway is asked about an order: PhonePe's own checklist, then a slow tail (payments.md 1.4)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

FIRST = timedelta(seconds=22)
"""After the order was placed; the checklist says 20 to 25 s."""
STEPS = ((3, 10), (6, 10), (10, 6), (30, 2))
"""Then: (interval in seconds, number of asks)."""
STEADY = timedelta(minutes=1)
"""After them, until the order expires."""
GRACE = timedelta(seconds=30)
"""The checklist's last ask comes so long after the expiry."""
TAIL = tuple(timedelta(minutes=m) for m in (5, 30, 2 * 60, 6 * 60, 24 * 60, 72 * 60))
"""After the expiry: UPI money can land late."""
REFUND = tuple(timedelta(minutes=m) for m in (0.25, 0.5, 1, 2, 5, 15, 30, 60, 2 * 60, 6 * 60, 12 * 60))
"""After a refund was requested; then daily until it has ended, since banks take days."""
DAILY = timedelta(days=1)


def schedule(placed_at: datetime, expires_at: datetime) -> Iterator[datetime]:
    """Every moment at which to ask, unless an answer ends the asking before."""
    at = placed_at + FIRST
    for seconds, times in STEPS:
        for _ in range(times):
            if at <= expires_at:
                yield at
            at += timedelta(seconds=seconds)
    while at <= expires_at:
        yield at
        at += STEADY
    yield expires_at + GRACE
    yield from tail(expires_at)


def tail(expires_at: datetime) -> Iterator[datetime]:
    """The late asks only, for an order that has failed and may still succeed (R14)."""
    return (expires_at + late for late in TAIL)


def next_ask(placed_at: datetime, expires_at: datetime, after: datetime) -> datetime | None:
    """The first moment of the schedule after `after`; None when it has ended."""
    return next((at for at in schedule(placed_at, expires_at) if at > after), None)


def next_late(expires_at: datetime, after: datetime) -> datetime | None:
    """The first moment of the tail after `after`; None when it has ended."""
    return next((at for at in tail(expires_at) if at > after), None)


def next_refund_ask(requested_at: datetime, after: datetime) -> datetime:
    """The first moment after `after` at which to ask about a refund."""
    days = max(0, (after - requested_at) // DAILY) + 1
    early = (requested_at + age for age in REFUND)
    return next((at for at in early if at > after), requested_at + days * DAILY)
