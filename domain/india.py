"""The time of India: one zone and no summer time, so that no zone database is needed."""

from datetime import UTC, datetime, timedelta, timezone

OFFSET_S = 19_800
"""Seconds that India is ahead of UTC."""
INDIA = timezone(timedelta(seconds=OFFSET_S), "IST")
DAY_MINUTES, DAY_S = 1_440, 86_400
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


def in_our_years(at: datetime) -> datetime:
    """In UTC; a time beyond what databases keep and India's clocks can show is the first or the last that they do."""
    try:
        return min(max(at.astimezone(UTC), EARLIEST), LATEST)
    except OverflowError:
        return EARLIEST if at.year < 5000 else LATEST
