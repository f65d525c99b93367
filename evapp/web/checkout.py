"""The way to PhonePe and back: the driver's two addresses and PhonePe's doorbell (payments.md D3, D11)."""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from html import escape

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from domain import funnel, metrics, recharges
from domain.db import read
from domain.recharges import GatewayRefused, NotYours, PaymentGateway
from evapp.texts import at, language, t
from evapp.web import auth

log = structlog.get_logger()

LARGEST = 65_536
"""Bytes of a webhook; PhonePe's own are a hundredth of it (payments.md 1.5)."""
PATIENCE_S = 5.0
"""How long a driver who comes back, or a webhook's sender, is kept waiting."""
ASK_AGAIN_S = 10.0
"""Between two asks after an order whose driver comes back; meanwhile the poller asks, and the webhook rings."""
REFUSALS_A_MINUTE = 30
"""Webhooks with foreign credentials that one address is answered one by one, and that are logged."""
RINGS_AT_ONCE = 20
"""Webhooks of one order that wait to be worked; the gateway is asked after them, so one more tells nothing."""
STATUSES = {"UNAUTHORIZED": 401, "MALFORMED": 400}
"""What a webhook is refused for, and its HTTP status."""


def routes(gateway: PaymentGateway) -> list[Route]:
    """What answers under /payments."""
    return [
        Route("/payments/go/{order}", partial(go, gateway), methods=["GET"]),
        Route("/payments/return", partial(back, gateway), methods=["GET"]),
        Route("/payments/phonepe/webhook", partial(webhook, gateway), methods=["POST"]),
    ]


async def go(gateway: PaymentGateway, request: Request) -> Response:
    """Send the owner of an order to its pay page, opened at the gateway on the first visit; else to his wallet,
    which says what became of it. The gateway's address goes out exactly as it came (D11)."""
    order_id: str = request.path_params["order"]
    user = await auth.of_request(request)
    if user is None:
        return RedirectResponse(auth.gate_to(request.url.path), 303)
    if not recharges.ORDER_ID.fullmatch(order_id) or not await _owns(user.id, order_id):
        return page(404, t("Nothing at this address."), t("There is no such payment of yours."))
    try:
        address = await funnel.begin(gateway, order_id)
    except Exception:
        log.exception("payment not begun", order=order_id)
        address = ""
    return Response(status_code=303, headers={"location": address or at(f"/wallet?paid={order_id}")})


async def back(gateway: PaymentGateway, request: Request) -> Response:
    """Whoever comes back from the gateway rings once; only the owner is shown anything (R12)."""
    order_id = request.query_params.get("order", "")
    user = await auth.of_request(request)
    if recharges.ORDER_ID.fullmatch(order_id):
        owns = user is not None and await _owns(user.id, order_id)
        if _returns.may_ask(order_id, owns):
            asking = _soon(funnel.settle(gateway, order_id), order_id)
            await asyncio.wait([asking], timeout=PATIENCE_S)
        if owns:
            return RedirectResponse(at(f"/wallet?paid={order_id}"), 303)
    return page(
        200,
        t("Your payment is being confirmed."),
        t("You can close this page. The money comes into your wallet by itself as soon as PhonePe confirms it."),
    )


