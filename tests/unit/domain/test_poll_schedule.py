"""When the gateway is asked: PhonePe's checklist to the second, then the tail."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.poll_schedule import next_ask, next_late, next_refund_ask, schedule

PLACED = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def asks(life_s: int) -> list[int]:
    expires_at = PLACED + timedelta(seconds=life_s)
    return [int((at - PLACED).total_seconds()) for at in schedule(PLACED, expires_at)]


def test_the_checklist_of_payments_1_4_for_600_seconds() -> None:
    """35 calls, the last at 592 s, one more 30 s after the expiry, then the tail to 72 h."""
    assert asks(600) == [
        *range(22, 52, 3),
        *range(52, 112, 6),
        *range(112, 172, 10),
        *range(172, 232, 30),
        *range(232, 600, 60),
        630,
        *(600 + late for late in (300, 1_800, 7_200, 21_600, 86_400, 259_200)),
    ]
    assert len([at for at in asks(600) if at <= 600]) == 35


@pytest.mark.parametrize("life_s", [300, 900, 3_600])
def test_no_ask_of_the_checklist_comes_after_the_expiry_but_the_last(life_s: int) -> None:
    before = [at for at in asks(life_s) if at <= life_s]
    assert life_s - before[-1] < 60
    assert asks(life_s)[len(before)] == life_s + 30
    assert asks(life_s) == sorted(set(asks(life_s)))


def test_next_is_the_first_one_after() -> None:
    expires_at = PLACED + timedelta(seconds=600)
    at, seen = PLACED, []
    while (after := next_ask(PLACED, expires_at, at)) is not None:
        assert after > at
        seen.append(int((after - PLACED).total_seconds()))
        at = after
    assert seen == asks(600)


def test_after_a_pause_the_missed_ones_are_one() -> None:
    expires_at = PLACED + timedelta(seconds=600)
    assert next_ask(PLACED, expires_at, PLACED + timedelta(seconds=300)) == PLACED + timedelta(seconds=352)
    assert next_ask(PLACED, expires_at, expires_at + timedelta(hours=3)) == expires_at + timedelta(hours=6)
    assert next_ask(PLACED, expires_at, expires_at + timedelta(hours=72)) is None


def test_a_failed_order_is_asked_about_in_the_tail_only() -> None:
    expires_at = PLACED + timedelta(seconds=600)
    assert next_late(expires_at, PLACED) == expires_at + timedelta(minutes=5)
    assert next_late(expires_at, expires_at + timedelta(minutes=5)) == expires_at + timedelta(minutes=30)
    assert next_late(expires_at, expires_at + timedelta(hours=72)) is None


def test_a_refund_is_asked_about_soon_then_daily_for_ever() -> None:
    asked, at = [], PLACED
    while at < PLACED + timedelta(days=3):
        at = next_refund_ask(PLACED, at)
        asked.append((at - PLACED).total_seconds())
    hours = [3600.0 * h for h in (1, 2, 6, 12, 24, 48, 72)]
    assert asked == [15, 30, 60, 120, 300, 900, 1800, *hours]
    assert next_refund_ask(PLACED, PLACED + timedelta(days=400, hours=3)) == PLACED + timedelta(days=401)
