"""What lives side by side ends together, and a cancellation is never forgotten."""

import asyncio

import pytest

from simulator.side_by_side import side_by_side


async def for_ever(gone: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        gone.append("gone")


async def fail_when(event: asyncio.Event) -> None:
    await event.wait()
    raise OSError("the line is gone")


async def test_the_first_end_ends_the_others():
    gone, event = [], asyncio.Event()
    event.set()
    with pytest.raises(OSError, match="line"):
        await side_by_side(for_ever(gone), fail_when(event))
    assert gone == ["gone"]


async def test_a_cancellation_that_arrives_with_a_failure_still_cancels():
    gone, event, went_on = [], asyncio.Event(), []

    async def live() -> None:
        while True:
            try:
                await side_by_side(for_ever(gone), fail_when(event))
            except OSError:
                went_on.append(True)
                await asyncio.Event().wait()

    life = asyncio.create_task(live())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    event.set()
    await asyncio.sleep(0)
    life.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await life
    assert gone == ["gone"]
