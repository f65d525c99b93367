"""The peers in Python: the `ocpp` package with its defaults, with SQLModel for every message, and a plain echo.

`python -m bench.peers ocpp|sqlmodel|echo [--auth]` serves until it is ended.
"""

import asyncio
import base64
import hashlib
import hmac
import sys
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from ocpp.routing import on  # type: ignore[import-untyped]
from ocpp.v16 import ChargePoint, call_result  # type: ignore[import-untyped]
from ocpp.v16.enums import Action, AuthorizationStatus, RegistrationStatus  # type: ignore[import-untyped]
from sqlalchemy import MetaData, event
from sqlmodel import Field, Session, SQLModel, create_engine
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from csms.server import BACKLOG

KEY = "0123456789abcdef0123456789abcdef"
"""Every charger's, in every server."""


class Value(SQLModel, table=True):
    """One sampled value, as a first version of anything stores it."""

    __tablename__ = "bench_values"
    metadata = MetaData()  # its own: the product's migrations know nothing of it
    id: int | None = Field(default=None, primary_key=True)
    charger_id: str = Field(index=True)
    at: str
    measurand: str
    value: str
    unit: str


class Defaults(ChargePoint):  # type: ignore[misc]
    """A charge point that answers, and keeps nothing."""

    @on(Action.boot_notification)  # type: ignore[untyped-decorator]
    def booted(self, **_told: Any) -> Any:
        return call_result.BootNotification(_time(), 300, RegistrationStatus.accepted)

    @on(Action.heartbeat)  # type: ignore[untyped-decorator]
    def beat(self) -> Any:
        return call_result.Heartbeat(_time())

    @on(Action.status_notification)  # type: ignore[untyped-decorator]
    def status(self, **_told: Any) -> Any:
        return call_result.StatusNotification()

    @on(Action.firmware_status_notification)  # type: ignore[untyped-decorator]
    def firmware(self, **_told: Any) -> Any:
        return call_result.FirmwareStatusNotification()

    @on(Action.authorize)  # type: ignore[untyped-decorator]
    def may(self, **_told: Any) -> Any:
        return call_result.Authorize({"status": AuthorizationStatus.accepted})

    @on(Action.meter_values)  # type: ignore[untyped-decorator]
    def metered(self, **_told: Any) -> Any:
        return call_result.MeterValues()


class Stored(Defaults):
    """The same, with one SQLModel session and one commit for every message."""

    engine: Any = None

    @on(Action.meter_values)  # type: ignore[untyped-decorator]
    def metered(self, connector_id: int, meter_value: list[dict[str, Any]], **_told: Any) -> Any:
        with Session(self.engine) as db:
            for entry in meter_value:
                for sampled in entry["sampled_value"]:
                    db.add(
                        Value(
                            charger_id=self.id,
                            at=entry["timestamp"],
                            measurand=sampled.get("measurand", ""),
                            value=sampled["value"],
                            unit=sampled.get("unit", ""),
                        )
                    )
            db.commit()
        return call_result.MeterValues()


def _time() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def engine() -> Any:
    made = create_engine(f"sqlite:///{Path(mkdtemp(prefix='bench-')) / 'peer.db'}")

    @event.listens_for(made, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    Value.metadata.create_all(made)
    return made


async def _speak(socket: ServerConnection) -> None:
    name = socket.request.path.rpartition("/")[2] if socket.request else ""
    await (Stored if Stored.engine is not None else Defaults)(name, socket).start()


async def _echo(socket: ServerConnection) -> None:
    async for message in socket:
        await socket.send(message)


STORED_KEY = hmac.digest(b"pepper", KEY.encode(), "sha256")


def _admit(socket: ServerConnection, request: Request) -> Response | None:
    _, _, encoded = request.headers.get("Authorization", "").partition(" ")
    _, _, key = base64.b64decode(encoded).partition(b":")
    if hmac.compare_digest(hmac.digest(b"pepper", key, hashlib.sha256), STORED_KEY):
        return None
    return socket.respond(HTTPStatus.UNAUTHORIZED, "no\n")


async def _serve(kind: str, auth: bool) -> None:
    if kind == "sqlmodel":
        Stored.engine = engine()
    subprotocols: Any = ["ocpp1.6"]
    handler = _echo if kind == "echo" else _speak
    admit = _admit if auth else None
    async with serve(
        handler, "127.0.0.1", 0, subprotocols=subprotocols, process_request=admit, backlog=BACKLOG
    ) as server:
        print("PORT", server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], "--auth" in sys.argv))
