"""A process that calls the API until it has all its answers or is killed: for test_killed.py."""

import asyncio
import sys

import httpx

from api.app import app
from domain import bus
from domain.bus import LocalBus
from domain.db import opened
from domain.events import Command, Reply
from tests.money.house import Gateway


async def gifts(client: httpx.AsyncClient) -> None:
    """Twenty of ₹1 to the first driver, each under its own name."""
    for number in range(20):
        response = await client.post(
            "/users/1/adjustments",
            json={"amount_paise": 100, "reason": "A gift"},
            headers={"idempotency-key": f"gift-{number}"},
        )
        print(response.status_code, flush=True)


async def command(client: httpx.AsyncClient) -> None:
    """One to a charger that is asked and never answers."""

    async def charger(command: Command) -> Reply:
        print("asked", flush=True)
        await asyncio.Event().wait()
        raise AssertionError("nobody comes here")

    async with bus.bus().attach("BLR-1", charger):
        await client.post("/chargers/BLR-1/call", json={"action": "ClearCache"}, headers={"idempotency-key": "clear"})


async def main(what: str, url: str, key: str) -> None:
    bus.use(LocalBus())
    async with (
        opened(url),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app(Gateway(), lambda _: "203.0.113.7")),
            base_url="http://evapp.test",
            headers={"authorization": f"Bearer {key}"},
        ) as client,
    ):
        await {"gifts": gifts, "command": command}[what](client)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
