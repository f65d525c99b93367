"""A part of the crowd of `bench.scale`: thousands of chargers in one process, each in its own time.

`python -m bench.crowd '<json>'` connects them and prints READY; each line it then reads is a number of seconds for
which it lets them speak, and it prints what came of that as a line of JSON.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from itertools import cycle
from statistics import quantiles

from bench.frames import masked, written
from bench.load import Charger, Plan, Tally

AT_ONCE = 8
HEARTBEAT_S = 60.0
BEGAN_WH = 100
POWER_W = 7_200
ASKED = {"RemoteStartTransaction": {"status": "Accepted"}}
"""What these chargers can do; to everything else they say that they cannot."""

GOOD = {"MeterValues": lambda answer: answer == {}, "Heartbeat": lambda answer: "currentTime" in answer}
"""What an answer to each must be."""


@dataclass(slots=True)
class Part:
    """Who is in this process, where it connects from and to, and how often a meter speaks."""

    ports: list[int]
    address: str
    idle: list[str]
    charging: list[tuple[str, int]]
    every: float
    since: float


@dataclass(slots=True)
class Spoken:
    """What came of a while."""

    messages: int = 0
    bad: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    late_s: float = 0.0
    """How far behind its own plan the crowd was at the end: then the machine had no time for it."""
    waits: list[float] = field(default_factory=list)


class Member(Charger):
    """A charger that speaks when it is told to, and does what it is asked."""

    def __init__(self, plan: Plan, spoken: Spoken, name: str, transaction: int) -> None:
        super().__init__(plan, Tally(), name, transaction)
        self.done.cancel()  # it is never done
        self.spoken = spoken
        self._said: dict[str, tuple[str, float]] = {}
        """What waits for its answer: a busy server may owe several."""

    def say(self, action: str) -> None:
        self._count += 1
        wh = BEGAN_WH + int((time.time() - self.plan.since) * POWER_W / 3600)
        id_ = f"{self.name}.{self._count}"
        self._said[f"{id_:0>36}"] = action, time.perf_counter()
        self.transport.write(masked(written(action, id_, transaction=self.transaction, register_wh=wh)))

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 9:
            self.transport.write(masked(payload, 10))
        elif opcode == 1 and payload[:3] == b"[2,":
            _, id_, action, _ = json.loads(payload)
            can = ASKED.get(action)
            answer = [3, id_, can] if can else [4, id_, "NotSupported", "", {}]
            self.transport.write(masked(json.dumps(answer).encode()))
        elif opcode == 1:
            kind, id_, answer = json.loads(payload)
            action, at = self._said.pop(id_, ("", 0.0))
            self.spoken.messages += 1
            self.spoken.bad += not (kind == 3 and action in GOOD and GOOD[action](answer))
            self.spoken.waits.append(time.perf_counter() - at)


async def connected(part: Part, spoken: Spoken) -> tuple[list[Member], list[Member]]:
    """Those who charge and those who do not, divided among the ports."""
    gate, loop = asyncio.Semaphore(AT_ONCE), asyncio.get_running_loop()

    async def one(name: str, transaction: int, port: int) -> Member:
        plan = Plan(port, 0, "", [], since=part.since)
        async with gate:
            while True:
                _, member = await loop.create_connection(
                    lambda: Member(plan, spoken, name, transaction), "127.0.0.1", port, local_addr=(part.address, 0)
                )
                try:
                    await member.open
                except ConnectionError:  # a machine that is busy lets a handshake take too long: as a charger, again
                    continue
                member.say("Heartbeat")
                return member

    ports = cycle(part.ports)
    charging = await asyncio.gather(*(one(*charge, next(ports)) for charge in part.charging))
    idle = await asyncio.gather(*(one(name, 0, next(ports)) for name in part.idle))
    return list(charging), list(idle)


async def speak(members: list[Member], action: str, every: float, until: float) -> float:
    """Each says this once in so many seconds, evenly one after the other; gives by how much they were late."""
    began, late = time.monotonic(), 0.0
    for number, member in enumerate(cycle(members)):
        due = began + number * every / len(members)
        late = time.monotonic() - due
        if due >= until or time.monotonic() >= until:
            break
        if late < 0:
            await asyncio.sleep(-late)
        member.say(action)
    return max(late, 0.0)


async def main() -> None:
    part, spoken = Part(**json.loads(sys.argv[1])), Spoken()
    charging, idle = await connected(part, spoken)
    print("READY", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        spoken.messages, spoken.bad, spoken.waits = 0, 0, []
        until = time.monotonic() + float(line)
        late = await asyncio.gather(
            speak(charging, "MeterValues", part.every, until), speak(idle, "Heartbeat", HEARTBEAT_S, until)
        )
        cuts = quantiles(spoken.waits, n=100) if len(spoken.waits) > 1 else [0.0] * 99
        spoken.p50_ms, spoken.p99_ms, spoken.late_s = cuts[49] * 1000, cuts[98] * 1000, max(late)
        spoken.waits = []
        print(json.dumps(asdict(spoken)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
