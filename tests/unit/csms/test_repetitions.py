"""How long an answer is given again; that it is, is in tests/csms/test_messages.py and test_fast.py."""

from types import SimpleNamespace

import pytest

from csms import repetitions
from csms.repetitions import REMEMBERED, Repetitions


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


def test_only_the_very_message_has_its_answer_again() -> None:
    """Q15: the same id with another text is another message, and 17 is not "17"; both paths remember here."""
    given = Repetitions()
    given.remember("17", "₹ asked", "answered")
    assert given.answer("17", "StartTransaction", "asked otherwise") is None
    assert given.answer(17, "StartTransaction", "₹ asked") is None
    assert given.answer("17", "StartTransaction", "₹ asked".encode()) == "answered"
    given.remember(17, "₹ asked", "answered as a number")
    assert given.answer("17", "StartTransaction", "₹ asked") == "answered"
    given.remember("[17]", "asked", "answered")
    assert given.answer([17], "StartTransaction", "asked") is None


def test_the_oldest_answer_goes_first() -> None:
    """An id that comes again is the newest."""
    given = Repetitions()
    for number in (*range(REMEMBERED - 1), 0, REMEMBERED - 1, REMEMBERED):
        given.remember(str(number), "asked", "answered")
    left = [id_ for id_ in map(str, range(REMEMBERED + 1)) if given.answer(id_, "MeterValues", "asked")]
    assert left == ["0", *map(str, range(2, REMEMBERED + 1))]
