"""The direct path: a hot message that is plainly valid is answered where it arrives, without a task of its own.

Everything else, and everything that comes while an earlier message of the same charger is still being served, is left
untouched to the lenient path (csms/connection.py). Both answer and store the same (tests/csms/test_fast.py).
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import structlog
from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN, Event

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

from csms import frames
from csms.journal import UNWRITTEN
from csms.limits import Crowd, Limits, Pulse
from domain import addresses, metrics
from domain.metrics import Cell
from domain.models import now

if TYPE_CHECKING:
    from csms.connection import Connection

log = structlog.get_logger()

Done = Callable[[Any, Exception | None], None]
"""Hears that a message is durable, or why it is not."""


class Counted(dict[str, Cell]):
    """The counters of hot messages that were answered, by action: one addition a message."""

    def __missing__(self, action: str) -> Cell:
        return self.setdefault(action, metrics.MESSAGES.cell(action, "answered"))


_answered = Counted()


class Leave(Exception):
    """This message is for the lenient path; nothing was done about it yet."""


@dataclass(frozen=True, slots=True)
class Hot:
    """An action of the direct path."""

    decode: Callable[[msgspec.Raw], Any]
    """Raises msgspec's errors, or RecursionError, for what is not valid to the letter."""
    serve: Callable[["Connection", Any, datetime, Done], bytes | None]
    """Gives the payload of the answer, or None when `done` will be called once it may be given; raises Leave."""
    answer: Callable[["Connection", datetime], bytes]
    """The payload of an answer that had to wait, from when its question came."""


_envelope = msgspec.json.Decoder(tuple[Literal[2], str, str, msgspec.Raw]).decode
_written = msgspec.json.Encoder().encode
_ESCAPE, _SMUGGLED = b"\\", b"\\u"
"""What escapes can smuggle in (NUL, halves of characters) is for the lenient path to clear. One byte is found much
faster than two, and is in hardly any message."""

_LONGEST = 60_000
"""Bytes of a message: its answer repeats its id, and the frame of the answer says its length in two bytes."""
_TEXT = 0x81
"""The first byte of a text message in one frame."""
_SHORT = [bytes((_TEXT, length)) for length in range(126)]
"""How the frame of a short answer begins."""
_MASKED, _LONG, _HUGE = 0x80, 0xFE, 0xFF
"""Of its second byte: the bit of a mask, and the two with which a longer length follows."""


class Socket(ServerConnection):
    """A websocket that knows whose it is, and hands whole messages to the direct path first."""

    # CPython shares the names of attributes up to thirty, and of those that the first of many sockets has from its
    # __init__; else each would take a table of its own, 1.3 KiB. Two of the library's come later.
    __slots__ = (
        "_crowd",
        "_fragments",
        "_limits",
        "_neighbourhood",
        "_owed",
        "_pulse",
        "_resting",
        "alive",
        "charger_id",
        "direct",
        "pongs",
        "queued",
        "recv_messages",
        "transport",
    )

    def __init__(self, limits: Limits, crowd: Crowd, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._limits, self._crowd = limits, crowd
        self._pulse = Pulse(limits)
        self.charger_id = ""
        self.direct: Callable[[bytes], bool] | None = None
        """Takes a message, or leaves it."""
        self.alive: Callable[[], None] | None = None
        """Hears of pings and pongs."""
        self.pongs = False
        """It answers pings."""
        self.queued = 0
        """Messages on their way through recv(); until they are served, later ones must follow them."""
        self._owed: int | None = None
        """Bytes that the library still lacks of a frame it has begun to read; None when nobody knows."""
        self._fragments = 0
        """Of the message that is being read."""
        self._resting = False
        """It spoke too fast, and is not read for a while."""
        self._neighbourhood: str | None = None
        """Whose socket it is, once it was let in."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        neighbourhood = addresses.neighbourhood(transport.get_extra_info("peername"), self._limits.proxies)
        super().connection_made(transport)
        self.recv_messages.resume = self._resume
        if self._crowd.enter(neighbourhood):
            self._neighbourhood = neighbourhood
        else:
            metrics.HANDSHAKES.add("crowd")
            if self._crowd.complaints.once_more():
                log.warning("too many sockets", address=neighbourhood)
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._neighbourhood is not None:
            self._crowd.leave(self._neighbourhood)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A chunk that is exactly one message goes past the library's parser, which costs half of an echo."""
        protocol = self.protocol
        if protocol.state is OPEN:
            direct = self.direct
            if self._owed == 0 and direct is not None and not self.queued and protocol.current_size is None:
                payload = _whole_text(data)
                if payload is not None and direct(payload):
                    self._breathe()
                    return
            self._owed = _owed_after(data, self._owed)
        else:
            self._owed = 0 if data.endswith(b"\r\n\r\n") else None
        super().data_received(data)

    def _breathe(self) -> None:
        """Read on only as fast as one charger may speak: whoever floods waits for himself, and loses nothing."""
        pulse = self._pulse
        pulse.left -= 1
        if pulse.left < 0 and (wait := pulse.owed(self._limits)) and not self._resting:
            self._resting = True
            self.transport.pause_reading()
            self.loop.call_later(wait, self._read_on)

    def _resume(self) -> None:
        """The library has room for more again."""
        if not self._resting:
            self.transport.resume_reading()

    def _read_on(self) -> None:
        if wait := self._pulse.owed(self._limits):
            self.loop.call_later(wait, self._read_on)
            return
        self._resting = False
        if not self.recv_messages.paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def _is_endless(self, frame: Frame) -> bool:
        """Empty fragments never reach the largest size, so their number is limited, too (RFC 6455, 7.4.1: 1009)."""
        self._fragments = 0 if frame.fin else self._fragments + 1
        if self._fragments <= self._limits.fragments:
            return False
        if self.protocol.state is OPEN:
            self.protocol.fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
            self.send_data()
        return True

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame):
            self._breathe()
            if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                if self._is_endless(event):
                    return
                whole_text = event.opcode is Opcode.TEXT and event.fin
                if whole_text and self.direct is not None and not self.queued and self.direct(bytes(event.data)):
                    return
                self.queued += event.fin
            elif event.opcode in (Opcode.PING, Opcode.PONG) and self.alive is not None and not self.paused:
                self.pongs |= event.opcode is Opcode.PONG
                self.alive()
        super().process_event(event)

    async def drain(self) -> None:
        """Wait until there is room for more, but not for ever; the library ends what raises here."""
        async with asyncio.timeout(self._limits.unread_s if self.paused else None):
            await super().drain()

    def reply(self, payload: bytes) -> None:
        """Send a text message, unless the socket is on its end."""
        if self.protocol.state is OPEN:
            length = len(payload)
            head = _SHORT[length] if length < 126 else b"\x81\x7e" + length.to_bytes(2, "big")
            self.transport.write(head + payload)


