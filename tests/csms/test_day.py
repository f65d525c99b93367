"""A short simulated day; the long one is `python -m bench.day` (bench/README.md)."""

import pytest

from bench.day import day
from domain import sweeper


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_short_day_ends_with_clean_books(database_url: str) -> None:
    """Faults, lost lines, repeated messages, wrong clocks: every charge has one bill, and nothing is left behind."""
    report = await day(database_url, count=12, seconds=8, seed=7, workers=2)
    assert report.wrong == []
    assert report.billed >= 3
    assert report.unended == 0
    assert sum(report.happened.values()) > 30


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_house_that_breaks_during_the_day_is_no_good_day(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(sweeper, "sweep_charges", broken)
    report = await day(database_url, count=1, seconds=2, seed=7, workers=1)
    assert "OSError('the disk is gone')" in " ".join(report.wrong)
