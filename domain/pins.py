"""PINs: which ones are refused, and how one is kept so that a stolen table gives none away."""

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import pairwise

import bcrypt

from domain.sentences import Sentence
from domain.settings import settings

COST = 12
"""bcrypt's work factor; tests lower it."""
THREADS = 2
"""Cores that hashing may take away from driving chargers (payments.md 2.8)."""
WAITING = 100
"""Guesses that may wait for a thread before the next one is sent away."""
SCHEME = "v1"
"""Names pepper and layout of a kept PIN: `v1$<salt>$<bcrypt>`."""

FAVOURITES = frozenset(
    """
    1123 1230 1236 1245 1248 1258 1590 1592 2580 3698 4200 5683 7410 7894 8520 9632 102938 112358 121314 123098
    123412 123567 123578 123654 123698 123789 123987 124578 131415 134679 135246 141421 142536 142857 145236 147258
    147369 147852 147896 147963 151617 159263 159357 159753 161803 235689 235711 246810 246813 246824 258000 258369
    258456 258741 258963 263636 271828 314159 321456 321654 321789 357159 357951 369147 369852 415263 456123 456321
    456852 456987 475869 486248 520131 563412 575859 645312 654123 741258 753159 753951 786110 789123 789321 789456
    789654 848586 852147 852369 852456 852741 951357 951753 963147 963258 963741 963852 985632 987321 987456
    """.split()  # noqa: SIM905 - a table to read, not a hundred quotes
)
"""PINs many people choose that no rule below catches: keypad figures, famous numbers, steps."""


class TooBusy(Exception):
    """More people sign in than PINs can be checked; the argument says so."""

    def __init__(self) -> None:
        super().__init__(Sentence("Many people are signing in just now. Try again in a minute."))


def refusal(pin: object, phone: str) -> str:
    """Why this PIN may not be chosen, as a sentence; empty when it may (payments.md 2.8).

    Args:
        pin: what was typed.
        phone: the driver's own number, E.164; its digits are no secret.
    """
    length = settings().pin_length
    if not (isinstance(pin, str) and len(pin) == length and pin.isascii() and pin.isdigit()):
        return Sentence("A PIN has {length} digits.", length=length)
    if pin in phone:
        return Sentence("Choose another PIN: this one is part of your phone number.")
    return next((sentence for guessable, sentence in _RULES if guessable(pin)), "")


def random(phone: str) -> str:
    """A PIN that may be chosen, for somebody who has forgotten his."""
    while True:
        pin = f"{secrets.randbelow(10 ** settings().pin_length):0{settings().pin_length}}"
        if not refusal(pin, phone):
            return pin


def _few_digits(pin: str) -> bool:
    return len(set(pin)) <= max(1, len(pin) // 3)


def _repeats(pin: str) -> bool:
    return pin in (pin + pin)[1:-1] or pin[0::2] == pin[1::2]


def _steps(pin: str) -> bool:
    return len({(int(b) - int(a)) % 10 for a, b in pairwise(pin)}) == 1


def _year(pin: str) -> bool:
    return any(year[:2] in ("19", "20") for year in (pin[:4], pin[-4:]))


def _date(pin: str) -> bool:
    day, month = int(pin[:2]), int(pin[2:4])
    return len(pin) in (4, 6, 8) and 1 <= day <= 31 and 1 <= month <= 12


_RULES: tuple[tuple[Callable[[str], bool], str], ...] = (
    (_few_digits, Sentence("Choose another PIN: this one repeats itself, and people try that first.")),
    (_repeats, Sentence("Choose another PIN: this one repeats itself, and people try that first.")),
    (_steps, Sentence("Choose another PIN: this one counts up or down, and people try that first.")),
    (lambda pin: pin == pin[::-1], Sentence("Choose another PIN: this one reads the same backwards.")),
    (_year, Sentence("Choose another PIN: this one looks like a year, and people try birthdays.")),
    (_date, Sentence("Choose another PIN: this one looks like a date, and people try birthdays.")),
    (FAVOURITES.__contains__, Sentence("Choose another PIN: too many people use this one.")),
)

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="pin")
_queue = 0
_has_place: ContextVar[bool] = ContextVar("has_place", default=False)
"""Of this task."""


async def hash(pin: str) -> str:
    """What is kept of a PIN.

    Raises:
        TooBusy: as `place` does.
    """
    salt = secrets.token_hex(16)
    return f"{SCHEME}${salt}${await _bcrypt(pin, salt, bcrypt.gensalt(COST))}"


async def matches(pin: str, kept: str) -> bool:
    """Whether this is the kept PIN; the same work when `kept` is empty because nobody was found.

    Raises:
        TooBusy: as `place` does.
    """
    _, salt, expected = (kept or _nobody()).split("$", 2)
    return hmac.compare_digest(await _bcrypt(pin, salt, expected.encode()), expected)


def _nobody() -> str:
    """A kept PIN that no PIN matches: bcrypt never ends in dots."""
    return f"{SCHEME}${'0' * 32}$$2b${COST:02}${'.' * 53}"


@contextmanager
def place() -> Iterator[None]:
    """A place in the queue for all PINs that are checked or hashed within, to be taken before a try is counted: a try
    that nobody has the time to check must lock nobody out.

    Raises:
        TooBusy: WAITING others are in the queue.
    """
    global _queue
    if _has_place.get():
        yield
        return
    if _queue >= THREADS + WAITING:
        raise TooBusy
    _queue += 1
    mine = _has_place.set(True)
    try:
        yield
    finally:
        _has_place.reset(mine)
        _queue -= 1


async def _bcrypt(pin: str, salt: str, setting: bytes) -> str:
    peppered = base64.b64encode(hmac.digest(_pepper(), f"{salt}{pin}".encode(errors="replace"), "sha256"))
    with place():
        return (await asyncio.get_running_loop().run_in_executor(_threads, bcrypt.hashpw, peppered, setting)).decode()


def _pepper() -> bytes:
    """A key of its own for this purpose; whoever signs cookies with the secret cannot check PINs with it."""
    return hmac.digest(settings().secret(), f"evapp pin {SCHEME}".encode(), hashlib.sha256)
