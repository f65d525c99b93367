"""A PostgreSQL and a Redis of a test's own, to be killed and started again: never the machine's."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis as client

from tests import processes
from tests.databases import end_with_the_run, programs
from tests.e2e.running import free_port

START_S = 60
SAFE = ("max_connections=200", "listen_addresses=")
QUICK = ("fsync=off", "full_page_writes=off", *SAFE)
"""A killed process loses nothing by these, a machine would; synchronous_commit must stay: it is what is promised."""


class Postgres:
    """A PostgreSQL in a folder, reached by its socket there."""

    def __init__(self, folder: Path, settings: tuple[str, ...] = QUICK) -> None:
        self.folder, self._settings = folder, settings
        self._programs = programs()
        # PostgreSQL refuses to run as root; its package brings a user for it.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start it and wait until it answers; after a crash it recovers first."""
        options = " ".join(f"-c {setting}" for setting in (*self._settings, f"unix_socket_directories={self.folder}"))
        self._run("pg_ctl", "-w", "-t", str(START_S), "-l", str(self.folder / "log"), "-o", options, "start")

    def crash(self) -> None:
        """End all of its processes with no goodbye: what was not committed is gone."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def stop(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self.crash()

    @property
    def pid(self) -> int:
        """Of the process that all others are children of."""
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def end_sessions(self) -> None:
        """Cut every connection, as a failover does, and wait until they are gone."""
        with psycopg.connect(self.url.replace("+psycopg", "", 1), autocommit=True) as operator:
            operator.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname <> ''"
            )

    def _run(self, program: str, *options: str) -> None:
        command = [str(self._programs / program), "-D", str(self.folder / "data"), *options]
        # To a file: the server keeps what it is given open, and a pipe would never end.
        with (self.folder / "said").open("w") as said:
            done = subprocess.run(command, cwd=self.folder, user=self._user, stdout=said, stderr=said, check=False)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {(self.folder / 'said').read_text()}")


class Redis:
    """A Redis that keeps nothing, on a port of its own."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("No Redis on this machine: install one.")
        self.port = free_port()
        self._command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        self._process = processes.start(self._command)
        ends = time.monotonic() + START_S
        while not self._answers():
            if time.monotonic() > ends or self._process.poll() is not None:
                raise RuntimeError("Redis does not start.")
            time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            processes.kill(self._process)
            self._process = None

    def freeze(self) -> None:
        """It takes connections and says nothing any more, until `thaw`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with client.Redis(port=self.port) as asked:
                return bool(asked.ping())
        except client.RedisError:
            return False


@contextmanager
def postgres(settings: tuple[str, ...] = QUICK) -> Iterator[Postgres]:
    """A started one; its folder's name is short, as that of a socket must be."""
    with tempfile.TemporaryDirectory(prefix="evapp-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        server = Postgres(Path(folder), settings)
        end_with_the_run(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def redis() -> Iterator[Redis]:
    server = Redis()
    try:
        server.start()
        yield server
    finally:
        server.kill()
