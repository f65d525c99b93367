"""docs/backup.md, performed word by word while the product writes: what is restored is whole, and PINs still open."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from sqlalchemy import make_url
from sqlmodel import Session, func, select

from domain.db import Database
from domain.models import Transfer, User
from tests.databases import ROOT, migrate, postgres_database, postgres_server, programs
from tests.money import chaos, charge_loop, house

PAGE = (ROOT / "docs" / "backup.md").read_text()
TOOLS = Path(sys.executable).parent
UNITS = ROOT / "deploy" / "systemd"
PRODUCTION = {
    "EVAPP_ENV": "production",
    "EVAPP_PUBLIC_URL": "https://evapp.example.org",
    "EVAPP_SECRET_KEY": "a key of forty characters, as settings have",
    "EVAPP_PHONEPE_PG_URL": "https://api.phonepe.com/apis/pg",
    "EVAPP_PHONEPE_OAUTH_URL": "https://api.phonepe.com/apis/identity-manager",
    "EVAPP_PHONEPE_CLIENT_ID": "M1",
    "EVAPP_PHONEPE_CLIENT_SECRET": "of the mail",
    "EVAPP_PHONEPE_WEBHOOK_PASSWORD": "of the dashboard",
    "EVAPP_SUPPORT_EMAIL": "care@evapp.example.org",
    "EVAPP_SUPPORT_WHATSAPP": "918012345678",
}
DOCKER = """#!/bin/bash -eu
# Stands for `docker compose -f … --env-file … <command>` with a PostgreSQL and a product that are there.
shift 5
command=$1; shift
while [[ "${1-}" == -* ]]; do shift; done
case "$command ${1-}" in
    "exec postgres") shift; args=("$@")
        exec "${args[@]//--username=evapp/--username=$SUPERUSER}" ;;
    "run migrate") exec alembic upgrade head ;;
    "run web-1") shift; exec "$@" ;;
    *) echo "$command $*" ;;
esac
"""
PIN = "274918"
ASK = f"import asyncio, sys; from domain import pins; sys.exit(not asyncio.run(pins.matches({PIN!r}, sys.argv[1])))"


COMPOSE = "PostgreSQL of deploy/compose.yaml"


def owner(path: Path) -> str:
    return path.owner()


def commands(chapter: str, section: str) -> str:
    """The lines that the page tells to type."""
    of_chapter = PAGE.split(f"\n## {chapter}\n")[1].split("\n## ")[0]
    of_section = of_chapter.split(f"\n### {section}\n")[1].split("\n### ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", of_section, re.DOTALL))


def typed(text: str, *, fails: bool = False, **given: str) -> str:
    """What the commands say, typed by somebody with these variables, whose shell goes on after a failure."""
    path = f"{TOOLS}{os.pathsep}{programs()}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-uc", text],
        cwd=ROOT,
        env={**os.environ, "PATH": path, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert fails == (done.returncode != 0), done.stdout + done.stderr
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


def test_no_block_leaves_anything_behind_in_its_shell() -> None:
    """What is typed next in it may be an upgrade, whose files others must be able to read."""
    blocks = re.findall(r"^```sh\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
    left = [block for block in blocks if re.search(r"^(umask|export) ", block, re.MULTILINE)]
    assert [block for block in left if not (block.startswith("(\n") and block.endswith("\n)\n"))] == []
    assert left


@pytest.mark.timeout(240)
def test_sqlite(tmp_path: Path) -> None:
    """On a developer's machine, whose key is in the folder of the database."""
    running, backup, place = tmp_path / "running", tmp_path / "backup", tmp_path / "place"
    running.mkdir()
    url = f"sqlite:///{running / 'evapp.db'}"
    with a_busy_product(url, running):
        before = transfers(url)
        given = {"BACKUP": str(backup), "KEY": str(running / "secret_key"), "EVAPP_VAR_DIR": str(running)}
        typed(commands("SQLite", "Back up"), **given)
    given = {"BACKUP": str(backup), "KEY": str(place / "secret_key"), "PLACE": str(place), "OWNER": owner(place.parent)}
    is_restored(typed(commands("SQLite", "Restore"), **given))
    restored = f"sqlite:///{place / 'evapp.db'}"
    assert before <= transfers(restored) <= transfers(url)
    assert opens(restored, place)
    assert not opens(restored, tmp_path / "another key")
    assert {file.stat().st_mode & 0o077 for file in (*backup.iterdir(), *place.iterdir())} == {0}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("by", ["hand", "timer"])
