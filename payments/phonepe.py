"""PhonePe Standard Checkout v2 through httpx, because its own SDK blocks, pins old libraries and is strict (D1)."""

import asyncio
import hashlib
import hmac
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import structlog

from domain import traces
from domain.recharges import (
    GatewayBusy,
    GatewayRefused,
    GatewayUnavailable,
    OrderExists,
    OrderStatus,
    OrderUnknown,
    Payment,
    RefundStatus,
)
from domain.settings import Settings
from domain.settled_payments import Line
from payments import settlement_report, shapes

log = structlog.get_logger(__name__)

TIMEOUT = httpx.Timeout(10, connect=3)
"""Seconds for one step of a call (payments.md 1.7)."""

DEADLINE_S = 15
"""Seconds for a whole call: an answer that drips in byte by byte never meets a read timeout."""

RENEW_BEFORE_S = 180
"""Seconds before its end that a token is renewed (payments.md 1.2)."""

EXPIRE_AFTER_S = 900
"""Seconds a driver has to pay; PhonePe allows 300 to 3600 (payments.md 1.3)."""

ASKED_TOO_OFTEN = 429
UNKNOWN_STATUSES = frozenset({408})
"""Refusals that leave open whether the gateway acted; that one and every 5xx do too (payments.md 1.7)."""

UNKNOWN_ORDER = frozenset({"INVALID_MERCHANT_ORDER_ID"})
"""Codes of a 400 that say that PhonePe never heard of an order (payments.md 1.4)."""

UNKNOWN_REFUND = frozenset({"INVALID_MERCHANT_REFUND_ID", "INVALID_TRANSACTION_ID"})
"""The same for a refund. PhonePe documents none, so another code leaves the refund open until an operator looks."""


@dataclass(frozen=True)
class Token:
    """An access token and, on our monotonic clock, when to renew it and when it is dead."""

    value: str
    renew_at: float
    dead_at: float


