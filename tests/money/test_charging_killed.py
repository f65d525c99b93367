"""kill -9 while charges begin, meter, stop and settle: what was said again is settled once (payments.md C5, C6)."""

import random
import subprocess
import sys
from contextlib import closing
from typing import Any

import pytest
from sqlmodel import select

from domain import chargers, tariffs, wallet
from domain.db import Database
from domain.models import ChargingSession, SessionState, now
from domain.money import cost
from domain.prices import Band
from tests.databases import ROOT
from tests.money import charge_loop, house
from tests.money.charge_loop import CHARGER, energy

CHARGES = 12
KILLS = 6


PLAIN: dict[str, Any] = {}
OF_ALL_PARTS: dict[str, Any] = {
    "start_paise": 500,
    "per_minute_paise": 100,
    "idle_after_minutes": 10,
    "idle_per_minute_paise": 200,
    "bands": (Band(0, 720, 1_800), Band(720, 0, 1_800)),
}
FEES = 500 + 20 * 200
"""The start, and the cable: 30 minutes less 10. Each charge is shorter than a minute."""


@pytest.mark.parametrize(("parts", "fees"), [(PLAIN, 0), (OF_ALL_PARTS, FEES)], ids=["plain", "all parts"])
def test_killed_in_the_middle_of_charges(database_url: str, parts: dict[str, Any], fees: int) -> None:
    dice = random.Random(7)
    with closing(Database(database_url)) as database:
        asha, _ = database.now(house.driver)
        database.now(house.give, asha, 1_000_000)
        database.now(chargers.add, CHARGER, max_power_w=7_000, connectors=CHARGES)
        database.now(tariffs.set_price, 1_800, **parts)
        database.now(chargers.connected, CHARGER, at=now())
        for number in range(1, CHARGES + 1):
            database.now(
                chargers.status,
                CHARGER,
                connector_number=number,
                status="Available",
                error_code="NoError",
                info="",
                at=None,
                received_at=now(),
            )
        for _ in range(KILLS):
            killed_after(dice.randint(1, 8), database_url, asha)
            assert database.now(house.broken)[0] == []
        last = charging(database_url, asha)
        last.communicate()
        assert last.returncode == 0
        paid = sum(cost(energy(session.id or 0), 1_800) + fees for session in charges(database))
        assert len(charges(database)) == CHARGES
        assert {session.state for session in charges(database)} == {SessionState.SETTLED}
        assert [session.energy_wh for session in charges(database)] == [energy(s.id or 0) for s in charges(database)]
        assert database.now(wallet.balance, asha)[0] == wallet.Balance(1_000_000 - paid, 0, 0)
        numbers = [int(session.receipt_number[-7:]) for session in charges(database)]
        assert sorted(numbers) == list(range(1, CHARGES + 1))
        assert database.now(house.broken)[0] == []


def charges(database: Database) -> list[ChargingSession]:
    return database.now(lambda db: list(db.exec(select(ChargingSession).order_by(ChargingSession.id))))[0]


def charging(url: str, user: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", charge_loop.__name__, url, str(user), str(CHARGES)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def killed_after(transactions: int, url: str, user: int) -> None:
    """Let a process charge, and kill it in the transaction after so many."""
    with charging(url, user) as process:
        assert process.stdout is not None
        for _ in range(transactions):
            process.stdout.readline()
        process.kill()
