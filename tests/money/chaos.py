"""Processes in each other's way, and processes killed at any moment: `make storm` does more of it than the suite."""

import argparse
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlmodel import Session, col, select

from domain import wallet
from domain.db import Database
from domain.models import ChargingSession, OrderState, RechargeOrder, SessionState
from domain.money import cost
from tests.databases import ROOT, begin_run, migrate, postgres_database, postgres_server
from tests.money import charge_loop, house, storm

GIVEN = 1_000_000
PRICE = 1_800


def stormed(url: str, seed: int, *, processes: int, recharges: int, charges: int, kills: int = 0) -> str:
    """Each process does every event, shuffled, twice; some are killed at any moment, then all of it is done again.

    Raises:
        AssertionError: a total or the books are not exact.
    """
    dice = random.Random(seed)
    with closing(Database(url)) as database:
        first, _ = database.now(house.driver)
        second, _ = database.now(house.driver, "ravi")
        for n in range(1, charges + 1):
            database.now(house.charge, second if n % 2 else first, n, SessionState.INTERRUPTED)
        for user_id in (first, second):
            database.now(house.give, user_id, GIVEN)
        arguments = (str(first), str(second), str(recharges), str(charges))
        for _ in range(kills):
            with _process(storm.__name__, url, str(dice.randrange(10**6)), *arguments) as process:
                time.sleep(0.8 + dice.random())  # any moment will do
                process.kill()
        running = [_process(storm.__name__, url, str(dice.randrange(10**6)), *arguments) for _ in range(processes)]
        _ended_well(running)
        expected = storm.expected(GIVEN, recharges, charges)
        for user_id in (first, second):
            assert database.now(wallet.balance, user_id)[0] == expected
        assert database.now(house.broken)[0] == []
        events = 2 * len(storm.events(first, second, recharges, charges))
        return f"{processes} processes x {events} events, {kills} killed: {expected.balance_paise} paise each"


def killed(url: str, seed: int, *, kills: int, charges: int) -> str:
    """kill -9 while charges begin, meter and stop, and recharges are rung for and polled; the next process goes on.

    Raises:
        AssertionError: a bill, a total, a number of a receipt or the books are not exact.
    """
    dice = random.Random(seed)
    with closing(Database(url)) as database:
        asha, _ = database.now(house.driver)
        database.now(house.give, asha, GIVEN)
        database.now(_free_charger)
        command = (charge_loop.__name__, url, str(asha), str(charges))
        for _ in range(kills):
            with _process(*command) as process:
                _some_steps(process, dice.randint(1, 8))
                time.sleep(dice.random() / 100)  # any moment of the step will do
                process.kill()
            assert database.now(house.broken)[0] == []
        _ended_well([_process(*command)])
        sessions, orders = database.now(_done)[0]
        energies = [charge_loop.energy(session.id or 0) for session in sessions]
        assert {session.state for session in sessions} == {SessionState.SETTLED}
        assert [session.energy_wh for session in sessions] == energies
        assert len(sessions) >= charges
        paid = sum(charge_loop.amount(n) for n in range(len(orders)))
        assert sum(order.amount_paise for order in orders) == paid
        balance = GIVEN + paid - sum(cost(energy, PRICE) for energy in energies)
        assert database.now(wallet.balance, asha)[0] == wallet.Balance(balance, 0, 0)
        numbers = sorted(int(session.receipt_number[-7:]) for session in sessions)
        assert numbers == list(range(1, len(sessions) + 1))
        assert database.now(house.broken)[0] == []
        return f"{kills} kills: {len(sessions)} charges, {len(orders)} recharges, {balance} paise"


def _free_charger(db: Session) -> None:
    house.free_charger(db, charge_loop.CHARGER, max_power_w=7_000)


def _done(db: Session) -> tuple[list[ChargingSession], list[RechargeOrder]]:
    credited = select(RechargeOrder).where(RechargeOrder.state == OrderState.CREDITED)
    sessions = db.exec(select(ChargingSession).order_by(col(ChargingSession.id)))
    return list(sessions), list(db.exec(credited.order_by(col(RechargeOrder.id))))


def _process(*command: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, stdout=pipe, stderr=pipe, text=True, env=environment
    )


def _some_steps(process: "subprocess.Popen[str]", steps: int) -> None:
    assert process.stdout is not None
    for _ in range(steps):
        process.stdout.readline()


def _ended_well(processes: "list[subprocess.Popen[str]]") -> None:
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors


@contextmanager
def _databases() -> Iterator[dict[str, str]]:
    begin_run()
    with tempfile.TemporaryDirectory() as home, postgres_database(postgres_server()) as postgresql:
        yield {"sqlite": f"sqlite:///{Path(home) / 'evapp.db'}", "postgresql": postgresql}


def main() -> None:
    arguments = argparse.ArgumentParser(prog="make storm", description=__doc__)
    arguments.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="default: drawn, and told")
    arguments.add_argument("--kills", type=int, default=50, help="of processes that charge and recharge")
    seed, kills = (asked := arguments.parse_args()).seed, asked.kills
    print(f"seed {seed}")
    for what in (
        lambda url: stormed(url, seed, processes=6, recharges=24, charges=54, kills=3),
        lambda url: killed(url, seed, kills=kills, charges=3 * kills),
    ):
        with _databases() as urls:
            for name, url in urls.items():
                began = time.monotonic()
                migrate(url)
                print(f"{name}: {what(url)}; exact after {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
