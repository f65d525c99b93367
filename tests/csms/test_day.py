"""A short simulated day; the long one is `python -m bench.day` (bench/README.md)."""

import pytest

from bench.day import day


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_short_day_ends_with_clean_books(database_url: str) -> None:
    """Faults, lost lines, repeated messages, wrong clocks: every charge has one bill, and nothing is left behind."""
    report = await day(database_url, count=12, seconds=8, seed=7, workers=2)
    assert report.wrong == []
    assert report.billed >= 3
    assert report.unended == 0
    assert sum(report.happened.values()) > 30
