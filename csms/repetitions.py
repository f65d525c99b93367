"""Remembers the last answers of a socket, so that a message that comes again has the same one and no second effect."""

import time
from typing import Any

REMEMBERED = 8
WITHIN_S = 300.0
"""How long the same id and text are a repetition (ocpp.md Q15)."""
SOONER_S = {"Authorize": 10.0, "BootNotification": 10.0, "Heartbeat": 10.0, "StatusNotification": 0.0}
"""Some chargers give every message the same id, or count to ten and begin again. An old answer to one of these would
set their clocks wrong, refuse a card that is good again, or leave out that a connector charges anew. They have no
effect that a second time would double, but for a boot that is counted."""


class Repetitions:
    """The last answers, by message id."""

    __slots__ = ("given",)

    def __init__(self) -> None:
        self.given: dict[str | tuple[str], tuple[float, int, str | bytes]] = {}

    def answer(self, id_: Any, action: str, raw: str | bytes) -> str | bytes | None:
        """What was answered to this very message a while ago."""
        given = self.given.get(_key(id_))
        if given is None or given[1] != _hash(raw):
            return None
        return given[2] if time.monotonic() - given[0] < SOONER_S.get(action, WITHIN_S) else None

    def remember(self, id_: Any, raw: str | bytes, answer: str | bytes) -> None:
        """A result was given; what was refused may be tried again and is not remembered."""
        self.keep(_key(id_), _hash(raw), answer)

    def keep(self, key: str | tuple[str], hash_: int, answer: str | bytes) -> None:
        """The same for who knows the key, which a text is itself, and the hash."""
        given = self.given
        if key in given:
            del given[key]
        elif len(given) >= REMEMBERED:
            del given[next(iter(given))]
        given[key] = (time.monotonic(), hash_, answer)


def _key(id_: Any) -> str | tuple[str]:
    """Of an id of any JSON type; 17 and "17" are two."""
    return id_ if isinstance(id_, str) else (repr(id_),)


def _hash(raw: str | bytes) -> int:
    """The same for a text and its bytes: both paths remember here."""
    return hash(raw if isinstance(raw, bytes) else raw.encode())
