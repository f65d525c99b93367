"""The wiring: what keeps the app from starting is a sentence; what runs beside the pages is heard of when it fails."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from evapp.evapp import _beside
from tests.databases import ROOT
from tests.unit.domain.test_settings import REAL

START = """
import asyncio
from domain import patience
patience.AWAY_S = 0.2
from evapp.evapp import lifespan

async def main():
    async with lifespan():
        print("started")

asyncio.run(main())
"""


def started(var_dir: Path, program: str, **given: str) -> "subprocess.CompletedProcess[str]":
    """A program of the web process, in a process of its own and with these settings."""
    environment = {**os.environ, "EVAPP_VAR_DIR": str(var_dir), "EVAPP_OCPP_HOST": "127.0.0.1", **given}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def sentence(done: "subprocess.CompletedProcess[str]") -> str:
    """What it said last, after its log; it had no trace to show, and left with the code for bad news."""
    assert (done.returncode, "Traceback" in done.stdout + done.stderr) == (1, False), done
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"EVAPP_PORT": "many"}, "EVAPP_PORT: Input should be a valid integer"),
        ({"EVAPP_REDIS_URL": "nonsense"}, "EVAPP_REDIS_URL is the address of a Redis"),
        ({"EVAPP_DATABASE_URL": "mysql://evapp@db/evapp"}, "EVAPP_DATABASE_URL is sqlite:"),
        ({"EVAPP_ENV": "production"}, "EVAPP_SECRET_KEY must be set"),
    ],
    ids=lambda given: "".join(given) if isinstance(given, dict) else "",
)
def test_refused_settings_are_said_before_anything_is_built(tmp_path: Path, given: dict[str, str], words: str) -> None:
    assert words in sentence(started(tmp_path, "import rxconfig", **given))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"EVAPP_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"}, "port 1 failed: Connection refused"),
        ({"EVAPP_DATABASE_URL": "sqlite:///{folder}/file"}, "Is it there and migrated (make migrate)"),
        ({"EVAPP_DATABASE_URL": "sqlite:///{folder}/none.db"}, "There is no database {folder}/none.db."),
        ({"EVAPP_VAR_DIR": "{folder}/file", "EVAPP_DATABASE_URL": ""}, "Is EVAPP_VAR_DIR right"),
    ],
    ids=["away", "not migrated", "no file", "no folder"],
)
def test_what_keeps_the_app_from_starting_is_a_sentence(tmp_path: Path, given: dict[str, str], words: str) -> None:
    (tmp_path / "file").touch()
    said = sentence(started(tmp_path, START, **{name: value.format(folder=tmp_path) for name, value in given.items()}))
    assert words.format(folder=tmp_path) in said


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_production_without_built_pages_does_not_start(database_url: str, tmp_path: Path) -> None:
    """It said that it is ready, and answered each page with 404."""
    given = {f"EVAPP_{name.upper()}": str(value) for name, value in REAL.items()}
    given |= {"REFLEX_ENV_MODE": "prod", "REFLEX_WEB_WORKDIR": str(tmp_path / "web"), "EVAPP_OCPP_PORT": "0"}
    assert "`make build` makes them" in sentence(started(tmp_path, START, EVAPP_DATABASE_URL=database_url, **given))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_chargers_port_that_is_taken_is_a_sentence(database_url: str, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        said = sentence(started(tmp_path, START, EVAPP_DATABASE_URL=database_url, EVAPP_OCPP_PORT=port))
    assert said.startswith(f"Cannot listen on 127.0.0.1:{port}: ")


async def test_what_fails_beside_the_pages_is_told_at_once() -> None:
    async def fails() -> None:
        raise ValueError("nobody thought of this")

    with capture_logs() as lines:
        async with _beside(fails()):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert [line["event"] for line in lines] == ["a task of the app failed"]


async def test_nothing_runs_on_when_the_house_falls() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def runs() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(ValueError):
        async with _beside(runs()):
            await begun.wait()
            raise ValueError
    assert ended.is_set()
