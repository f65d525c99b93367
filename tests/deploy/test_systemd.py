"""The systemd units are understood by systemd, and say only what there is."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from domain.settings import Settings
from tests.databases import ROOT
from tests.deploy.containerfile import TOOLS

FOLDER = "/opt/evapp/.venv/bin"
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
EXPOSED = 2.0
"""systemd's own measure: 10 is everything open."""

PROCESSES = [unit for unit in UNITS if "@" in unit.name]

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="No systemd-analyze on this machine.")


def installed(folder: Path) -> list[str]:
    """The units as on a machine where evapp is installed in this folder."""
    for unit in UNITS:
        text = unit.read_text().replace(FOLDER, str(TOOLS)).replace("/opt/evapp", str(ROOT))
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
        if "@" in unit:
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
        for program in re.findall(rf"^Exec\w+={FOLDER}/(\S+)", text, re.MULTILINE):
            assert (TOOLS / program).exists()


@pytest.mark.parametrize("unit", PROCESSES, ids=lambda unit: unit.name)
def test_a_start_that_fails_is_tried_again(unit: Path) -> None:
    """The migrations too, which fail while the database is away: Restart= is for what a unit runs itself. Of a unit
    that it requires, one failure is enough ("A dependency job failed"), and it is never started again."""
    lines = unit.read_text().splitlines()
    assert {"Restart=always", "StartLimitIntervalSec=0", f"ExecStartPre={FOLDER}/alembic upgrade head"} <= set(lines)
    assert not [line for line in lines if line.startswith(("Requires=", "Requisite=", "BindsTo="))]
    [minutes] = [line.removeprefix("TimeoutStartSec=") for line in lines if line.startswith("TimeoutStartSec=")]
    patience = re.search(r'"(\d+)min"', (ROOT / "alembic" / "env.py").read_text())
    assert patience is not None
    assert int(minutes.removesuffix("min")) > int(patience[1])


def test_an_address_of_the_settings_goes_before_that_of_the_unit() -> None:
    """Where Caddy is on another machine: a file's variables go before those of Environment=, an option would not."""
    given = {name: unit.read_text() for unit in PROCESSES for name in re.findall(r"\w+_HOST(?==127)", unit.read_text())}
    assert set(given) == {"REFLEX_BACKEND_HOST", "EVAPP_OCPP_HOST"}
    assert not [unit.name for unit in PROCESSES if re.search(r"^Exec.*-host", unit.read_text(), re.MULTILINE)]
    ask = [sys.executable, "-c", "import rxconfig; print(rxconfig.config.backend_host)"]
    environment = {**os.environ, "REFLEX_BACKEND_HOST": "10.0.0.5"}
    told = subprocess.run(ask, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "10.0.0.5"
