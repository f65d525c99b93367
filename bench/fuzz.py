"""`make fuzz`: a hundred thousand odd frames over real sockets; none may end a connection or raise out of the server.

Hypothesis makes them: every action with a payload of which anything may be anything, answers to nothing, elements too
many and too few, half frames, text, bytes. After each hundred a Heartbeat must be answered on the same socket.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import structlog.testing
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench import ours
from csms.central import Pace
from csms.limits import Limits
from csms.server import listening
from csms.v16 import V16
from csms.v16.schemas import schema
from domain.bus import LocalBus
from domain.db import opened
from domain.settings import settings as chosen

BATCH = 25
MUTANTS = 3
"""Of each frame, cut and stirred as text: a tenth of the time that it takes to think of a new one."""
ANSWER_S = 60.0
UNLIMITED = Limits(rate=1e9, burst=10**9)

_TEXT = st.text(max_size=60) | st.sampled_from(
    ["", "\x00", "1970-01-01T00:00:00Z", "NaN", "Wh", "Available", "9" * 400]
)
_NUMBER = st.integers() | st.floats() | st.sampled_from([0, -1, 1, 2, 2**31, 2**63, 10**400, 1e308])
_LEAF = st.none() | st.booleans() | _NUMBER | _TEXT
_ANY = st.recursive(
    _LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4), max_leaves=8
)


def _shaped(told: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Mostly what a schema asks for, sometimes anything."""
    match told.get("type"):
        case "object":
            fields = {key: _shaped(inner) for key, inner in told["properties"].items()}
            required = {key: fields.pop(key) for key in told.get("required", ()) if key in fields}
            right: st.SearchStrategy[Any] = st.fixed_dictionaries(required, optional=fields)
        case "array":
            right = st.lists(_shaped(told["items"]), max_size=3)
        case "integer":
            right = st.integers(0, 5)
        case "number":
            right = st.decimals(0, 100, places=1).map(float)
        case _ if "enum" in told:
            right = st.sampled_from(told["enum"])
        case _:
            right = st.sampled_from(["1", "12.5", "CARD1", "2026-01-01T00:00:00Z"])
    # Written out, since Hypothesis gives each side of | the same chance.
    return st.integers(0, 11).flatmap(lambda dice: right if dice else _ANY)


_DEEP = 4_000
"""Levels: further down than any parser here goes, also where Hypothesis has moved their end to 2,000 and more."""
_SPLINTERS = (
    *("", "", "null", "[]", "{}", '"', ",", ":", "-", "1e9", "\\u0000", "\\ud800", "true", "[", "}", '{"a":1},'),
    *("[" * _DEEP + "]" * _DEEP, '{"a":' * _DEEP + "1" + "}" * _DEEP),
)

_IDS = st.text(max_size=40) | st.integers() | _LEAF | st.sampled_from(["same", 7])
_CALLS = st.sampled_from(sorted(V16.handlers)).flatmap(
    lambda action: st.tuples(st.just(2), _IDS, st.just(action), _shaped(schema(action))).map(list)
)
_MESSAGES = _CALLS | _CALLS | _CALLS | st.tuples(st.sampled_from([2, 3, 4, "2", 9]), _IDS, _ANY, _ANY).map(list) | _ANY
_WRITTEN = _MESSAGES.map(json.dumps)
FRAMES = (
    _WRITTEN
    | _WRITTEN
    | st.tuples(_WRITTEN, st.integers(1, 60)).map(lambda cut: cut[0][: -cut[1]])
    | _WRITTEN.map(str.encode)
    | st.text(max_size=100)
    | st.binary(max_size=100)
)
"""What is sent, as text or as bytes."""


def with_mutants(batch: list[str | bytes], chance: Random) -> list[str | bytes]:
    """The frames, each followed by some that differ from it by a few characters."""
    return [sent for frame in batch for sent in (frame, *(_mutant(frame, chance) for _ in range(MUTANTS)))]


def _mutant(frame: str | bytes, chance: Random) -> str | bytes:
    text = frame if isinstance(frame, str) else frame.decode(errors="replace")
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice(_SPLINTERS) + text[at + chance.randrange(6) :]
    return text if isinstance(frame, str) else text.encode()


class Judge:
    """Sends batches to one listening CSMS, and counts what came back."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.frames = 0
        self.heard: Counter[str] = Counter()

    async def batch(self, frames: list[str | bytes]) -> None:
        """Raises AssertionError when the connection or the server did not live through it."""
        number = self.frames // (10 * BATCH * (1 + MUTANTS))
        async with connect(
            f"ws://127.0.0.1:{self.port}/FUZZ-{number}",
            subprotocols=[Subprotocol("ocpp1.6")],
            compression=None,
            proxy=None,
        ) as socket:
            hearing = asyncio.create_task(self._hear(socket))
            for frame in frames:
                await socket.send(frame)
            await socket.send('[2,"the last one","Heartbeat",{}]')
            async with asyncio.timeout(ANSWER_S):
                await hearing
        self.frames += len(frames)

    async def _hear(self, socket: ClientConnection) -> None:
        while True:
            frame = json.loads(await socket.recv())
            self.heard[{2: "calls", 3: "results"}.get(frame[0], str(frame[2]) if len(frame) > 2 else "")] += 1
            assert frame[:1] != [4] or frame[2] != "InternalError", frame
            if frame[:2] == [3, "the last one"]:
                return


def fuzz(url: str, frames: int, seeded: int) -> Counter[str]:
    """Send about so many frames to a CSMS on this migrated database; gives what came back, by kind.

    Raises:
        AssertionError: with the frames that were too much, as few as Hypothesis finds.
    """
    with asyncio.Runner() as runner, structlog.testing.capture_logs() as logs:

        async def house(ready: "asyncio.Future[int]", over: asyncio.Event) -> None:
            bus = LocalBus()
            async with (
                opened(url, bus.publish),
                listening(
                    host="127.0.0.1", port=0, bus=bus, settings=chosen(), pace=Pace(quiet=3600), limits=UNLIMITED
                ) as port,
            ):
                ready.set_result(port)
                await over.wait()

        async def begin() -> tuple[Judge, "asyncio.Task[None]", asyncio.Event]:
            ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            over = asyncio.Event()
            task = asyncio.create_task(house(ready, over))
            return Judge(await ready), task, over

        judge, task, over = runner.run(begin())

        @seed(seeded)
        @settings(
            max_examples=max(1, frames // (BATCH * (1 + MUTANTS))),
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(st.lists(FRAMES, min_size=BATCH, max_size=BATCH), st.integers(0, 2**32))
        def one(batch: list[str | bytes], chance: int) -> None:
            del logs[:]
            runner.run(judge.batch(with_mutants(batch, Random(chance))))
            raised = [line for line in logs if line["log_level"] in ("error", "critical")]
            assert not raised, raised[0]

        try:
            one()
        finally:
            over.set()
            runner.run(_ended(task))
    return judge.heard + Counter({"frames": judge.frames})


async def _ended(task: "asyncio.Task[None]") -> None:
    await task


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.fuzz", description=__doc__)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given_ = parser.parse_args()
    print(f"{given_.frames} frames, --seed {given_.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="evapp-fuzz-") as folder:
        url = f"sqlite:///{Path(folder) / 'evapp.db'}"
        os.environ.update(ours.environment(url, Path(folder)))
        ours.migrated(url)
        began = time.monotonic()
        heard = fuzz(url, given_.frames, given_.seed)
    print(", ".join(f"{count} {kind}" for kind, count in heard.most_common()))
    print(f"No connection ended and nothing was raised, in {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main()
