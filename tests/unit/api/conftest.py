"""The API on a database of its own, keys for it, and somebody who calls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlmodel import select
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from api.app import app
from api.limits import Buckets
from domain import api_keys, bus, funnel
from domain.api_keys import SCOPES
from domain.bus import LocalBus
from domain.db import opened, read, transact
from domain.models import TrailEntry
from tests.money.charges import Desk
from tests.money.conftest import clock
from tests.money.house import Clock, Gateway, broken

__all__ = ["clock"]

NO_LIMIT = Buckets(1e9, 1e9)


def address_of(connection: HTTPConnection) -> str:
    return connection.headers.get("x-test-address", "203.0.113.7")


class Caller:
    """Somebody with a key."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self._client, self.key = client, key

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        given = {"authorization": f"Bearer {self.key}"} if self.key else {}
        if method != "GET" and "idempotency_key" not in headers:
            given["idempotency-key"] = uuid4().hex
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {} if body is None else {"json": body}
        response = await self._client.request(method, path, headers=given, **sent)
        assert response.headers["cache-control"] == "no-store"
        return response

    async def get(self, path: str) -> Any:
        response = await self("GET", path)
        assert response.status_code == 200, response.text
        return response.json()

    async def done(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        response = await self(method, path, {} if body is None else body, **headers)
        assert response.status_code in (200, 201), response.text
        return response.json()

    async def refused(self, status: int, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The problem that it is told."""
        response = await self(method, path, body, **headers)
        assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json"), (
            response.text
        )
        told = response.json()
        assert told["status"] == status
        assert told["detail"].endswith((".", "…")), told["detail"]
        return told


class House:
    """The API, and what it works on."""

    def __init__(self, api: Starlette, desk: Desk, gateway: Gateway, bus: LocalBus) -> None:
        self.api, self.desk, self.gateway, self.bus = api, desk, gateway, bus
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://evapp.test")

    async def caller(self, *scopes: str, name: str = "test") -> Caller:
        """Somebody with a new key; without scopes, one that may everything."""
        _, key = await transact(api_keys.create, name, scopes or tuple(SCOPES))
        return Caller(self.client, key)

    def stranger(self, key: str = "") -> Caller:
        return Caller(self.client, key)

    async def quiet(self) -> None:
        """Wait for what follows by itself behind the answers."""
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.gather(*others, return_exceptions=True)

    async def trail(self) -> list[TrailEntry]:
        return await read(lambda db: list(db.exec(select(TrailEntry).order_by(TrailEntry.id))))  # type: ignore[arg-type]


@asynccontextmanager
async def serving(database_url: str, clock: Clock, buckets: Buckets = NO_LIMIT) -> AsyncIterator[House]:
    """The API, until the books are audited."""
    local = LocalBus()
    async with opened(database_url, local.publish) as database:
        gateway = Gateway()
        house = House(app(gateway, address_of, buckets), Desk(database, clock), gateway, local)
        bus.use(local)
        async with house.client:
            yield house
            await house.quiet()
        assert await read(broken) == []


@pytest.fixture(autouse=True)
def own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(funnel, "breaker", funnel.Breaker())


@pytest.fixture
async def house(database_url: str, clock: Clock) -> AsyncIterator[House]:
    async with serving(database_url, clock) as house:
        yield house


@pytest.fixture
async def operator(house: House) -> Caller:
    """Somebody who may everything."""
    return await house.caller()


@pytest.fixture
def desk(house: House) -> Desk:
    return house.desk
