"""Scenes of wishes, money that ends and people who leave (payments.md C22-C35, C38, C40)."""

import sqlite3
from functools import partial

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from domain import (
    accounts,
    attempts,
    charging,
    stops,
    wallet,
    wishes,
)
from domain.accounts import NotDeleted
from domain.charging import Refused
from domain.db import TRIES
from domain.models import User
from tests.money import house
from tests.money.charges import METER, RUPEE, Desk
from tests.money.rows import scene
from tests.money.scene_of_a_charge import KWH, Told, ended


@scene("C22")
def money_ends(desk: Desk, asha: int) -> Told:
    desk.do(house.give, asha, -950 * RUPEE, "less")
    session_id = desk.charging(asha)
    assert desk.flows(session_id, 3) == [session_id]
    again = ended(desk, session_id, 3_000)
    assert desk.money(asha) == wallet.Balance(0, 0, 400)
    return Told(950 * RUPEE + 3 * KWH, "Stopped: your wallet was nearly used up", again)


@scene("C23")
def stop_refused(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha, 1)
    desk.do(charging.request_stop, session_id, "driver")
    for _ in range(stops.TRIES):
        desk.do(stops.stop_asked, session_id, False)
    desk.do(stops.stop_escalated, session_id)
    assert desk.findings()["stop-unanswered"] == 1
    desk.flows(session_id, 1)
    return Told(2 * KWH, "You stopped it", ended(desk, session_id))


@scene("C24")
def recharge_meanwhile(desk: Desk, asha: int) -> Told:
    desk.do(house.give, asha, -900 * RUPEE, "less")
    session_id = desk.begun(asha)
    desk.do(house.give, asha, 900 * RUPEE, "back")
    assert desk.money(asha).held_paise == 1_000 * RUPEE
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id))


@scene("C25")
def stop_accepted_and_ignored(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha, 1)
    desk.do(charging.request_stop, session_id, "driver")
    desk.do(stops.stop_asked, session_id, True)
    desk.flows(session_id, 1)
    return Told(2 * KWH, "You stopped it", ended(desk, session_id))


@scene("C26")
def nobody_plugs_in(desk: Desk, asha: int) -> Told:
    session_id = desk.request(asha)
    desk.do(wishes.answered, session_id, "accepted")
    desk.passes(minutes=2)
    desk.sweep()
    return Told(
        0,
        "Charging did not begin within 90 seconds. Nothing was charged. Push the plug in fully, then start again.",
        (desk.sweep,),
    )


@scene("C27")
def start_refused(desk: Desk, asha: int) -> Told:
    refused = partial(desk.do, wishes.answered, desk.request(asha), "refused")
    refused()
    return Told(0, "The charger said no. Nothing was charged.", (refused,))


@scene("C28")
def start_not_allowed(desk: Desk, asha: int) -> Told:
    desk.do(house.owe, asha, 300)

    def wish() -> None:
        with pytest.raises(Refused, match=r"You owe ₹3\.00 for an earlier charge\."):
            desk.request(asha)

    return Told(300, "Owed", (wish,))


@scene("C29")
def nothing_delivered(desk: Desk, asha: int) -> Told:
    session_id = desk.charging(asha)
    again = ended(desk, session_id, 0)
    assert desk.session(session_id).receipt_number == ""
    return Told(0, "Stopped at the charger", again)


@scene("C30")
def account_deleted(desk: Desk, asha: int) -> Told:
    """Not before the charge is over and paid, and nothing is left in the wallet; the ledger stays without a name."""
    attempt = desk.do(attempts.attempt, "pin", user_id=asha, address="203.0.113.7")
    session_id = desk.begun(asha)
    with pytest.raises(NotDeleted, match=r"A charge is not finished\."):
        desk.do(accounts.delete, attempt)
    again = ended(desk, session_id)
    with pytest.raises(NotDeleted, match=r"Your wallet has ₹964\.00 left that cannot be paid back\."):
        desk.do(accounts.delete, attempt)
    desk.do(house.give, asha, -964 * RUPEE, "paid out")
    desk.do(accounts.delete, attempt)
    assert desk.do(lambda db: db.get_one(User, asha)).username == f"deleted {asha}"
    return Told(1_000 * RUPEE, "2.000 kWh", again)


@scene("C31")
def driver_blocked(desk: Desk, asha: int) -> Told:
    """By the operator, which ends his sign-ins, and locked by wrong PINs: it runs on, and ends at the charger."""
    session_id = desk.begun(asha, 1)

    desk.do(accounts.block, asha)
    desk.do(lambda db: setattr(db.get_one(User, asha), "locked_until", attempts.NEVER))
    desk.flows(session_id, 1)
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id))


@scene("C32")
def stranger_stops(desk: Desk, asha: int) -> Told:
    return Told(2 * KWH, "Stopped at the charger", ended(desk, desk.begun(asha), tag="SOMEBODY"))


@scene("C33")
def start_repeated(desk: Desk, asha: int) -> Told:
    session_id = desk.charging(asha)
    began = desk.session(session_id).started_at
    assert began is not None
    start = partial(desk.start, session_id, at=began)
    desk.changes_nothing(start)
    desk.flows(session_id, 2)
    return Told(2 * KWH, "2.000 kWh", (*ended(desk, session_id), start))


@scene("C34")
def rebooted(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha, 1)
    desk.boot()
    desk.flows(session_id, 1)
    assert desk.interrupt_lost() == []
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id))


@scene("C35")
def second_socket(desk: Desk, asha: int) -> Told:
    """That the newer one wins only once it has proven its key: tests/csms/test_commands.py, test_handshake.py."""
    session_id = desk.begun(asha, 1)
    desk.changes_nothing(desk.connect)
    desk.flows(session_id, 1)
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id))


@scene("C38")
def database_busy(desk: Desk, asha: int) -> Told:
    """A lock is waited for and tried again; where that does not help, nothing is written and the charger repeats."""
    session_id = desk.begun(asha)
    message, locks = desk.stop_told(session_id, METER + 2_000), iter(range(TRIES + 2))

    def locked(db: Session) -> None:
        charging.stopped(db, **message)
        if next(locks, None) is not None:
            raise OperationalError("UPDATE", {}, sqlite3.OperationalError("database is locked"))

    before = desk.everything()
    with pytest.raises(OperationalError):
        desk.do(locked)
    assert desk.everything() == before
    desk.do(locked)
    return Told(2 * KWH, "2.000 kWh", (partial(desk.do, locked),))


@scene("C40")
def killed_before_remote_start(desk: Desk, asha: int) -> Told:
    desk.request(asha)
    desk.passes(minutes=2)
    desk.sweep()
    return Told(0, "The charger did not answer in 30 seconds. Nothing was charged.", (desk.sweep,))
