"""What a charger's key is, and how it is kept, so that whoever reads the database cannot connect as a charger."""

import hmac
import re
import secrets

from domain.settings import settings

FORM, WORDS = r"[!-~]{16,40}", "16 to 40 visible characters"
"""What a charger's key is (OCPP-J 1.6, 6.2.2), wherever one is taken."""
BYTES = 20
"""Of a new key, which charger and server write as 40 hexadecimal digits (OCPP-J 1.6, 6.2.2)."""
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2})+")


class NotAKey(ValueError):
    """The argument is a sentence for the operator: what a key is."""


def new() -> str:
    """A random key."""
    return secrets.token_hex(BYTES).upper()


def stored(charger_id: str, key: str) -> str:
    """What is kept of a key. What is none would open the door to whoever shows none, or guesses.

    Raises:
        NotAKey: it is too short, too long, or has characters that cannot be seen.
    """
    if not re.fullmatch(FORM, key):
        raise NotAKey(f"A key has {WORDS}.")
    return _digest(charger_id, _raw(key.encode()))


def matches(charger_id: str, stored: str, key: bytes) -> bool:
    """Whether this is the key of the stored digest, whichever side writes it as hexadecimal text (ocpp.md Q8)."""
    return any([hmac.compare_digest(stored, _digest(charger_id, form)) for form in (key, _raw(key))])


def _raw(key: bytes) -> bytes:
    return bytes.fromhex(key.decode()) if _HEX.fullmatch(key) else key


def _digest(charger_id: str, key: bytes) -> str:
    """Keyed and fast: a charger's key is 16 random bytes or more, and a thousand reconnect at once."""
    return hmac.digest(settings().secret(), b"charger\0" + charger_id.encode() + b"\0" + key, "sha256").hex()