def _whole_text(data: bytes) -> bytes | None:
    """The payload of a chunk that is one masked text message from its first byte to its last (RFC 6455, 5.2)."""
    size = len(data)
    if size < 6 or data[0] != _TEXT:
        return None
    length, start = data[1], 6
    if length == _LONG:
        length, start = _MASKED + (data[2] << 8 | data[3]), 8
    if length == _HUGE or size != start + length - _MASKED:
        return None
    return apply_mask(data[start:], data[start - 4 : start])


def _owed_after(data: bytes, owed: int | None) -> int | None:
    """What is still missing of the last frame of a chunk; None when the chunk ends within a header."""
    if owed is None:
        return None
    at = owed
    while at < len(data):
        head = data[at : at + 10]
        extended = {126: 2, 127: 8}.get(head[1] & 0x7F, 0) if len(head) > 1 else 10
        if len(head) < 2 + extended:
            return None
        length = int.from_bytes(head[2 : 2 + extended], "big") if extended else head[1] & 0x7F
        at += 2 + extended + (4 if head[1] & _MASKED else 0) + length
    return at - len(data)


class Direct:
    """The direct path of one connection."""

    __slots__ = ("_action", "_connection", "_id", "_raw", "_received_at", "_waiter", "waiting")

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self.waiting = False
        """A message is being made durable; its answer comes after that."""
        self._waiter: asyncio.Future[None] | None = None

    def take(self, raw: bytes) -> bool:
        """Serve a message if it is hot and plainly valid and nothing of this charger is before it."""
        connection = self._connection
        if self.waiting or connection.socket.paused or connection.charger_id in connection.central.journal.traced:
            return False
        try:
            _, id_, action, payload = _envelope(raw)
            hot = connection.protocol.hot.get(action)
            if hot is None or len(raw) > _LONGEST or (_ESCAPE in raw and _SMUGGLED in raw):
                return False
            told = hot.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        if id_ in connection.repetitions.given and connection.repetitions.answer(id_, action, raw) is not None:
            return False
        received_at = now()
        self._id, self._action, self._raw, self._received_at = id_, action, raw, received_at
        self.waiting = True
        connection.calls.pause()
        try:
            answer = hot.serve(connection, told, received_at, self._durable)
        except Leave:
            self._free()
            return False
        except Exception as error:
            self._durable(None, error)
            return True
        connection.alive_at = time.monotonic()
        connection.central.heard[connection.charger_id] = received_at
        if answer is not None:
            self._answer(answer)
        return True

    def _durable(self, _given: Any, error: Exception | None) -> None:
        connection, id_, action = self._connection, self._id, self._action
        if error is None:
            self._answer(connection.protocol.hot[action].answer(connection, self._received_at))
            return
        metrics.MESSAGES.add(action, "failed")
        ids = {"charger": connection.charger_id, "message": id_}
        connection.complain(log.error, "a message could not be kept", action=action, **ids, exc_info=error)
        text = frames.error(id_, frames.INTERNAL, frames.SEND_AGAIN)
        self._send(text.encode())

    def _answer(self, payload: bytes) -> None:
        _answered[self._action].n += 1
        text = b"[3,%b,%b]" % (_written(self._id), payload)
        self._connection.repetitions.keep(self._id, hash(self._raw), text)
        self._send(text)

    def _send(self, text: bytes) -> None:
        connection, id_, action = self._connection, self._id, self._action
        if action not in UNWRITTEN:
            frame, answer = self._raw.decode(), text.decode()
            connection.central.journal.note(
                connection.charger_id, "in", action, id_, frame, self._received_at, answer=answer
            )
        connection.socket.reply(text)
        self._free()
        if not connection.spoken:
            connection.speaks(action)

    def _free(self) -> None:
        self.waiting, self._raw = False, b""
        self._connection.calls.resume()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def answered(self) -> None:
        """Return once the message before has its answer."""
        while self.waiting:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        self._waiter = None
