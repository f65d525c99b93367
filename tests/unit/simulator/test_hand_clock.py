"""The clock that tests move by hand."""

import asyncio
from datetime import timedelta

import pytest

from simulator.clock import HandClock, WallClock, within


async def test_sleepers_wake_in_order_each_at_its_own_moment(clock):
    start, woken = clock.now(), []

    async def sleeper(name: str, *naps: float) -> None:
        for nap in naps:
            await clock.sleep(nap)
            woken.append((name, (clock.now() - start).total_seconds()))

    async with asyncio.TaskGroup() as sleepers:
        sleepers.create_task(sleeper("slow", 5))
        sleepers.create_task(sleeper("quick", 2, 2, 2))
        await clock.advance(4.5)
        assert woken == [("quick", 2), ("quick", 4)]
        await clock.advance(10)
        assert woken[2:] == [("slow", 5), ("quick", 6)]
    assert clock.now() == start + timedelta(seconds=14.5)


async def test_work_within_a_time_gives_its_result_or_is_cancelled(clock):
    assert await within(clock, 5, asyncio.sleep(0, "done")) == "done"
    never = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(within(clock, 5, never))
    await clock.advance(4)
    assert not waiting.done()
    await clock.advance(1)
    with pytest.raises(TimeoutError, match="5 s"):
        await waiting
    assert never.cancelled()


async def test_a_sleeper_that_gave_up_does_not_stop_the_clock(clock):
    sleeper = asyncio.create_task(clock.sleep(1))
    await clock.advance(0)
    sleeper.cancel()
    await clock.advance(2)
    assert sleeper.cancelled()


def test_both_clocks_are_aware():
    assert WallClock().now().utcoffset() == HandClock().now().utcoffset() == timedelta(0)