class Returns:
    """When somebody came back with which order: the gateway is asked after it once in ASK_AGAIN_S for strangers, and
    once for the owner, whom no stranger may keep from the truth."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._asked: dict[tuple[str, bool], float] = {}
        """The longest ago first."""

    def may_ask(self, order_id: str, owns: bool) -> bool:
        """Take note of an ask, unless there was one just now."""
        moment = self._monotonic()
        while self._asked and moment >= next(iter(self._asked.values())) + ASK_AGAIN_S:
            del self._asked[next(iter(self._asked))]
        if (order_id, owns) in self._asked:
            return False
        self._asked[order_id, owns] = moment
        return True


_returns = Returns()


async def webhook(gateway: PaymentGateway, request: Request) -> Response:
    """A doorbell: it names an order, and the gateway is asked about it afterwards (D3, R4-R10)."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            body = await _body(request)
    except TimeoutError:
        metrics.WEBHOOKS.add("too slow")
        return PlainTextResponse(t("The message took too long."), 408)
    except ClientDisconnect:
        metrics.WEBHOOKS.add("broken off")
        return PlainTextResponse(t("The message broke off."), 400)
    if body is None:
        metrics.WEBHOOKS.add("too large")
        return PlainTextResponse(t("The message is too large."), 413)
    try:
        order_id = gateway.doorbell(request.headers.get("authorization", ""), body)
    except GatewayRefused as error:
        return _refuse(auth.address_of(request), error)
    metrics.WEBHOOKS.add("taken" if order_id is not None else "of nothing")
    if order_id is not None and _under_way[order_id] < RINGS_AT_ONCE:
        # Its digest stands for it: a flood that waits for the database must not wait in memory.
        _soon(funnel.rang(gateway, order_id, hashlib.sha256(body).digest()), order_id)
    return PlainTextResponse("")


async def _owns(user_id: int, order_id: str) -> bool:
    try:
        await read(recharges.owned, user_id, order_id)
    except NotYours:
        return False
    return True


async def _body(request: Request) -> bytes | None:
    """What was sent, as long as it is small enough."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            return None
    return bytes(body)


class Refusals:
    """Counts refused webhooks by address within a minute, so that a flood of them fills no log."""

    def __init__(self) -> None:
        self._ends = 0.0
        self._counted: Counter[str] = Counter()

    def too_many(self, address: str) -> bool:
        """Count one more."""
        if time.monotonic() > self._ends:
            self._ends = time.monotonic() + 60
            self._counted.clear()
        self._counted[address] += 1
        return self._counted[address] > REFUSALS_A_MINUTE


_refusals = Refusals()


def _refuse(address: str, error: GatewayRefused) -> Response:
    metrics.WEBHOOKS.add("forged" if error.code == "UNAUTHORIZED" else "unreadable")
    if _refusals.too_many(address):
        return PlainTextResponse(t("Too many messages."), 429)
    log.warning("webhook refused", address=address, code=error.code)
    return PlainTextResponse(error.message, STATUSES.get(error.code, 400))


_ringing: set[asyncio.Task[None]] = set()
_under_way: Counter[str] = Counter()


def _soon(work: Awaitable[None], order_id: str) -> asyncio.Task[None]:
    """Go on with it when the answer is out; what fails is logged, and the poller does it again (R40)."""

    async def logged() -> None:
        try:
            await work
        except Exception:
            log.exception("order not settled, it stays due", order=order_id)

    def over(task: asyncio.Task[None]) -> None:
        _ringing.discard(task)
        _under_way.subtract((order_id,))
        if not _under_way[order_id]:
            del _under_way[order_id]

    task = asyncio.create_task(logged())
    _ringing.add(task)
    _under_way[order_id] += 1
    task.add_done_callback(over)
    return task


PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · evapp</title><link rel="icon" href="/icons/favicon.svg" type="image/svg+xml">
<style>:root{{color-scheme:light dark}}
body{{max-width:26rem;margin:0 auto;padding:3rem 1.25rem;font:1.0625rem/1.5 system-ui,sans-serif;
color:#15231e;background:#faf6ee}}h1{{font-size:1.625rem;line-height:1.25}}
a{{color:#0b5b58;display:inline-block;padding:.6rem 0}}
@media(prefers-color-scheme:dark){{body{{color:#f4efe4;background:#0c1412}}a{{color:#63cdc3}}}}</style></head>
<body><main><h1>{title}</h1><p>{sentence}</p><p><a href="{dashboard}">{home}</a></p></main></body></html>"""


def page(status: int, title: str, sentence: str) -> Response:
    """A page of ours for people the app does not know, without a script."""
    html = PAGE.format(
        lang=language().tag,
        title=escape(title),
        sentence=escape(sentence),
        dashboard=at("/dashboard"),
        home=escape(t("Go to your wallet and chargers")),
    )
    return HTMLResponse(html, status)
