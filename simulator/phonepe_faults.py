"""What goes wrong at the sandbox's doors on command: at the calls of its API, and at its webhooks."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from simulator.phonepe_orders import Json, Refusal

Handler = Callable[[Request], Awaitable[Response]]

FAULTS: dict[str, tuple[int, Json]] = {
    "400": (400, {"code": "BAD_REQUEST", "message": "Bad Request"}),
    "401": (401, {"code": "AUTHORIZATION_FAILED", "message": "Authorization failed"}),
    "408": (408, {"code": "REQUEST_TIMEOUT", "message": "Request timed out"}),
    "417": (417, {"code": "INVALID_MERCHANT_ORDER_ID", "message": "Merchant order id was used before"}),
    "429": (429, {"code": "TOO_MANY_REQUESTS", "message": "Too many requests"}),
    "500": (500, {"code": "INTERNAL_SERVER_ERROR", "message": "Something went wrong"}),
    "503": (503, {"code": "SERVICE_UNAVAILABLE", "message": "Service unavailable"}),
    "timeout": (504, {"code": "GATEWAY_TIMEOUT", "message": "Gateway timeout"}),
}
"""Answers on command; "timeout" comes only after `hold_s`, when every client has gone."""

API_FAULTS = {f"{kind}{when}" for kind in (*FAULTS, "garbage") for when in ("", "-after")}
"""What can go wrong with a call. `-after`: the sandbox acts first, and spoils only the answer (R18, R32)."""

BELL_FAULTS = {"drop", "twice", "late", "forged", "altered"}
"""What can go wrong with a webhook: never sent, sent twice at once, sent after `late_s`, sent with another's
credentials, sent with another amount under the right ones (R7, R8)."""

KINDS = {
    "token": API_FAULTS,
    "pay": API_FAULTS,
    "status": API_FAULTS,
    "attempt": API_FAULTS,
    "refund": API_FAULTS,
    "refund-status": API_FAULTS,
    "webhook": BELL_FAULTS,
}
"""The doors, and what can go wrong at each."""


class Faults:
    """The faults that wait at each door; each call uses up one. Counts the calls, too."""

    def __init__(self, hold_s: float) -> None:
        self.planned: dict[str, deque[str]] = {door: deque() for door in KINDS}
        self.calls: Counter[str] = Counter()
        self.stopping = asyncio.Event()
        self._hold_s = hold_s

    def take(self, door: str) -> str:
        """The fault of this call; empty when all goes well."""
        return self.planned[door].popleft() if self.planned[door] else ""

    def plan(self, asked: Json) -> dict[str, list[str]]:
        """Replace what waits at the doors named; gives what waits at all of them.

        Raises:
            Refusal: no such door, or no such fault there; nothing was replaced.
        """
        for door, faults in asked.items():
            if not isinstance(faults, list) or not set(map(str, faults)) <= KINDS.get(door, set()):
                told = "; ".join(f"{door}: {', '.join(sorted(kinds))}" for door, kinds in KINDS.items())
                raise Refusal(400, "BAD_REQUEST", f"No such fault for {door}; there are: {told}")
        for door, faults in asked.items():
            self.planned[door] = deque(map(str, faults))
        return {door: list(faults) for door, faults in self.planned.items()}

    def door(self, name: str, act: Handler) -> Handler:
        """A call to the API, with its fault before the act, or after."""

        async def answer(request: Request) -> Response:
            self.calls[name] += 1
            fault = self.take(name)
            if fault and not fault.endswith("-after"):
                return await self._spoiled(fault)
            acted = await act(request)
            return await self._spoiled(fault.removesuffix("-after")) if fault else acted

        return answer

    async def _spoiled(self, fault: str) -> Response:
        if fault == "garbage":
            return HTMLResponse("<html><body>We will be back soon</body></html>")
        if fault == "timeout":
            await self.wait(self._hold_s)
        status, body = FAULTS[fault]
        return JSONResponse(body, status)

    async def wait(self, seconds: float) -> None:
        """Hold something back, but not longer than the sandbox lives."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)
