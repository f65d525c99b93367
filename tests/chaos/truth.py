"""What chargers know against what the books say: each charge billed once, by its registers, and nothing besides."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, func, select

from domain import wallet
from domain.models import ChargingSession, Hold, HoldState, SessionState
from domain.money import cost
from tests.chaos.drivers import GIVEN_PAISE, Driver
from tests.money import house

PRICE = 1_800
"""Paise a kWh, the default."""


def wrong(db: Session, told: dict[str, dict[str, Any]], drivers: Sequence[Driver]) -> list[str]:
    """A sentence for whatever does not fit; nothing when every rupee is where it belongs."""
    sessions = list(db.exec(select(ChargingSession).order_by(col(ChargingSession.id))))
    billed = [session for session in sessions if session.state == SessionState.SETTLED]
    return [
        *_of_charges(told, [session for session in billed if session.charger_id in told]),
        *_of_endings(sessions),
        *_of_wallets(db, billed, drivers),
        *_of_receipts(billed),
        *house.broken(db),
    ]


def _of_charges(told: dict[str, dict[str, Any]], billed: list[ChargingSession]) -> list[str]:
    found, left = [], {session.transaction_id: session for session in billed}
    for name, report in told.items():
        for charge in report["charges"]:
            if len(charge["ids"]) != 1 or not charge["accepted"] or charge["stop"] is None:
                found.append(f"{name} has a charge that never became one: {charge}")
                continue
            session = left.pop(charge["ids"][0], None)
            registers = (name, charge["start"], charge["stop"])
            if session is None:
                found.append(f"no bill for {registers}")
            elif (session.charger_id, session.meter_start_wh, session.meter_stop_wh) != registers:
                found.append(f"session {session.id} is not of {registers}")
            elif session.energy_wh != charge["stop"] - charge["start"] or session.estimated:
                found.append(f"session {session.id} bills {session.energy_wh} Wh of {registers}")
            elif session.cost_paise != cost(session.energy_wh, PRICE):
                found.append(f"session {session.id} costs {session.cost_paise} for {session.energy_wh} Wh")
    return found + [f"session {session.id} is of no charge at {session.charger_id}" for session in left.values()]


def _of_endings(sessions: list[ChargingSession]) -> list[str]:
    ended = (SessionState.SETTLED, SessionState.CANCELLED)
    return [f"session {one.id} is {one.state}" for one in sessions if one.state not in ended] + [
        f"session {one.id} never began and cost {one.cost_paise}"
        for one in sessions
        if one.state == SessionState.CANCELLED and one.cost_paise
    ]


def _of_wallets(db: Session, billed: list[ChargingSession], drivers: Sequence[Driver]) -> list[str]:
    found = []
    for driver in drivers:
        paid = sum(session.cost_paise for session in billed if session.user_id == driver.user_id)
        has = wallet.balance(db, driver.user_id)
        if has != wallet.Balance(GIVEN_PAISE - paid, 0, 0):
            found.append(f"the driver of {driver.charger} has {has}, and paid {paid}")
    held = db.exec(select(func.count()).select_from(Hold).where(Hold.state == HoldState.OPEN)).one()
    return [*found, *([f"{held} holds are open"] if held else [])]


def _of_receipts(billed: list[ChargingSession]) -> list[str]:
    numbers = sorted(int(session.receipt_number[-7:]) for session in billed if session.cost_paise)
    return [] if numbers == list(range(1, len(numbers) + 1)) else [f"receipts are numbered {numbers}"]
