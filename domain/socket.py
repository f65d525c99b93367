"""How a shell on this machine speaks to the running server: JSON lines over var/evapp.sock."""

import asyncio
import dataclasses
import json
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import structlog

from domain.bus import Bus, CallRefused, ChargerOffline, ChargerSilent
from domain.events import Call, Event
from domain.settings import var_dir

log = structlog.get_logger()

CALL_S = 40.0
"""How long a charger may take to answer a call from the shell; its turn may have to come first."""
LARGEST_LINE = 256 * 1024

KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}


class NoServer(Exception):
    """Nothing listens; the argument is a sentence for whoever typed the command."""


class Failed(Exception):
    """The server could not do it; the argument is a sentence for whoever typed the command."""


def default_path() -> Path:
    """Where the server of this directory listens."""
    return var_dir() / "evapp.sock"


@asynccontextmanager
async def serving(bus: Bus, path: Path | None = None) -> AsyncIterator[Path]:
    """Take commands and announcements from shells, only of the user who runs the server (mode 0600).

    A server that starts later takes the path over, as after a restart.
    """
    path = path or default_path()
    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(
        lambda reader, writer: _serve(bus, reader, writer), path, limit=LARGEST_LINE
    )
    path.chmod(0o600)
    ours = path.stat().st_ino
    try:
        yield path
    finally:
        server.close()
        if path.exists() and path.stat().st_ino == ours:
            path.unlink()


async def _serve(bus: Bus, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while line := await reader.readline():
            writer.write(json.dumps(await _answer(bus, line)).encode() + b"\n")
            await writer.drain()
    except (ConnectionError, ValueError):
        log.info("a shell went away, or sent a line that is too long")
    finally:
        writer.close()


async def _answer(bus: Bus, line: bytes) -> dict[str, Any]:
    try:
        match json.loads(line):
            case {"call": {"charger": str(charger), "action": str(action), "payload": dict(payload)}}:
                return await _call(bus, charger, action, payload)
            case {"publish": list(events)}:
                await bus.publish(*(_unpacked(event) for event in events))
                return {"ok": True}
    except (ValueError, KeyError, TypeError) as error:
        log.info("a shell's line could not be read", error=str(error))
    return {"error": "The server did not understand this command. Do shell and server have the same version?"}


async def _call(bus: Bus, charger: str, action: str, payload: dict[str, Any]) -> dict[str, Any]:
    try:
        reply = await bus.call(charger, Call(action, payload), CALL_S)
    except ChargerOffline:
        return {"error": f"{charger} is not connected."}
    except ChargerSilent:
        return {"error": f"{charger} did not answer {action} in time."}
    except CallRefused as error:
        return {"error": f"{charger} was not asked, or refused: {error}"}
    return {"status": reply.status, "payload": reply.payload}


def call(charger: str, action: str, payload: dict[str, Any], path: Path | None = None) -> dict[str, Any]:
    """Have the running server ask a charger anything; gives its `status` and `payload`.

    Raises:
        NoServer: none runs here.
        Failed: the charger is not connected, silent, or refused.
    """
    return _ask({"call": {"charger": charger, "action": action, "payload": payload}}, path)


def publish(events: Sequence[Event], path: Path | None = None) -> None:
    """Announce to the running server what this shell wrote to the database.

    Raises:
        NoServer: none runs here; then nobody had to know.
    """
    _ask({"publish": [_packed(event) for event in events]}, path)


def _ask(request: dict[str, Any], path: Path | None) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(CALL_S + 5)
        try:
            line.connect(os.fspath(path or default_path()))
            line.sendall(json.dumps(request).encode() + b"\n")
            with line.makefile("rb") as answers:
                answer = answers.readline()
        except OSError as error:
            raise NoServer(
                f"No server answers here ({path or 'var/evapp.sock'}). Start one with `make run`."
            ) from error
    if not answer:
        raise NoServer("The server went away before it answered.")
    given: dict[str, Any] = json.loads(answer)
    if "error" in given:
        raise Failed(given["error"])
    return given


def _packed(event: Event) -> dict[str, Any]:
    plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in _fields(event)}
    return {"kind": type(event).__name__, **plain}


def _fields(event: Event) -> list[tuple[str, Any]]:
    return [(field.name, getattr(event, field.name)) for field in dataclasses.fields(event)]


def _unpacked(told: dict[str, Any]) -> Event:
    """An event as its dataclass has it: JSON has neither times nor tuples."""
    kind = KINDS[told["kind"]]
    values = {
        field.name: _typed(field.type, told[field.name]) for field in dataclasses.fields(kind) if field.name in told
    }
    return kind(**values)


def _typed(type_: Any, value: Any) -> Any:
    if type_ is datetime:
        return datetime.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value
