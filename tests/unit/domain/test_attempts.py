"""Guesses: counted before they are checked, by account, name, device, address and network."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from domain import attempts, pins
from domain.accounts import Registration, register
from domain.attempts import LAST, LOCKS, ROUND, Device, Locked
from domain.db import Database, transact
from domain.models import SignInAttempt, User
from domain.settings import Settings

NOON = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
HERE = "203.0.113.7"


@pytest.fixture
def user(db: Session) -> User:
    return register(db, Registration("asha", "+919845012345", "", ""), "kept")


def wrong(db: Session, times: int, at: datetime = NOON, login: str = "asha", device: Device | None = None) -> None:
    """As many wrong PINs, from as many addresses, so that only the name is at its limit."""
    for n in range(times):
        attempts.attempt(db, "login", login=login, address=f"10.{n // 250}.{n % 250}.1", device=device, at=at)


def known(user: User, number: str = "a" * 32) -> Device:
    """A device on which this user signed in with the PIN that is his now."""
    return Device(user.id or 0, number, attempts.pin_mark(user))


def locked_until(db: Session, at: datetime, login: str = "asha", device: Device | None = None) -> datetime | None:
    try:
        attempts.attempt(db, "login", login=login, address="192.0.2.1", device=device, at=at)
    except Locked as locked:
        return locked.until
    return None


@pytest.mark.parametrize("login", ["asha", "nobody"])
def test_five_wrong_pins_lock_a_name_whether_it_exists_or_not(db: Session, user: User, login: str) -> None:
    wrong(db, ROUND, login=login)
    until = locked_until(db, NOON, login)
    assert until == NOON + timedelta(minutes=15)
    assert locked_until(db, until - timedelta(seconds=1), login) == until
    assert locked_until(db, until, login) is None


@pytest.mark.parametrize("login", ["asha", "nobody"])
def test_each_lock_is_longer_until_only_an_operator_opens(db: Session, user: User, login: str) -> None:
    at, lengths = NOON, []
    for _ in range(LAST // ROUND):
        wrong(db, ROUND, at, login)
        until = locked_until(db, at, login)
        assert until is not None
        lengths.append(until - at)
        at = until
    assert tuple(lengths[:8]) == LOCKS
    assert lengths[8] == LOCKS[-1]
    assert at == attempts.NEVER


def test_unknown_name_and_known_name_give_the_same_kind_of_attempt(db: Session, user: User) -> None:
    known = attempts.attempt(db, "login", login="asha", address=HERE, at=NOON)
    unknown = attempts.attempt(db, "login", login="nobody", address=HERE, at=NOON)
    assert (known.user_id, known.pin_hash) == (user.id, "kept")
    assert (unknown.user_id, unknown.pin_hash) == (None, "")


def test_an_unknown_name_is_not_kept_readable(db: Session) -> None:
    attempts.attempt(db, "login", login="482913", address=HERE, at=NOON)
    assert not [row for row in db.exec(select(SignInAttempt)) if "482913" in row.address]


@pytest.mark.parametrize("spelling", ["asha", "ASHA", "ａｓｈａ", "9845012345", "+91 98450 12345", "०९८४५०१२३४५"])
def test_every_spelling_counts_on_the_same_account(db: Session, user: User, spelling: str) -> None:
    wrong(db, ROUND, login=spelling)
    assert locked_until(db, NOON)


def test_a_right_pin_forgets_the_wrong_ones(db: Session, user: User) -> None:
    wrong(db, ROUND - 1)
    right = attempts.attempt(db, "login", login="asha", address=HERE, at=NOON)
    assert attempts.passed(db, right) == user
    assert (user.failures, user.locked_until) == (0, None)
    assert not db.exec(select(SignInAttempt).where(SignInAttempt.address == HERE)).all()
    wrong(db, ROUND - 1)
    assert locked_until(db, NOON) is None


def test_a_pin_changed_while_it_was_checked_lets_nobody_in(db: Session, user: User) -> None:
    attempt = attempts.attempt(db, "login", login="asha", address=HERE, at=NOON)
    user.pin_hash = "another"
    db.add(user)
    db.flush()
    assert attempts.passed(db, attempt) is None
    assert user.failures == 1


def test_a_stranger_cannot_lock_the_owner_out_of_a_known_device(db: Session, user: User) -> None:
    wrong(db, ROUND)
    device = known(user)
    mine = attempts.attempt(db, "login", login="asha", address=HERE, device=device, at=NOON)
    assert attempts.passed(db, mine) == user
    assert locked_until(db, NOON), "the stranger stays locked"


def test_a_known_device_has_five_guesses_of_its_own(db: Session, user: User) -> None:
    device = known(user)
    wrong(db, ROUND, device=device)
    assert locked_until(db, NOON, device=device) == NOON + timedelta(minutes=15)
    assert locked_until(db, NOON) is None


def test_another_ones_device_is_a_stranger(db: Session, user: User) -> None:
    wrong(db, ROUND, device=known(user)._replace(user_id=999))
    assert locked_until(db, NOON)


def test_a_device_of_another_pin_is_a_stranger(db: Session, user: User) -> None:
    """Whoever knew the PIN once had five guesses on each cookie that he had collected, through every change of it."""
    device = known(user)
    user.pin_hash = "another"
    db.add(user)
    wrong(db, ROUND, device=device)
    assert locked_until(db, NOON) == NOON + timedelta(minutes=15)
    assert locked_until(db, NOON, device=known(user)) is None


def test_all_devices_of_an_account_have_an_end_together(db: Session, user: User) -> None:
    """A few wrong PINs on each of many cookies; then they count as those of strangers, who are no nearer to it."""
    for n in range(LAST):
        device = known(user, f"{n:032}")
        attempts.attempt(db, "login", login="asha", address=f"10.1.{n}.1", device=device, at=NOON)
    assert user.failures == 0
    wrong(db, ROUND, device=known(user, "b" * 32))
    assert locked_until(db, NOON, device=known(user, "c" * 32)) == NOON + timedelta(minutes=15)
    attempts.unlock(db, user)
    assert locked_until(db, NOON, device=known(user, "c" * 32)) is None


def test_what_strangers_guess_is_none_of_the_devices(db: Session, user: User) -> None:
    at = NOON
    for _ in range(LAST // ROUND - 1):
        wrong(db, ROUND, at)
        at = locked_until(db, at) or at
    mine = attempts.attempt(db, "login", login="asha", address=HERE, device=known(user), at=at)
    assert mine.counter


@pytest.mark.parametrize(
    ("addresses", "limit"),
    [
        ([HERE] * 30, 20),
        ([f"203.0.113.{n}" for n in range(1, 151)], 100),
        ([f"2001:db8:1:2::{n:x}" for n in range(1, 151)], 100),
        ([f"::ffff:203.0.113.{n}" for n in range(1, 151)], 100),
        (["not an address"] * 30, 20),
    ],
)
def test_an_address_and_a_network_run_out_of_guesses(db: Session, addresses: list[str], limit: int) -> None:
    counted = 0
    with pytest.raises(Locked) as locked:
        for address in addresses:
            attempts.attempt(db, "login", login=f"name{counted}", address=address, at=NOON)
            counted += 1
    assert counted == limit
    assert NOON < locked.value.until <= NOON + timedelta(hours=1)
    attempts.attempt(db, "login", login="other", address=addresses[0], at=locked.value.until)


def test_the_neighbour_network_goes_on(db: Session) -> None:
    for n in range(20):
        attempts.attempt(db, "login", login=f"name{n}", address=HERE, at=NOON)
    attempts.attempt(db, "login", login="asha", address="203.0.114.7", at=NOON)


def test_a_flood_from_everywhere_makes_everything_slow_but_locks_nobody_out(db: Session) -> None:
    slow = [
        attempts.attempt(db, "login", login=f"name{n}", address=f"10.{n // 250}.{n % 250}.1", at=NOON).slow
        for n in range(302)
    ]
    assert slow == [False] * 299 + [True] * 3
    later = NOON + timedelta(minutes=1)
    assert not attempts.attempt(db, "login", login="asha", address=HERE, at=later).slow


def test_production_takes_five_registrations_an_hour_from_an_address(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "settings", lambda: Settings(env="production"))
    for _ in range(5):
        attempts.knock(db, "register", HERE, NOON)
    with pytest.raises(Locked) as locked:
        attempts.knock(db, "register", HERE, NOON + timedelta(minutes=59))
    assert locked.value.until == NOON + timedelta(hours=1)
    attempts.knock(db, "register", HERE, NOON + timedelta(hours=1))


def test_a_desk_may_register_as_often_as_it_tests(db: Session) -> None:
    for _ in range(200):
        attempts.knock(db, "register", "127.0.0.1", NOON)


def test_a_refused_try_is_not_counted(db: Session, user: User) -> None:
    wrong(db, ROUND)
    db.commit()
    before = len(db.exec(select(SignInAttempt)).all())
    assert locked_until(db, NOON)
    db.rollback()
    assert len(db.exec(select(SignInAttempt)).all()) == before


def test_old_tries_are_forgotten(db: Session) -> None:
    attempts.attempt(db, "login", login="nobody", address=HERE, at=NOON)
    assert attempts.forget(db, NOON + attempts.KEPT) == 0
    assert attempts.forget(db, NOON + attempts.KEPT + timedelta(seconds=1)) == 4


def test_a_lock_is_of_the_last_round_that_was_full(db: Session) -> None:
    """However many failures were counted past it."""
    attempts.attempt(db, "login", login="nobody", address=HERE, at=NOON)
    counted = db.exec(select(SignInAttempt).where(SignInAttempt.door == attempts._COUNTED)).one()
    for n in range(1, 14):
        at = NOON + timedelta(seconds=n)
        db.add(SignInAttempt(door=attempts._COUNTED, address=counted.address, at=at))
    db.flush()
    assert locked_until(db, NOON + timedelta(minutes=1), "nobody") == NOON + timedelta(seconds=9) + LOCKS[1]


async def test_tries_at_once_from_one_address_are_as_many_as_one_after_the_other(database: Database) -> None:
    async def knock(n: int) -> bool:
        try:
            await transact(attempts.attempt, "login", login=f"name{n}", address=HERE, at=NOON)
        except Locked:
            return False
        return True

    assert sum(await asyncio.gather(*(knock(n) for n in range(60)))) == 20


@pytest.mark.parametrize("login", ["asha", "nobody"])
async def test_a_hundred_guesses_at_once_are_five(
    database: Database, monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    """Of a name that nobody has, too: more answers would say that it is nobody's."""
    monkeypatch.setattr(pins, "COST", 4)
    await transact(register, Registration("asha", "+919845012345", "", ""), await pins.hash("482913"))
    evaluated = 0

    async def guess(n: int) -> bool:
        nonlocal evaluated
        try:
            attempt = await transact(attempts.attempt, "login", login=login, address=f"10.0.{n}.1", at=NOON)
        except Locked:
            return False
        evaluated += 1
        return await pins.matches(f"{n:06}", attempt.pin_hash)

    assert not any(await asyncio.gather(*(guess(n) for n in range(100))))
    assert evaluated == ROUND
