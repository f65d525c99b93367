"""The load: many chargers in one process, each with one question open, every answer checked.

`python -m bench.load '<json>'` prints one line of JSON. It reads the server's CPU clock itself, at both ends of its
window, so that connecting and warming up are not counted.
"""

import asyncio
import base64
import json
import sys
import time
import zlib
from dataclasses import asdict, dataclass, field
from statistics import quantiles
from typing import Any

import msgspec

from bench.frames import COMPRESSED, MIXED, masked, unframed, written
from bench.processes import cpu_seconds

CONNECTING = 64
"""Handshakes open at once, except in a storm."""
WARM, MEASURED = 4, 2
"""Messages of each charger before the window and in it, at least: the first ones of a charge go the long way."""
FIRST = ("BootNotification", "Heartbeat")


@dataclass(slots=True)
class Plan:
    """What to do to whom."""

    port: int
    pid: int
    work: str
    """meter, mixed, an action's name, storm, handshakes or idle."""
    chargers: list[tuple[str, int]]
    """Identities and their transactions."""
    key: str = ""
    echo: bool = False
    deflate: bool = False
    """Offer compression, as most libraries do; who agrees to it pays for it (performance.md 2)."""
    warm: float = 2.0
    seconds: float = 2.0
    since: float = 0.0
    """When the charges began, in seconds of the epoch: registers have risen by 7.2 kW since."""


@dataclass(slots=True)
class Tally:
    """What came of it."""

    messages: int = 0
    bad: int = 0
    lost: int = 0
    """Connections that ended."""
    seconds: float = 0.0
    cpu: float = 0.0
    own_cpu: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    first_bad: str = ""
    waits: list[float] = field(default_factory=list)


