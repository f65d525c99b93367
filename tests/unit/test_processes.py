"""What tests start ends with them: tests/processes.py keeps its word."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import processes
from tests.databases import ROOT

SOON = 20
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
KILLED = "import os, signal; from tests import processes; print(processes.start(['sleep', '600']).pid, flush=True); \
os.kill(os.getpid(), signal.SIGKILL)"


def test_what_ends_says_how() -> None:
    assert processes.end(processes.start(["sleep", "600"])) == -signal.SIGTERM


def test_what_does_not_end_is_killed_and_told_of() -> None:
    up, said = os.pipe()
    process = processes.start([sys.executable, "-c", STUBBORN], log=said)
    assert os.read(up, 2) == b"up"
    with pytest.raises(subprocess.TimeoutExpired):
        processes.end(process, within=0.1)
    assert process.returncode == -signal.SIGKILL
    for end in (up, said):
        os.close(end)


async def test_a_killed_test_leaves_nothing_running() -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    async with asyncio.timeout(SOON):
        while is_alive(int(killed.stdout)):
            await asyncio.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
