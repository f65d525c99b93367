"""The product as people run it, for tests: the production build in a process of its own, beside a payment sandbox."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from simulator.phonepe import Sandbox
from tests import processes

ROOT = Path(__file__).parents[2]
START_S = 180
STOP_S = 30


@dataclass
class Product:
    """A running evapp and its outside world."""

    port: int
    ocpp_port: int
    sandbox: Sandbox
    sandbox_url: str
    folder: Path
    root: Path = ROOT
    """Where its code is."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def ocpp(self) -> str:
        return f"ws://127.0.0.1:{self.ocpp_port}/ocpp"

    @property
    def database(self) -> str:
        return f"sqlite:///{self.folder / 'evapp.db'}"

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "REFLEX_CHECK_LATEST_VERSION": "false",
            "REFLEX_TELEMETRY_ENABLED": "false",
            "EVAPP_ENV": "development",
            "EVAPP_VAR_DIR": str(self.folder),
            "EVAPP_DATABASE_URL": self.database,
            "EVAPP_PORT": str(self.port),
            "EVAPP_PUBLIC_URL": self.url,
            "EVAPP_OCPP_HOST": "127.0.0.1",
            "EVAPP_OCPP_PORT": str(self.ocpp_port),
            "EVAPP_PUSH_SERVICES": "127.0.0.1",
            "EVAPP_PHONEPE_PG_URL": self.sandbox_url,
            "EVAPP_PHONEPE_OAUTH_URL": self.sandbox_url,
        }

    async def start(self) -> None:
        """Run it until it is ready; its log is in `folder`.

        Raises:
            RuntimeError: it ended, or was not ready in time; with the end of its log.
        """
        tools = Path(sys.executable).parent
        subprocess.run([tools / "alembic", "upgrade", "head"], cwd=self.root, env=self.env, check=True)
        with self._log() as log:
            command = [tools / "reflex", "run", "--env", "prod"]
            self.process = processes.start(command, log=log, cwd=self.root, env=self.env)
        async with asyncio.timeout(START_S), httpx.AsyncClient() as http:
            while not await self._ready(http):
                if self.process.poll() is not None:
                    raise RuntimeError(f"evapp ended:\n{self.log_end()}")
                await asyncio.sleep(0.1)

    async def _ready(self, http: httpx.AsyncClient) -> bool:
        try:
            return (await http.get(f"{self.url}/health/ready")).status_code == 200
        except httpx.TransportError:
            return False

    async def stop(self) -> None:
        """End it as an operator would."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """kill -9 of the process that was started; its worker must follow and free the ports."""
        await self._end(signal.SIGKILL)
        async with asyncio.timeout(STOP_S):
            while any(map(taken, (self.port, self.ocpp_port))):
                await asyncio.sleep(0.1)

    async def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            process, self.process = self.process, None
            await asyncio.to_thread(processes.end, process, how, STOP_S)

    def _log(self) -> IO[bytes]:
        return (self.folder / "evapp.log").open("ab")

    def log_end(self) -> str:
        return (self.folder / "evapp.log").read_text(errors="replace")[-8000:]


@asynccontextmanager
async def running(folder: Path, root: Path = ROOT) -> AsyncIterator[Product]:
    """The product, started; stopped in the end."""
    port = free_port()
    sandbox = Sandbox(webhook_url=f"http://localhost:{port}/payments/phonepe/webhook")
    async with sandbox.serving(port=0) as sandbox_url:
        product = Product(port, free_port(), sandbox, sandbox_url.replace("127.0.0.1", "localhost"), folder, root)
        try:
            await product.start()
            yield product
        finally:
            await product.stop()


def free_port() -> int:
    """A port that nobody uses, nor is given for a connection before its server is built and listens."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 6
    first = 20_000 + 2_000 * worker  # below those that systems give to whoever asks for any
    while True:
        port = random.SystemRandom().randrange(first, first + 2_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def taken(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
