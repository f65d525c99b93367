"""A central system with no mind of its own: it writes down what chargers say and answers as a test tells it to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Payload = dict[str, Any]
NOW = "2026-01-05T09:00:00.000Z"

ACCEPTING: dict[str, Payload] = {
    "Authorize": {"idTagInfo": {"status": "Accepted"}},
    "BootNotification": {"status": "Accepted", "currentTime": NOW, "interval": 300},
    "Heartbeat": {"currentTime": NOW},
    "MeterValues": {},
    "StatusNotification": {},
    "StopTransaction": {},
}


class CentralSystem:
    """Answers every call at once; `replies` overrides an action with a payload, an error code or None for silence."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[tuple[str, Payload]] = []
        self.paths: list[str] = []
        self.credentials: list[str | None] = []
        self.replies: dict[str, Payload | str | Callable[[Payload], Payload] | None] = {}
        self._numbers = count(41)
        self._ids = count(1)
        self._socket: ServerConnection | None = None
        self._sockets: dict[str, ServerConnection] = {}
        self._answers: dict[str, asyncio.Future[list[Any]]] = {}

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[Server]:
        async with serve(
            self._converse, "127.0.0.1", port, subprotocols=[Subprotocol("ocpp1.6")], close_timeout=1
        ) as server:
            self.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
            yield server

    def actions(self, *but: str) -> list[str]:
        return [action for action, _ in self.calls if action not in but]

    def payloads(self, action: str) -> list[Payload]:
        return [payload for name, payload in self.calls if name == action]

    def statuses(self, connector: int = 1) -> list[str]:
        return [told["status"] for told in self.payloads("StatusNotification") if told["connectorId"] == connector]

    def turn_to(self, identity: str) -> None:
        """Ask this charger from now on; otherwise it is the one that connected last."""
        self._socket = self._sockets[identity]

    async def ask(self, action: str, **payload: Any) -> Payload:
        """Give the payload of the CALLRESULT."""
        frame = await self.ask_frame(action, payload)
        assert frame[0] == 3, frame
        answer: Payload = frame[2]
        return answer

    async def ask_frame(self, action: str, payload: Payload) -> list[Any]:
        assert self._socket is not None
        message_id = f"cs-{next(self._ids)}"
        answer = self._answers[message_id] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps([2, message_id, action, payload]))
        async with asyncio.timeout(5):
            return await answer

    async def say(self, text: str) -> None:
        assert self._socket is not None
        await self._socket.send(text)

    async def _converse(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self._socket = self._sockets[socket.request.path.rpartition("/")[2]] = socket
        self.paths.append(socket.request.path)
        self.credentials.append(socket.request.headers.get("Authorization"))
        try:
            async for text in socket:
                await self._take(socket, json.loads(text))
        except ConnectionClosed:
            pass

    async def _take(self, socket: ServerConnection, frame: list[Any]) -> None:
        if frame[0] != 2:
            self._answers.pop(frame[1]).set_result(frame)
            return
        _, message_id, action, payload = frame
        self.calls.append((action, payload))
        reply = self.replies.get(action, ACCEPTING.get(action) or {})
        if action == "StartTransaction" and action not in self.replies:
            reply = {"transactionId": next(self._numbers), "idTagInfo": {"status": "Accepted"}}
        if isinstance(reply, str):
            await socket.send(json.dumps([4, message_id, reply, "", {}]))
        elif reply is not None:
            await socket.send(json.dumps([3, message_id, reply(payload) if callable(reply) else reply]))
