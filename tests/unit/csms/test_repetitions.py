"""How long an answer is given again; that it is, is in tests/csms/test_messages.py and test_fast.py."""

from types import SimpleNamespace

import pytest

from csms import repetitions
from csms.repetitions import Repetitions


@pytest.mark.parametrize(
    ("action", "seconds"),
    [("Heartbeat", 10), ("BootNotification", 10), ("Authorize", 10), ("StartTransaction", 300), ("MeterValues", 300)],
)
def test_what_is_true_for_a_moment_is_answered_anew(monkeypatch: pytest.MonkeyPatch, action: str, seconds: int) -> None:
    """Q15: a charger that gives every message the same id asks anew; a time, or a card's standing, has changed."""
    clock = SimpleNamespace(at=1_000.0)
    monkeypatch.setattr(repetitions, "time", SimpleNamespace(monotonic=lambda: clock.at))
    given = Repetitions()
    given.remember("1", "asked", "answered")
    clock.at += seconds - 1
    assert given.answer("1", action, "asked") == "answered"
    clock.at += 2
    assert given.answer("1", action, "asked") is None


def test_a_state_is_told_anew_each_time() -> None:
    """Q15: one that goes Charging, Available, Charging under ids that come again says something new."""
    given = Repetitions()
    given.remember("1", "asked", "answered")
    assert given.answer("1", "StatusNotification", "asked") is None
