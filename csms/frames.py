"""OCPP-J on the wire: what a frame is, however oddly it is written, and how ours are written (OCPP-J 1.6, 4)."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

CALL, RESULT, ERROR = 2, 3, 4

MessageId = Any
"""Of any JSON type: chargers number, reuse and lengthen their ids, and get them back as typed (ocpp.md Q15)."""

_READABLE_ID = re.compile(r'\s*\[\s*"?2"?\s*,\s*("(?:[^"\\\x00-\x1f]|\\.)*"|-?\d{1,30})\s*[,\]]')
"""The id of a CALL whose rest cannot be read."""
DEEPEST = 50
"""Levels of an answer and of an id, which go on or back to others; OCPP has 8. Much further down each parser that meets
them, here or in another process, gives up with an error of its own. The payload of a CALL is only read, and taken."""


@dataclass(frozen=True, slots=True)
class Call:
    """A question."""

    id: MessageId
    action: str
    payload: Any
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """An answer."""

    id: MessageId
    payload: Any


@dataclass(frozen=True, slots=True)
class Error:
    """An answer that says no."""

    id: MessageId
    code: str
    description: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Not a message. With an id, somebody waits for an answer to it."""

    reason: str
    id: MessageId = None


Frame = Call | Result | Error | Unreadable


def read(raw: str | bytes) -> Frame:
    """Understand a frame as far as it can be understood; never raises."""
    text = raw if isinstance(raw, str) else raw.decode(errors="replace")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return Unreadable("The frame is not JSON.", _id_in(text))
    if _too_deep(message[:3] if _is_call(message) else message):
        return Unreadable("The frame is nested too deeply.", _id_in(text))
    match message:
        case [2 | "2", id_, str(action), *rest]:
            odd = {"binary frame read as text": isinstance(raw, bytes), "elements after the payload": len(rest) > 1}
            return Call(id_, action, _payload(rest), tuple(note for note, so in odd.items() if so))
        case [2 | "2", id_, *_]:
            return Unreadable("A CALL has the form [2, id, action, payload].", id_)
        case [3 | "3", id_, *rest]:
            return Result(id_, _payload(rest))
        case [4 | "4", id_, *rest]:
            code, description = [*(str(word) for word in rest), "", ""][:2]
            return Error(id_, code, description)
        case _:
            return Unreadable("The frame is not a message of OCPP-J.")


def _is_call(message: Any) -> bool:
    return isinstance(message, list) and message[:1] in ([CALL], [str(CALL)])


def _too_deep(message: Any) -> bool:
    level = [message]
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


def _payload(rest: list[Any]) -> Any:
    """A missing payload, null and, from some languages, [] all mean an empty one (OCPP-J 4.2.1, ocpp.md Q14)."""
    return rest[0] if rest and rest[0] not in (None, []) else {}


def _id_in(text: str) -> MessageId:
    found = _READABLE_ID.match(text)
    if found is None:
        return None
    try:
        return json.loads(found[1])
    except ValueError:
        return None


def call(id_: str, action: str, payload: dict[str, Any]) -> str:
    return _written([CALL, id_, action, payload])


def result(id_: MessageId, payload: dict[str, Any]) -> str:
    return _written([RESULT, id_, payload])


def error(id_: MessageId, code: str, description: str) -> str:
    """A CALLERROR; the codes are those of OCPP-J 1.6, table 7, with its spelling (ocpp.md Q13)."""
    return _written([ERROR, id_, code, description[:255], {}])


def _written(message: list[Any]) -> str:
    return json.dumps(message, separators=(",", ":"))
