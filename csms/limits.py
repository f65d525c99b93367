"""How much of everything one charger, and one address, may ask for, so that nobody's flood is felt by others."""

import hmac
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from websockets.datastructures import Headers

from domain.addresses import Networks, named, neighbourhood
from domain.throttle import WINDOW_S, Sparingly


@dataclass(frozen=True, slots=True)
class Limits:
    """What is let in; `docs/security.md` says it to operators."""

    total: int = 20_000
    """Sockets of this process: twice what one core is measured to carry."""
    of_address: int = 2_000
    """Sockets of one address; chargers behind one mobile carrier share one."""
    wrong_of_address: int = 60
    """Handshakes refused within WINDOW_S, after which an address waits: a charger that is set up wrong knocks a dozen
    times a minute."""
    wrong_of_charger: int = 20
    """The same in the name of one charger, from wherever."""
    strangers_of_charger: int = 100
    """So many more in its name from addresses that were refused nothing: one of them may be the charger itself, whom
    nobody knows after a restart."""
    handshake_s: float = 10.0
    """From the first byte to the last of a handshake, and as long again for TLS."""
    rate: float = 200.0
    """Messages, or fragments, that one charger may send a second; one that charges sends one in ten."""
    burst: int = 2_000
    """So many at once: what a queue holds after a day offline comes one after the other, each after its answer."""
    fragments: int = 4_000
    """Of one message; a message of the largest size in these would have fragments of 262 bytes."""
    unread_s: float = 30.0
    """So long a charger may read nothing of what fills its buffers; what it says meanwhile is no sign of life."""
    proxies: Networks = ()
    """Whose word on a charger's address is believed, beside this machine's (EVAPP_OCPP_PROXIES)."""


MOST = 100_000
"""Addresses and identities counted in a window. Whoever knocks under more names than that only makes the count begin
anew."""


class Attempts:
    """Counts refused handshakes, and knows who came with the right key before (white paper, profile 1).

    Guessing costs a comparison in memory and no look at the database; a charger whose key is right comes in while its
    name is being guessed under, and where it is known already, also while its address is.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._secret = secrets.token_bytes(32)
        self._wrong: Counter[str] = Counter()
        self._good: dict[str, bytes] = {}
        self._ends = clock() + WINDOW_S

    def allowed(self, address: str, charger_id: str, key: bytes | None) -> bool:
        """Whether this handshake may be looked at."""
        if self.hears(address) and self._wrong[charger_id] < self._most_in_a_name(address):
            return True
        good = self._good.get(charger_id)
        return good is not None and hmac.compare_digest(good, self._digest(key))

    def hears(self, address: str) -> bool:
        """Whether an address has not used up its refusals; nobody's, as a local proxy's own, has no end."""
        if self._clock() > self._ends or len(self._wrong) > MOST:
            self._wrong.clear()
            self._ends = self._clock() + WINDOW_S
        return not address or self._wrong["@" + address] < self._limits.wrong_of_address

    def _most_in_a_name(self, address: str) -> int:
        strangers = 0 if self._wrong["@" + address] else self._limits.strangers_of_charger
        return self._limits.wrong_of_charger + strangers

    def refused(self, address: str, charger_id: str = "") -> None:
        """It was the wrong key, or nobody's name; without a name the address alone pays for it."""
        self._wrong.update(("@" + address, charger_id))

    def admitted(self, charger_id: str, key: bytes | None) -> None:
        """This key was the right one; whether it still is, the database says at the next handshake, too."""
        self._good[charger_id] = self._digest(key)

    def _digest(self, key: bytes | None) -> bytes:
        return hmac.digest(self._secret, key or b"", "sha256")


class Crowd:
    """Counts open sockets, from their first byte."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._of: Counter[str] = Counter()
        self._total = 0
        self.complaints = Sparingly()

    def enter(self, address: str) -> bool:
        """Whether one more fits in."""
        if self._total >= self._limits.total or (address and self._of[address] >= self._limits.of_address):
            return False
        self._of[address] += 1
        self._total += 1
        return True

    def leave(self, address: str) -> None:
        self._of[address] -= 1
        self._total -= 1
        if not self._of[address]:
            del self._of[address]


class Pulse:
    """A token bucket: it fills with time, and each message that is read takes one token from `left`."""

    __slots__ = ("_at", "left")

    def __init__(self, limits: Limits) -> None:
        self.left, self._at = float(limits.burst), time.monotonic()

    def owed(self, limits: Limits) -> float:
        """Seconds until the bucket is no longer overdrawn; mostly 0."""
        now = time.monotonic()
        self.left = min(limits.burst, self.left + (now - self._at) * limits.rate)
        self._at = now
        return max(0.0, -self.left / limits.rate)


def knocker(peer: object, headers: Headers, proxies: Networks = ()) -> str:
    """The address that a handshake counts for; a proxy says for whom it asks (the last of X-Forwarded-For)."""
    if neighbourhood(peer, proxies):
        return neighbourhood(peer, proxies)
    forwarded = named(headers.get_all("X-Forwarded-For"))
    return neighbourhood((forwarded[-1], 0)) if forwarded else ""
