"""What is done each night, once, whoever dies over it, and what the sweeper looks at and forgets meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from domain import (
    api_keys,
    api_writes,
    attempts,
    chores,
    metrics,
    push,
    pushes,
    reconciliation,
    sign_ins,
    sweeper,
    vitals,
)
from domain.db import Database, read, transact
from domain.models import (
    ApiWrite,
    Chore,
    Push,
    SignIn,
    SignInAttempt,
    User,
)
from domain.reconciliation import Discrepancy
from tests import receivers
from tests.money.house import Clock, Gateway, placed
from tests.money.orders import paid
from tests.money.test_reconciliation import kinds


async def test_a_clock_that_was_wrong_puts_no_chore_off(database: Database, clock: Clock) -> None:
    """A machine without a battery woke up years ahead, did its chores, and was then set right."""
    right, wrong = clock.at, clock.at + timedelta(days=3650)
    for at in (right, wrong):
        await transact(chores.take, "books", at, chores.next_night(at))
    await transact(chores.done, "books", wrong, chores.next_night(wrong))
    night = chores.next_night(right)
    assert await read(chores.is_due, "books", right)
    assert await transact(chores.take, "books", right, night)
    await transact(chores.done, "books", right, night)
    assert not await read(chores.is_due, "books", right)
    chore = await read(lambda db: db.exec(select(Chore)).one())
    assert (chore.done_at, chore.due_at) == (right, night)


async def test_a_chore_is_done_by_one_process_when_its_hour_has_come(asha: int, clock: Clock) -> None:
    due_again = clock.at + timedelta(hours=1)
    assert await read(chores.is_due, "books", clock.at)
    assert not await transact(chores.take, "books", clock.at, due_again)
    assert not await read(chores.is_due, "books", clock.at)
    next_time = due_again + timedelta(hours=1)
    taken = await asyncio.gather(*(transact(chores.take, "books", due_again, next_time) for _ in range(8)))
    assert sum(taken) == 1
    chore = await read(lambda db: db.exec(select(Chore)).one())
    assert (chore.taken_at, chore.due_at) == (due_again, due_again + chores.PATIENCE)
    await transact(chores.done, "books", due_again, next_time)
    chore = await read(lambda db: db.exec(select(Chore)).one())
    assert (chore.done_at, chore.due_at) == (due_again, next_time)


async def test_a_night_whose_process_died_is_not_left_out(asha: int, gateway: Gateway, clock: Clock) -> None:
    """Half an hour later the books are compared after all, once."""
    await sweeper.sweep_books(gateway, clock.at)
    clock.at = chores.next_night(clock.at) - timedelta(minutes=5)
    gateway.say(await paid(gateway, asha), "FAILED")
    clock.at += timedelta(minutes=6)
    assert await transact(chores.take, "books", clock.at, chores.next_night(clock.at))
    for minutes, compared in ((29, []), (2, ["gateway-state"]), (40, ["gateway-state"])):
        clock.at += timedelta(minutes=minutes)
        await sweeper.sweep_books(gateway, clock.at)
        assert [kind for kind, _ in await kinds()] == compared


async def test_an_audit_that_fails_each_night_is_seen_by_its_age(
    asha: int, gateway: Gateway, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each half hour it is taken up again; what counts is when one ended well, or how long a first one is awaited."""
    began = clock.at
    await sweeper.sweep_books(gateway, clock.at)
    with monkeypatch.context() as broken:
        broken.setattr(reconciliation, "of_books", _unreadable)
        for _ in range(2 * 48):
            clock.at += timedelta(minutes=30)
            if await read(chores.is_due, "books", clock.at):
                with pytest.raises(OSError, match="unreadable"):
                    await sweeper.sweep_books(gateway, clock.at)
    assert await _audit_age(clock) == clock.at - began
    clock.at += chores.PATIENCE
    await sweeper.sweep_books(gateway, clock.at)
    assert await _audit_age(clock) == timedelta(0)


def _unreadable(db: Session) -> list[Discrepancy]:
    raise OSError("unreadable")


async def _audit_age(clock: Clock) -> timedelta:
    [figures] = [figures for gauge, figures in await read(vitals.vitals, clock.at) if gauge is metrics.AUDIT_AGE]
    return timedelta(seconds=figures[()])


