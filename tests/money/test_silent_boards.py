"""Boards that never say that they charge: when their word that a connector is free is believed (ocpp.md Q23, Q30)."""

from domain import charging, wishes
from tests.money.charges import Desk


def _never_says_charging(desk: Desk) -> int:
    """A charge of 1 kWh at a board whose connector is Available all the time."""
    desk.charger()
    session_id = desk.request(desk.driver())
    desk.do(wishes.answered, session_id, "accepted")
    desk.start(session_id)
    desk.flows(session_id, 1)
    return session_id


def test_a_board_that_never_says_charging_and_says_again_that_it_is_free(desk: Desk) -> None:
    """Q23: its status does not change, so what counts is that it was told after the last reading."""
    session_id = _never_says_charging(desk)
    desk.passes(minutes=14)
    desk.status("BLR-1", 1, "Available")
    assert desk.interrupt_lost() == []
    desk.passes(minutes=2)
    desk.heard("BLR-1")
    assert desk.interrupt_lost() == [session_id]


def test_such_a_board_that_nobody_asked_to_stop_is_not_believed_so_soon(desk: Desk) -> None:
    _never_says_charging(desk)
    desk.passes(minutes=5)
    desk.status("BLR-1", 1, "Available")
    desk.passes(minutes=5)
    desk.heard("BLR-1")
    assert desk.interrupt_lost() == []


def test_such_a_board_that_was_asked_to_stop_is_believed_after_a_minute(desk: Desk) -> None:
    """Q30: it answers Rejected, for nothing runs there; its driver need not wait to charge elsewhere."""
    session_id = _never_says_charging(desk)
    desk.passes(minutes=2)
    desk.do(charging.request_stop, session_id, "driver")
    desk.status("BLR-1", 1, "Available")
    assert desk.interrupt_lost() == []
    desk.passes(seconds=61)
    assert desk.interrupt_lost() == [session_id]


def test_free_before_its_last_reading_is_no_sign_of_a_lost_stop(desk: Desk) -> None:
    session_id = _never_says_charging(desk)
    desk.status("BLR-1", 1, "Available")
    desk.flows(session_id, 1)
    desk.passes(minutes=20)
    desk.heard("BLR-1")
    assert desk.interrupt_lost() == []
