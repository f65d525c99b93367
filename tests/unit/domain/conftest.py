"""The desk of chargers and drivers, for tests of the rules that are not about money alone; and a bus with patience."""

import pytest

from domain import redis_bus
from tests.money.conftest import clock, desk

__all__ = ["clock", "desk"]


@pytest.fixture(autouse=True)
def a_machine_that_halts_for_seconds_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis is there unless a test takes it away, and then its port refuses at once."""
    monkeypatch.setattr(redis_bus, "PATIENCE_S", 10.0)
