"""`python -m bench.scale`: 10,000 chargers, 2,000 of them charging, on one CSMS process and on two.

PostgreSQL and Redis are the run's own. Commands go through the bus from a process that holds no charger, as a web
process does, and figures come back to it. What a message costs is counted as CPU time of each process, since on a
machine that does other things, too, the time of day says little. docs/scale.md reckons on from these figures.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench import ours
from bench.crowd import Part
from bench.processes import ROOT, Server, cpu_of_family, cpu_seconds, module, serving, uss_kib
from domain.bus import ChargerOffline, ChargerSilent
from domain.db import opened
from domain.events import RemoteStart, SessionMetered
from domain.redis_bus import RedisBus
from tests.databases import begin_run
from tests.servers import Postgres, Redis, postgres, redis

PARTS = 8
"""Processes of the crowd, each from an address of its own: one address may have 2,000 sockets."""
WARM_S = 12.0
COMMAND_S = 30.0
START_S = 180.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What was seen with so many CSMS processes."""

    processes: int
    messages: int
    messages_s: float
    us_csms: float
    us_postgres: float
    us_redis: float
    kib: float
    answer_ms: tuple[float, float]
    command_ms: tuple[float, float]
    commands: int
    push_ms: tuple[float, float]
    pushes: int
    late_s: float

    def line(self) -> str:
        return (
            f"| {self.processes} | {self.messages_s:,.0f} | {self.us_csms:.0f} | {1e6 / self.us_csms:,.0f} "
            f"| {self.us_postgres:.0f} | {self.us_redis:.1f} | {self.kib:.1f} "
            f"| {self.answer_ms[0]:.1f} / {self.answer_ms[1]:.0f} "
            f"| {self.command_ms[0]:.1f} / {self.command_ms[1]:.0f} | {self.push_ms[0]:.1f} / {self.push_ms[1]:.0f} |"
        )


HEAD = """| CSMS processes | messages/s offered | CSMS µs CPU/message | messages/s and core | PostgreSQL µs | Redis µs \
| KiB/charger | answer p50 / p99 ms | command p50 / p99 ms | push p50 / p99 ms |
|---|---|---|---|---|---|---|---|---|---|"""


