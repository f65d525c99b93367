"""What two processes do at the same moment, where it hurts most (`meanwhile`), counts as one after the other."""

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session, col, select

from domain import (
    accounts,
    attempts,
    chargers,
    charging,
    connectors,
    findings,
    interruptions,
    tariffs,
    trail,
    vacancies,
)
from domain.accounts import AccountDeleted
from domain.attempts import Attempt
from domain.chargers import ChargerInUse, ChargerKeyWrong
from domain.charging import Refused
from domain.models import ChargingSession, Connector, User
from domain.prices import Price
from tests.money.charges import METER, Desk
from tests.money.meanwhile import meanwhile
from tests.money.priced import IDLE, priced

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

PLUGS = "connectors.kind"
"""Of the statement that reads connectors whole."""
SAID = "connectors.info"
"""Of each that reads what they said."""


def told(status: str, at: datetime) -> dict[str, Any]:
    """A StatusNotification of the only connector."""
    return {
        "charger_id": "BLR-1",
        "connector_number": 1,
        "status": status,
        "error_code": "NoError",
        "info": "",
        "at": at,
        "received_at": at,
    }


def standing(desk: Desk) -> tuple[str, bool]:
    """What the connector says, and whether its last charge is idling."""
    since = select(ChargingSession.id).where(col(ChargingSession.idle_since).is_not(None))
    idles = desk.do(lambda db: db.exec(since).first() is not None)
    return desk.do(lambda db: db.get_one(Connector, ("BLR-1", 1))).status, idles


@pytest.fixture
def left(desk: Desk) -> Desk:
    """A charge has ended whose tariff asks for idling; its charger comes to another process, and the car leaves."""
    _, session_id = priced(desk, **IDLE)
    desk.flows(session_id, 2)
    desk.stop(session_id, METER + 2_000)
    desk.passes(seconds=5)
    return desk


@pytest.mark.parametrize("words", [SAID, PLUGS])
def test_a_car_that_has_left_is_not_idling_though_the_process_before_says_last_that_it_stands(
    left: Desk, words: str
) -> None:
    """Its driver paid for up to two hours of it, and nobody else could start there."""
    stood, gone = told("Finishing", left.clock.at), told("Available", left.passes(seconds=5))
    with meanwhile(left.database, words, connectors.report, [gone]):
        left.do(connectors.report, [stood])
    assert standing(left) == ("Available", False)


def test_nor_though_it_says_so_while_the_other_one_hears_that_it_leaves(left: Desk) -> None:
    stood, gone = told("Finishing", left.clock.at), told("Available", left.passes(seconds=5))
    with meanwhile(left.database, SAID, connectors.report, [stood]):
        left.do(connectors.report, [gone])
    assert standing(left) == ("Available", False)


def test_a_charge_that_goes_on_feels_that_its_car_pauses_in_this_moment(desk: Desk) -> None:
    """The sweeper finds that it goes on, the charger tells another process that the car has paused: it did not idle."""
    _, session_id = priced(desk, **IDLE)
    desk.flows(session_id, 2)
    desk.lose(session_id)
    desk.passes(seconds=1)
    desk.status("BLR-1", 1, "Charging")
    desk.passes(minutes=2)
    desk.heard("BLR-1")
    pauses = connectors.report, [told("SuspendedEV", desk.clock.at)]
    with meanwhile(desk.database, "FROM holds", *pauses):
        assert desk.do(interruptions.resume_found, session_id, desk.clock.at)
    session = desk.session(session_id)
    assert (session.suspended, session.idle_since) == ("SuspendedEV", desk.clock.at)


def test_a_charge_that_begins_feels_that_its_car_pauses_in_this_moment(desk: Desk) -> None:
    desk.do(tariffs.set_price, Price(1_800, 0, **IDLE), effective_at=desk.clock.at)
    desk.charger()
    session_id = desk.request(desk.driver())
    pauses = connectors.report, [told("SuspendedEV", desk.clock.at)]
    with meanwhile(desk.database, PLUGS, *pauses):
        desk.start(session_id)
    assert desk.session(session_id).suspended == "SuspendedEV"


def test_what_comes_to_a_finding_while_it_is_being_resolved_waits_for_somebody(desk: Desk) -> None:
    """Nobody would have paid it back: who it belongs to has left."""
    asha = desk.driver()
    desk.do(accounts.block, asha)
    desk.do(findings.refund_due, asha, "S1", "₹500 came back to")
    [first] = desk.do(findings.unresolved)
    with meanwhile(desk.database, "FROM findings", findings.refund_due, asha, "S1", "₹700 came back to"):
        desk.do(findings.resolve, first.id, trail.user(7), "₹500 paid back.", read=first.detail)
    [waits] = desk.do(findings.unresolved)
    assert "₹700" in waits.detail