class PhonePe:
    """A `PaymentGateway` over PhonePe's REST API; both its URL layouts, since the two base URLs are independent."""

    def __init__(
        self,
        *,
        pg_url: str,
        oauth_url: str,
        client_id: str,
        client_secret: str,
        client_version: int | str,
        webhook_username: str,
        webhook_password: str,
        checkout_hosts: Iterable[str],
        http: httpx.AsyncClient | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pg_url = pg_url.rstrip("/")
        self._oauth_url = oauth_url.rstrip("/")
        self._credentials = {
            "client_id": client_id,
            "client_secret": client_secret,
            "client_version": str(client_version),
            "grant_type": "client_credentials",
        }
        known = f"{webhook_username}:{webhook_password}" if webhook_username and webhook_password else ""
        self._bell = hashlib.sha256(known.encode()).hexdigest().encode() if known else b""
        self._checkout_hosts = tuple(host.lower() for host in checkout_hosts)
        self._http = http or httpx.AsyncClient()
        self._owns_http = http is None
        self._monotonic = monotonic
        self._token: Token | None = None
        self._flight: asyncio.Task[Token] | None = None

    @classmethod
    def of(cls, settings: Settings) -> "PhonePe":
        """The client of the merchant whom the settings name."""
        return cls(
            pg_url=settings.phonepe_pg_url,
            oauth_url=settings.phonepe_oauth_url,
            client_id=settings.phonepe_client_id,
            client_secret=settings.phonepe_client_secret.get_secret_value(),
            client_version=settings.phonepe_client_version,
            webhook_username=settings.phonepe_webhook_username,
            webhook_password=settings.phonepe_webhook_password.get_secret_value(),
            checkout_hosts=settings.checkout_hosts,
        )

    async def aclose(self) -> None:
        """Close the connections made here; a client that was handed in stays open."""
        if self._flight:
            self._flight.cancel()
        if self._owns_http:
            await self._http.aclose()

    async def create(self, *, merchant_order_id: str, amount_paise: int, redirect_url: str, user_ref: str) -> Payment:
        """Ask for a pay page. Not idempotent: once an id was sent it is never sent again (D4).

        Raises:
            OrderExists: the id was used before; ask `status`.
            GatewayRefused: PhonePe said no, credentials included; no order exists there.
            GatewayUnavailable: an order may exist; ask `status`.
        """
        status, body = await self._call(
            "POST",
            "/checkout/v2/pay",
            json={
                "merchantOrderId": merchant_order_id,
                "amount": amount_paise,
                "expireAfter": EXPIRE_AFTER_S,
                "metaInfo": {"udf1": user_ref},
                "paymentFlow": {
                    "type": "PG_CHECKOUT",
                    "message": "Wallet recharge",
                    "merchantUrls": {"redirectUrl": redirect_url},
                },
            },
        )
        if status >= 400:
            raise (OrderExists if status == 417 else GatewayRefused)(*shapes.refusal(status, body))
        try:
            return shapes.payment(body, self._checkout_hosts)
        except shapes.Unreadable as error:
            raise self._unreadable("pay", error) from error

    async def status(self, merchant_order_id: str) -> OrderStatus:
        """What became of an order; the only evidence that money moved (D3).

        Raises:
            OrderUnknown: PhonePe never received this order.
            GatewayUnavailable: anything else, refusals too: none of them says that an order was not paid.
        """
        path = f"/checkout/v2/order/{quote(merchant_order_id, safe='')}/status"
        body = await self._told(path, UNKNOWN_ORDER, details="true", errorContext="true")
        try:
            return shapes.order_status(body, merchant_order_id)
        except shapes.Unreadable as error:
            raise self._unreadable("status", error) from error

    async def refund(self, *, merchant_refund_id: str, merchant_order_id: str, amount_paise: int) -> RefundStatus:
        """Send money back to where it was paid from. Once an id was sent it is never sent again (R32).

        Raises:
            GatewayRefused: 400: PhonePe said no; nothing goes back. Or it refused our credentials before.
            GatewayUnavailable: anything else: money may go back; ask `refund_status`.
        """
        asked = {
            "merchantRefundId": merchant_refund_id,
            "originalMerchantOrderId": merchant_order_id,
            "amount": amount_paise,
        }
        status, body = await self._call("POST", "/payments/v2/refund", json=asked)
        if status == 400:
            raise GatewayRefused(*shapes.refusal(status, body))
        if status > 400:
            raise GatewayUnavailable(f"PhonePe answered {status} to a refund: {shapes.refusal(status, body)[0]}")
        try:
            return shapes.refund_status(body, merchant_refund_id)
        except shapes.Unreadable as error:
            raise self._unreadable("refund", error) from error

    async def refund_status(self, merchant_refund_id: str) -> RefundStatus:
        """What became of a refund; the only evidence that money went back (D3).

        Raises:
            OrderUnknown: PhonePe never received this refund.
            GatewayUnavailable: anything else.
        """
        path = f"/payments/v2/refund/{quote(merchant_refund_id, safe='')}/status"
        body = await self._told(path, UNKNOWN_REFUND)
        try:
            return shapes.refund_status(body, merchant_refund_id)
        except shapes.Unreadable as error:
            raise self._unreadable("refund status", error) from error

    async def _told(self, path: str, unknown: frozenset[str], **flags: str) -> shapes.Json:
        """The answer to a question; every refusal but "never heard of it" leaves it open."""
        try:
            status, body = await self._call("GET", path, params=flags)
        except GatewayRefused as error:
            raise self._untold(error.code, error.message) from error
        code, message = shapes.refusal(status, body)
        if status == 400 and code in unknown:
            raise OrderUnknown(code, message)
        if status >= 400:
            raise self._untold(code, message)
        return body

    def _untold(self, code: str, message: str) -> GatewayUnavailable:
        log.error("PhonePe refused to tell a status", code=code, words=message)
        return GatewayUnavailable(f"PhonePe refused to tell a status: {code}")

    def doorbell(self, authorization: str, body: bytes) -> str | None:
        """The id of the refund or order that a webhook names, None if it names none; never evidence of a payment (D3).

        Raises:
            GatewayRefused: UNAUTHORIZED for a header that is not ours, MALFORMED for a body that is not JSON.
        """
        # Documented as the bare digest; seen as "SHA256 <digest>" and "SHA256(<digest>)" (payments.md 1.5).
        form = re.fullmatch(r"(?:sha256)?[ (]*([0-9a-f]{64})\)?", authorization.strip(), re.IGNORECASE | re.ASCII)
        given = form[1].lower().encode() if form else b""
        if not self._bell or not hmac.compare_digest(given, self._bell):
            raise GatewayRefused("UNAUTHORIZED", "The webhook does not carry our credentials.")
        try:
            return shapes.named(shapes.parsed(body))
        except shapes.Unreadable as error:
            raise GatewayRefused("MALFORMED", f"The webhook's body is {error}.") from error

    def settled(self, report: str) -> list[Line]:
        """The lines of a settlement report from PhonePe's dashboard.

        Raises:
            ValueError: it is none; the argument is a sentence that names the line.
        """
        return settlement_report.lines(report)

    async def _call(self, method: str, path: str, **request: Any) -> tuple[int, shapes.Json]:
        """One call, its HTTP status and JSON. A 401 was refused before acting: renewed and repeated once (R20)."""
        token = await self._fresh_token()
        answer = await self._send(method, self._pg_url + path, token, **request)
        if answer.status_code == 401:
            if self._token is token:
                self._token = None
            answer = await self._send(method, self._pg_url + path, await self._fresh_token(), **request)
        return self._read(path.rsplit("/", 1)[-1], answer)

    async def _send(self, method: str, url: str, token: Token | None, **request: Any) -> httpx.Response:
        headers = {"Authorization": f"O-Bearer {token.value}"} if token else {}
        try:
            with traces.PHONEPE.span(url.rsplit("/", 1)[-1]) as span:
                async with asyncio.timeout(DEADLINE_S):
                    answer = await self._http.request(
                        method, url, headers=headers, timeout=TIMEOUT, follow_redirects=False, **request
                    )
                span.came_to(str(answer.status_code), well=answer.status_code < 500)
                return answer
        except (httpx.HTTPError, TimeoutError) as error:
            raise GatewayUnavailable(f"PhonePe did not answer: {type(error).__name__}") from error

    def _read(self, what: str, answer: httpx.Response) -> tuple[int, shapes.Json]:
        status = answer.status_code
        if status == ASKED_TOO_OFTEN:
            raise GatewayBusy(f"PhonePe answered {status}")
        if status in UNKNOWN_STATUSES or not (answer.is_success or answer.is_client_error):
            raise GatewayUnavailable(f"PhonePe answered {status}")
        try:
            return status, shapes.parsed(answer.content)
        except shapes.Unreadable as error:
            raise self._unreadable(what, error) from error

    def _unreadable(self, what: str, error: shapes.Unreadable) -> GatewayUnavailable:
        log.warning("an answer of PhonePe cannot be used", answer=what, reason=str(error))
        return GatewayUnavailable(f"PhonePe's answer cannot be used: {error}")

    async def _fresh_token(self) -> Token:
        """The cached token, or a new one; calls that find it stale together wait for one request."""
        token, now = self._token, self._monotonic()
        if token and now < token.renew_at:
            return token
        if not self._flight:
            self._flight = asyncio.create_task(self._fetch_token())
            self._flight.add_done_callback(self._landed)
        try:
            return await asyncio.shield(self._flight)
        except GatewayUnavailable:
            if token and now < token.dead_at:
                return token  # Renewal is early on purpose: until its end the old one still opens.
            raise

    def _landed(self, flight: asyncio.Task[Token]) -> None:
        self._flight = None
        if not flight.cancelled() and not flight.exception():
            self._token = flight.result()

    async def _fetch_token(self) -> Token:
        asked_at = self._monotonic()
        answer = await self._send("POST", f"{self._oauth_url}/v1/oauth/token", None, data=self._credentials)
        status, body = self._read("token", answer)
        if status >= 400:
            code, message = shapes.refusal(status, body)
            log.error("PhonePe refused our credentials", code=code, words=message)
            raise GatewayRefused(code, message)
        try:
            value, lifetime = shapes.token(body)
        except shapes.Unreadable as error:
            raise self._unreadable("token", error) from error
        return Token(value, asked_at + lifetime - min(RENEW_BEFORE_S, lifetime / 2), asked_at + lifetime)


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[PhonePe]:
    """A client of the merchant whom the settings name, for as long as the context lasts."""
    client = PhonePe.of(settings)
    try:
        yield client
    finally:
        await client.aclose()
