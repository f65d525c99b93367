"""One charger's OCPP-J line: its socket, its calls and their answers, the central system's calls and ours."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from simulator import schemas
from simulator.clock import Clock, within
from simulator.record import Exchange, Payload, Record

SUBPROTOCOL = Subprotocol("ocpp1.6")
CALL, RESULT, ERROR = 2, 3, 4


class Lost(Exception):
    """There is no line to the central system, or not any more."""


class Unanswered(Exception):
    """The central system stayed silent for too long."""


class CallError(Exception):
    """A CALLERROR, heard or to be sent (codes: OCPP-J 1.6, Table 7)."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(f"{code}: {description}" if description else code)
        self.code, self.description = code, description


@dataclass(frozen=True)
class Answer:
    """What a charger says to a call, and what it does once it has said so."""

    payload: Payload
    then: Callable[[], None] | None = None


Answering = Callable[[str, Payload], Answer | None]
"""Answers an action; None stays silent, CallError becomes a CALLERROR."""


class Link:
    """At most one socket at a time, and one outstanding call on it (OCPP-J 4.1.1)."""

    def __init__(
        self, *, record: Record, clock: Clock, answer: Answering, call_seconds: float, say: Callable[[str], None]
    ) -> None:
        self._record, self._clock, self._answer, self._say = record, clock, answer, say
        self._call_seconds = call_seconds
        self._socket: ClientConnection | None = None
        self._pending: dict[str, tuple[str, asyncio.Future[Payload]]] = {}

    @property
    def open(self) -> bool:
        return self._socket is not None

    @asynccontextmanager
    async def connected(
        self, url: str, identity: str, password: str | bytes | None, ping_seconds: float | None
    ) -> AsyncIterator[None]:
        """Hold a socket to `<url>/<identity>`, with Basic authentication when there is a password (OCPP-J 6.2).

        Raises:
            Lost: it cannot be opened.
        """
        try:
            socket = await connect(
                f"{url.rstrip('/')}/{quote(identity, safe='')}",
                subprotocols=[SUBPROTOCOL],
                additional_headers=_credentials(identity, password),
                compression=None,
                proxy=None,
                ping_interval=ping_seconds,
                ping_timeout=ping_seconds,
                close_timeout=1,
            )
        except (OSError, InvalidHandshake) as error:
            raise Lost(f"cannot connect to {url} yet: {error}") from error
        try:
            if socket.subprotocol != SUBPROTOCOL:
                raise Lost(f"{url} does not speak {SUBPROTOCOL}")
            self._socket = socket
            yield
        finally:
            self._socket = None
            await socket.close()

    async def read(self) -> None:
        """Take every frame until the line is gone.

        Raises:
            Lost: always, in the end.
        """
        assert self._socket is not None
        try:
            while True:
                await self._take(await self._socket.recv())
        except ConnectionClosed as error:
            raise Lost(f"the line is gone: {error}") from error

    async def call(self, action: str, payload: Payload) -> Payload:
        """Ask the central system and give its answer.

        Raises:
            CallError: it answered with a CALLERROR, or with a payload that OCPP 1.6 forbids.
            Unanswered: it did not answer in time.
            Lost: the line is gone.
        """
        if flaw := schemas.flaw(action, payload):
            raise ValueError(f"The simulator would send a message that OCPP 1.6 forbids: {flaw}")
        exchange = Exchange(str(uuid4()), action, payload)
        reply: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._pending[exchange.id] = (action, reply)
        try:
            await self.write(json.dumps([CALL, exchange.id, action, payload]))
            self._record.sent.append(exchange)
            self._record.changed()
            answer = await within(self._clock, self._call_seconds, reply)
        except TimeoutError:
            raise Unanswered(f"{action} was not answered in {self._call_seconds:g} s") from None
        except CallError as error:
            self._record.close(exchange, error=(error.code, error.description))
            raise
        finally:
            del self._pending[exchange.id]
        # Who waits for this wakes after the caller has acted on the answer, in the same step of the loop.
        self._record.close(exchange, answer=answer)
        return answer

    async def write(self, text: str) -> None:
        """Send one text frame, whatever it says.

        Raises:
            Lost: there is no line.
        """
        if self._socket is None:
            raise Lost("there is no line to write on")
        try:
            await self._socket.send(text)
        except ConnectionClosed as error:
            raise Lost(f"the line is gone: {error}") from error

    def abort(self) -> None:
        """Let the TCP connection end with no word of goodbye."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def _take(self, text: str | bytes) -> None:
        try:
            frame: Any = json.loads(text, parse_float=Decimal)
        except ValueError:
            frame = text
        self._record.heard.append(frame)
        match frame:
            case [2, id, str(action), dict(payload)]:
                await self._asked(Exchange(id, action, payload))
            case [3, str(id), payload] if id in self._pending:
                _settle(*self._pending[id], payload)
            case [4, str(id), str(code), *rest] if id in self._pending:
                _settle(*self._pending[id], CallError(code, str(rest[0]) if rest else ""))
            case _:
                self._say(f"ignored a frame that is no call and answers none: {text!r:.200}")
        self._record.changed()

    async def _asked(self, exchange: Exchange) -> None:
        self._record.received.append(exchange)
        try:
            answer = self._answer_of(exchange)
        except CallError as error:
            exchange.error = (error.code, error.description)
            await self.write(json.dumps([ERROR, exchange.id, error.code, error.description, {}]))
            return
        if answer is None:
            return
        exchange.answer = answer.payload
        await self.write(json.dumps([RESULT, exchange.id, answer.payload]))
        if answer.then:
            answer.then()

    def _answer_of(self, exchange: Exchange) -> Answer | None:
        if not schemas.known(exchange.action):
            raise CallError("NotImplemented", f"OCPP 1.6 has no {exchange.action}")
        if flaw := schemas.flaw(exchange.action, exchange.payload):
            raise CallError("TypeConstraintViolation", flaw[:255])
        return self._answer(exchange.action, exchange.payload)


def _settle(action: str, reply: "asyncio.Future[Payload]", answer: Any) -> None:
    if reply.done():
        return
    if isinstance(answer, CallError):
        reply.set_exception(answer)
    elif flaw := schemas.flaw(f"{action}Response", answer):
        reply.set_exception(CallError("InvalidAnswer", flaw))
    else:
        reply.set_result(answer)


def _credentials(identity: str, password: str | bytes | None) -> dict[str, str]:
    if password is None:
        return {}
    secret = password.encode() if isinstance(password, str) else password
    return {"Authorization": "Basic " + b64encode(identity.encode() + b":" + secret).decode()}
