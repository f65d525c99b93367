"""How a shell speaks to the running server: JSON lines over var/evapp.sock, or the bus where there are several."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import structlog

from domain.bus import CALL_S, FAILURES, Bus, CallRefused, joined, told
from domain.db import opened
from domain.events import Call, Event
from domain.settings import settings, var_dir
from domain.wire import UNREADABLE, NotOurs, Packed, packed, unpacked

log = structlog.get_logger()

LARGEST_LINE = 256 * 1024


class Called(msgspec.Struct):
    """A charger is to be asked something."""

    charger: str
    action: str
    payload: dict[str, Any]


class Asked(msgspec.Struct, omit_defaults=True):
    """One line of a shell: it wants a charger asked, or has something to announce."""

    call: Called | None = None
    publish: list[Packed] | None = None


_asked = msgspec.json.Decoder(Asked)


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
        return await _done(bus, _asked.decode(line))
    except (*UNREADABLE, NotOurs) as error:
        log.info("a shell's line could not be read", error=str(error))
    return {"error": "The server did not understand this command. Do shell and server have the same version?"}


async def _done(bus: Bus, asked: Asked) -> dict[str, Any]:
    if asked.call is not None:
        return await _call(bus, asked.call)
    if asked.publish is None:
        raise NotOurs("a line with nothing in it")
    await bus.publish(*(unpacked(event) for event in asked.publish))
    return {"ok": True}


async def _call(bus: Bus, asked: Called) -> dict[str, Any]:
    try:
        reply = await bus.call(asked.charger, Call(asked.action, asked.payload), CALL_S)
    except CallRefused as error:
        return {"error": f"{told(error, asked.charger).removesuffix('.')}: {error}"}
    except tuple(FAILURES) as error:
        return {"error": told(error, asked.charger)}
    return {"status": reply.status, "payload": reply.payload}


def call(charger: str, action: str, payload: dict[str, Any], path: Path | None = None) -> dict[str, Any]:
    """Have the running server ask a charger anything; gives its `status` and `payload`.

    Raises:
        NoServer: none runs here.
        Failed: the charger is not connected, silent, or refused.
    """
    return _ask(Asked(call=Called(charger, action, payload)), path)


def publish(events: Sequence[Event], path: Path | None = None) -> None:
    """Announce to the running server what this shell wrote to the database.

    Raises:
        NoServer: none runs here; then nobody had to know.
    """
    _ask(Asked(publish=[packed(event) for event in events]), path)


def _ask(asked: Asked, path: Path | None) -> dict[str, Any]:
    given = asyncio.run(_ask_all(asked)) if settings().redis_url else _ask_here(asked, path or default_path())
    if "error" in given:
        raise Failed(given["error"])
    return given


async def _ask_all(asked: Asked) -> dict[str, Any]:
    """With several processes a shell is one of them: it speaks on their bus."""
    async with joined(settings()) as bus, opened(settings().database):
        if not bus.connected:
            raise NoServer("Redis does not answer (EVAPP_REDIS_URL), so nobody can be told.")
        return await _done(bus, asked)


def _ask_here(asked: Asked, path: Path) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(CALL_S + 5)
        try:
            line.connect(os.fspath(path))
            line.sendall(msgspec.json.encode(asked) + b"\n")
            with line.makefile("rb") as answers:
                answer = answers.readline()
        except OSError as error:
            raise NoServer(f"No server answers here ({path}). Start one with `make run`.") from error
    if not answer:
        raise NoServer("The server went away before it answered.")
    given: dict[str, Any] = json.loads(answer)
    return given
