"""A beat writes down what is news: thousands of clocks that go right are none."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from csms import health as noting
from csms.health import MOVED_MS, Health
from domain.health import COUNTS, Noted
from domain.models import now


class Written(list[dict[str, Noted]]):
    """What each beat wrote."""

    meanwhile: Callable[[], None] | None = None
    """Happens while the database fails."""


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    batches = Written()

    async def transact(_work: Any, noted: dict[str, Noted], _at: datetime) -> None:
        if batches.meanwhile is not None:
            batches.meanwhile()
            raise OSError("the database is gone")
        batches.append(noted)

    monkeypatch.setattr(noting, "transact", transact)
    return batches


async def fail(noted: Health, written: Written, meanwhile: Callable[[], None]) -> None:
    written.meanwhile = meanwhile
    with pytest.raises(OSError, match="gone"):
        await noted.write()
    written.meanwhile = None


async def test_a_clock_is_written_down_when_it_has_moved(written: Written) -> None:
    noted = Health()
    for skew in (None, 40, 40 + MOVED_MS - 1, 40 - MOVED_MS + 1, 40 + MOVED_MS, 50 + MOVED_MS, 0):
        noted.clock("A", skew)
        await noted.write()
    assert [batch["A"].clock_skew_ms for batch in written] == [40, 40 + MOVED_MS, 0]


async def test_what_could_not_be_kept_is_kept_with_the_next_beat(written: Written) -> None:
    noted, at = Health(), now()

    def meanwhile() -> None:
        noted.count("A", "connects")
        noted.count("A", "boots")
        noted.protocol_error("A", "second")
        noted.clock("A", 0)
        noted.count("C", "refused")

    noted.clock("A", 5_000)
    noted.clock("B", 40)
    noted.count("A", "connects")
    noted.protocol_error("A", "first")
    noted.protocol_error("B", "only")
    noted.boot_loop("A", at)
    await fail(noted, written, meanwhile)
    noted.count("B", "repairs")
    noted.clock("B", 40)
    await fail(noted, written, lambda: noted.count("B", "repairs"))
    await noted.write()
    await noted.write()
    (batch,) = written
    assert {name: [getattr(seen, count) for count in COUNTS] for name, seen in batch.items()} == {
        "A": [2, 1, 0, 0, 0, 2],
        "B": [0, 0, 2, 0, 0, 1],
        "C": [0, 0, 0, 0, 1, 0],
    }
    of_a, of_b = batch["A"], batch["B"]
    assert (of_a.last_protocol_error, of_a.clock_skew_ms, of_a.boot_loop_at) == ("second", 0, at)
    assert (of_b.last_protocol_error, of_b.clock_skew_ms, of_b.boot_loop_at) == ("only", 40, None)


async def test_what_waits_for_the_database_has_an_end(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noting, "MOST", 2)
    noted = Health()

    def meanwhile() -> None:
        for name in ("B", "C"):
            noted.count(name, "connects")

    for name in ("A", "B"):
        noted.count(name, "connects")
    await fail(noted, written, meanwhile)
    await noted.write()
    (batch,) = written
    assert {name: seen.connects for name, seen in batch.items()} == {"A": 1, "B": 2}
