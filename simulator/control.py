"""The hand on the demo chargers: a local socket that takes one JSON line and answers with one."""

import asyncio
import inspect
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from simulator.chargers import VirtualCharger
from simulator.connectors import Impossible

SOCKET = Path(os.environ.get("EVAPP_VAR_DIR", "var")) / "simulator.sock"
PATIENCE_SECONDS = 35
"""A little more than a charger waits for the answer to an Authorize."""


class Refused(Exception):
    """What was asked cannot be done; the message is a sentence for the person at the shell."""


@dataclass(frozen=True)
class Asked:
    """One command."""

    command: str
    charger: str
    connector: int
    value: str


@asynccontextmanager
async def listening(chargers: Mapping[str, VirtualCharger], path: Path) -> AsyncIterator[None]:
    """Take commands for these chargers, from this machine's owner only.

    Raises:
        Refused: another simulator listens there, or nobody can.
    """
    if await _somebody_listens(path):
        raise Refused(f"A simulator is running already ({path}). End that one first.")
    try:
        bound = _bound(path)
    except OSError as error:
        why = error.strerror or error
        raise Refused(f"{path} cannot be used: {why}. Is EVAPP_VAR_DIR, or --socket, right?") from error

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
            writer.write(json.dumps(await _answer(chargers, line)).encode() + b"\n")
            await writer.drain()
        finally:
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_unix_server(converse, sock=bound)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
        _remove(path)


async def send(path: Path, asked: Asked) -> str:
    """Command a running simulator and give its sentence.

    Raises:
        Refused: none runs, or it cannot do that.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except OSError as error:
        raise Refused(f"No simulator is running here ({path}). Start it with: python -m simulator") from error
    try:
        writer.write(json.dumps(asdict(asked)).encode() + b"\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer = json.loads(await reader.readline())
    except (OSError, ValueError, TimeoutError) as error:
        raise Refused("The simulator did not answer. Look at its own output.") from error
    finally:
        writer.close()
        await writer.wait_closed()
    if "refused" in answer:
        raise Refused(answer["refused"])
    return str(answer["done"])


async def _answer(chargers: Mapping[str, VirtualCharger], line: bytes) -> dict[str, str]:
    try:
        return {"done": await _obey(chargers, _parsed(line))}
    except (Refused, Impossible) as error:
        return {"refused": str(error)}


def _parsed(line: bytes) -> Asked:
    try:
        told = json.loads(line)
        return Asked(told["command"], told["charger"].upper(), int(told["connector"]), told["value"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Refused('A command is {"command": "plug", "charger": "DEMO-1", "connector": 1, "value": ""}.') from error


async def _obey(chargers: Mapping[str, VirtualCharger], asked: Asked) -> str:
    charger = chargers.get(asked.charger)
    if charger is None:
        raise Refused(f"There is no charger {asked.charger}. There are: {', '.join(chargers)}.")
    if asked.command not in COMMANDS:
        raise Refused(f"There is no command {asked.command}. There are: {', '.join(COMMANDS)}.")
    if asked.connector not in range(1, len(charger.connectors) + 1):
        raise Refused(f"{asked.charger} has no connector {asked.connector}.")
    _, act = COMMANDS[asked.command]
    outcome = act(charger, asked.connector, asked.value)
    verdict = f", card {await outcome}" if inspect.isawaitable(outcome) else ""
    line = "online" if charger.online else "offline"
    return f"{asked.charger} connector {asked.connector}: {charger.connector(asked.connector).status}{verdict}, {line}."


def _cut_power(charger: VirtualCharger, connector: int, value: str) -> None:
    if value and not value.isdecimal():
        raise Refused("A power cut lasts a whole number of seconds, like: power-cut DEMO-1 30")
    charger.power_cut(int(value) if value else None)


def _bound(path: Path) -> socket.socket:
    """A socket in the file system that only its owner may speak to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


async def _somebody_listens(path: Path) -> bool:
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.write(b"\n")
    await reader.read()
    writer.close()
    await writer.wait_closed()
    return True


COMMANDS: dict[str, tuple[str, Callable[[VirtualCharger, int, str], Any]]] = {
    "show": ("how it is", lambda charger, connector, value: None),
    "plug": ("put the cable into a car", lambda charger, connector, value: charger.plug(connector)),
    "unplug": ("pull the cable", lambda charger, connector, value: charger.unplug(connector)),
    "swipe": (
        "hold this card to the reader",
        lambda charger, connector, value: charger.swipe(connector, value or "CARD"),
    ),
    "stop": ("press the stop button", lambda charger, connector, value: charger.press_stop(connector)),
    "suspend": ("let the car pause", lambda charger, connector, value: charger.suspend_ev(connector)),
    "resume": ("let the car go on", lambda charger, connector, value: charger.resume_ev(connector)),
    "fault": (
        "break it, with this error code",
        lambda charger, connector, value: charger.fault(connector, value or "GroundFailure"),
    ),
    "repair": ("mend it", lambda charger, connector, value: charger.repair(connector)),
    "drop": ("lose the connection", lambda charger, connector, value: charger.drop()),
    "offline": ("pull the network cable", lambda charger, connector, value: charger.go_offline()),
    "online": ("put it back", lambda charger, connector, value: charger.go_online()),
    "power-cut": ("lose power for some seconds", _cut_power),
}
"""What can be done by hand, in words, and how it is done."""
