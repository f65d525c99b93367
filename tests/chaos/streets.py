"""Some processes full of virtual chargers, and what a test says to them."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.chaos import street
from tests.databases import ROOT

PATIENCE_S = 240.0
LINE = 2**24
"""Bytes of a report on hundreds of charges."""

Told = dict[str, dict[str, Any]]


class Streets:
    """All chargers, wherever they are."""

    def __init__(self, processes: "dict[asyncio.subprocess.Process, list[str]]") -> None:
        self._processes = processes
        self._turns = {process: asyncio.Lock() for process in processes}

    async def do(self, what: str, names: Sequence[str]) -> None:
        """Hands at work: plug, unplug, press stop.

        Raises:
            AssertionError: a charger cannot do it.
        """
        answers = await self._ask(what, names)
        assert set(answers.values()) <= {"done"}, f"{what}: {answers}"

    async def tell(self, names: Sequence[str] | None = None) -> Told:
        """How every charger is, and all that it charged."""
        return await self._ask("tell", names)

    async def until(self, holds: Callable[[dict[str, Any]], bool], names: Sequence[str], what: str) -> Told:
        """Wait until it is so of every one of these chargers.

        Raises:
            TimeoutError: with those of which it is not.
        """
        told: Told = {}
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    told = await self.tell(names)
                    if all(map(holds, told.values())):
                        return told
                    await asyncio.sleep(0.2)
        except TimeoutError:
            late = {name: one for name, one in told.items() if not holds(one)}
            raise TimeoutError(f"{len(late)} chargers are not {what}: {str(late)[:2000]}") from None

    async def _ask(self, what: str, names: Sequence[str] | None) -> dict[str, Any]:
        async def ask(process: asyncio.subprocess.Process, own: list[str]) -> dict[str, Any]:
            wanted = [name for name in own if names is None or name in names]
            if not wanted:
                return {}
            assert process.stdin is not None
            assert process.stdout is not None
            async with self._turns[process]:
                process.stdin.write(json.dumps({"do": what, "names": wanted}).encode() + b"\n")
                answer: dict[str, Any] = json.loads(await process.stdout.readline() or b"null")
            return answer

        answers = await asyncio.gather(*(ask(process, own) for process, own in self._processes.items()))
        return {name: one for told in answers for name, one in told.items()}


@asynccontextmanager
async def streets(
    url: str, names: Sequence[str], folder: Path, *, processes: int, **plan: Any
) -> AsyncIterator[Streets]:
    """Chargers that connect to this address, in so many processes."""
    shares = [list(names[n::processes]) for n in range(processes)]
    with (folder / "streets.log").open("wb") as log:
        started = {}
        for share in shares:
            command = [sys.executable, "-m", street.__name__, json.dumps({"url": url, "names": share, **plan})]
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=log, limit=LINE
            )
            started[process] = share
    try:
        yield Streets(started)
    finally:
        for process in started:
            process.kill()
            await process.wait()
