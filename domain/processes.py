"""Which processes live: each says so again and again, and what a dead one held is free for the others."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, delete, select

from domain import arrivals
from domain.bus import Bus, LocalBus
from domain.db import read, transact
from domain.events import NewsLost
from domain.logs import first_line
from domain.models import Process, now

log = structlog.get_logger()

BEAT_S = 5.0
"""Between two signs of life of a process."""
DEAD = timedelta(seconds=30)
"""A process that gave none for so long is dead: its chargers are out of contact until they come to another."""

UNJOINED = (
    "another process works on this database, and no Redis joins them: neither reaches the other's chargers, nor shows"
    " what happens there at once; run one of them alone, or set EVAPP_REDIS_URL for all"
)


@contextlib.asynccontextmanager
async def living(bus: Bus, kind: str, *, beat: float = BEAT_S) -> AsyncIterator[None]:
    """Be known as a process of this kind (web or csms) for as long as the context lasts."""
    await transact(begin, bus.process, kind, now())
    beating = asyncio.create_task(_beat(bus, kind, beat))
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        await transact(bury, bus.process)


async def _beat(bus: Bus, kind: str, every: float) -> None:
    began, known = now(), not isinstance(bus, LocalBus)
    while True:
        await asyncio.sleep(every)
        try:
            dead = await transact(seen, bus.process, now())
            if dead is None:
                log.error("this process was thought dead; it takes its chargers back")
                await transact(begin, bus.process, kind, now())
                await bus.publish(NewsLost())
                continue
            for process in dead:
                if await transact(bury, process):
                    log.warning("a process has died", process=process)
            if not known and (known := await read(has_company, bus.process, began)):
                log.error(UNJOINED)
        except SQLAlchemyError as error:
            log.error("no sign of life could be given", reason=first_line(error))
        except Exception:
            log.exception("no sign of life could be given")


def begin(db: Session, process: str, kind: str, at: datetime) -> None:
    """A process begins to live."""
    db.add(Process(id=process, kind=kind, started_at=at, seen_at=at))


def opened_door(db: Session, process: str, port: int) -> None:
    """This process alone has the chargers' port of this host from now on: whichever had it before is dead."""
    door = f"{socket.gethostname()}:{port}"
    before = db.exec(select(Process.id).where(Process.door == door, Process.id != process)).all()
    for one in before:
        bury(db, one)
    if (row := db.get(Process, process)) is not None:
        row.door = door


def seen(db: Session, process: str, at: datetime) -> list[str] | None:
    """A sign of life; gives the processes that are dead, or None when this one was itself thought so.

    After a gap of its own, such as a restart of the database, nobody is judged: the others had no chance either.
    """
    row = db.get(Process, process, with_for_update=True)
    if row is None:
        return None
    steady = at - row.seen_at < DEAD / 2
    row.seen_at = at
    return list(db.exec(select(Process.id).where(Process.seen_at < at - DEAD))) if steady else []


def has_company(db: Session, process: str, since: datetime) -> bool:
    """Whether another process has given a sign of life since then."""
    return db.exec(select(Process.id).where(Process.id != process, Process.seen_at > since)).first() is not None


def bury(db: Session, process: str) -> bool:
    """A process is gone, and what it held is out of contact; False when another one does this, or has."""
    if db.get(Process, process, with_for_update={"skip_locked": True}) is None:
        return False
    arrivals.orphaned(db, process)
    db.exec(delete(Process).where(col(Process.id) == process))
    return True
