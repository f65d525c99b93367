"""`python -m bench`: this CSMS and its peers, interleaved in one run, as microseconds of CPU and ratios with spread."""

import argparse
import json
import logging
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import structlog

from bench import node, ours, targets
from bench.load import Plan
from bench.peers import KEY
from bench.processes import ROOT, Server, module, serving, uss_kib
from bench.storage import MILLION, VALUES, storage

OURS, OCPP, ECHO, RPC, STORED = "this CSMS", "ocpp defaults", "websockets echo", "ocpp-rpc strict", "ocpp + SQLModel"
ALONE = "session layer"
"""This CSMS with a domain that keeps nothing (bench/alone.py)."""
FLOOR = "the least"
"""What CPython needs to commit samples, with no rule at all (bench/floor.py)."""
EVERY = [OURS, ALONE, FLOOR, OCPP, ECHO, RPC, STORED]
KEYED = OURS, OCPP, RPC
"""Servers that know their chargers by keys, where asked to."""
OTHER = "FirmwareStatusNotification"
WORKS = {
    "meter": ("MeterValues, 6 samples", "T1 MeterValues"),
    OTHER: (OTHER, "T2 any other action"),
    "StatusNotification": ("StatusNotification, as it was told before", ""),
    "mixed": ("Mixed", ""),
}
CHARGERS = 200
GATE_ROUNDS, GATE_SECONDS, GATE_SESSIONS, GATE_TRIES = 3, 0.6, 200_000, 4
BEGAN = time.time()
LOAD_S = 120
"""No load takes so long, but on a server that does not answer."""
STORM = 5_000
IDLE = ((1_000, True), (1_000, False), (STORM, True))
"""Connected chargers, and whether they offer compression: T6 is set against peers that agree to it."""


def load(server: Server, work: str, chargers: list[tuple[str, int]], **options: Any) -> dict[str, Any]:
    """One run of the load generator against one server; every answer was right, or this ends."""
    plan = Plan(server.port, server.pid, work, chargers, echo=server.name == ECHO, since=BEGAN, **options)
    try:
        given = subprocess.run(
            module("bench.load", json.dumps(asdict(plan))), cwd=ROOT, capture_output=True, text=True, timeout=LOAD_S
        )
    except subprocess.TimeoutExpired:
        raise SystemExit(f"{server.name} left {work} unanswered for {LOAD_S} s.") from None
    if given.returncode:
        raise SystemExit(f"The load on {server.name} failed: {given.stderr.strip().splitlines()[-1]}")
    tally: dict[str, Any] = json.loads(given.stdout)
    if tally["bad"]:
        raise SystemExit(f"{server.name} gave {tally['bad']} wrong answers, such as {tally['first_bad']}")
    return tally


class Field:
    """The servers of one measurement, all running while it lasts."""

    def __init__(self, stack: ExitStack, names: list[str], *, count: int, charging: bool, auth: bool = False) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="evapp-bench-")))
        url = f"sqlite:///{folder / 'evapp.db'}"
        os.environ.update(ours.environment(url, folder))
        ours.migrated(url)
        prepare = ours.charge_everywhere if charging else ours.known
        self.chargers = prepare(url, count, keys=auth)
        self.folder, self.url = folder, url
        self.servers = [server for name in names if (server := self._start(stack, name, auth)) is not None]

    def _start(self, stack: ExitStack, name: str, auth: bool) -> Server | None:
        kinds = {OCPP: "ocpp", ECHO: "echo", STORED: "sqlmodel"}
        if name in kinds:
            return stack.enter_context(serving(name, module("bench.peers", kinds[name], *(["--auth"] if auth else []))))
        if name == FLOOR:
            return stack.enter_context(serving(name, module("bench.floor")))
        if name == ALONE:
            own = self.folder / "alone"
            own.mkdir()
            url = f"sqlite:///{own / 'evapp.db'}"
            ours.migrated(url)
            return stack.enter_context(serving(name, module("bench.alone"), ours.environment(url, own)))
        if name == RPC:
            command = node.command(KEY, auth=auth)
            if isinstance(command, str):
                print(f"  {RPC} is skipped: {command}.")
                return None
            return stack.enter_context(serving(name, command))
        return stack.enter_context(serving(name, ours.serve(), ours.environment(self.url, self.folder)))


