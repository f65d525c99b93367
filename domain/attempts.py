"""Tries at the doors that take guesses: counted before the guess is checked, so a hundred at once gain nothing."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple

from sqlalchemy import and_, func
from sqlmodel import Session, col, delete, select

from domain import identity
from domain.india import INDIA
from domain.models import SignInAttempt, User, now
from domain.sentences import Sentence
from domain.settings import settings

ROUND = 5
"""Wrong PINs in a row before a lock, and again after each lock."""
LOCKS = tuple(timedelta(minutes=m) for m in (15, 30, 60, 120, 240, 480, 960, 1440))
"""How long the first lock lasts, the second …; the last one repeats."""
LAST = 50
"""Wrong PINs in a row after which only an operator opens the account again (payments.md 2.8)."""
NEVER = datetime.max.replace(tzinfo=INDIA) - timedelta(days=2)
KEPT = timedelta(days=30)
"""How long a try is remembered."""

MISMATCH = Sentence("That username or phone and PIN do not match.")


@dataclass(frozen=True, slots=True)
class Limit:
    """How many tries one address, one network or everyone has within a time."""

    of: str
    tries: int
    within: timedelta


_NETWORK = Limit("network", 100, timedelta(hours=1))
_GUESSES = (Limit("address", 20, timedelta(minutes=15)), _NETWORK)
LIMITS = {
    "login": _GUESSES,
    "pin": _GUESSES,
    "profile": (Limit("address", 30, timedelta(hours=1)), _NETWORK),
    "api": (Limit("address", 20, timedelta(minutes=15)), _NETWORK),
    "register": (Limit("address", 5, timedelta(hours=1)), _NETWORK),
}
"""Doors, and the tries that fail there before a later one is not even looked at (payments.md 2.8)."""
DEVELOPMENT = {"register": (Limit("address", 1000, timedelta(hours=1)),)}
"""Everybody on a desk has the same address."""
CALM = Limit("everyone", 300, timedelta(minutes=1))
"""Above this all sign-ins are answered slowly: somebody tries one PIN over many accounts."""


class Locked(Exception):
    """Too many tries: the next one counts at `until`. NEVER: only an operator unlocks."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class Device(NamedTuple):
    """A browser in which somebody signed in before, as its cookie says."""

    user_id: int
    number: str
    pin: str
    """Of which PIN of his: `pin_mark`."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted try: what to check the PIN against, and what to forget when it was right."""

    user_id: int | None
    pin_hash: str
    """Empty when there is nobody of that name: the check then takes its time all the same."""
    rows: tuple[int, ...]
    counter: str
    """Where the failures of a known device or an unknown name are counted; empty: on the account itself."""
    slow: bool


def knock(db: Session, door: str, address: str, at: datetime | None = None) -> list[SignInAttempt]:
    """Count a try at a door, for its address, its network and everyone.

    Raises:
        Locked: an address or network had all its tries; this one is not counted.
    """
    at = at or now()
    rows = []
    for limit in _limits(door):
        key = _key(limit.of, address)
        _alone(db, door, key)
        if full := _full(db, door, key, limit, at):
            raise Locked(full)
        rows.append(SignInAttempt(door=door, address=key, at=at))
    rows.append(SignInAttempt(door=door, address=_key("everyone", address), at=at))
    db.add_all(rows)
    db.flush()
    return rows


def room(db: Session, door: str, address: str, at: datetime | None = None) -> None:
    """See that a try from here would be counted, before anybody's time is kept for it.

    Raises:
        Locked: an address or network had all its tries.
    """
    for limit in _limits(door):
        if full := _full(db, door, _key(limit.of, address), limit, at or now()):
            raise Locked(full)


def attempt(
    db: Session,
    door: str,
    *,
    login: object = "",
    user_id: int | None = None,
    address: str,
    device: Device | None = None,
    at: datetime | None = None,
) -> Attempt:
    """Count a guess at somebody's PIN, before it is checked.

    Args:
        door: login or pin.
        login: username or phone as typed; or else
        user_id: whoever is signed in.
        address: where it comes from.
        device: one that this user signed in with by the PIN that is his now: its failures are counted on their own,
            so that a stranger's guesses never lock the owner out, nor the owner's undo the stranger's. When all devices
            of an account together had LAST of them, each counts as a stranger does.
        at: the time of the guess.

    Raises:
        Locked: this account, name, device, address or network must wait; the guess is not counted.
    """
    at = at or now()
    rows = knock(db, door, address, at)
    user = _locked_row(db, login, user_id)
    counter = "" if user else _name_key(login)
    if user and device and _is_known(user, device) and _of_devices(db, user) < LAST:
        counter = f"device:{device.number}"[:45]
    if counter:
        _count_apart(db, counter, at, user)
    elif user:
        _count_on_account(user, at)
    return Attempt(
        user_id=user.id if user else None,
        pin_hash=user.pin_hash if user else "",
        rows=tuple(row.id for row in rows),
        counter=counter,
        slow=_full(db, door, _key("everyone", address), CALM, at) is not None,
    )


