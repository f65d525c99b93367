"""A charger made of raw frames: it sends exactly what a test writes, and knows nothing of OCPP's rules."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from domain.models import now

SECONDS = 10.0
"""How long anything a test waits for may take."""
_ids = count(1)


class Raw:
    """One socket of a charger."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, frame: object) -> None:
        """A frame as JSON; text and bytes go out as they are."""
        async with asyncio.timeout(SECONDS):
            await self.socket.send(frame if isinstance(frame, (str, bytes)) else json.dumps(frame))

    async def receive(self) -> Any:
        async with asyncio.timeout(SECONDS):
            return json.loads(await self.socket.recv())

    async def ask(self, frame: object) -> Any:
        """Send a frame and give the next one that comes."""
        await self.send(frame)
        return await self.receive()

    async def call(self, action: str, **payload: Any) -> dict[str, Any]:
        """A well-formed CALL; gives the payload of its CALLRESULT."""
        id_ = f"m{next(_ids)}"
        kind, answered, answer = await self.ask([2, id_, action, payload])
        assert (kind, answered) == (3, id_), f"{action} was answered {[kind, answered, answer]}"
        return dict(answer)

    async def boot(self) -> dict[str, Any]:
        return await self.call("BootNotification", chargePointVendor="Raw", chargePointModel="One")

    async def available(self, connector: int = 1) -> None:
        await self.call("StatusNotification", connectorId=connector, errorCode="NoError", status="Available")

    async def asked(self, action: str) -> tuple[str, dict[str, Any]]:
        """Wait for a CALL of this action; gives its id and payload."""
        kind, id_, named, payload = await self.receive()
        assert (kind, named) == (2, action), f"wanted {action}, got {[kind, id_, named, payload]}"
        return id_, payload

    async def silent(self) -> None:
        """Nothing was sent to the charger before the answer to this heartbeat."""
        await self.call("Heartbeat")

    async def gone(self) -> int | None:
        """Wait until the socket is closed; gives the code."""
        async with asyncio.timeout(SECONDS):
            await self.socket.wait_closed()
        return self.socket.close_code


@asynccontextmanager
async def connected(
    port: int,
    path: str = "/ocpp/RAW-1",
    *,
    offers: Sequence[str] | None = ("ocpp1.6",),
    login: tuple[str, bytes] | None = None,
    **options: Any,
) -> AsyncIterator[Raw]:
    """Open a socket to `path`; `login` is user and password of Basic authentication."""
    headers = {}
    if login is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(login[0].encode() + b":" + login[1]).decode()
    async with connect(
        f"ws://127.0.0.1:{port}{path}",
        subprotocols=[Subprotocol(name) for name in offers] if offers is not None else None,
        additional_headers=headers,
        proxy=None,
        close_timeout=2,
        **{"compression": None, **options},
    ) as socket:
        yield Raw(socket)


def sampled(value: object, **rest: object) -> dict[str, object]:
    return {"value": value, **rest}


def metered(*values: dict[str, object], at: str | None = None) -> list[dict[str, object]]:
    """The meterValue of a MeterValues message."""
    return [{"timestamp": at or stamp(), "sampledValue": list(values)}]


def stamp(seconds: float = 0) -> str:
    """A charger's time, so many seconds from now."""
    return (now() + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
