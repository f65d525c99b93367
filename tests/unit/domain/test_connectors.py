"""What connectors report of themselves: which report counts, and what a charge feels of it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from domain import chargers, connectors
from domain.events import SessionChanged
from domain.models import Connector
from tests.money.charges import Desk


def connector(desk: Desk, number: int = 1, charger_id: str = "BLR-1") -> Connector:
    return desk.do(lambda db: db.get_one(Connector, (charger_id, number)))


def test_connectors_come_into_being_as_they_are_reported(desk: Desk) -> None:
    """ocpp.md Q44."""
    desk.charger()
    desk.status("BLR-1", 7, "Available")
    assert [c.number for c in desk.do(chargers.view, "BLR-1").connectors] == [1, 7]


def test_an_older_report_is_left_out(desk: Desk) -> None:
    """ocpp.md Q26."""
    desk.charger()
    at = desk.clock.at
    desk.status("BLR-1", 1, "Charging", at=at)
    desk.status("BLR-1", 1, "Available", at=at - timedelta(minutes=3))
    assert connector(desk).status == "Charging"
    desk.status("BLR-1", 1, "Available", at=at)
    assert connector(desk).status == "Available"


@pytest.mark.parametrize("wrong", [timedelta(days=3650), timedelta(minutes=6), timedelta(days=-20_000)])
def test_a_clock_that_is_wrong_does_not_freeze_a_connector(desk: Desk, wrong: timedelta) -> None:
    """ocpp.md Q39: a time far ahead must not make every later report an older one."""
    desk.charger()
    desk.status("BLR-1", 1, "Charging", at=desk.clock.at + wrong)
    assert connector(desk).status == "Charging"
    desk.passes(seconds=5)
    desk.status("BLR-1", 1, "Available", at=desk.clock.at)
    assert connector(desk).status == "Available"


@pytest.mark.parametrize("ahead", [timedelta(minutes=4), timedelta(seconds=1)])
def test_a_report_from_the_future_hides_none_of_the_present(desk: Desk, ahead: timedelta) -> None:
    """A clock a little ahead is believed (ocpp.md Q39), and set right by the next heartbeat."""
    desk.charger()
    desk.status("BLR-1", 1, "Finishing", at=desk.clock.at + ahead)
    desk.status("BLR-1", 1, "Available", at=desk.clock.at)
    assert connector(desk).status == "Available"
    desk.status("BLR-1", 1, "Charging", at=desk.clock.at - timedelta(minutes=3))
    assert connector(desk).status == "Available", "an older one is left out all the same (Q26)"


def test_the_time_of_a_state_is_that_of_its_change(desk: Desk) -> None:
    desk.charger()
    desk.status("BLR-1", 1, "Faulted")
    since = desk.clock.at
    desk.passes(minutes=5)
    desk.status("BLR-1", 1, "Faulted")
    assert connector(desk).changed_at == since


def test_a_pause_is_part_of_the_charge_that_runs_there(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger(connectors=2)
    session_id = desk.charging(asha)
    for status, suspended in (("SuspendedEV", "SuspendedEV"), ("Charging", ""), ("Faulted", "Faulted")):
        desk.events.clear()
        desk.status("BLR-1", 1, status)
        assert desk.session(session_id).suspended == suspended
        assert SessionChanged(session_id, "BLR-1", asha, "CHARGING") in desk.events
    desk.status("BLR-1", 2, "SuspendedEVSE")
    assert desk.session(session_id).suspended == "Faulted"


def test_what_is_reported_together_is_read_together(desk: Desk) -> None:
    """After a power cut a thousand chargers say what their connectors do, in the same second."""
    told = [
        {
            "charger_id": f"BLR-{number % 20}",
            "connector_number": number // 20,
            "status": "Available",
            "error_code": "NoError",
            "info": "",
            "at": None,
            "received_at": desk.clock.at,
        }
        for number in range(40)
    ]

    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_given: Any) -> None:
        asked.append(statement)

    for number in range(20):
        desk.charger(f"BLR-{number}")
    desk.do(connectors.report, told)  # the second connectors come into being
    desk.passes(seconds=1)
    event.listen(desk.database.engine, "before_cursor_execute", note)
    desk.do(connectors.report, [{**one, "status": "Faulted", "received_at": desk.clock.at} for one in told])
    event.remove(desk.database.engine, "before_cursor_execute", note)
    assert len([one for one in asked if not one.startswith("BEGIN")]) == 3, asked
    assert {connector(desk, n, f"BLR-{m}").status for n in (0, 1) for m in range(20)} == {"Faulted"}