def flow(names: list[str], works: list[str], rounds: int, seconds: float, warm: float = 2.0) -> None:
    """Messages as fast as they are answered, 200 chargers with one question open each."""
    print(f"\nMessages: {CHARGERS} chargers, {rounds} rounds of {seconds:g} s, interleaved", flush=True)
    with ExitStack() as stack:
        field = Field(stack, names, count=CHARGERS, charging=True)
        for work in works:
            servers = [server for server in field.servers if work == "meter" or server.name not in (STORED, FLOOR)]
            runs: dict[str, list[dict[str, Any]]] = {server.name: [] for server in servers}
            for turn in range(rounds):
                for server in servers[turn % len(servers) :] + servers[: turn % len(servers)]:
                    runs[server.name].append(load(server, work, field.chargers, seconds=seconds, warm=warm))
            each = {name: [run["cpu"] / run["messages"] * 1e6 for run in of] for name, of in runs.items()}
            _messages(work, runs, each)
            _noted(work, each)


def _noted(work: str, each: dict[str, list[float]]) -> None:
    """Keep what is a target: of the product as it runs, and of its session layer beside peers that keep nothing."""
    title = WORKS[work][1]
    for name, of in each.items():
        targets.note(f"{title} / {name}", _ratio(of, each[OURS]))
        targets.note(f"{title}, session layer / {name}", _ratio(of, each[ALONE]))
        if work == "meter":
            targets.note(f"T4 with commit / {name}", _ratio(of, each[OURS]))
    if work == "meter":
        targets.note("T4 durable values a second of one core", VALUES / median(each[OURS]) * 1e6)


def _ratio(theirs: list[float], mine: list[float]) -> float:
    return median(of_them / of_mine for of_them, of_mine in zip(theirs, mine, strict=True))


def _messages(work: str, runs: dict[str, list[dict[str, Any]]], each: dict[str, list[float]]) -> None:
    print(f"\n  {WORKS[work][0]}; {OURS} stores, bills and journals, {ALONE} keeps nothing")
    print(f"  {'':<18}{'CPU us/msg':>12}{'msg/s':>9}{'p50 ms':>8}{'p99 ms':>8}   {OURS:<22}{ALONE} is better by")
    for name, of in runs.items():
        better = (
            "" if name == mine else spread([a / b for a, b in zip(each[name], each[mine], strict=True)])
            for mine in (OURS, ALONE)
        )
        rate = median(run["messages"] / run["seconds"] for run in of)
        p50, p99 = (median(run[key] for run in of) for key in ("p50_ms", "p99_ms"))
        shown = "   " + "".join(f"{words:<22}" for words in better)
        print(f"  {name:<18}{median(each[name]):>12.1f}{rate:>9.0f}{p50:>8.1f}{p99:>8.1f}{shown.rstrip()}", flush=True)


def spread(values: list[float]) -> str:
    """Median and the middle half, or all of it where there are few."""
    low, _, high = quantiles(values, n=4) if len(values) > 3 else (min(values), 0, max(values))
    return f"{median(values):.2f}x [{low:.2f}-{high:.2f}]"


def memory(rounds: int, crowds: tuple[tuple[int, bool], ...], names: tuple[str, ...] = KEYED) -> None:
    """Unshared memory for each connected charger after two messages; of so many, which offer compression or do not."""
    for count, deflate in crowds:
        offering = "offering compression" if deflate else "offering no compression"
        print(f"\nMemory of {count} connected chargers, {offering}, after two messages, KiB each (USS)", flush=True)
        runs: dict[str, list[float]] = {}
        for _ in range(rounds):
            for name in names:
                with ExitStack() as stack:
                    field = Field(stack, [name], count=count, charging=False)
                    for server in field.servers:
                        runs.setdefault(name, []).append(_idle(server, field.chargers, deflate))
        for name, each in runs.items():
            ratios = [mine / theirs for mine, theirs in zip(runs[OURS], each, strict=True)]
            if (count, deflate) == IDLE[0]:
                targets.note("T6 memory of a charger at 1,000" if name == OURS else "", median(each))
                targets.note(f"T6 memory / {name}", median(ratios))
            print(f"  {name:<18}{median(each):>8.1f}   {'' if name == OURS else 'this CSMS takes ' + spread(ratios)}")


