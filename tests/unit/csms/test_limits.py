"""What is counted of handshakes, sockets and messages; what comes of it at the port is in tests/csms/test_limits.py."""

from types import SimpleNamespace

import pytest

from csms import limits
from csms.limits import Attempts, Crowd, Limits, Pulse
from domain.throttle import WINDOW_S


def test_each_window_has_its_own_count() -> None:
    """The next one has a limit, too."""
    clock = SimpleNamespace(at=0.0)
    attempts = Attempts(Limits(wrong_of_address=2), lambda: clock.at)
    for window in range(3):
        clock.at = window * (WINDOW_S + 1)
        for _ in range(2):
            assert attempts.hears("203.0.113.9")
            attempts.refused("203.0.113.9", "RAW-1")
        assert not attempts.hears("203.0.113.9"), window


def test_a_proxy_of_ours_has_no_refusals_to_use_up() -> None:
    """What it asks for itself, without saying for whom."""
    attempts = Attempts(Limits(wrong_of_address=2))
    for number in range(9):
        attempts.refused("", f"NEW-{number}")
    assert attempts.hears("")


def test_a_list_of_ever_new_names_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fills no memory."""
    monkeypatch.setattr(limits, "MOST", 3)
    attempts = Attempts(Limits(wrong_of_address=1))
    attempts.refused("203.0.113.9", "RAW-1")
    assert not attempts.hears("203.0.113.9")
    attempts.refused("203.0.113.9", "RAW-2")
    attempts.refused("203.0.113.9", "RAW-3")
    assert attempts.hears("203.0.113.9")


def test_sockets_without_an_address_count_in_the_total_alone() -> None:
    crowd = Crowd(Limits(total=3, of_address=1))
    assert [crowd.enter("") for _ in range(4)] == [True, True, True, False]
    crowd.leave("")
    assert [crowd.enter("203.0.113.9"), crowd.enter("203.0.113.9")] == [True, False]


def test_a_quiet_night_saves_up_no_more_than_one_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(at=1_000.0)
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: clock.at))
    most = Limits(rate=10, burst=100)
    pulse = Pulse(most)
    clock.at += 8 * 3_600
    assert pulse.owed(most) == 0
    pulse.left -= 150
    assert pulse.owed(most) == 5.0
    clock.at += 5
    assert pulse.owed(most) == 0
