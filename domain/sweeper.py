"""Works every deadline in the database, again and again, so that no restart forgets one."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from sqlmodel import Session
from structlog.contextvars import bound_contextvars

from domain import (
    api_writes,
    attempts,
    charging,
    chores,
    dispatch,
    funnel,
    future,
    interruptions,
    metrics,
    push,
    pushes,
    recheck,
    reconciliation,
    safety,
    shortage,
    sign_ins,
    vacancies,
)
from domain.bus import Bus
from domain.db import read, transact
from domain.models import now
from domain.recharges import PaymentGateway
from domain.reconciliation import Discrepancy

T = TypeVar("T")

log = structlog.get_logger()

LOST_EVERY = timedelta(seconds=5)
BOOKS_EVERY = timedelta(minutes=1)
"""How often a process looks whether a chore is due."""
SHORT_EVERY = timedelta(seconds=30)
MOMENTS_EVERY = timedelta(minutes=10)
FUTURE_EVERY = timedelta(hours=1)
"""Not sooner after a start: the clock of a machine without a battery may have to be put right first."""

LEFT = {"stop": dispatch.stop, "escalate": dispatch.escalate}
"""What a deadline leaves to do with the charger."""


async def sweep_charges(bus: Bus, at: datetime) -> None:
    """Do what the passed deadlines of sessions demand; a charger that is slow keeps no other waiting."""
    for session_id in await read(charging.due, at):
        with bound_contextvars(session=session_id):
            if left := await _alone(charging.deadline, session_id, at):
                dispatch.soon(LEFT[left](bus, session_id))


async def sweep_lost(at: datetime, since: datetime) -> None:
    """Interrupt the charges whose stop was lost, each in a transaction of its own: a blackout has hundreds."""
    for session_id in await read(interruptions.lost, at, since):
        with bound_contextvars(session=session_id):
            await _alone(interruptions.interrupt_lost, session_id, at, since)


async def sweep_found(at: datetime) -> None:
    """Let those run again of which the charger says that they do, whether or not it meters."""
    for session_id in await read(interruptions.found, at):
        with bound_contextvars(session=session_id):
            await _alone(interruptions.resume_found, session_id, at)


async def _alone(work: Callable[..., T], *given: object) -> T | None:
    """What one charge or charger demands: whatever is wrong with it, the others get theirs, and it stays due."""
    try:
        return await transact(work, *given)
    except Exception:
        log.exception("deadline failed")
        return None


async def sweep_vacancies(at: datetime) -> None:
    """Tell those who wait for a charger that it is free, however it became so."""
    for charger_id in await read(vacancies.freed, at):
        await _alone(vacancies.tell, charger_id, at)


async def sweep_future(at: datetime) -> None:
    """Let nobody wait for what a clock that was ahead has put off."""
    if await read(future.found, at):
        await transact(future.bring_back, at)


async def sweep_short(at: datetime) -> None:
    """Tell drivers whose page is closed that the money of their charge ends soon."""
    for user_id, ref in await read(shortage.found, at):
        await _alone(push.tell, user_id, push.LOW, ref)


async def sweep_books(gateway: PaymentGateway, at: datetime) -> None:
    """Look what does not fit together: what is late every ten minutes, the whole ledger and the gateway's own words
    once a night, in one process of all (payments.md 2.4). At night old tries at the doors, sign-ins that ended long
    ago, what browsers were told, old answers of the REST API and what chargers once said of their own safety are
    forgotten, too."""
    night = chores.next_night(at)
    await _in_its_hour("late", at, at + MOMENTS_EVERY, partial(_look_at_moments, at))
    await _in_its_hour("books", at, night, partial(_compare_books, gateway, at))
    await _in_its_hour("tries", at, night, partial(transact, attempts.forget, at))
    await _in_its_hour("sign-ins", at, night, partial(transact, sign_ins.forget, at))
    await _in_its_hour("pushes", at, night, partial(transact, pushes.forget, at))
    await _in_its_hour("answers", at, night, partial(_forget_all, api_writes.forget, at))
    await _in_its_hour("security", at, night, partial(_forget_all, safety.forget, at))


async def _in_its_hour(chore: str, at: datetime, due_again: datetime, work: Callable[[], Awaitable[object]]) -> None:
    """Do a chore if it is due and ours; one that its process does not survive is taken up by another."""
    if await read(chores.is_due, chore, at) and await transact(chores.take, chore, at, due_again):
        await work()
        await transact(chores.done, chore, at, due_again)


async def _look_at_moments(at: datetime) -> None:
    await _keep(await read(reconciliation.of_moments, at))


async def _compare_books(gateway: PaymentGateway, at: datetime) -> None:
    await _keep(await read(reconciliation.of_books))
    answers = await recheck.recheck(gateway, at - recheck.LATELY)
    await _keep(answers.found)
    log.info("books compared", asked=answers.asked, unanswered=answers.unanswered, found=len(answers.found))


async def _forget_all(some: Callable[[Session, datetime], int], at: datetime) -> None:
    """As many at once as one transaction may, until there are none."""
    while await transact(some, at):
        pass


async def _keep(found: list[Discrepancy]) -> None:
    if found:
        await transact(reconciliation.keep, found)


@dataclass(slots=True)
class Sweep:
    """One kind of deadlines, worked again and again."""

    name: str
    work: Callable[[datetime], Awaitable[object]]
    apart: timedelta = timedelta(0)
    """Between two of them at least, the first one too."""
    began: float = field(default_factory=time.monotonic)
    ended: float = field(default_factory=time.monotonic)
    """When it last ended well, or was not due."""

    async def repeat(self, every: float) -> None:
        while True:
            try:
                await self._if_due()
                self.ended = time.monotonic()
            except Exception:
                log.exception("sweep failed", sweep=self.name)
            await asyncio.sleep(every)

    async def _if_due(self) -> None:
        if time.monotonic() - self.began >= self.apart.total_seconds():
            self.began = time.monotonic()
            await self.work(now())


@dataclass(slots=True)
class Lost:
    """Looks for charges whose stop was lost since this process began, and for those that go on after all."""

    since: datetime

    async def sweep(self, at: datetime) -> None:
        self.since = min(self.since, at)  # the clock may have been put back
        await sweep_lost(at, self.since)
        await sweep_found(at)


async def run(bus: Bus, gateway: PaymentGateway, *, every: float = 1.0) -> None:
    """Sweep until cancelled; one failing sweep is logged and stops neither the others nor the next."""
    sweeps = (
        Sweep("charges", partial(sweep_charges, bus)),
        Sweep("lost", Lost(now()).sweep, LOST_EVERY),
        Sweep("freed", sweep_vacancies),
        Sweep("short", sweep_short, SHORT_EVERY),
        Sweep("payments", partial(funnel.poll, gateway)),
        Sweep("refunds", partial(funnel.poll_refunds, gateway)),
        Sweep("books", partial(sweep_books, gateway), BOOKS_EVERY),
        Sweep("future", sweep_future, FUTURE_EVERY),
    )
    metrics.SWEEP_AGE.read = lambda: {(sweep.name,): time.monotonic() - sweep.ended for sweep in sweeps}
    await asyncio.gather(*(sweep.repeat(every) for sweep in sweeps))
