"""How events, commands and replies travel between processes: one codec for the shell's socket and for Redis."""

from typing import Any, get_args

import msgspec

from domain.events import Command, Event, Reply

KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (*get_args(Event), *get_args(Command), Reply)}
_READERS = {name: msgspec.json.Decoder(kind) for name, kind in KINDS.items()}

UNREADABLE = (msgspec.DecodeError, RecursionError)
"""How decoding fails; the second where a message is nested deeper than a parser goes."""
Packed = tuple[str, msgspec.Raw]
"""The name of a kind, and its fields as JSON."""


class NotOurs(ValueError):
    """What came is of another version, or of nobody of ours."""


def packed(thing: Event | Command | Reply) -> Packed:
    """Ready to be part of a message."""
    return type(thing).__name__, msgspec.Raw(msgspec.json.encode(thing))


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
