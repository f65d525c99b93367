"""A sandbox with nothing bought in it."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.simulator.phonepe.desk import Desk


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    async with desk.http:
        await desk.authorize()
        yield desk
