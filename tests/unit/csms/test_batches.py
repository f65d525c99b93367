"""Group commit: what gathers while a batch is written is the next batch, and a bad item harms only itself."""

import asyncio
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from csms.batches import Batches


async def test_what_gathers_is_written_together() -> None:
    gate, written = asyncio.Event(), list[list[int]]()

    async def write(items: Sequence[int]) -> int:
        written.append(list(items))
        await gate.wait()
        return len(written)

    batches = Batches(write, "items")
    futures = [batches.add(1)]
    await asyncio.sleep(0)
    futures += [batches.add(number) for number in (2, 3, 4)]
    gate.set()
    assert await asyncio.gather(*futures) == [1, 2, 2, 2]
    assert written == [[1], [2, 3, 4]]
    await batches.finished()
    assert await batches.add(5) == 3


async def test_an_item_that_cannot_be_written_harms_only_itself() -> None:
    async def write(items: Sequence[int]) -> None:
        if 13 in items:
            raise ValueError("unlucky")

    batches = Batches(write, "items")
    good, bad, late = batches.add(1), batches.add(13), batches.add(2)
    with pytest.raises(ValueError):
        await bad
    await asyncio.gather(good, late)


async def test_somebody_who_waits_no_more_stops_nobody() -> None:
    async def write(items: Sequence[int]) -> None:
        await asyncio.sleep(0)

    batches = Batches(write, "items")
    gone, waiting = batches.add(1), batches.add(2)
    gone.cancel()
    with capture_logs() as lines:
        await waiting
        await batches.finished()
    assert lines == [], "nothing failed"


async def test_somebody_who_fails_when_told_leaves_nobody_waiting() -> None:
    async def write(items: Sequence[int]) -> None:
        await asyncio.sleep(0)

    def broken(_given: object, _error: Exception | None) -> None:
        raise RuntimeError("out of luck")

    batches = Batches(write, "items")
    batches.hand(1, broken)
    async with asyncio.timeout(5):
        await batches.add(2)
        await batches.finished()


async def test_who_finishes_does_not_linger() -> None:
    """A batch that gathers for a while is written at once when the process ends."""
    written = list[int]()

    async def write(items: Sequence[int]) -> None:
        written.extend(items)

    batches = Batches(write, "items", linger_s=3_600)
    batches.add(1)
    async with asyncio.timeout(5):
        await batches.finished()
    assert written == [1]