def test_sqlite_on_the_machine_of_deploy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """Production has its key in the settings; the server's user, not root, owns what is restored."""
    running, backup, place = (tmp_path / name for name in ("running", "backup", "place"))
    settings, restored_settings = tmp_path / "etc" / "evapp.env", tmp_path / "etc" / "evapp" / "evapp.env"
    for folder in (running, settings.parent):
        folder.mkdir()
    settings.write_text("".join(f"{name}={value}\n" for name, value in PRODUCTION.items()))
    url = f"sqlite:///{running / 'evapp.db'}"
    with monkeypatch.context() as patch:
        for name, value in PRODUCTION.items():
            patch.setenv(name, value)
        with a_busy_product(url, running):
            before = transfers(url)
            if by == "hand":
                given = {"BACKUP": str(backup), "KEY": str(settings), "EVAPP_VAR_DIR": str(running)}
                typed(commands("SQLite", "Back up"), **given)
            else:
                backup.mkdir()
                for step in steps_of_the_timer(running, backup, settings.parent):
                    subprocess.run(step, cwd=ROOT, check=True)
                [backup] = backup.iterdir()
        assert not (running / "secret_key").exists()
    user = "nobody" if os.geteuid() == 0 else owner(tmp_path)
    given = {"BACKUP": str(backup), "KEY": str(restored_settings), "PLACE": str(place), "OWNER": user}
    is_restored(typed(commands("SQLite", "Restore"), **given, **PRODUCTION))
    restored = f"sqlite:///{place / 'evapp.db'}"
    assert before <= transfers(restored) <= transfers(url)
    assert restored_settings.read_text() == settings.read_text()
    assert {owner(file) for file in (place, *place.iterdir())} == {user}
    assert not (place / "secret_key").exists()
    monkeypatch.setenv("EVAPP_SECRET_KEY", PRODUCTION["EVAPP_SECRET_KEY"])
    assert opens(restored, place)
    settings.write_text("other")
    typed(commands("SQLite", "Restore"), **given | {"KEY": str(settings), "PLACE": str(tmp_path / "again")})
    assert settings.read_text() == "other", "settings that are there are newer than those of the backup"


def steps_of_the_timer(running: Path, backups: Path, credentials: Path) -> list[list[str]]:
    """What evapp-backup.service runs, with these folders for those of a machine."""
    unit = (UNITS / "evapp-backup.service").read_text()
    places = {"/opt/evapp/.venv/bin": TOOLS, "/var/lib/evapp-backup": backups, "/var/lib/evapp/": f"{running}/"}
    for name, place in ({"%d": credentials} | places).items():
        assert name in unit
        unit = unit.replace(name, str(place))
    unit = unit.replace("%%", "%").replace("$$", "$")
    return [shlex.split(line) for line in re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="No systemd-analyze on this machine.")
def test_systemd_understands_the_timer(tmp_path: Path) -> None:
    for unit in UNITS.glob("evapp-backup.*"):
        text = unit.read_text().replace("/opt/evapp/.venv/bin", str(TOOLS)).replace("/opt/evapp", str(ROOT))
        (tmp_path / unit.name).write_text(text)
    command = ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "evapp" in line]) == (0, [])


def is_restored(told: str) -> None:
    *_, moved, audited = [line for line in told.splitlines() if not line.startswith("ok ")]
    assert re.match(r"The next charge is number 1\d{6}:", moved), told
    assert re.fullmatch(r"All \d+ rules hold\.", audited), told


def test_a_backup_that_is_not_there_is_no_restore(tmp_path: Path) -> None:
    """An empty product would be sound by every rule of the audit."""
    place = tmp_path / "place"
    given = {"BACKUP": str(tmp_path), "KEY": str(tmp_path / "key"), "PLACE": str(place), "OWNER": owner(tmp_path)}
    assert "hold" not in typed(commands("SQLite", "Restore"), **given, fails=True)
    assert not (place / "evapp.db").exists()


