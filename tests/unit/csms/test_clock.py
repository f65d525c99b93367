"""Which of a charger's times are believed."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from csms.clock import Clock, parsed, stamp

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def at(clock: Clock, seconds: float, *, queued: bool = False) -> tuple[datetime, int]:
    repairs: list[str] = []
    time = clock.at(stamp(NOW + timedelta(seconds=seconds)), NOW, repairs, queued=queued)
    return time, len(repairs)


def test_a_small_difference_is_the_chargers_own_time() -> None:
    for seconds in (-300, -1, 0, 1, 300):
        assert at(Clock(), seconds) == (NOW + timedelta(seconds=seconds), 0)


def test_the_future_is_never_believed() -> None:
    """Q39."""
    assert at(Clock(), 301) == (NOW, 1)
    assert at(Clock(), 301, queued=True) == (NOW, 1)


def test_the_past_is_history_once_the_clock_was_right() -> None:
    """Q27, Q39."""
    clock = Clock()
    assert at(clock, -3600) == (NOW, 1)
    at(clock, -10)
    assert at(clock, -3600) == (NOW - timedelta(hours=1), 0)


def test_the_past_is_history_where_the_clock_was_right_on_the_last_socket() -> None:
    """Q27, Q39."""
    for skew_ms, history in ((None, False), (0, True), (-300_000, True), (-300_001, False), (301_000, False)):
        clock = Clock()
        clock.begins(skew_ms)
        assert clock.skew_ms is None
        assert (at(clock, -3600)[1] == 0) == history, skew_ms
        assert (clock.plain(stamp(NOW - timedelta(hours=1)), NOW) is not None) == history


def test_history_grows_younger_while_it_is_told_and_a_slow_clock_stays_behind() -> None:
    """Q27, Q39: by any number of seconds more than a line may be slow."""
    clock = Clock()
    at(clock, -7200, queued=True)
    for seconds in (-7190, -7180, -3600):
        assert at(clock, seconds) == (NOW + timedelta(seconds=seconds), 0)
    for seconds in (-3600, -3610, -3605, -3600):
        assert at(clock, seconds) == (NOW, 1)


def told(clock: Clock, after: float, behind: float) -> bool:
    """Whether the direct path, or else the lenient one, believes a time told so long after NOW and so far behind."""
    received_at = NOW + timedelta(seconds=after)
    text = stamp(received_at - timedelta(seconds=behind))
    return (clock.plain(text, received_at) or clock.at(text, received_at, [])) != received_at


def test_a_clock_that_was_set_back_is_known_by_what_stays_as_old_while_time_passes() -> None:
    """Q39: by the third message, and ten seconds after the first; then the operator is told."""
    for seconds in ((0, 30, 31), (0, 5, 9, 10), (0, 1, 2, 3, 4, 60)):
        clock = Clock()
        at(clock, 0)
        assert all(told(clock, after, 3600 + after % 2) for after in seconds[:-1])
        assert clock.skew_ms == 0
        assert not told(clock, seconds[-1], 3600)
        assert clock.skew_ms == -3_600_000
        assert not told(clock, 90, 3600)
        at(clock, 0)
        assert told(clock, 120, 3600), "it was right again"


def test_history_does_not_stay_as_old() -> None:
    """Q27: a queue grows younger, what is tried again grows older, and what is of now between shows a right clock."""
    clock = Clock()
    at(clock, 0)
    for second in range(60):
        assert told(clock, second, 7200 - 15 * second)
    for second in range(60, 120, 20):
        assert told(clock, second, 3600 + second)
    for second in range(120, 180, 10):
        assert told(clock, second, 3600)
        at(clock, 0)


def test_what_chargers_queue_is_history() -> None:
    """Q19: its own time is how a repetition is known."""
    assert at(Clock(), -86_400, queued=True) == (NOW - timedelta(days=1), 0)


def test_a_clock_that_was_never_set_is_not_history() -> None:
    clock = Clock()
    at(clock, 0)
    assert at(clock, -400 * 86_400, queued=True) == (NOW, 1)


@given(st.text())
def test_no_text_raises(text: str) -> None:
    time = parsed(text)
    assert time is None or time.tzinfo is UTC


@given(st.datetimes(timezones=st.builds(timezone, st.builds(timedelta, minutes=st.integers(-840, 840)))))
def test_iso_8601_is_read(moment: datetime) -> None:
    time = parsed(moment.isoformat())
    assert time is None or time == moment
