"""A PhonePe sandbox for a desk: its v2 API, a pay page for a person, webhooks, and faults on command.

Paths and JSON follow reference/payments.md 1.1 to 1.5; what it keeps is in memory and ends with it.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import structlog
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from simulator import phonepe_pages as pages
from simulator.phonepe_bell import MERCHANT, Bell
from simulator.phonepe_faults import Faults
from simulator.phonepe_orders import CHOICES, Json, Order, Orders, Refusal
from simulator.phonepe_refunds import STATES, Refund, Refunds

log = structlog.get_logger(__name__)


class Sandbox:
    """PhonePe on a desk. `app` is its ASGI application; `serving()` puts it on a port.

    Args:
        webhook_url: where outcomes are announced; empty means nowhere.
        seed: the same seed gives the same ids.
        clock: wall clock in seconds, so that a test can let orders and tokens expire.
        hold_s: seconds that a "timeout" holds its answer.
        late_s: seconds that a "late" webhook is held back.
        transport: carries the webhooks, for a test that has no port.
    """

    def __init__(
        self,
        *,
        webhook_url: str = "",
        client_id: str = "EVAPP-SANDBOX",
        client_secret: str = "sandbox-secret",  # noqa: S107 - the desk's own, refused in production
        client_version: str = "1",
        webhook_username: str = "evapp_hook",
        webhook_password: str = "hook12345",  # noqa: S107 - likewise
        token_lifetime_s: int = 3600,
        seed: int | None = None,
        clock: Callable[[], float] = time.time,
        hold_s: float = 60,
        late_s: float = 5,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.orders = Orders(seed, clock)
        self.refunds = Refunds(self.orders)
        self.tokens: dict[str, float] = {}
        self.doors = Faults(hold_s)
        self.faults, self.calls = self.doors.planned, self.doors.calls
        self.bell = Bell(webhook_url, webhook_username, webhook_password, self.doors, late_s, transport)
        self.app = self._application()
        self._client = {"client_id": client_id, "client_secret": client_secret, "client_version": client_version}
        self._token_lifetime_s = token_lifetime_s
        self._clock = clock

    def _application(self) -> Starlette:
        door = self.doors.door
        token = Route("/v1/oauth/token", door("token", self._token), methods=["POST"])
        checkout = [
            Route("/checkout/v2/pay", door("pay", self._pay), methods=["POST"]),
            Route("/checkout/v2/order/{id}/status", door("status", self._status), methods=["GET"]),
            Route("/checkout/v2/transaction/{id}/status", door("attempt", self._attempt), methods=["GET"]),
            Route("/payments/v2/refund", door("refund", self._refund), methods=["POST"]),
            Route("/payments/v2/refund/{id}/status", door("refund-status", self._refund_status), methods=["GET"]),
        ]
        return Starlette(
            routes=[
                token,
                *checkout,
                Mount("/apis/pg-sandbox", routes=[token, *checkout]),
                Mount("/apis/pg", routes=checkout),
                Mount("/apis/identity-manager", routes=[token]),
                Route("/", self._desk, methods=["GET"]),
                Route("/pay/{id}", self._page, methods=["GET"]),
                Route("/pay/{id}", self._chosen, methods=["POST"]),
                Route("/refunds/{id}", self._decided, methods=["POST"]),
                Route("/_sandbox/faults", self._plan, methods=["POST"]),
                Route("/_sandbox/orders/{id}", self._command, methods=["POST"]),
                Route("/_sandbox/refunds/{id}", self._command_refund, methods=["POST"]),
            ],
            exception_handlers={Refusal: _refused},
        )

    async def _token(self, request: Request) -> Response:
        form = await request.form()
        asked = {name: form.get(name) for name in self._client}
        if asked != self._client or form.get("grant_type") != "client_credentials":
            raise Refusal(
                400,
                "INVALID_CLIENT",
                f"Bad Request: Invalid Client, trackingId: {self.orders.secret()[:12]}",
                errorCode="OIM000",
                context={"error_description": "Client authentication failure"},
            )
        now, token = int(self._clock()), f"eyJhbGciOiJub25lIn0.{self.orders.secret()}"
        self.tokens[token] = expires_at = now + self._token_lifetime_s
        answer = {
            "access_token": token,
            "encrypted_access_token": token,
            "expires_in": self._token_lifetime_s,
            "issued_at": now,
            "expires_at": expires_at,
            "session_expires_at": expires_at,
            "token_type": "O-Bearer",
            "refresh_token": "",
        }
        return JSONResponse(answer)

    async def _pay(self, request: Request) -> Response:
        self._authorize(request)
        order = self.orders.open(await _json(request))
        page = request.url.replace(path=f"/pay/{order.order_id}", query=f"token={order.page_token}", fragment="")
        answer = {"orderId": order.order_id, "state": order.state, "expireAt": order.expire_ms}
        return JSONResponse(answer | {"redirectUrl": str(page)})

    async def _status(self, request: Request) -> Response:
        self._authorize(request)
        order = self.orders.find(request.path_params["id"])
        flags = {name for name, value in request.query_params.items() if value.lower() == "true"}
        return JSONResponse(order.answer(details="details" in flags, error_context="errorContext" in flags))

    async def _attempt(self, request: Request) -> Response:
        self._authorize(request)
        order, attempt = self.orders.find_attempt(request.path_params["id"])
        ids = {"merchantId": MERCHANT, "merchantOrderId": order.merchant_order_id}
        return JSONResponse(ids | order.answer() | {"paymentDetails": [attempt]})

    async def _refund(self, request: Request) -> Response:
        self._authorize(request)
        refund = self.refunds.open(await _json(request))
        return JSONResponse({"refundId": refund.refund_id, "amount": refund.amount, "state": refund.state})

    async def _refund_status(self, request: Request) -> Response:
        self._authorize(request)
        return JSONResponse({"merchantId": MERCHANT} | self.refunds.find(request.path_params["id"]).answer())

    def _authorize(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "O-Bearer" or self.tokens.get(token, 0) <= self._clock():
            raise Refusal(401, "AUTHORIZATION_FAILED", "Authorization failed")

    async def choose(self, merchant_order_id: str, choice: str) -> Order:
        """Do what a button of the pay page does, webhook included: "pay", "fail", "retry" or "later".

        Raises:
            Refusal: no such order.
        """
        order = self.orders.find(merchant_order_id)
        if self.orders.take(order, choice):
            await self.bell.tell_order(order)
        return order

    async def decide(self, merchant_refund_id: str, state: str, *, flat: bool = False) -> Refund:
        """Bring a refund into a state, whatever it was, and tell of it.

        Raises:
            Refusal: no such refund, no such state.
        """
        refund = self.refunds.find(merchant_refund_id)
        if state not in STATES:
            raise Refusal(400, "BAD_REQUEST", f"A refund is {', '.join(STATES)}")
        refund.state = state
        await self.bell.tell_refund(refund, flat=flat)
        return refund

    async def _desk(self, request: Request) -> Response:
        return pages.desk(self.orders.newest_first(), self.refunds.newest_first())

    async def _page(self, request: Request) -> Response:
        order = self.orders.behind(request.path_params["id"], request.query_params.get("token", ""))
        return pages.pay(order) if order else pages.no_order()

    async def _chosen(self, request: Request) -> Response:
        form = await request.form()
        order = self.orders.behind(request.path_params["id"], str(form.get("token")))
        choice = str(form.get("choice"))
        if not order or choice not in CHOICES:
            return pages.no_order()
        tell = BackgroundTask(self.bell.tell_order, order) if self.orders.take(order, choice) else None
        again = f"/pay/{order.order_id}?token={order.page_token}"
        return RedirectResponse(again if choice == "retry" else order.redirect_url, 303, background=tell)

    async def _plan(self, request: Request) -> Response:
        """`{"pay": ["timeout", "500-after"]}` replaces what waits for a door; each call uses up one fault."""
        return JSONResponse(self.doors.plan(await _json(request)))

    async def _command(self, request: Request) -> Response:
        """`{"choice": "pay"}` as a person would, `{"answer": {"state": "EXPIRED"}}` to lie, `{"webhooks": 3}` rings."""
        order = self.orders.find(request.path_params["id"])
        asked = await _json(request)
        choice, answer, webhooks = str(asked.get("choice", "later")), asked.get("answer", {}), asked.get("webhooks", 0)
        if choice not in CHOICES or not isinstance(answer, dict) or webhooks not in range(1001):
            raise Refusal(400, "BAD_REQUEST", f"Give choice ({', '.join(CHOICES)}), answer or webhooks (up to 1000)")
        order.overrides |= answer
        await self.choose(order.merchant_order_id, choice)
        rung = await self.bell.tell_order(order, webhooks) if webhooks else []
        return JSONResponse({"order": order.answer(), "webhooks": rung})

    async def _command_refund(self, request: Request) -> Response:
        """`{"state": "COMPLETED", "flat": true}` decides and rings, `{"answer": …}` lies, `{"webhooks": 3}` rings."""
        refund = self.refunds.find(request.path_params["id"])
        asked = await _json(request)
        answer, webhooks, flat = asked.get("answer", {}), asked.get("webhooks", 0), asked.get("flat") is True
        if not isinstance(answer, dict) or webhooks not in range(1001):
            raise Refusal(400, "BAD_REQUEST", f"Give state ({', '.join(STATES)}), answer or webhooks (up to 1000)")
        refund.overrides |= answer
        if "state" in asked:
            await self.decide(refund.merchant_refund_id, str(asked["state"]), flat=flat)
        rung = await self.bell.tell_refund(refund, webhooks, flat=flat) if webhooks else []
        return JSONResponse({"refund": refund.answer(), "webhooks": rung})

    async def _decided(self, request: Request) -> Response:
        form = await request.form()
        await self.decide(request.path_params["id"], str(form.get("state")))
        return RedirectResponse("/", 303)

    @asynccontextmanager
    async def serving(self, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve on `port`, or on a free one, and yield the base URL once it answers.

        Raises:
            OSError: the port is taken.
        """
        with socket.create_server((host, port)) as probe:
            address, port = probe.getsockname()
        server = Server(self.app, address, port, interface=Interfaces.ASGINL, websockets=False, log_enabled=False)
        running = asyncio.create_task(server.serve())
        try:
            async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=5)) as http:
                await http.get(f"http://{address}:{port}")
            yield f"http://{host}:{port}"
        finally:
            self.doors.stopping.set()  # The server stops only once every held answer has gone.
            server.stop()  # type: ignore[no-untyped-call]
            await running
            # Granian's thread says it stopped shortly before it lets go of Python; a process that ends
            # between the two is aborted.
            await asyncio.sleep(0.5)


async def serve(*, host: str, port: int, webhook_url: str) -> None:
    """Run the sandbox until cancelled.

    Raises:
        OSError: the port is taken.
    """
    async with Sandbox(webhook_url=webhook_url).serving(host=host, port=port) as url:
        log.info("phonepe_sandbox_serves", url=url, webhook_url=webhook_url)
        await asyncio.Event().wait()


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return JSONResponse(error.body, error.status)


async def _json(request: Request) -> Json:
    try:
        body = await request.json()
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "BAD_REQUEST", "Bad Request: not JSON") from error
    if not isinstance(body, dict):
        raise Refusal(400, "BAD_REQUEST", "Bad Request: not an object")
    return body