def test_nobody_resolves_what_he_has_not_read(desk: Desk) -> None:
    asha = desk.driver()
    desk.do(accounts.block, asha)
    desk.do(findings.refund_due, asha, "S1", "₹500 came back to")
    [first] = desk.do(findings.unresolved)
    resolve = findings.resolve, first.id, trail.user(7), "₹500 paid back."
    with pytest.raises(findings.Changed), meanwhile(desk.database, "FROM findings", *resolve, read=first.detail):
        desk.do(findings.refund_due, asha, "S1", "₹700 came back to")
    [waits] = desk.do(findings.unresolved)
    assert "₹500" in waits.detail and "₹700" in waits.detail


def test_who_waits_anew_while_he_is_told_is_told_or_waits(desk: Desk) -> None:
    """He neither waited nor was told while evapp was closed."""
    asha = desk.driver()
    desk.charger()
    desk.do(vacancies.wish, asha, "BLR-1")
    desk.passes(minutes=1)
    with meanwhile(desk.database, "SELECT vacancy_wishes", vacancies.tell, "BLR-1", desk.clock.at):
        until = desk.do(vacancies.wish, asha, "BLR-1")
    assert desk.do(vacancies.waits_until, asha, "BLR-1") == until


def test_a_charger_that_is_being_retired_takes_no_start(desk: Desk) -> None:
    """Nobody could have stopped the charge; it would have been billed by an estimate, a day later."""
    asha = desk.driver()
    desk.charger()
    start = charging.request_start, asha, "BLR-1", 1
    with pytest.raises(Refused), meanwhile(desk.database, "charging_sessions.ref", *start):
        desk.do(chargers.retire, "BLR-1")
    assert desk.money(asha).held_paise == 0


def test_a_charger_at_which_a_charge_is_being_asked_for_is_not_retired(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    with pytest.raises(ChargerInUse), meanwhile(desk.database, "FROM connectors", chargers.retire, "BLR-1"):
        desk.request(asha)
    assert desk.do(chargers.info, "BLR-1").retired_at is None


OLD, OFFERED, NEW = (f"{name}-key-of-a-charger" for name in ("old", "offered", "new"))


@pytest.fixture
def offered(desk: Desk) -> Desk:
    """A charger was told a new key, and may come with either."""
    desk.charger()
    desk.do(chargers.set_key, "BLR-1", OLD)
    desk.do(chargers.offer_key, "BLR-1", OFFERED)
    return desk


def comes(desk: Desk, key: str) -> None:
    desk.do(chargers.admit, "BLR-1", key.encode(), accept_unknown=False)


def test_the_key_that_an_operator_sets_is_not_undone_by_a_charger_that_comes_with_another(offered: Desk) -> None:
    """He sets one because the others are known to somebody."""
    with meanwhile(offered.database, "FROM chargers", chargers.set_key, "BLR-1", NEW):
        comes(offered, OFFERED)
    comes(offered, NEW)
    with pytest.raises(ChargerKeyWrong):
        comes(offered, OFFERED)


def test_nor_by_one_that_takes_another(offered: Desk) -> None:
    with meanwhile(offered.database, "FROM chargers", chargers.set_key, "BLR-1", NEW):
        offered.do(chargers.key_answered, "BLR-1", "Accepted")
    comes(offered, NEW)


def proof(user_id: int) -> Attempt:
    """The right PIN was given."""
    return Attempt(user_id, "-", (), "", slow=False)


def test_a_name_changed_in_another_tab_is_off_the_books_with_the_account(desk: Desk) -> None:
    asha = desk.driver(rupees=0)
    with meanwhile(desk.database, "FROM users", accounts.delete, proof(asha)):
        desk.do(accounts.update, asha, "username", "asha_of_mysuru")
    assert desk.do(lambda db: db.get_one(User, asha)).username == f"deleted {asha}"


def test_nobody_is_named_anew_who_is_being_deleted(desk: Desk) -> None:
    asha = desk.driver(rupees=0)
    rename = accounts.update, asha, "email", "asha@example.in"
    with pytest.raises(AccountDeleted), meanwhile(desk.database, "FROM users", *rename):
        desk.do(accounts.delete, proof(asha))
    assert desk.do(lambda db: db.get_one(User, asha)).email == ""


@pytest.mark.parametrize("opens", [accounts.unblock, lambda db, user_id: accounts.reset_pin(db, user_id, "new")])
def test_an_operator_opens_the_lock_that_a_guess_shuts_in_this_moment(desk: Desk, opens: Any) -> None:
    """It had to be opened once more, though no failure was counted any longer."""
    asha = desk.driver()
    desk.do(_has_failed, asha, attempts.LAST - 1)
    guess = {"user_id": asha, "address": "203.0.113.7", "at": desk.clock.at}
    with meanwhile(desk.database, "FROM users", attempts.attempt, "pin", **guess):
        desk.do(opens, asha)
    assert desk.do(lambda db: db.get_one(User, asha)).locked_until is None


def _has_failed(db: Session, user_id: int, often: int) -> None:
    db.get_one(User, user_id).failures = often
