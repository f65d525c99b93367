"""Processes under measurement: what their children used counts, and one that ends meanwhile breaks nothing."""

import os
import subprocess
import sys

import pytest

from bench import processes
from bench.processes import cpu_of_family, cpu_seconds

WORK_S = 0.2
WORKS = f"import time\nwhile time.process_time() < {WORK_S}: pass"


def test_what_a_child_used_that_has_ended_counts() -> None:
    before = cpu_of_family(os.getpid())
    subprocess.run([sys.executable, "-c", WORKS], check=True)
    assert cpu_of_family(os.getpid()) - before > WORK_S / 2


def test_a_child_that_ends_while_it_is_looked_at_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    looked_at = []

    def too_late(pid: int) -> float:
        if pid == child.pid:
            child.kill()
            child.wait()
            looked_at.append(pid)
        return cpu_seconds(pid)

    monkeypatch.setattr(processes, "cpu_seconds", too_late)
    assert cpu_of_family(os.getpid()) > 0
    assert looked_at == [child.pid]
