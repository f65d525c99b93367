"""A simulated day: virtual chargers with faults, lost lines, repeated messages and wrong clocks, and then the books.

`python -m bench.day --chargers 1000 --minutes 6` runs it on a database of its own; the same seed makes the same plans.
Time is compressed: a charger's waits are so many times as short, and its meter runs as many times as fast. A thousand
chargers beside each other on two cores need time-outs that outlast their queue, so the long day is compressed less.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, select

from bench import ours
from bench.lives import COMPRESSED, LEFT_TO_DELIVER_S, POWER_W, Pacing
from bench.processes import ROOT, module
from csms.central import Pace
from csms.server import listening
from domain import audit, chargers, charging, dispatch, sweeper
from domain.bus import LocalBus
from domain.db import opened, read, transact
from domain.events import SessionChanged
from domain.models import ChargingSession, Connector, SessionState, now
from domain.settings import settings

COMPRESSED_LESS = 5
CROWD = 100
"""More chargers than this have rarer happenings each, so that as many happen in a second."""
PATIENT = 0.9
"""Of the drivers, who plug in before they ask; the others keep the connector waiting for a minute and a half."""
LEAST = 0.5
"""Charges for each charger, below which a day was no day."""
NAMEPLATE_W = POWER_W * COMPRESSED * 3
OVER = (SessionState.SETTLED, SessionState.CANCELLED)


@dataclass(slots=True)
class Report:
    """What the day was like, and what is wrong after it."""

    charges: int = 0
    billed: int = 0
    cancelled: int = 0
    unended: int = 0
    """Charges whose StopTransaction was never answered; they may be estimates."""
    happened: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


async def day(url: str, *, count: int, seconds: float, seed: int, workers: int, compressed: int = COMPRESSED) -> Report:
    """Run a day on a migrated database of the day's own.

    Raises:
        RuntimeError: a process of chargers failed.
    """
    report, bus, ends = Report(), LocalBus(), Ends()
    pacing = Pacing(seconds, compressed, max(1.0, count / CROWD))
    names = [f"DAY-{number:04}" for number in range(count)]
    files = len(os.listdir("/proc/self/fd"))
    async with opened(url, bus.publish):
        users = await transact(_prepare, names)
        async with listening(
            host="127.0.0.1", port=0, bus=bus, settings=settings(), pace=Pace(settle=0.3, beat=2.0)
        ) as port:
            tasks = [asyncio.create_task(_sweep(bus)), asyncio.create_task(ends.listen(bus))]
            tasks += [
                asyncio.create_task(_driver(bus, ends, user, name, Random(f"{seed}/{user}"), pacing.calm))
                for name, user in zip(names, users, strict=True)
            ]
            try:
                told = await asyncio.gather(
                    *(_process(port, names[part::workers], seed + part, pacing) for part in range(workers))
                )
            finally:
                for task in tasks:
                    task.cancel()
                ends_of_it = await asyncio.gather(*tasks, return_exceptions=True)
        report.wrong.extend(f"a task broke: {end!r}" for end in ends_of_it if isinstance(end, Exception))
        known = [charge for one in told for charge in one["charges"]]
        report.happened = dict(sum((Counter(one["happened"]) for one in told), Counter()))
        await read(_judge, known, report)
    if left := [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
        report.wrong.append(f"{len(left)} tasks are left over: {left[0]}")
    if (now_open := len(os.listdir("/proc/self/fd"))) > files + 5:
        report.wrong.append(f"{now_open - files} files are left open")
    return report


def _prepare(db: Session, names: list[str]) -> list[int]:
    for name in names:
        chargers.add(db, name, connectors=1)
        # More than any plug gives: what takes minutes takes seconds here.
        db.get_one(Connector, (name, 1)).max_power_w = NAMEPLATE_W
    return [ours.driver(db, number, 50_000_000) for number in range(len(names))]


async def _sweep(bus: LocalBus) -> None:
    since = now()
    while True:
        await asyncio.sleep(1.0)
        await sweeper.sweep_charges(bus, now())
        await sweeper.sweep_lost(now(), since)


class Ends:
    """Hears for all drivers which charges are over: a subscription for each would wake a thousand for every event."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Event] = {}

    async def listen(self, bus: LocalBus) -> None:
        async for event in bus.subscribe(SessionChanged):
            if isinstance(event, SessionChanged) and event.state in OVER and event.session_id in self._waiting:
                self._waiting[event.session_id].set()

    async def of(self, session_id: int) -> None:
        over = self._waiting.setdefault(session_id, asyncio.Event())
        if await read(_state, session_id) not in OVER:
            await over.wait()
        del self._waiting[session_id]


