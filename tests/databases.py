"""Databases for tests: a new one each time, on SQLite and on a PostgreSQL of the tests' own."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import make_url

ROOT = Path(__file__).parents[1]
GIVEN = "EVAPP_TEST_POSTGRES"
"""A PostgreSQL to use instead of an own one, postgresql+psycopg://…; only databases the tests made are touched."""
RUN = "EVAPP_TEST_RUN"
"""This run of the tests, `<process id>-<random>`: set by the first process, inherited by its workers."""
QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200", "listen_addresses=")

EMPTIED = """
DO $$ DECLARE one regclass; BEGIN
    SET LOCAL session_replication_role = replica;  -- neither triggers nor foreign keys
    FOR one IN SELECT oid FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
    LOOP
        IF pg_relation_size(one) > 1000000 THEN
            EXECUTE 'TRUNCATE ' || one || ' CASCADE';
        ELSE
            EXECUTE 'DELETE FROM ' || one;  -- of an empty one in a hundredth of the time
        END IF;
    END LOOP;
    FOR one IN SELECT format('%I', sequencename)::regclass FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL
    LOOP
        EXECUTE 'ALTER SEQUENCE ' || one || ' RESTART';
    END LOOP;
END $$
"""


def begin_run() -> None:
    os.environ.setdefault(RUN, f"{os.getpid()}-{uuid4().hex[:8]}")


def migrate(url: str, revision: str = "head") -> None:
    """Bring a database to a revision, or to the newest."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["url"] = url
    command.upgrade(config, revision)


def postgres_server() -> str:
    """The URL of a PostgreSQL where tests may make databases; started once a run, ended with it.

    Skips the test where no PostgreSQL is installed; with CI=true that is a failure instead.
    """
    if given := os.environ.get(GIVEN):
        return given
    home = Path(f"/tmp/evapp-postgres-{os.environ[RUN]}")  # a socket's path must be short
    home.mkdir(mode=0o711, exist_ok=True)
    with open(home / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "data" / "postmaster.pid").exists():
            _start(home)
    return f"postgresql+psycopg://postgres@/postgres?host={home}"


@contextmanager
def postgres_database(server: str) -> Iterator[str]:
    """A new database with nothing in it; dropped at the end."""
    name = f"evapp_test_{uuid4().hex[:16]}"
    with psycopg.connect(server.replace("+psycopg", "", 1), autocommit=True) as operator:
        operator.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
        finally:
            operator.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def empty(url: str) -> None:
    """Take every row out of a migrated PostgreSQL, and whoever is still connected: making a new one costs far more."""
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as operator:
        operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        operator.execute(EMPTIED)


def _start(home: Path) -> None:
    folder = programs()
    shutil.rmtree(home / "data", ignore_errors=True)
    # PostgreSQL refuses to run as root; its package brings a user for it.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(home, user)

    def run(program: str, *options: str) -> None:
        command = [str(folder / program), "-D", str(home / "data"), *options]
        done = subprocess.run(command, cwd=home, user=user, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.fail(f"{program} failed: {done.stdout}{done.stderr}")

    run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    options = " ".join(f"-c {setting}" for setting in (*QUICK, f"unix_socket_directories={home}"))
    run("pg_ctl", "-w", "-l", str(home / "log"), "-o", options, "start")
    end_with_the_run(home)


def end_with_the_run(home: Path) -> None:
    """Stop the server that is kept in this folder when the first process of this run is gone, however it went."""
    run = os.environ[RUN].split("-")[0]
    postmaster = f"$(head -n 1 {home}/data/postmaster.pid)"
    wait = f"while kill -0 {run} && test -d {home}; do sleep 1; done; kill -QUIT {postmaster}; rm -rf {home}"
    subprocess.run(["sh", "-c", f"({wait}) >/dev/null 2>&1 &"], start_new_session=True, check=True)


def programs() -> Path:
    """The folder of PostgreSQL's newest programs on this machine; skips the test, or fails it, where there is none."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    if newest := max(installed, key=lambda path: int(path.parts[-3]), default=None):
        return newest.parent
    reason = f"No PostgreSQL on this machine: install one, or set {GIVEN}."
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
