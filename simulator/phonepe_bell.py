"""The sandbox's webhooks: what they say, how they are signed, and how they go wrong on command (payments.md 1.5)."""

import asyncio
import hashlib

import httpx
import structlog

from simulator.phonepe_faults import Faults
from simulator.phonepe_orders import EVENTS, Json, Order
from simulator.phonepe_refunds import REFUND_EVENTS, Refund

log = structlog.get_logger(__name__)

MERCHANT = "EVAPPUAT"


class Bell:
    """Rings at one address; empty means that nobody is told.

    Args:
        late_s: seconds that a "late" webhook is held back.
        transport: carries the webhooks, for a test that has no port.
    """

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        faults: Faults,
        late_s: float,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self.credentials = hashlib.sha256(f"{username}:{password}".encode()).hexdigest()
        self._url = url
        self._faults = faults
        self._late_s = late_s
        self._transport = transport
        self._held_back: set[asyncio.Task[list[int]]] = set()

    async def tell_order(self, order: Order, times: int = 1) -> list[int]:
        """Announce an order as it stands, `times` times at once; the status of each delivery, 0 for a lost one."""
        ids = {"merchantId": MERCHANT, "merchantOrderId": order.merchant_order_id}
        return await self._tell(_envelope(EVENTS[order.state], ids | order.answer()), times)

    async def tell_refund(self, refund: Refund, times: int = 1, *, flat: bool = False) -> list[int]:
        """The same for a refund; `flat` as some of PhonePe's documents have it: no envelope, no merchantRefundId."""
        if flat:
            ids = {"originalMerchantOrderId": refund.merchant_order_id, "refundId": refund.refund_id}
            return await self._tell(ids | {"amount": refund.amount, "state": refund.state} | refund.overrides, times)
        told = {"merchantId": MERCHANT, "refundId": refund.refund_id} | refund.answer()
        return await self._tell(_envelope(REFUND_EVENTS[refund.state], told), times)

    async def _tell(self, body: Json, times: int) -> list[int]:
        fault = self._faults.take("webhook")
        if fault == "drop" or not self._url:
            return []
        if fault == "late":
            waiting = asyncio.create_task(self._later(body, times))
            self._held_back.add(waiting)
            waiting.add_done_callback(self._held_back.discard)
            return []
        if fault == "altered":
            told = body.get("payload", body)
            told["amount"] *= 100
        credentials = "0" * 64 if fault == "forged" else self.credentials
        return await self._deliver(body, times * 2 if fault == "twice" else times, credentials)

    async def _later(self, body: Json, times: int) -> list[int]:
        await self._faults.wait(self._late_s)
        return await self._deliver(body, times, self.credentials)

    async def _deliver(self, body: Json, times: int, credentials: str) -> list[int]:
        async with httpx.AsyncClient(transport=self._transport, timeout=5, trust_env=False) as http:
            return list(await asyncio.gather(*(self._post(http, body, credentials) for _ in range(times))))

    async def _post(self, http: httpx.AsyncClient, body: Json, credentials: str) -> int:
        try:
            answer = await http.post(self._url, json=body, headers={"Authorization": credentials})
        except httpx.HTTPError as error:
            log.warning("phonepe_sandbox_webhook_lost", url=self._url, error=type(error).__name__)
            return 0
        return answer.status_code


def _envelope(event: str, payload: Json) -> Json:
    return {"event": event, "type": event.upper().replace(".", "_"), "payload": payload}
