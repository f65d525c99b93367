"""The image's product, built and run as deploy/ says, behind a real Caddy."""

import asyncio
import json
import os
import shutil
import signal
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests import processes
from tests.databases import ROOT, migrate
from tests.deploy.containerfile import environment, perform, stages
from tests.e2e.running import free_port

DRIVERS, CHARGERS = "evapp.test", "ocpp.test"
START_S = 60
CADDYFILE = """{{
	admin off
	local_certs
	skip_install_trust
	auto_https disable_redirects
	https_port {port}
}}
import {caddyfile}
"""


@dataclass(frozen=True)
class Behind:
    """A web process, its chargers' port, and the Caddy before them."""

    web: int
    ocpp: int
    edge: int
    database: str
    build: Path
    tls: ssl.SSLContext

    def client(self, **headers: str) -> httpx.AsyncClient:
        """Speaks with the edge as a browser that looked its name up."""
        address = f"https://127.0.0.1:{self.edge}"
        return httpx.AsyncClient(
            base_url=address, transport=Named(verify=self.tls), headers={"Host": DRIVERS, **headers}
        )


class Named(httpx.AsyncHTTPTransport):
    """Asks for the certificate of the name that stands in the Host header, not for that of the address."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "sni_hostname": request.headers["Host"]}
        return await super().handle_async_request(request)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image `app` holds in its /evapp."""
    return perform("app", tmp_path_factory.mktemp("image"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def behind(image: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Behind]:
    """The image's command behind the Caddyfile; skips where there is no Caddy, with CI=true it fails."""
    caddy = shutil.which("caddy")
    if caddy is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("No Caddy on this machine: install one.")
    folder = tmp_path_factory.mktemp("behind")
    database = f"sqlite:///{folder / 'evapp.db'}"
    migrate(database)
    web, ocpp, edge = free_port(), free_port(), free_port()
    (folder / "Caddyfile").write_text(CADDYFILE.format(port=edge, caddyfile=ROOT / "deploy" / "Caddyfile"))
    product = {
        **environment("app"),
        "PATH": "/nonexistent",  # no Node, no bun, nothing
        "EVAPP_VAR_DIR": str(folder),
        "EVAPP_DATABASE_URL": database,
        "EVAPP_PUBLIC_URL": f"https://{DRIVERS}",
        "EVAPP_PORT": str(web),
        "EVAPP_OCPP_HOST": "127.0.0.1",
        "EVAPP_OCPP_PORT": str(ocpp),
    }
    front = {
        "DRIVERS": DRIVERS,
        "CHARGERS": CHARGERS,
        "WEB": f"127.0.0.1:{web}",
        "CSMS": f"127.0.0.1:{ocpp}",
        "BUILD": str(image / ".web" / "build" / "client"),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    program, *options = json.loads(stages()["app"].of("CMD")[0])
    command = [str(image / ".venv" / "bin" / program), *options, "--backend-host", "127.0.0.1"]
    with (
        running(command, image, product, folder / "web.log"),
        running([caddy, "run", "--config", "Caddyfile", "--adapter", "caddyfile"], folder, front, folder / "edge.log"),
    ):
        tls = await certified(folder / "caddy/pki/authorities/local/root.crt")
        found = Behind(web, ocpp, edge, database, Path(front["BUILD"]), tls)
        async with asyncio.timeout(START_S), found.client() as http:
            while not await answers(http):
                await asyncio.sleep(0.1)
        yield found


@contextmanager
def running(command: list[str], cwd: Path, env: dict[str, str], log: Path) -> Iterator[None]:
    """A program, for as long as the context lasts.

    Raises:
        RuntimeError: it did not end well, or earlier; with the end of its log.
    """
    with log.open("ab") as out:
        process = processes.start(command, log=out, cwd=cwd, env=env)
    try:
        yield
    finally:
        ended = process.poll()
        code = processes.end(process)
        if ended is not None or code not in (0, -signal.SIGTERM):
            raise RuntimeError(f"{command[0]} ended with {code}:\n{log.read_text(errors='replace')[-4000:]}")


async def certified(root: Path) -> ssl.SSLContext:
    """Trusts the authority that Caddy makes for itself, once it has."""
    async with asyncio.timeout(START_S):
        while not _is_whole(root):
            await asyncio.sleep(0.05)
    return ssl.create_default_context(cafile=str(root))


def _is_whole(certificate: Path) -> bool:
    return certificate.exists() and certificate.read_text().rstrip().endswith("-----END CERTIFICATE-----")


async def answers(http: httpx.AsyncClient, path: str = "/health/ready", status: int = 200) -> bool:
    try:
        return (await http.get(path)).status_code == status
    except httpx.TransportError:
        return False
