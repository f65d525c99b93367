"""A central system that listens, and a clock that waits for the test."""

from collections.abc import AsyncIterator

import pytest

from simulator.clock import HandClock
from tests.unit.simulator.central_system import CentralSystem


@pytest.fixture
async def csms() -> AsyncIterator[CentralSystem]:
    system = CentralSystem()
    async with system.serving():
        yield system


@pytest.fixture
def clock() -> HandClock:
    return HandClock()
