"""OCPP-J on the wire: what a frame is, however oddly it is written, and how ours are written (OCPP-J 1.6, 4)."""

import json
import re
from dataclasses import dataclass
from typing import Any

from csms import broken_json
from domain.wire import too_deep, writable

CALL, RESULT, ERROR = 2, 3, 4

INTERNAL, SEND_AGAIN = "InternalError", "The message could not be processed. Send it again later."
"""Code and words of the CALLERROR of what failed here, not there."""

MessageId = Any
"""Of any JSON type: chargers number, reuse and lengthen their ids, and get them back as typed (ocpp.md Q15)."""

_READABLE_ID = re.compile(r'\s*\[\s*"?2"?\s*,\s*("(?:[^"\\\x00-\x1f]|\\.)*"|-?\d{1,30})\s*[,\]]')
"""The id of a CALL whose rest cannot be read."""
_AROUND = "\0\ufeff \t\r\n"
NOT_PART = "a NUL or byte order mark around the frame"
"""A C string sent with its terminator, or what some editors begin a text with."""

SIGN_OF_LIFE = "The frame is a sign of life alone."
ALIVE = ("", "ping", "pong")
"""With such some keep their connection alive: Delta's sends an empty text after each pong, others write the word."""


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
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Error:
    """An answer that says no."""

    id: MessageId
    code: str
    description: str
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Not a message. With an id, somebody waits for an answer to it."""

    reason: str
    id: MessageId = None


Frame = Call | Result | Error | Unreadable


def read(raw: str | bytes) -> Frame:
    """Understand a frame as far as it can be understood; never raises."""
    whole = raw if isinstance(raw, str) else raw.decode(errors="replace")
    text = whole.strip(_AROUND)
    around: tuple[str, ...] = (NOT_PART,) if len(text) < len(whole.strip()) else ()
    if text.lower() in ALIVE:
        return Unreadable(SIGN_OF_LIFE)
    try:
        message, mended = broken_json.read(text)
    except (ValueError, RecursionError):
        return Unreadable("The frame is not JSON.", _id_in(text))
    around += mended
    if too_deep(message[:3] if _is_call(message) else message):
        return Unreadable("The frame is nested too deeply.", _id_in(text))
    match message:
        case [2 | "2", id_, str(action), *rest]:
            odd = {"binary frame read as text": isinstance(raw, bytes), "elements after the payload": len(rest) > 1}
            return Call(id_, action, _payload(rest), (*around, *(note for note, so in odd.items() if so)))
        case [2 | "2", id_, *_]:
            return Unreadable("A CALL has the form [2, id, action, payload].", id_)
        case [3 | "3", id_, *rest]:
            return Result(id_, writable(_payload(rest)), around)
        case [4 | "4", id_, *rest]:
            code, description = [*(writable(str(word)) for word in rest), "", ""][:2]
            return Error(id_, code, description, around)
        case _:
            return Unreadable("The frame is not a message of OCPP-J.")


def _is_call(message: Any) -> bool:
    return isinstance(message, list) and message[:1] in ([CALL], [str(CALL)])


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