def _idle(server: Server, chargers: list[tuple[str, int]], deflate: bool) -> float:
    load(server, "handshakes", chargers[:200])  # what a first connection imports is no charger's
    before = uss_kib(server.pid)
    plan = Plan(server.port, server.pid, "idle", chargers, deflate=deflate)
    with subprocess.Popen(
        module("bench.load", json.dumps(asdict(plan))),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as generator:
        assert generator.stdout is not None
        assert generator.stdin is not None
        generator.stdout.readline()
        after = uss_kib(server.pid)
        generator.stdin.write("\n")
        generator.stdin.close()
        generator.stdout.read()
    return (after - before) / len(chargers)


def storm(rounds: int, count: int, names: tuple[str, ...] = KEYED) -> None:
    """Everybody reconnects at once, with a key, until the last BootNotification is accepted."""
    print(f"\nReconnect storm: {count} chargers at once, Basic authentication, {rounds} rounds", flush=True)
    runs: dict[str, list[dict[str, Any]]] = {}
    for _ in range(rounds):
        for name in names:
            with ExitStack() as stack:
                field = Field(stack, [name], count=count, charging=False, auth=True)
                for server in field.servers:
                    runs.setdefault(name, []).append(load(server, "storm", field.chargers, key=KEY))
    print(f"  {'':<18}{'all accepted s':>16}{'CPU ms/charger':>16}   this CSMS takes")
    for name, of in runs.items():
        cpu = median(run["cpu"] / run["messages"] * 1e3 for run in of)
        ratios = [mine["seconds"] / theirs["seconds"] for mine, theirs in zip(runs[OURS], of, strict=True)]
        seconds = median(run["seconds"] for run in of)
        targets.note("T7 storm" if name == OURS else f"T7 storm / {name}", seconds if name == OURS else median(ratios))
        print(f"  {name:<18}{seconds:>16.2f}{cpu:>16.2f}   {'' if name == OURS else spread(ratios)}", flush=True)


def handshakes(rounds: int, count: int = 1_000) -> None:
    """What a key costs at the door, after everybody was let in once."""
    print(f"\nHandshakes of this CSMS: {count} chargers, {rounds} rounds", flush=True)
    with ExitStack() as stack:
        fields = {auth: Field(stack, [OURS], count=count, charging=False, auth=auth) for auth in (False, True)}
        each: dict[bool, list[float]] = {False: [], True: []}
        for turn in range(rounds + 1):
            for auth, field in fields.items():
                run = load(field.servers[0], "handshakes", field.chargers, key=KEY if auth else "")
                if turn:
                    each[auth].append(run["cpu"] / run["messages"] * 1e6)
    ratios = [keyed / plain for keyed, plain in zip(each[True], each[False], strict=True)]
    targets.note("T8 handshake with a key / without", median(ratios))
    print(f"  without a key {median(each[False]):.0f} us, with {median(each[True]):.0f} us: {spread(ratios)}")


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))  # not each migration
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "what", nargs="*", help="flow memory storm handshakes storage gate; all but it if none is named"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of one round")
    parser.add_argument("--storm", type=int, default=STORM, help="chargers of the storm")
    parser.add_argument("--sessions", type=int, default=MILLION, help="in the database whose pages are timed")
    parser.add_argument("--gate", action="store_true", help="fail below 70 %% of a target, or of what is reached of it")
    given = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    crowd = min(given.storm, limit - 200) if limit > 0 else given.storm
    parts: dict[str, Callable[[], None]] = {
        "flow": lambda: flow(EVERY, list(WORKS), given.rounds, given.seconds),
        "memory": lambda: memory(1, tuple((min(count, crowd), deflate) for count, deflate in IDLE)),
        "storm": lambda: storm(3, crowd),
        "handshakes": lambda: handshakes(given.rounds),
        "storage": lambda: storage(given.rounds, given.seconds, given.sessions),
        "gate": lambda: gate(crowd),
    }
    unknown = set(given.what) - set(parts)
    if unknown:
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}")
    for name, run in parts.items():
        if name in given.what or (not given.what and name != "gate"):
            run()
    below = [] if given.what == ["gate"] else targets.report()
    if given.gate and below:
        raise SystemExit(f"Below the gate: {'; '.join(below)}.")


def gate(crowd: int) -> None:
    """Every target but `targets.UNASKED`, in two minutes; what is missed is measured again before anybody is told."""
    parts: tuple[Callable[[], None], ...] = (
        lambda: flow(EVERY, ["meter", OTHER], GATE_ROUNDS, GATE_SECONDS, warm=0.6),
        lambda: memory(1, IDLE[:1], (OURS, OCPP)),
        lambda: storm(1, crowd, (OURS, OCPP)),
        lambda: handshakes(2),
        lambda: storage(1, GATE_SECONDS, GATE_SESSIONS),
    )
    if missed := [name for part in parts for name in _missed_each_time(part)]:
        raise SystemExit(f"Below the gate {GATE_TRIES} times: {'; '.join(missed)}.")


def _missed_each_time(part: Callable[[], None]) -> list[str]:
    missed = _missed(part)
    for _ in range(GATE_TRIES - 1):
        missed = missed and [name for name in _missed(part) if name in missed]
    return missed


def _missed(part: Callable[[], None]) -> list[str]:
    targets.measured.clear()
    part()
    return [name for name in targets.report() if name not in targets.UNASKED]


if __name__ == "__main__":
    main()
