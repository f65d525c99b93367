"""The desk of chargers and drivers, for tests of the rules that are not about money alone."""

from tests.money.conftest import clock, desk

__all__ = ["clock", "desk"]
