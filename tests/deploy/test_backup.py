"""docs/backup.md, performed word by word while the product writes: what is restored is whole, and PINs still open."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlmodel import Session, func, select

from domain.db import Database
from domain.models import Transfer, User
from tests.databases import ROOT, migrate, postgres_database, postgres_server, programs
from tests.money import chaos, charge_loop, house

PAGE = (ROOT / "docs" / "backup.md").read_text()
TOOLS = Path(sys.executable).parent
PIN = "274918"
ASK = f"import asyncio, sys; from domain import pins; sys.exit(not asyncio.run(pins.matches({PIN!r}, sys.argv[1])))"


def commands(chapter: str, section: str) -> str:
    """The lines that the page tells to type."""
    of_chapter = PAGE.split(f"\n## {chapter}\n")[1].split("\n## ")[0]
    of_section = of_chapter.split(f"\n### {section}\n")[1].split("\n### ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", of_section, re.DOTALL))


def typed(text: str, **given: str) -> str:
    """What the commands say, typed by somebody with these variables."""
    path = f"{TOOLS}{os.pathsep}{programs()}{os.pathsep}{os.environ['PATH']}"
    shell = ["bash", "-euo", "pipefail", "-c", text]
    done = subprocess.run(
        shell, cwd=ROOT, env={**os.environ, "PATH": path, **given}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def a_busy_product(url: str, folder: Path) -> Iterator[None]:
    """A driver whose charges and recharges go on for as long as the context lasts."""
    migrate(url)
    environment = {**os.environ, "EVAPP_VAR_DIR": str(folder), "EVAPP_DATABASE_URL": url}
    hashing = f"import asyncio; from domain import pins; print(asyncio.run(pins.hash({PIN!r})))"
    hash_ = subprocess.run(
        [sys.executable, "-c", hashing], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()
    with closing(Database(url)) as database:
        asha, _ = database.now(_moved_in, hash_)
    command = [sys.executable, "-m", charge_loop.__name__, url, str(asha), "1000000"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert all(process.stdout.readline() for _ in range(20))
            yield
            assert process.poll() is None
        finally:
            process.kill()


def _moved_in(db: Session, pin_hash: str) -> int:
    asha = house.driver(db)
    db.get_one(User, asha).pin_hash = pin_hash
    house.give(db, asha, 10_000_000)
    chaos._free_charger(db)
    return asha


def transfers(url: str) -> int:
    with closing(Database(url)) as database:
        return database.now(lambda db: db.exec(select(func.count()).select_from(Transfer)).one())[0]


def opens(url: str, folder: Path) -> bool:
    """Whether the PIN opens the restored account with the key of this folder."""
    with closing(Database(url)) as database:
        hash_ = database.now(lambda db: db.exec(select(User.pin_hash)).one())[0]
    environment = {**os.environ, "EVAPP_VAR_DIR": str(folder)}
    return subprocess.run([sys.executable, "-c", ASK, hash_], cwd=ROOT, env=environment, check=False).returncode == 0


@pytest.mark.timeout(240)
def test_sqlite(tmp_path: Path) -> None:
    running, backup, place = tmp_path / "running", tmp_path / "backup", tmp_path / "place"
    running.mkdir()
    url = f"sqlite:///{running / 'evapp.db'}"
    with a_busy_product(url, running):
        before = transfers(url)
        typed(commands("SQLite", "Back up"), BACKUP=str(backup), EVAPP_VAR_DIR=str(running))
    told = typed(commands("SQLite", "Restore"), BACKUP=str(backup), PLACE=str(place))
    assert re.fullmatch(r"All \d+ rules hold\.", told.splitlines()[-1]), told
    restored = f"sqlite:///{place / 'evapp.db'}"
    assert before <= transfers(restored) <= transfers(url)
    assert opens(restored, place)
    assert not opens(restored, tmp_path / "another key")
    assert {file.stat().st_mode & 0o077 for file in (*backup.iterdir(), *place.iterdir())} == {0}


@pytest.mark.timeout(240)
def test_postgresql(tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    with postgres_database(postgres_server()) as url:
        plain = url.replace("+psycopg", "", 1)
        name = f"evapp_test_{uuid4().hex[:16]}"  # a name of this run: the server may be somebody's
        restored = re.sub(r"/evapp_test_\w+", f"/{name}", plain)
        with a_busy_product(url, tmp_path):
            before = transfers(url)
            typed(commands("PostgreSQL", "Back up"), BACKUP=str(backup), DATABASE=plain)
        try:
            given = {"BACKUP": str(backup), "DATABASE": plain, "RESTORED": restored}
            told = typed(commands("PostgreSQL", "Restore").replace("evapp_restored", name), **given)
            assert re.fullmatch(r"All \d+ rules hold\.", told.splitlines()[-1]), told
            again = restored.replace("postgresql:", "postgresql+psycopg:", 1)
            assert before <= transfers(again) <= transfers(url)
            assert opens(again, tmp_path)
        finally:
            typed(f"psql --quiet --command='DROP DATABASE IF EXISTS {name} WITH (FORCE)' \"$DATABASE\"", DATABASE=plain)
