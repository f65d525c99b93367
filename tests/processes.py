"""Processes that tests start: none outlives its test, nor a run that was killed in the middle."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def start(command: Sequence[str | Path], *, log: Any = subprocess.DEVNULL, **options: Any) -> "subprocess.Popen[bytes]":
    """In a session of its own; it and what it started are killed when this process is gone, however that went."""
    process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **options)
    alone = f"kill -0 {os.getpid()} || kill -s KILL -- -{process.pid}"
    watch = f"while kill -0 {process.pid}; do {alone}; sleep 1; done"
    subprocess.run(["sh", "-c", f"({watch}) >/dev/null 2>&1 &"], start_new_session=True, check=True)
    return process


def end(process: "subprocess.Popen[bytes]", how: signal.Signals = signal.SIGTERM, within: float = 30) -> int:
    """Ask it to end; gives how it did.

    Raises:
        TimeoutExpired: it did not, and was killed with what it started.
    """
    process.send_signal(how)
    try:
        return process.wait(within)
    except BaseException:
        kill(process)
        raise


def kill(process: "subprocess.Popen[bytes]") -> None:
    """kill -9 of it and of whatever it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