def passed(db: Session, attempt: Attempt) -> User | None:
    """Forget the failures, since the PIN was right; None when it no longer is, because it was just changed."""
    user = _locked_row(db, "", attempt.user_id)
    if user is None or user.pin_hash != attempt.pin_hash:
        return None
    db.exec(delete(SignInAttempt).where(col(SignInAttempt.id).in_(attempt.rows)))
    if attempt.counter:
        db.exec(delete(SignInAttempt).where(_in(_COUNTED, attempt.counter)))
    else:
        user.failures, user.locked_until = 0, None
    return user


def unlock(db: Session, user: User) -> None:
    """Open every lock of an account: its own, and those of the devices it is known on."""
    user.failures, user.locked_until = 0, None
    forget_devices(db, user)


def forget_devices(db: Session, user: User) -> None:
    """Forget what was guessed on the devices that an account is known on."""
    db.exec(delete(SignInAttempt).where(col(SignInAttempt.door) == _COUNTED, col(SignInAttempt.user_id) == user.id))


def pin_mark(user: User) -> str:
    """What tells the PIN of now from any other, and says nothing about it."""
    return hmac.digest(settings().secret(), f"device {user.pin_hash}".encode(), "sha256").hex()[:32]


def forget(db: Session, at: datetime | None = None) -> int:
    """Remove the tries that no limit looks at any more; gives their number."""
    return db.exec(delete(SignInAttempt).where(col(SignInAttempt.at) < (at or now()) - KEPT)).rowcount


_COUNTED = "counted"
"""The `door` of failures that are counted apart from accounts."""


def _is_known(user: User, device: Device) -> bool:
    return device.user_id == user.id and hmac.compare_digest(device.pin, pin_mark(user))


def _of_devices(db: Session, user: User) -> int:
    counted = select(func.count()).where(col(SignInAttempt.door) == _COUNTED, col(SignInAttempt.user_id) == user.id)
    return db.exec(counted).one()


def _count_on_account(user: User, at: datetime) -> None:
    if user.locked_until and user.locked_until > at:
        raise Locked(user.locked_until)
    user.failures += 1
    user.locked_until = _lock_after(user.failures, at)


def _count_apart(db: Session, counter: str, at: datetime, user: User | None) -> None:
    _alone(db, _COUNTED, counter)
    past = db.exec(
        select(SignInAttempt.at).where(_in(_COUNTED, counter)).order_by(col(SignInAttempt.at).desc()).limit(LAST)
    ).all()
    rest = len(past) % ROUND
    until = _lock_after(len(past) - rest, past[rest]) if len(past) >= ROUND else None
    if until and until > at:
        raise Locked(until)
    db.add(SignInAttempt(door=_COUNTED, address=counter, user_id=user.id if user else None, at=at))


def _alone(db: Session, door: str, key: str) -> None:
    """Let nobody else count here until this transaction ends: tries at once would not see each other, and a name that
    nobody has, which has no row to lock, would be told by its many answers. SQLite writes one by one anyhow."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{door} {key}", 0))))


def _lock_after(failures: int, at: datetime) -> datetime | None:
    if failures >= LAST:
        return NEVER
    rounds, rest = divmod(failures, ROUND)
    return at + LOCKS[min(rounds, len(LOCKS)) - 1] if rounds and not rest else None


def _limits(door: str) -> tuple[Limit, ...]:
    return LIMITS[door] if settings().production else DEVELOPMENT.get(door, LIMITS[door])


def _full(db: Session, door: str, key: str, limit: Limit, at: datetime) -> datetime | None:
    """When the oldest of the tries that fill a limit no longer counts; None while there is room."""
    oldest = db.exec(
        select(SignInAttempt.at)
        .where(_in(door, key))
        .order_by(col(SignInAttempt.at).desc())
        .offset(limit.tries - 1)
        .limit(1)
    ).first()
    return oldest + limit.within if oldest and oldest + limit.within > at else None


def _in(door: str, key: str) -> Any:
    return and_(col(SignInAttempt.door) == door, col(SignInAttempt.address) == key)


def _locked_row(db: Session, login: object, user_id: int | None) -> User | None:
    query = select(User).with_for_update().execution_options(populate_existing=True)
    if user_id is not None:
        return db.exec(query.where(User.id == user_id)).first()
    column, spelling = identity.login(login)
    return db.exec(query.where(getattr(User, column) == spelling)).first()


def _name_key(login: object) -> str:
    """An unknown name, unreadable: people type their PIN into the wrong field."""
    spelling = identity.login(login)[1] or str(login)
    return "name:" + hmac.digest(settings().secret(), spelling.encode(errors="replace"), "sha256").hex()[:40]


def _key(of: str, address: str) -> str:
    if of == "everyone":
        return "*"
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return f"{of}:{address}"[:45]
    if isinstance(ip, IPv6Address):
        ip = ip.ipv4_mapped or ip
    if of == "address":
        return str(ip)
    return str(ip_network((ip, 64 if isinstance(ip, IPv6Address) else 24), strict=False))
