"""The judge of the sandbox can say no, and says why it cannot judge."""

import sys
from pathlib import Path

import pytest

from scripts import sandbox_fidelity


async def test_without_the_sdk_it_says_so_and_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert await sandbox_fidelity.main() == 0
    told = capsys.readouterr().out
    assert told.startswith(f"skipped: {sandbox_fidelity.SDK} cannot be had: ")
    assert "No matching distribution" in told


async def test_a_run_that_breaks_is_a_failure(tmp_path: Path) -> None:
    """Our own Python has no such SDK."""
    ((layout, _, held, seen),) = await sandbox_fidelity.drive(Path(sys.executable), tmp_path, "sandbox")
    assert (layout, held) == ("sandbox", False)
    assert "No module named 'phonepe'" in seen


async def test_a_run_that_hangs_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hanging = tmp_path / "sdk_drive.py"
    hanging.write_text("import threading; threading.Event().wait()")
    folder = tmp_path / "run"
    folder.mkdir()
    monkeypatch.setattr(sandbox_fidelity, "DRIVE", hanging)
    monkeypatch.setattr(sandbox_fidelity, "DRIVE_S", 0.5)
    ((_, _, held, seen),) = await sandbox_fidelity.drive(Path(sys.executable), folder, "production")
    assert not held and "not finished" in seen


def test_the_table_counts_what_held() -> None:
    told = sandbox_fidelity.table([("sandbox", "pay", True, "'PENDING'"), ("sandbox", "status", False, "None")])
    assert "ok    sandbox     pay" in told
    assert "FAIL  sandbox     status" in told
    assert "sandbox layout: 1 of 2 checks held" in told
    assert "production layout: 0 of 0 checks held" in told
