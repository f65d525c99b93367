"""The PhonePe client as its tests make one, and an order to try it with."""

import hashlib
from collections.abc import Callable
from typing import Any

import httpx

from payments.phonepe import PhonePe
from tests.money import house

ORDER = "RCH-0193c0a7f1e27c0e8a41c2d9b7f4a611"
BACK = f"https://app.example/payments/return?order={ORDER}"
BELL = hashlib.sha256(b"evapp_hook:hook12345").hexdigest()
UNKNOWN_OUTCOMES = ("408", "429", "500", "503", "timeout", "garbage", "500-after", "garbage-after", "timeout-after")


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def phonepe(http: httpx.AsyncClient | None = None, **other: Any) -> PhonePe:
    """As the desk's, with addresses in the spellings that people write."""
    given = {"pg_url": "http://localhost", "oauth_url": "http://localhost/"}
    return house.phonepe(http, **given | {"checkout_hosts": ("*.phonepe.com", "localhost")} | other)


def answering(
    pg: Callable[[httpx.Request], httpx.Response], token: dict[str, Any] | None = None, **other: Any
) -> PhonePe:
    """A client whose token is granted, and whose other calls `pg` answers."""
    granted = token or {"access_token": "t", "issued_at": 100, "expires_at": 3700}

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=granted) if request.url.path.endswith("/oauth/token") else pg(request)

    return phonepe(httpx.AsyncClient(transport=httpx.MockTransport(answer)), **other)


async def create(client: PhonePe, order: str = ORDER, amount: int = 50_000) -> Any:
    return await client.create(merchant_order_id=order, amount_paise=amount, redirect_url=BACK, user_ref="u_8842")
