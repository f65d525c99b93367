"""Servers under measurement: each a process of its own, with its CPU time and its memory as the kernel counts them."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
PORT = re.compile(r"(?:PORT |127\.0\.0\.1:)(\d+)")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    name: str
    pid: int
    port: int


@contextmanager
def serving(name: str, command: list[str], env: dict[str, str] | None = None, cwd: Path = ROOT) -> Iterator[Server]:
    """Start a server that prints its port, and end it afterwards.

    Raises:
        RuntimeError: it ended without a port.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(env or {})}
    with tempfile.TemporaryFile() as said:
        # A file, not a pipe: a server whose log nobody reads would stop.
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=said, stderr=said)
        try:
            yield Server(name, process.pid, _port(name, process, said))
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(name: str, process: "subprocess.Popen[bytes]", said: IO[bytes]) -> int:
    for _ in range(6000):
        text = os.pread(said.fileno(), 65536, 0).decode(errors="replace")
        if found := PORT.search(text):
            return int(found[1])
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError(f"{name} does not listen: {text[-300:]}")


def module(*arguments: str) -> list[str]:
    """A command line for one of our own modules."""
    return [sys.executable, "-m", *arguments]


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have used so far (Linux: its CPU clock, to the nanosecond)."""
    return time.clock_gettime(((~pid) << 3) | 2)


def cpu_of_family(pid: int) -> float:
    """The same of a process and all of its children, those among them that have ended."""
    while True:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ended = (int(stat[13]) + int(stat[14])) / os.sysconf("SC_CLK_TCK")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        with suppress(OSError):  # one ended meanwhile: looked at again, it is among those
            return ended + sum(map(cpu_seconds, (pid, *map(int, children))))


def uss_kib(pid: int) -> int:
    """Memory that is this process's alone."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(number) for number in re.findall(r"Private_(?:Clean|Dirty):\s+(\d+)", text))
