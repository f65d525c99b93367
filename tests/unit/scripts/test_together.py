"""Programs that are run together end together."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

TOGETHER = Path(__file__).parents[3] / "scripts" / "together.py"
PATIENT = "import os, signal; os.write(1, b'up\\n'); signal.pause()"
"""Says that it runs, then waits for a signal."""


async def started(*programs: str) -> asyncio.subprocess.Process:
    commands = [f'{sys.executable} -c "{program}"' for program in programs]
    return await asyncio.create_subprocess_exec(
        sys.executable, str(TOGETHER), *commands, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


@pytest.mark.parametrize("wish", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_all(wish: signal.Signals) -> None:
    process = await started(PATIENT, PATIENT)
    assert process.stdout
    assert [await process.stdout.readline() for _ in range(2)] == [b"up\n", b"up\n"]
    process.send_signal(wish)
    # The pipes close only when both programs are gone too.
    await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0


async def test_the_end_of_one_ends_the_other_and_is_told() -> None:
    process = await started(PATIENT, "raise SystemExit(3)")
    _, said = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 3
    assert b"ended with 3, so the rest ends too." in said
