"""A desk at the PhonePe sandbox: who pays there, and what rang."""

from typing import Any

import httpx

from simulator.phonepe import Sandbox

HOOK = "http://app.example/payments/phonepe/webhook"
CREDENTIALS = {
    "client_id": "EVAPP-SANDBOX",
    "client_secret": "sandbox-secret",
    "client_version": "1",
    "grant_type": "client_credentials",
}
ASKED: dict[str, Any] = {
    "merchantOrderId": "RCH-1",
    "amount": 100_000,
    "expireAfter": 900,
    "metaInfo": {"udf1": "u_8842", "udf2": None},
    "paymentFlow": {"type": "PG_CHECKOUT", "merchantUrls": {"redirectUrl": "http://app.example/payments/return?o=1"}},
    "disablePaymentRetry": None,
}


class Desk:
    """A sandbox, a browser or merchant in front of it, and the webhooks that arrived."""

    def __init__(self) -> None:
        self.now = 1_795_344_000.0
        self.rung: list[httpx.Request] = []
        self.hook_status = 200
        self.sandbox = self.new()
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.sandbox.app), base_url="http://pay.test")

    def new(self) -> Sandbox:
        return Sandbox(
            webhook_url=HOOK,
            seed=7,
            hold_s=0,
            late_s=0,
            clock=lambda: self.now,
            transport=httpx.MockTransport(self._hook),
        )

    async def _hook(self, request: httpx.Request) -> httpx.Response:
        self.rung.append(request)
        if not self.hook_status:
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(self.hook_status)

    async def authorize(self) -> None:
        granted = (await self.http.post("/v1/oauth/token", data=CREDENTIALS)).json()
        self.http.headers["Authorization"] = f"{granted['token_type']} {granted['access_token']}"

    async def pay(self, **other: Any) -> httpx.Response:
        return await self.http.post("/checkout/v2/pay", json=ASKED | other)

    async def status(self, order: str = "RCH-1", **flags: str) -> dict[str, Any]:
        answer = await self.http.get(f"/checkout/v2/order/{order}/status", params=flags)
        assert answer.status_code == 200
        return dict(answer.json())

    async def choose(self, choice: str) -> httpx.Response:
        order = self.sandbox.orders.find("RCH-1")
        return await self.http.post(f"/pay/{order.order_id}", data={"token": order.page_token, "choice": choice})
