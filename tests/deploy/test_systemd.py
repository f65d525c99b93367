"""The systemd units are understood by systemd, and say only what there is."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from domain.settings import Settings
from tests.databases import ROOT
from tests.deploy.containerfile import TOOLS

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
EXPOSED = 2.0
"""systemd's own measure: 10 is everything open."""

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="No systemd-analyze on this machine.")


def installed(folder: Path) -> list[str]:
    """The units as on a machine where evapp is installed in this folder."""
    for unit in UNITS:
        text = unit.read_text().replace("/opt/evapp/.venv/bin", str(TOOLS)).replace("/opt/evapp", str(ROOT))
        (folder / unit.name.replace("@", "@3000")).write_text(text)
    return [str(path) for path in folder.iterdir()]


@needs_systemd
def test_systemd_understands_them(tmp_path: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", *installed(tmp_path)], capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "evapp" in line]
    assert (done.returncode, ours) == (0, [])


@needs_systemd
def test_they_are_fenced_in(tmp_path: Path) -> None:
    for unit in installed(tmp_path):
        if "migrate" not in unit:
            command = ["systemd-analyze", "security", "--offline=true", unit]
            told = subprocess.run(command, capture_output=True, text=True).stdout
            level = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
            assert level is not None
            assert float(level[1]) <= EXPOSED


def test_every_setting_and_program_exists() -> None:
    known = {f"EVAPP_{name.upper()}" for name in Settings.model_fields}
    for unit in UNITS:
        text = unit.read_text()
        assert set(re.findall(r"EVAPP_\w+", text)) <= known
        for program in re.findall(r"^ExecStart=/opt/evapp/.venv/bin/(\S+)", text, re.MULTILINE):
            assert (TOOLS / program).exists()