class Charger(asyncio.Protocol):
    """One charger: it asks, checks the answer, and asks the next thing."""

    def __init__(self, plan: Plan, tally: Tally, name: str, transaction: int) -> None:
        self.plan, self.tally, self.name, self.transaction = plan, tally, name, transaction
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.queue: list[str] | None = []
        """What is left to ask; None for the endless work of the plan."""
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS) if plan.deflate else None
        self._asked = b""
        self._action = ""
        self._count = 0
        self._at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        login = ""
        if self.plan.key:
            text = base64.b64encode(f"{self.name}:{self.plan.key}".encode()).decode()
            login = f"Authorization: Basic {text}\r\n"
        offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" if self._inflate else ""
        transport.write(
            f"GET /ocpp/{self.name} HTTP/1.1\r\nHost: 127.0.0.1:{self.plan.port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: ocpp1.6\r\n{login}{offer}\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.open.done():
            head, ended, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not ended:
                return
            if b" 101 " not in head[:20]:
                self.open.set_exception(ConnectionError(head[:80].decode(errors="replace")))
                return
            self._buffer = bytearray(rest)
            self.open.set_result(None)
        while (frame := unframed(self._buffer)) is not None:
            self._take(*frame)

    def connection_lost(self, _error: Exception | None) -> None:
        self.tally.lost += 1
        for future in (self.open, self.done):
            if not future.done():
                future.set_exception(ConnectionError("the server closed the connection"))

    def ask(self) -> None:
        """The next question, if there is one."""
        if self.queue is not None:
            if not self.queue:
                if not self.done.done():
                    self.done.set_result(None)
                return
            self._action = self.queue.pop(0)
        else:
            work = self.plan.work
            self._action = (
                "MeterValues" if work == "meter" else MIXED[self._count % len(MIXED)] if work == "mixed" else work
            )
        self._count += 1
        id_ = f"{self.name}.{self._count}"
        self._asked = written(self._action, id_, transaction=self.transaction, register_wh=self._register())
        self._at = time.perf_counter()
        self.transport.write(masked(self._asked))

    def _register(self) -> int:
        return int((time.time() - self.plan.since) * 2)

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode & COMPRESSED and self._inflate is not None:
            opcode, payload = opcode ^ COMPRESSED, self._inflate.decompress(payload + b"\0\0\xff\xff")
        if opcode == 9:
            self.transport.write(masked(payload, 10))
        elif opcode == 1 and payload[:3] == b"[2," and not self.plan.echo:
            id_ = json.loads(payload)[1]
            self.transport.write(masked(json.dumps([4, id_, "NotSupported", "", {}]).encode()))
        elif opcode == 1:
            if not (payload == self._asked if self.plan.echo else self._is_answer(payload)):
                self.tally.bad += 1
                self.tally.first_bad = self.tally.first_bad or payload[:200].decode(errors="replace")
            self.tally.messages += 1
            self.tally.waits.append(time.perf_counter() - self._at)
            self.ask()

    def _is_answer(self, payload: bytes) -> bool:
        kind, id_, answer = msgspec.json.decode(payload)
        asked: str = f"{self.name}.{self._count}"
        if kind != 3 or id_ != f"{asked:0>36}":
            return False
        match self._action:
            case "BootNotification":
                return bool(answer["status"] == "Accepted")
            case "Heartbeat":
                return "currentTime" in answer
            case "Authorize":
                return "idTagInfo" in answer
            case _:
                return bool(answer == {})


async def _connect(plan: Plan, tally: Tally, name: str, transaction: int) -> Charger:
    _, charger = await asyncio.get_running_loop().create_connection(
        lambda: Charger(plan, tally, name, transaction), "127.0.0.1", plan.port
    )
    await charger.open
    return charger


async def _connect_all(plan: Plan, tally: Tally, at_once: int) -> list[Charger]:
    gate = asyncio.Semaphore(at_once)

    async def one(name: str, transaction: int) -> Charger:
        async with gate:
            return await _connect(plan, tally, name, transaction)

    return list(await asyncio.gather(*(one(*charger) for charger in plan.chargers)))


async def _ask_all(chargers: list[Charger], actions: tuple[str, ...]) -> None:
    for charger in chargers:
        charger.queue = list(actions)
        charger.done = asyncio.get_running_loop().create_future()
        charger.ask()
    await asyncio.gather(*(charger.done for charger in chargers))


async def flow(plan: Plan, tally: Tally) -> None:
    """Messages as fast as they are answered, for a while."""
    chargers = await _connect_all(plan, tally, CONNECTING)
    for charger in chargers:
        charger.queue = None
        charger.ask()
    await _run(plan.warm, tally, WARM * len(chargers))
    tally.messages, tally.waits = 0, []
    began, cpu, own = time.perf_counter(), cpu_seconds(plan.pid), time.process_time()
    await _run(plan.seconds, tally, MEASURED * len(chargers))
    tally.cpu, tally.own_cpu = cpu_seconds(plan.pid) - cpu, time.process_time() - own
    tally.seconds = time.perf_counter() - began
    asked = tally.messages
    await _finish(chargers)
    tally.messages = asked


async def _run(seconds: float, tally: Tally, least: int) -> None:
    """So long, and longer where fewer messages were answered meanwhile: a busy machine must not measure beginnings."""
    await asyncio.sleep(seconds)
    while tally.messages < least:
        if tally.lost:
            raise ConnectionError("the server closed the connection")
        await asyncio.sleep(seconds / 10)


async def _finish(chargers: list[Charger]) -> None:
    for charger in chargers:
        charger.queue = []
    await asyncio.wait_for(asyncio.gather(*(charger.done for charger in chargers)), 30)


async def storm(plan: Plan, tally: Tally) -> None:
    """Everybody comes back at once; over when the last boot was accepted."""
    began, cpu = time.perf_counter(), cpu_seconds(plan.pid)
    chargers = await _connect_all_booting(plan, tally)
    tally.seconds, tally.cpu = time.perf_counter() - began, cpu_seconds(plan.pid) - cpu
    tally.messages = len(chargers)


async def _connect_all_booting(plan: Plan, tally: Tally) -> list[Charger]:
    async def one(name: str, transaction: int) -> Charger:
        charger = await _connect(plan, tally, name, transaction)
        charger.queue = ["BootNotification"]
        charger.ask()
        await charger.done
        return charger

    return list(await asyncio.gather(*(one(*charger) for charger in plan.chargers)))


async def handshakes(plan: Plan, tally: Tally) -> None:
    """Connect and go, one after the other in a window."""
    gate = asyncio.Semaphore(CONNECTING)

    async def one(name: str, transaction: int) -> None:
        async with gate:
            (await _connect(plan, tally, name, transaction)).transport.abort()

    began, cpu = time.perf_counter(), cpu_seconds(plan.pid)
    await asyncio.gather(*(one(*charger) for charger in plan.chargers))
    tally.seconds, tally.cpu = time.perf_counter() - began, cpu_seconds(plan.pid) - cpu
    tally.messages = len(plan.chargers)


async def idle(plan: Plan, tally: Tally) -> None:
    """Connect, say two things, and stay until a line comes in."""
    chargers = await _connect_all(plan, tally, CONNECTING)
    await _ask_all(chargers, FIRST)
    print("READY", flush=True)
    await asyncio.to_thread(sys.stdin.readline)


WORKS = {"storm": storm, "handshakes": handshakes, "idle": idle}


def main() -> None:
    given: dict[str, Any] = json.loads(sys.argv[1])
    plan, tally = Plan(**given), Tally()
    asyncio.run(WORKS.get(plan.work, flow)(plan, tally))
    if len(tally.waits) > 1:
        cuts = quantiles(tally.waits, n=100)
        tally.p50_ms, tally.p99_ms = cuts[49] * 1000, cuts[98] * 1000
    tally.waits = []
    print(json.dumps(asdict(tally)), flush=True)


if __name__ == "__main__":
    main()
