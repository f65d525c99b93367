"""The real client and the sandbox, both ways; only the network between them is missing."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from domain import funnel
from domain.db import opened, read, transact
from domain.settings import settings
from evapp.web import auth, checkout, flash
from payments.phonepe import PhonePe
from simulator.phonepe import Sandbox
from tests.money import house
from tests.money.house import broken, driver
from tests.unit.evapp.web.checkout.desk import HOOK, Browse, quiet, sign_in


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(funnel, "breaker", funnel.Breaker())
    monkeypatch.setattr(checkout, "_refusals", checkout.Refusals())
    monkeypatch.setattr(checkout, "_returns", checkout.Returns())


@pytest.fixture
async def asha(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[int]:
    async with opened(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}"):
        user_id = await transact(driver)
        yield user_id
        await quiet()
        assert await read(broken) == []


@pytest.fixture
def doors() -> Starlette:
    """Our app; its routes come with the gateway, which in turn rings at them."""
    return Starlette()


@pytest.fixture
def sandbox(doors: Starlette) -> Sandbox:
    return Sandbox(seed=1, hold_s=0, webhook_url=f"{settings().url}{HOOK}", transport=httpx.ASGITransport(doors))


@pytest.fixture
async def phonepe(sandbox: Sandbox, doors: Starlette) -> AsyncIterator[PhonePe]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
        gateway = house.phonepe(http)
        doors.router.routes.extend(checkout.routes(gateway))
        yield gateway


@pytest.fixture
async def browse(asha: int, phonepe: PhonePe, doors: Starlette) -> AsyncIterator[Browse]:
    """Browsers; `user_id` says who is signed in there."""
    open_ones = []

    def browser(user_id: int | None = None, address: str = "203.0.113.7") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(doors, client=(address, 50_000))
        cookies = {flash.name(auth.COOKIE): f"token{user_id}"} if user_id else {}
        open_ones.append(httpx.AsyncClient(transport=transport, base_url=settings().url, cookies=cookies))
        return open_ones[-1]

    yield browser
    for client in open_ones:
        await client.aclose()


@pytest.fixture
async def phone(asha: int, browse: Browse) -> httpx.AsyncClient:
    """Asha's browser."""
    await sign_in(asha)
    return browse(asha)


@pytest.fixture
def credentials(sandbox: Sandbox) -> dict[str, str]:
    return {"authorization": sandbox.bell.credentials}
