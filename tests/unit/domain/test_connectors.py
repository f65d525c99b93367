"""What connectors report of themselves: which report counts, and what a charge feels of it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from domain import chargers, connectors, tariffs
from domain.events import ChargerChanged, SessionChanged
from domain.models import ChargingSession, Connector
from domain.prices import Price
from tests.asked import asked
from tests.money.charges import Desk
from tests.money.priced import IDLE


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


def test_only_what_is_new_is_announced(desk: Desk) -> None:
    """A thousand chargers that come back and say what was known send nobody's page anything."""
    desk.charger()
    for status, heard in (("Available", []), ("Preparing", [ChargerChanged("BLR-1")])):
        desk.events.clear()
        desk.passes(seconds=5)
        desk.status("BLR-1", 1, status)
        assert desk.events == heard
        assert connector(desk).status_at == desk.clock.at


@pytest.mark.parametrize("price", [Price(2_250, 1_800), Price(2_250, 1_800, **IDLE)])
def test_a_state_from_long_before_the_charge_is_felt_once_it_is_told_again(desk: Desk, price: Price) -> None:
    desk.do(tariffs.set_price, price)
    desk.charger()
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(minutes=2)
    session_id = desk.walk_up().session_id
    desk.passes(seconds=5)
    desk.status("BLR-1", 1, "SuspendedEV")
    session = desk.session(session_id)
    assert session.suspended == "SuspendedEV"
    assert session.idle_since == (desk.clock.at if session.terms else None)


def test_a_charge_that_goes_on_after_an_interruption_idles_if_its_connector_says_so(desk: Desk) -> None:
    desk.do(tariffs.set_price, Price(2_250, 1_800, **IDLE))
    _, session_id = desk.a_charge(kwh=1)
    desk.lose(session_id)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(minutes=1)
    desk.meter(session_id, desk.session(session_id).meter_wh, 0)
    session = desk.session(session_id)
    assert (session.state, session.suspended, session.idle_since) == ("CHARGING", "SuspendedEV", desk.clock.at)


def test_of_two_states_told_at_once_the_later_stays(desk: Desk) -> None:
    """A charger may send what it missed to say without waiting for our answers."""
    desk.charger()
    desk.passes(seconds=20)
    desk.do(connectors.report, [report(desk, "BLR-1", said, "NoError", 0) for said in ("Preparing", "Available")])
    assert connector(desk).status == "Available"


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

    for number in range(20):
        desk.charger(f"BLR-{number}")
    desk.do(connectors.report, told)  # the second connectors come into being
    desk.passes(seconds=1)
    with asked(desk.database.engine) as found:
        desk.do(connectors.report, [{**one, "status": "Faulted", "received_at": desk.clock.at} for one in told])
    assert len([one for one in found if not one.statement.startswith("BEGIN")]) == 2, found
    assert {connector(desk, n, f"BLR-{m}").status for n in (0, 1) for m in range(20)} == {"Faulted"}


STATES = ("Available", "Charging", "SuspendedEV", "Finishing", "Faulted")
BULK, RULES = "BLR-1", "BLR-2"


@pytest.mark.parametrize("charge", ["none", "plain", "priced"])
@pytest.mark.parametrize("before", STATES)
def test_what_is_written_in_bulk_is_what_the_rules_would_write(desk: Desk, before: str, charge: str) -> None:
    """The rules see what is told twice at once; the second time adds nothing."""
    if charge == "priced":
        desk.do(tariffs.set_price, Price(2_250, 1_800, **IDLE))
    for name in (BULK, RULES):
        desk.charger(name)
        if charge != "none":
            desk.charging(desk.driver(), name)
    for said in [(state, code, late) for state in STATES for code in ("NoError", "HighTemperature") for late in (0, 9)]:
        for told in ((before, "NoError", 0), said):
            desk.passes(seconds=20)
            for name, times in ((BULK, 1), (RULES, 2)):
                desk.do(connectors.report, [report(desk, name, *told)] * times)
        assert left(desk, BULK) == left(desk, RULES), said


def report(desk: Desk, name: str, status: str, code: str, late: int) -> dict[str, Any]:
    at = desk.clock.at - timedelta(seconds=10 + 5 * late)
    told = {"status": status, "error_code": code, "info": "", "at": at, "received_at": desk.clock.at}
    return {"charger_id": name, "connector_number": 1, **told}


def left(desk: Desk, name: str) -> list[Any]:
    """What a connector and the charge there are."""
    rows = connector(desk, 1, name), *desk.do(lambda db: db.exec(select(ChargingSession)).all())
    mine = [row.model_dump() for row in rows if row.charger_id == name]
    own = {"id", "charger_id", "user_id", "tag", "transaction_id", "ref"}
    return [{key: value for key, value in row.items() if key not in own} for row in mine]