def test_a_backup_onto_an_older_one_is_none(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("key")
    migrate(f"sqlite:///{tmp_path / 'evapp.db'}")
    given = {"BACKUP": str(tmp_path / "backup"), "KEY": str(tmp_path / "secret_key"), "EVAPP_VAR_DIR": str(tmp_path)}
    typed(commands("SQLite", "Back up"), **given)
    typed(commands("SQLite", "Back up"), **given, fails=True)


def test_a_dump_that_is_cut_off_is_no_restore(tmp_path: Path) -> None:
    with postgres_database(postgres_server()) as url:
        migrate(url)
        plain, name = url.replace("+psycopg", "", 1), f"evapp_test_{uuid4().hex[:16]}"
        (tmp_path / "secret_key").write_text("key")
        given = {"BACKUP": str(tmp_path / "backup"), "DATABASE": plain, "KEY": str(tmp_path / "secret_key")}
        typed(commands("PostgreSQL", "Back up"), **given)
        dump = tmp_path / "backup" / "evapp.dump"
        dump.write_bytes(dump.read_bytes()[:3_000])
        given |= {"RESTORED": re.sub(r"/evapp_test_\w+", f"/{name}", plain)}
        try:
            restore = commands("PostgreSQL", "Restore").replace("evapp_restored", name)
            assert "hold" not in typed(restore, **given, fails=True)
        finally:
            typed(f"psql --quiet --command='DROP DATABASE IF EXISTS {name} WITH (FORCE)' \"$DATABASE\"", DATABASE=plain)


@pytest.mark.timeout(240)
def test_postgresql(tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    with postgres_database(postgres_server()) as url:
        plain = url.replace("+psycopg", "", 1)
        name = f"evapp_test_{uuid4().hex[:16]}"  # a name of this run: the server may be somebody's
        restored = re.sub(r"/evapp_test_\w+", f"/{name}", plain)
        with a_busy_product(url, tmp_path):
            before = transfers(url)
            key = {"KEY": str(tmp_path / "secret_key")}
            typed(commands("PostgreSQL", "Back up"), BACKUP=str(backup), DATABASE=plain, **key)
        try:
            given = {"BACKUP": str(backup), "DATABASE": plain, "RESTORED": restored}
            is_restored(typed(commands("PostgreSQL", "Restore").replace("evapp_restored", name), **given))
            again = restored.replace("postgresql:", "postgresql+psycopg:", 1)
            assert before <= transfers(again) <= transfers(url)
            assert opens(again, tmp_path)
            assert (backup / "secret_key").read_text() == (tmp_path / "secret_key").read_text()
        finally:
            typed(f"psql --quiet --command='DROP DATABASE IF EXISTS {name} WITH (FORCE)' \"$DATABASE\"", DATABASE=plain)


@pytest.mark.timeout(240)
def test_postgresql_of_the_compose_file(tmp_path: Path) -> None:
    """Its services are there; its commands do on any PostgreSQL what they say, with `docker compose` left out."""
    page = commands(COMPOSE, "Back up") + commands(COMPOSE, "Restore")
    compose = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    ours = {name for name, service in compose["services"].items() if service.get("image") == "evapp-app"}
    assert set(re.findall(r"\b(?:web|csms)-\d", commands(COMPOSE, "Restore").split("compose stop")[1])) == ours - {
        "migrate"
    }
    assert compose["services"]["postgres"]["environment"]["POSTGRES_USER"] == "evapp"
    assert set(re.findall(r"--username=(\w+)", page)) == {"evapp"}
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    backup = tmp_path / "backup"
    with postgres_database(postgres_server()) as url:
        address = make_url(url)
        name, given = str(address.database), {"BACKUP": str(backup), "EVAPP_DATABASE_URL": url}
        given |= {"PGHOST": str(address.query["host"]), "SUPERUSER": str(address.username)}

        def here(section: str) -> str:
            lines = commands(COMPOSE, section).replace("cp deploy/evapp.env", "cp deploy/evapp.env.example")
            lines = re.sub(r"\bevapp_before\b", f"{name}_before", lines)
            lines = re.sub(r"(?<![=\w/.])evapp(?![\w./])|(?<=dbname=)evapp", name, lines)
            return f"PATH={docker.parent}:$PATH\n{lines}"

        try:
            with a_busy_product(url, tmp_path):
                before = transfers(url)
                typed(here("Back up"), **given)
            told = typed(here("Restore"), **given)
            is_restored(told.rsplit("\nup ", 1)[0])
            assert before <= transfers(url) <= transfers(url.replace(name, f"{name}_before"))
        finally:
            drop = f"psql --quiet --command='DROP DATABASE IF EXISTS {name}_before WITH (FORCE)' postgres"
            typed(drop, PGUSER=str(address.username), **given)
