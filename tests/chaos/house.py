"""The product as on many machines: web and CSMS processes of their own, on one PostgreSQL and one Redis.

What dies is started again a second later, as systemd would.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from simulator.phonepe import Sandbox
from tests import processes
from tests.chaos.balancer import Balancer
from tests.databases import ROOT, migrate
from tests.e2e.running import free_port
from tests.servers import Postgres, Redis, postgres, redis

TOOLS = Path(sys.executable).parent
START_S = 90.0
STOP_S = 30.0
RESTART_S = 1.0
WEB = (str(TOOLS / "reflex"), "run", "--env", "prod", "--backend-only", "--backend-host", "127.0.0.1")
CSMS = (sys.executable, "-m", "csms")


@dataclass
class Process:
    """One of the product's, with a folder of its own for what it keeps and says."""

    name: str
    command: tuple[str, ...]
    port: int
    env: dict[str, str]
    folder: Path
    root: Path = ROOT
    """Where its code is."""
    running: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.running = processes.start(self.command, log=log, cwd=self.root, env=self.env)

    async def stop(self) -> None:
        """Ask it to end, as an operator does, and wait until it has."""
        assert self.running is not None
        await asyncio.to_thread(processes.end, self.running, within=STOP_S)

    def kill(self) -> None:
        if self.running is not None:
            processes.kill(self.running)

    async def ready(self) -> None:
        """Wait until it says so; what ends by itself is started again.

        Raises:
            TimeoutError: it never did; with the end of its log.
        """
        try:
            async with asyncio.timeout(START_S), httpx.AsyncClient() as http:
                while not await _says_ready(http, self.port):
                    if self.running is not None and self.running.poll() is not None:
                        await asyncio.sleep(RESTART_S)
                        self.start()
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise TimeoutError(f"{self.name} is not ready:\n{self.log[-4000:]}") from None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@dataclass
class House:
    """Everything that runs, and the ways to hurt it."""

    postgres: Postgres
    redis: Redis
    processes: dict[str, Process]
    web: Balancer
    csms: Balancer
    sandbox: Sandbox

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.web.port}"

    @property
    def database(self) -> str:
        return self.postgres.url

    @property
    def ocpp(self) -> str:
        return f"ws://127.0.0.1:{self.csms.port}/ocpp"

    @property
    def blows(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """What can befall it, by name; each returns when what was hit runs again."""
        killed = {name: self._killing(process) for name, process in self.processes.items()}
        return {**killed, "redis": self._redis_restarts, "postgres": self._postgres_crashes}

    async def ready(self) -> None:
        async with asyncio.TaskGroup() as waiting:  # or what goes on waiting starts again what is ended meanwhile
            for process in self.processes.values():
                waiting.create_task(process.ready())

    def behind(self, caller: int) -> Process:
        """The web process that a caller's connection leads to."""
        port = self.web.behind[caller]
        return next(process for process in self.processes.values() if process.port == port)

    def _killing(self, process: Process) -> Callable[[], Awaitable[None]]:
        async def kill() -> None:
            process.kill()
            await asyncio.sleep(RESTART_S)
            process.start()

        return kill

    async def _redis_restarts(self) -> None:
        self.redis.kill()
        await asyncio.sleep(RESTART_S)
        await asyncio.to_thread(self.redis.start)

    async def _postgres_crashes(self) -> None:
        await asyncio.to_thread(self.postgres.crash)
        await asyncio.sleep(RESTART_S)
        await asyncio.to_thread(self.postgres.start)


@asynccontextmanager
async def running(
    folder: Path, *, web: int = 2, csms: int = 2, port: int = 0, built: Path | None = None
) -> AsyncIterator[House]:
    """The whole product, ready; ended by force in the end.

    Its pages are those of the folder `built`, which were built for this `port`; without, it has none.
    """
    async with AsyncExitStack() as stack:
        database, cache = stack.enter_context(postgres()), stack.enter_context(redis())
        await asyncio.to_thread(migrate, database.url)
        ports = {f"web-{n}": free_port() for n in range(1, web + 1)} | {
            f"csms-{n}": free_port() for n in range(1, csms + 1)
        }
        pages = Balancer([port for name, port in ports.items() if name.startswith("web")])
        chargers = Balancer([port for name, port in ports.items() if name.startswith("csms")])
        await stack.enter_async_context(pages.serving(port))
        await stack.enter_async_context(chargers.serving())
        sandbox = Sandbox(webhook_url=f"http://127.0.0.1:{pages.port}/payments/phonepe/webhook")
        gateway = await stack.enter_async_context(sandbox.serving(port=0))
        shared = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "REFLEX_CHECK_LATEST_VERSION": "false",
            "REFLEX_TELEMETRY_ENABLED": "false",
            "EVAPP_ENV": "development",
            "EVAPP_SECRET_KEY": "chaos has a secret of its own, too",
            "EVAPP_DATABASE_URL": database.url,
            "EVAPP_REDIS_URL": cache.url,
            "EVAPP_PUBLIC_URL": f"http://127.0.0.1:{pages.port}",
            "EVAPP_OCPP_EMBEDDED": "false",
            "EVAPP_OCPP_HOST": "127.0.0.1",
            "EVAPP_PHONEPE_PG_URL": gateway,
            "EVAPP_PHONEPE_OAUTH_URL": gateway,
        }
        processes = {}
        for name, own_port in ports.items():
            of_web = name.startswith("web")
            own = {
                "EVAPP_PORT" if of_web else "EVAPP_OCPP_PORT": str(own_port),
                "EVAPP_VAR_DIR": str(folder / name),
                **({} if built else {"REFLEX_WEB_WORKDIR": str(folder / name / "web")}),
            }
            command = WEB if of_web else CSMS
            processes[name] = Process(name, command, own_port, shared | own, folder / name, built or ROOT)
        house = House(database, cache, processes, pages, chargers, sandbox)
        try:
            for process in processes.values():
                process.start()
            await house.ready()
            yield house
        finally:
            for process in processes.values():
                process.kill()


async def _says_ready(http: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await http.get(f"http://127.0.0.1:{port}/health/ready")).status_code == 200
    except httpx.TransportError:
        return False
