"""What strangers cause is held back."""

from domain.throttle import Sparingly


def test_what_strangers_cause_fills_no_log() -> None:
    moment = [0.0]
    sparingly = Sparingly(3, lambda: moment[0])
    assert [sparingly.once_more() for _ in range(5)] == [True] * 3 + [False] * 2
    moment[0] = 61.0
    assert sparingly.once_more()
    assert [sparingly.left_out(), sparingly.left_out()] == [2, 0]
