"""PhonePe's sandbox, our client in front of it and our doorbell behind it, for rows that need the real client."""

import asyncio

import httpx

from domain.models import OrderState
from evapp.web import checkout
from payments.phonepe import PhonePe
from simulator.phonepe import Sandbox
from tests.money import house, orders
from tests.money.house import found

HOOK = "/payments/phonepe/webhook"


class Town:
    """The sandbox, our client in front of it, and our doorbell, with nothing but the network left out."""

    def __init__(self) -> None:
        app = httpx.ASGITransport(self._app)  # type: ignore[arg-type]
        self.sandbox = Sandbox(seed=1, hold_s=0, late_s=0, webhook_url=f"http://app.test{HOOK}", transport=app)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.sandbox.app))
        self.client = self.new_client()
        self._routes = {route.path: route for route in checkout.routes(self.client)}

    def new_client(self) -> PhonePe:
        """Another process's."""
        return house.phonepe(self.http)

    async def _app(self, scope: dict[str, object], receive: object, send: object) -> None:
        await self._routes[str(scope["path"])].handle(scope, receive, send)  # type: ignore[arg-type]

    async def quiet(self) -> None:
        """Everything that was to happen soon has happened."""
        while checkout._ringing:
            await asyncio.gather(*checkout._ringing)

    async def opened(self, user_id: int, nonce: str = "n1") -> str:
        return await orders.opened(self.client, user_id, nonce)

    async def paid(self, user_id: int, nonce: str = "n1") -> str:
        order_id = await self.opened(user_id, nonce)
        await self.sandbox.choose(order_id, "pay")
        await self.quiet()
        assert (await found(order_id)).state == OrderState.CREDITED
        return order_id

    async def refunded(self, order_id: str, paise: int, key: str = "k1") -> str:
        return await orders.sent(self.client, order_id, paise, key)
