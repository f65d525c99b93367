"""A beat writes down what is news: thousands of clocks that go right are none."""

from datetime import datetime
from typing import Any

import pytest

from csms import health as noting
from csms.health import MOVED_MS, Health
from domain import health


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, int | None]]:
    batches: list[dict[str, int | None]] = []

    async def transact(_work: Any, noted: dict[str, health.Noted], _at: datetime) -> None:
        batches.append({name: seen.clock_skew_ms for name, seen in noted.items()})
        if None in batches[-1].values():
            raise OSError("the database is gone")

    monkeypatch.setattr(noting, "transact", transact)
    return batches


async def test_a_clock_is_written_down_when_it_has_moved(written: list[dict[str, int | None]]) -> None:
    noted = Health()
    for skew in (None, 40, 40 + MOVED_MS - 1, 40 - MOVED_MS + 1, 40 + MOVED_MS, 50 + MOVED_MS, 0):
        noted.clock("A", skew)
        await noted.write()
    assert written == [{"A": 40}, {"A": 40 + MOVED_MS}, {"A": 0}]


async def test_a_clock_that_was_not_kept_is_told_again(written: list[dict[str, int | None]]) -> None:
    noted = Health()
    noted.clock("A", 40)
    noted.count("B", "connects")
    with pytest.raises(OSError, match="gone"):
        await noted.write()
    noted.clock("A", 40)
    await noted.write()
    assert written[1:] == [{"A": 40}]