def cut(waits: list[float]) -> tuple[float, float]:
    """p50 and p99 in ms."""
    if len(waits) < 2:
        raise SystemExit("Nothing came back while it was measured: this machine has no time for so many.")
    cuts = quantiles(waits, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


async def measure(count: int, asked: argparse.Namespace, database: Postgres, cache: Redis, folder: Path) -> Figures:
    """The whole crowd on `count` CSMS processes."""
    async with AsyncExitStack() as stack:
        env = {**ours.environment(database.url, folder), "EVAPP_REDIS_URL": cache.url}
        servers = [stack.enter_context(serving(f"csms {n}", module("csms"), env)) for n in range(count)]
        empty = [uss_kib(server.pid) for server in servers]
        bus = await stack.enter_async_context(RedisBus(cache.url))
        await stack.enter_async_context(opened(database.url, bus.publish))
        crowd = await stack.enter_async_context(crowded(servers, asked))
        await asyncio.sleep(WARM_S)
        await spoken(crowd, WARM_S)
        pushes: list[float] = []
        watching = asyncio.create_task(watch(bus, pushes))
        before = [cpu_seconds(server.pid) for server in servers]
        stores, messenger = cpu_of_family(database.pid), cpu_seconds(cache.pid)
        answers = asyncio.create_task(spoken(crowd, asked.seconds))
        commands = await command(bus, names(asked)[1], asked.seconds)
        tallies = await answers
        used = sum(cpu_seconds(server.pid) for server in servers) - sum(before)
        stored, carried = cpu_of_family(database.pid) - stores, cpu_seconds(cache.pid) - messenger
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        if bad := sum(tally["bad"] for tally in tallies):
            raise SystemExit(f"{bad} answers were wrong.")
        messages = sum(tally["messages"] for tally in tallies)
        grown = sum(uss_kib(server.pid) for server in servers) - sum(empty)
        worst = max(tallies, key=lambda tally: tally["p99_ms"])
        return Figures(
            processes=count,
            messages=messages,
            messages_s=messages / asked.seconds,
            us_csms=used / messages * 1e6,
            us_postgres=stored / messages * 1e6,
            us_redis=carried / messages * 1e6,
            kib=grown / asked.chargers,
            answer_ms=(worst["p50_ms"], worst["p99_ms"]),
            command_ms=cut(commands),
            commands=len(commands),
            push_ms=cut(pushes),
            pushes=len(pushes),
            late_s=max(tally["late_s"] for tally in tallies),
        )


@asynccontextmanager
async def crowded(servers: list[Server], asked: argparse.Namespace) -> AsyncIterator[list[asyncio.subprocess.Process]]:
    """All chargers, connected, in their processes."""
    charging, idle = asked.transactions, names(asked)[1]
    crowd = []
    ports = [server.port for server in servers]
    for n in range(PARTS):
        part = Part(ports, f"127.0.0.{n + 2}", idle[n::PARTS], charging[n::PARTS], asked.every, asked.began)
        crowd.append(
            await asyncio.create_subprocess_exec(
                *module("bench.crowd", json.dumps(asdict(part))),
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                limit=2**20,
            )
        )
    try:
        async with asyncio.timeout(START_S):
            for process in crowd:
                assert process.stdout is not None
                if (await process.stdout.readline()).strip() != b"READY":
                    raise SystemExit("A part of the crowd could not connect; its error stands above.")
        yield crowd
    finally:
        for process in crowd:
            if process.returncode is None:
                process.terminate()
        await asyncio.gather(*(process.wait() for process in crowd))


async def spoken(crowd: list[asyncio.subprocess.Process], seconds: float) -> list[dict[str, Any]]:
    """Let everybody speak for so long."""
    for process in crowd:
        assert process.stdin is not None
        process.stdin.write(f"{seconds}\n".encode())
    return [json.loads(await process.stdout.readline()) for process in crowd if process.stdout is not None]


async def command(bus: RedisBus, idle: list[str], seconds: float) -> list[float]:
    """RemoteStart to one charger after the other, through the bus; what became of each and when."""
    waits, ends, failed = [], time.monotonic() + seconds, 0
    for name in idle:
        if time.monotonic() >= ends:
            break
        began = time.perf_counter()
        try:
            await bus.call(name, RemoteStart(1, "BENCH"), COMMAND_S)
        except (ChargerOffline, ChargerSilent):
            failed += 1
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(0.02)
    if failed:
        raise SystemExit(f"{failed} of {len(waits)} commands were not answered.")
    return waits


async def watch(bus: RedisBus, waits: list[float]) -> None:
    """From a frame's arrival at the CSMS to the subscriber in another process, its commit between them."""
    async for event in bus.subscribe(SessionMetered):
        if isinstance(event, SessionMetered):
            waits.append((datetime.now(UTC) - event.at).total_seconds())


def names(asked: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Who charges, and who does not."""
    charging = [f"BENCH-{number}" for number in range(asked.charging)]
    return charging, [f"IDLE-{number}" for number in range(asked.chargers - asked.charging)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-scale", description=__doc__)
    parser.add_argument("--chargers", type=int, default=10_000)
    parser.add_argument("--charging", type=int, default=2_000, help="of them")
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two MeterValues of a charge")
    parser.add_argument("--seconds", type=float, default=40.0, help="that are measured, with each number of processes")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    asked = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < asked.chargers + 1_000:
        raise SystemExit(f"A process may open {hard} files here; {asked.chargers} chargers need more (ulimit -Hn).")
    begin_run()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="evapp-scale-")))
        database, cache = stack.enter_context(postgres()), stack.enter_context(redis())
        os.environ.update(ours.environment(database.url, folder))
        ours.migrated(database.url)
        print(f"{asked.charging} charges and {asked.chargers - asked.charging} idle chargers begin.", flush=True)
        asked.transactions = ours.charge_everywhere(database.url, asked.charging)
        ours.known(database.url, asked.chargers - asked.charging)
        asked.began = time.time()
        print(HEAD, flush=True)
        for count in asked.processes:
            figures = asyncio.run(measure(count, asked, database, cache, folder))
            print(figures.line(), flush=True)
            print(
                f"  {figures.messages} messages, {figures.commands} commands, {figures.pushes} pushes; "
                f"at the end the crowd was {figures.late_s:.1f} s behind its plan.",
                flush=True,
            )


if __name__ == "__main__":
    main()
