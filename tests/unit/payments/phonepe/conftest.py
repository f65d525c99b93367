"""The client against the sandbox, without a port."""

from collections.abc import AsyncIterator

import httpx
import pytest

from payments.phonepe import PhonePe
from simulator.phonepe import Sandbox
from tests.unit.payments.phonepe.desk import Clock, phonepe


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(seed=1, hold_s=0)


@pytest.fixture
def clock() -> Clock:
    return Clock(5_000.0)


@pytest.fixture
async def client(sandbox: Sandbox, clock: Clock) -> AsyncIterator[PhonePe]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
        yield phonepe(http, monotonic=clock)
