"""The wiring: what runs beside the pages is heard of when it fails, and does not outlive them."""

import asyncio

import pytest
from structlog.testing import capture_logs

from evapp.evapp import _beside


async def test_what_fails_beside_the_pages_is_told_at_once() -> None:
    async def fails() -> None:
        raise ValueError("nobody thought of this")

    with capture_logs() as lines:
        async with _beside(fails()):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert [line["event"] for line in lines] == ["a task of the app failed"]


async def test_nothing_runs_on_when_the_house_falls() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def runs() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(ValueError):
        async with _beside(runs()):
            await begun.wait()
            raise ValueError
    assert ended.is_set()