async def _driver(bus: LocalBus, ends: Ends, user: int, name: str, chance: Random, calm: float) -> None:
    """Charge again and again at the same charger; stop now and then."""
    while True:
        await asyncio.sleep(calm * chance.uniform(0.3, 2.0))
        if chance.random() < PATIENT and not await read(_plugged, name):
            continue
        try:
            session = await transact(charging.request_start, user, name, 1)
        except charging.Refused:
            continue
        await dispatch.start(bus, session.id)
        if chance.random() < 0.5:
            await asyncio.sleep(calm * chance.uniform(0.5, 4.0))
            stopping = await transact(charging.request_stop, session.id, "driver")
            if stopping.state == SessionState.STOPPING:
                await dispatch.stop(bus, session.id)
        await ends.of(session.id)


def _plugged(db: Session, charger_id: str) -> bool:
    connector = db.get(Connector, (charger_id, 1))
    return connector is not None and connector.status == "Preparing"


def _state(db: Session, session_id: int) -> str:
    return db.get_one(ChargingSession, session_id).state


async def _process(port: int, names: list[str], seed: int, pacing: Pacing) -> dict[str, Any]:
    plan = json.dumps([port, names, seed, asdict(pacing)])
    process = await asyncio.create_subprocess_exec(
        *module("bench.lives", plan), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), pacing.seconds + LEFT_TO_DELIVER_S + 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"a process of chargers ended with {process.returncode}")
    told: dict[str, Any] = json.loads(out)
    return told


def _judge(db: Session, known: list[list[int]], report: Report) -> None:
    """Every charge as its charger knows it has one session, one bill, and the energy between its two registers."""
    rows = {row.transaction_id: row for row in db.exec(select(ChargingSession)) if row.transaction_id is not None}
    report.charges = len(rows)
    report.cancelled = len(
        db.exec(select(ChargingSession).where(ChargingSession.state == SessionState.CANCELLED)).all()
    )
    for transaction, began, ended in known:
        row = rows.get(transaction)
        if row is None:
            report.wrong.append(f"transaction {transaction} has no session")
        elif row.state != SessionState.SETTLED or row.estimated:
            report.wrong.append(f"transaction {transaction} is {row.state}")
        elif row.energy_wh != ended - began:
            report.wrong.append(
                f"transaction {transaction}: {row.energy_wh} Wh billed, {ended - began} metered; {row.review}"
            )
        else:
            report.billed += 1
    report.unended = sum(row.state not in OVER for row in rows.values())
    for check in audit.audit(db):
        report.wrong.extend(f"not so: {check.says}: {row}" for row in check.broken)
    if online := db.execute(text("SELECT COUNT(*) FROM chargers WHERE online")).scalar():
        report.wrong.append(f"{online} chargers are said to be online after the end")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.day", description=__doc__)
    parser.add_argument("--chargers", type=int, default=1_000)
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="processes of chargers")
    parser.add_argument("--compressed", type=int, help="how many times faster than real; less on a slower machine")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="evapp-day-") as folder:
        url = f"sqlite:///{Path(folder) / 'evapp.db'}"
        os.environ.update(ours.environment(url, Path(folder)))
        ours.migrated(url)
        began = time.monotonic()
        compressed = given.compressed or (COMPRESSED if given.chargers <= CROWD else COMPRESSED_LESS)
        report = asyncio.run(
            day(
                url,
                count=given.chargers,
                seconds=given.minutes * 60,
                seed=given.seed,
                workers=given.workers,
                compressed=compressed,
            )
        )
    if report.charges < LEAST * given.chargers:
        report.wrong.append(f"only {report.charges} charges began: the machine was too slow for so many chargers")
    print(
        json.dumps({**asdict(report), "wrong": report.wrong[:20], "seconds": round(time.monotonic() - began)}, indent=2)
    )
    sys.exit(1 if report.wrong else 0)


if __name__ == "__main__":
    main()
