"""Defences taken out one at a time: what is no failure of a test says nothing about its defence."""

import subprocess
from pathlib import Path

import pytest

from scripts import breaches


def test_a_test_that_hangs_without_its_defence_breaks_no_run_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(command: list[str], **given: float) -> None:
        raise subprocess.TimeoutExpired(command, given["timeout"])

    monkeypatch.setattr(breaches.subprocess, "run", hangs)
    assert breaches.run(tmp_path, "tests/test_it.py::test_it") not in (0, breaches.FAILED)