@pytest.mark.parametrize(
    ("at", "night"),
    [
        (datetime(2026, 11, 22, 20, 59, 59, tzinfo=UTC), datetime(2026, 11, 22, 21, tzinfo=UTC)),
        (datetime(2026, 11, 22, 21, tzinfo=UTC), datetime(2026, 11, 23, 21, tzinfo=UTC)),
        (datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 1, 21, tzinfo=UTC)),
    ],
)
def test_the_night_is_half_past_two_in_india(at: datetime, night: datetime) -> None:
    assert chores.next_night(at) == night


async def test_the_sweeper_compares_the_books_at_night_and_looks_every_ten_minutes(
    asha: int, gateway: Gateway, clock: Clock
) -> None:
    await sweeper.sweep_books(gateway, clock.at)
    night = chores.next_night(clock.at)
    clock.at = night - timedelta(minutes=5)
    order_id = await paid(gateway, asha)
    gateway.say(order_id, "FAILED")
    asked = gateway.calls["status"]
    waiting = (await placed(asha, nonce="n2")).merchant_order_id
    await sweeper.sweep_books(gateway, clock.at)
    assert (await kinds(), gateway.calls["status"]) == ([], asked)
    clock.at = night + timedelta(minutes=30)
    for _ in range(3):
        await sweeper.sweep_books(gateway, clock.at)
    assert await kinds() == [("overdue", waiting), ("gateway-state", order_id)]
    assert gateway.calls["status"] == asked + 1


async def test_the_sweeper_forgets_old_tries_at_the_doors(asha: int, gateway: Gateway, clock: Clock) -> None:
    await sweeper.sweep_books(gateway, clock.at)
    night = chores.next_night(clock.at)
    await transact(attempts.knock, "login", "203.0.113.7", night - attempts.KEPT - timedelta(minutes=1))
    await transact(attempts.knock, "login", "203.0.113.7", night - attempts.KEPT + timedelta(hours=1))
    clock.at = night + timedelta(minutes=1)
    await sweeper.sweep_books(gateway, clock.at)
    left = await read(lambda db: db.exec(select(SignInAttempt.at)).all())
    assert set(left) == {night - attempts.KEPT + timedelta(hours=1)}


async def test_the_sweeper_forgets_old_sign_ins(asha: int, gateway: Gateway, clock: Clock) -> None:
    await sweeper.sweep_books(gateway, clock.at)
    browser = sign_ins.Browser("hash", "Chrome", "203.0.113.7")
    await transact(lambda db: sign_ins.start(db, db.get_one(User, asha), browser, clock.at))
    clock.at += sign_ins.IDLE + sign_ins.KEPT + timedelta(days=1)
    await sweeper.sweep_books(gateway, clock.at)
    assert await read(lambda db: db.exec(select(SignIn.id)).all()) == []


async def test_the_sweeper_forgets_what_browsers_were_told_long_ago(asha: int, gateway: Gateway, clock: Clock) -> None:
    await transact(receivers.subscribed, asha, "phone", clock.at)
    await sweeper.sweep_books(gateway, clock.at)
    night = chores.next_night(clock.at)
    for ref, age in (("old", pushes.KEPT + timedelta(hours=1)), ("new", timedelta(hours=1))):
        clock.at = night - age
        await transact(push.tell, asha, push.ENDED, ref)
    await transact(lambda db: setattr(db.exec(select(SignIn)).one(), "seen_at", night))
    clock.at = night + timedelta(minutes=1)
    await sweeper.sweep_books(gateway, clock.at)
    assert await read(lambda db: db.exec(select(Push.ref)).all()) == ["new"]


async def test_the_sweeper_forgets_old_answers_of_the_api(asha: int, gateway: Gateway, clock: Clock) -> None:
    key, _ = await transact(api_keys.create, "export", ["trail:read"])
    await sweeper.sweep_books(gateway, clock.at)
    night = chores.next_night(clock.at)
    for name, age in (("old", api_writes.KEPT + timedelta(hours=1)), ("new", timedelta(hours=1))):
        clock.at = night - age
        await transact(api_writes.begin, key.id or 0, name, "f")
    clock.at = night + timedelta(minutes=1)
    await sweeper.sweep_books(gateway, clock.at)
    assert await read(lambda db: db.exec(select(ApiWrite.name)).all()) == ["new"]
