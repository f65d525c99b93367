"""How events, commands and replies travel between processes: one codec for the shell's socket and for Redis."""

from collections.abc import Collection
from typing import Any, get_args

import msgspec

from domain.events import ChargerMustReconnect, Command, Event, HabitsChanged, Reply

FIRST_NAMES: dict[type[Any], str] = {ChargerMustReconnect: "ChargerRetired", HabitsChanged: "ChargerLearned"}
"""Kinds that were renamed travel by the names they had first: during an upgrade, processes of the version before hear
them, and are heard."""
NAMES = {kind: FIRST_NAMES.get(kind, kind.__name__) for kind in (*get_args(Event), *get_args(Command), Reply)}
KINDS: dict[str, type[Any]] = {name: kind for kind, name in NAMES.items()}
_READERS = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}

UNREADABLE = (msgspec.DecodeError, RecursionError)
"""How decoding fails; the second where a message is nested deeper than a parser goes."""
UNWRITABLE = (TypeError, ValueError, RecursionError)
"""How encoding fails, of what is no JSON or is nested too deeply for it."""
DEEPEST = 50
"""Levels of what goes on to others or back to them; OCPP has 8. Much further down each parser that meets them, here or
in another process, gives up with an error of its own."""
Packed = tuple[str, msgspec.Raw]
"""The name of a kind, and its fields as JSON."""


class NotOurs(ValueError):
    """What came is of another version, or of nobody of ours."""


def packed(thing: Event | Command | Reply) -> Packed:
    """Ready to be part of a message."""
    try:
        fields = msgspec.json.encode(thing)
    except UnicodeEncodeError:
        fields = msgspec.json.encode(writable(msgspec.to_builtins(thing)))
    return NAMES[type(thing)], msgspec.Raw(fields)


def writable(value: Any) -> Any:
    """The same, but for halves of surrogate pairs: a charger's JSON may spell them, and UTF-8 has none."""
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {writable(name): writable(inner) for name, inner in value.items()}
        case list():
            return [writable(inner) for inner in value]
        case _:
            return value


def unpacked(told: Packed) -> Any:
    """The event, command or reply again, its fields of their own types.

    Raises:
        NotOurs: nothing here is called so, or it has other fields.
    """
    name, fields = told
    try:
        return _READERS[name].decode(fields)
    except (KeyError, *UNREADABLE) as error:
        raise NotOurs(f"{name[:50]} cannot be read: {error}") from error


def too_deep(value: Any) -> bool:
    """Whether what was read from JSON is nested deeper than others will read it."""
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [inner for one in level for inner in _inner(one)]
        if not level:
            return False
    return True


def _inner(value: Any) -> Collection[Any]:
    match value:
        case dict():
            return value.values()
        case list():
            return value
        case _:
            return ()
