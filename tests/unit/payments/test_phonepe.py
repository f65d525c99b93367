"""The PhonePe client against the sandbox, without a port: what it asks, believes, repeats and refuses."""

import asyncio
import hashlib
import inspect
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from domain.recharges import GatewayRefused, GatewayUnavailable, OrderExists, OrderUnknown, PaymentGateway
from payments.phonepe import PhonePe
from simulator.phonepe import Sandbox
from tests.collector import collected
from tests.money import house

ORDER = "RCH-0193c0a7f1e27c0e8a41c2d9b7f4a611"
BACK = f"https://app.example/payments/return?order={ORDER}"
BELL = hashlib.sha256(b"evapp_hook:hook12345").hexdigest()


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(seed=1, hold_s=0)


@pytest.fixture
def clock() -> Clock:
    return Clock(5_000.0)


@pytest.fixture
async def client(sandbox: Sandbox, clock: Clock) -> AsyncIterator[PhonePe]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
        yield phonepe(http, monotonic=clock)


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


def test_it_is_a_payment_gateway() -> None:
    gateway: PaymentGateway = phonepe(httpx.AsyncClient())
    assert gateway.name == "phonepe"
    for call in ("create", "status", "refund", "refund_status", "doorbell"):
        assert inspect.signature(getattr(PhonePe, call)) == inspect.signature(getattr(PaymentGateway, call))


async def test_create_opens_a_pay_page_for_fifteen_minutes(sandbox: Sandbox, client: PhonePe) -> None:
    payment = await create(client)
    order = sandbox.orders.find(ORDER)
    assert payment.gateway_order_id == order.order_id
    assert payment.state == "PENDING"
    assert payment.redirect_url == f"http://localhost/pay/{order.order_id}?token={order.page_token}"
    assert payment.expires_at is not None
    assert payment.expires_at.timestamp() * 1000 == pytest.approx(order.expire_ms)
    assert (order.expire_ms - order.created_ms) == 900_000
    assert (order.amount, order.redirect_url, order.meta) == (50_000, BACK, {"udf1": "u_8842"})


async def test_both_url_layouts_reach_the_gateway(sandbox: Sandbox) -> None:
    layouts = {
        "sandbox": ("http://localhost/apis/pg-sandbox", "http://localhost/apis/pg-sandbox"),
        "production": ("http://localhost/apis/pg", "http://localhost/apis/identity-manager"),
    }
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
        for layout, (pg, oauth) in layouts.items():
            client = phonepe(http, pg_url=pg, oauth_url=oauth)
            await create(client, f"RCH-{layout}")
            assert (await client.status(f"RCH-{layout}")).state == "PENDING"


async def test_an_id_used_before_exists_and_is_never_paid_anew(sandbox: Sandbox, client: PhonePe) -> None:
    await create(client)
    with pytest.raises(OrderExists) as refused:
        await create(client, amount=70_000)
    assert refused.value.code == "INVALID_MERCHANT_ORDER_ID"
    assert sandbox.orders.find(ORDER).amount == 50_000


async def test_a_refused_payment_carries_the_gateways_words(client: PhonePe) -> None:
    with pytest.raises(GatewayRefused) as refused:
        await create(client, amount=99)
    assert not isinstance(refused.value, OrderExists)
    assert (refused.value.code, refused.value.message) == ("BAD_REQUEST", "Bad Request: invalid amount")


async def test_wrong_credentials_are_a_refusal_of_a_payment_but_say_nothing_of_an_order(sandbox: Sandbox) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
        client = phonepe(http, client_secret="wrong")
        with pytest.raises(GatewayRefused, match="INVALID_CLIENT"):
            await create(client)
        with pytest.raises(GatewayUnavailable, match="INVALID_CLIENT"):
            await client.status(ORDER)
    assert sandbox.calls["pay"] == sandbox.calls["status"] == 0


UNKNOWN_OUTCOMES = ("408", "429", "500", "503", "timeout", "garbage", "500-after", "garbage-after", "timeout-after")


@pytest.mark.parametrize("fault", UNKNOWN_OUTCOMES)
async def test_an_unknown_outcome_is_not_repeated_and_status_tells(
    sandbox: Sandbox, client: PhonePe, fault: str
) -> None:
    sandbox.faults["pay"].append(fault)
    with pytest.raises(GatewayUnavailable):
        await create(client)
    assert sandbox.calls["pay"] == 1
    if fault.endswith("-after"):
        assert (await client.status(ORDER)).amount_paise == 50_000
    else:
        with pytest.raises(OrderUnknown):
            await client.status(ORDER)


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectTimeout, httpx.ReadTimeout, httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError],
)
async def test_a_broken_connection_leaves_the_outcome_unknown(error: type[httpx.TransportError]) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise error("gone", request=request)

    client = answering(broken)
    with pytest.raises(GatewayUnavailable, match=error.__name__):
        await create(client)
    with pytest.raises(GatewayUnavailable, match=error.__name__):
        await client.status(ORDER)


async def test_calls_are_bounded_to_three_and_ten_seconds() -> None:
    seen: list[dict[str, float]] = []

    def pg(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(503)

    with pytest.raises(GatewayUnavailable):
        await create(answering(pg))
    assert seen == [{"connect": 3, "read": 10, "write": 10, "pool": 10}]


async def test_a_gateway_that_acts_but_does_not_answer_over_a_real_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox()
    async with sandbox.serving() as url:
        client = phonepe(pg_url=url, oauth_url=url, checkout_hosts=["127.0.0.1"])
        with pytest.raises(OrderUnknown):
            await client.status(ORDER)
        sandbox.faults["pay"].append("timeout-after")
        with monkeypatch.context() as impatient, pytest.raises(GatewayUnavailable, match="ReadTimeout"):
            impatient.setattr("payments.phonepe.TIMEOUT", httpx.Timeout(0.3))
            await create(client)
        with pytest.raises(OrderExists):
            await create(client)
        assert (await client.status(ORDER)).state == "PENDING"
        await client.aclose()
    with pytest.raises(GatewayUnavailable, match="ConnectError"):
        await phonepe(pg_url=url, oauth_url=url).status(ORDER)


async def test_an_answer_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payments.phonepe.DEADLINE_S", 0.01)

    async def endless(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    client = phonepe(httpx.AsyncClient(transport=httpx.MockTransport(endless)))
    with pytest.raises(GatewayUnavailable, match="TimeoutError"):
        await create(client)


@pytest.mark.parametrize("status", [302, 500, 502])
async def test_a_redirect_or_server_error_is_unknown_even_with_json(status: int) -> None:
    client = answering(lambda _: httpx.Response(status, json={"state": "COMPLETED", "amount": 50_000}))
    with pytest.raises(GatewayUnavailable, match=str(status)):
        await client.status(ORDER)


async def test_a_redirect_is_not_followed_with_our_credentials() -> None:
    hosts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(307, headers={"Location": "https://evil.example/"})

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer), follow_redirects=True)
    with pytest.raises(GatewayUnavailable, match="307"):
        await create(phonepe(http))
    assert hosts == ["localhost"]


async def test_a_refusal_in_html_is_not_taken_for_the_gateways_word() -> None:
    client = answering(lambda _: httpx.Response(403, text="<html>blocked</html>"))
    with pytest.raises(GatewayUnavailable):
        await create(client)


@pytest.mark.parametrize(
    ("hosts", "url", "allowed"),
    [
        ("*.phonepe.com", "https://mercury-t2.phonepe.com/transact/pgv3?token=a.b-c_d", True),
        ("*.phonepe.com", "https://MERCURY.phonepe.com/x", True),
        ("Mercury.PhonePe.com", "https://mercury.phonepe.com/x", True),
        ("localhost", "http://localhost:9100/pay/OMO1?token=1", True),
        ("*.phonepe.com", "http://mercury.phonepe.com/x", False),
        ("*.phonepe.com", "https://phonepe.com/x", False),
        ("*.phonepe.com", "https://evilphonepe.com/x", False),
        ("*.phonepe.com", "https://mercury.phonepe.com.evil.example/x", False),
        ("*.phonepe.com", "https://mercury.phonepe.com@evil.example/x", False),
        ("*.phonepe.com", "https://driver:1@mercury.phonepe.com/x", False),
        ("*.phonepe.com", "https://evil.example\\.phonepe.com/x", False),
        ("*.phonepe.com", "https://evil.example\\@mercury.phonepe.com/x", False),
        ("*.phonepe.com", "https://evil.example/\r\nLocation: https://mercury.phonepe.com", False),
        ("*.phonepe.com", "//mercury.phonepe.com/x", False),
        ("*.phonepe.com", "javascript://mercury.phonepe.com/%0aalert(1)", False),
        ("*.phonepe.com", "https://[::1/x", False),
        ("*.phonepe.com", "", False),
        ("*.phonepe.com", None, False),
    ],
)
async def test_a_driver_is_sent_only_to_allowed_hosts(hosts: str, url: str | None, allowed: bool) -> None:
    body = {"orderId": "OMO1", "state": "PENDING", "redirectUrl": url}
    client = answering(lambda _: httpx.Response(200, json=body), checkout_hosts=[hosts])
    if allowed:
        assert (await create(client)).redirect_url == url
    else:
        with pytest.raises(GatewayUnavailable, match="redirectUrl"):
            await create(client)


async def test_twenty_parallel_calls_fetch_one_token(sandbox: Sandbox, client: PhonePe) -> None:
    await asyncio.gather(*(create(client, f"RCH-{n}") for n in range(20)))
    assert (sandbox.calls["token"], sandbox.calls["pay"]) == (1, 20)


async def test_twenty_parallel_calls_renew_a_revoked_token_once(sandbox: Sandbox, client: PhonePe) -> None:
    await create(client)
    sandbox.tokens.clear()
    answers = await asyncio.gather(*(client.status(ORDER) for _ in range(20)))
    assert {answer.state for answer in answers} == {"PENDING"}
    assert (sandbox.calls["token"], sandbox.calls["status"]) == (2, 40)


async def test_one_failed_token_request_fails_all_who_waited_and_the_next_call_asks_again(
    sandbox: Sandbox, client: PhonePe
) -> None:
    sandbox.faults["token"].append("503")
    outcomes = await asyncio.gather(*(create(client, f"RCH-{n}") for n in range(20)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {GatewayUnavailable}
    assert sandbox.calls["token"] == 1
    await create(client)
    assert (sandbox.calls["token"], sandbox.calls["pay"]) == (2, 1)


async def test_a_caller_who_gives_up_does_not_spoil_the_token_for_others() -> None:
    asked, granted = asyncio.Event(), asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/oauth/token"):
            asked.set()
            await granted.wait()
            return httpx.Response(200, json={"access_token": "t", "issued_at": 0, "expires_at": 3600})
        return httpx.Response(200, json={"state": "PENDING", "amount": 1})

    client = phonepe(httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    first, second = (asyncio.create_task(client.status(ORDER)) for _ in range(2))
    await asked.wait()
    first.cancel()
    granted.set()
    assert (await second).state == "PENDING"
    assert first.cancelled()


async def test_a_token_is_renewed_three_minutes_before_its_end(sandbox: Sandbox, client: PhonePe, clock: Clock) -> None:
    await create(client)
    clock.now += 3600 - 180 - 1
    await client.status(ORDER)
    assert sandbox.calls["token"] == 1
    clock.now += 1
    await client.status(ORDER)
    assert sandbox.calls["token"] == 2


@pytest.mark.row("R35")
async def test_a_wrong_wall_clock_does_not_touch_the_token() -> None:
    """R35: ours is ten years off from PhonePe's; only the difference of its own two times counts."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path.endswith("/oauth/token"):
            return httpx.Response(200, json={"access_token": "t", "issued_at": 1_000, "expires_at": 4_600})
        return httpx.Response(200, json={"state": "PENDING", "amount": 1})

    client = phonepe(httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    await client.status(ORDER)
    await client.status(ORDER)
    assert asked.count("/v1/oauth/token") == 1


async def test_an_old_token_serves_while_the_oauth_service_is_down(
    sandbox: Sandbox, client: PhonePe, clock: Clock
) -> None:
    await create(client)
    sandbox.faults["token"].extend(["503", "503"])
    clock.now += 3600 - 100
    assert (await client.status(ORDER)).state == "PENDING"
    clock.now += 100
    with pytest.raises(GatewayUnavailable):
        await client.status(ORDER)
    assert (await client.status(ORDER)).state == "PENDING"


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"access_token": 7},
        {"access_token": ""},
        {"access_token": "a\r\nX-Injected: 1"},
        {"access_token": "मुद्रा"},
    ],
)
async def test_a_token_that_cannot_be_one_is_unavailable(answer: dict[str, Any]) -> None:
    client = answering(lambda _: httpx.Response(200, json={}), token={"expires_in": 60} | answer)
    with pytest.raises(GatewayUnavailable, match="access_token"):
        await create(client)


async def test_a_revoked_token_is_renewed_and_the_payment_repeated_once(sandbox: Sandbox, client: PhonePe) -> None:
    sandbox.faults["pay"].append("401")
    assert (await create(client)).state == "PENDING"
    assert (sandbox.calls["token"], sandbox.calls["pay"]) == (2, 2)


async def test_a_second_401_is_a_refusal(sandbox: Sandbox, client: PhonePe) -> None:
    sandbox.faults["pay"].extend(["401", "401", "401"])
    with pytest.raises(GatewayRefused, match="AUTHORIZATION_FAILED"):
        await create(client)
    assert (sandbox.calls["token"], sandbox.calls["pay"]) == (2, 2)
    sandbox.faults["pay"].clear()
    assert (await create(client)).state == "PENDING"


async def test_an_order_the_gateway_never_received_is_unknown(client: PhonePe) -> None:
    with pytest.raises(OrderUnknown) as refused:
        await client.status("RCH-never")
    assert refused.value.code == "INVALID_MERCHANT_ORDER_ID"


@pytest.mark.parametrize("fault", ["400", "417", "429", "500", "garbage", "timeout"])
async def test_a_status_that_is_not_told_is_asked_again(sandbox: Sandbox, client: PhonePe, fault: str) -> None:
    await create(client)
    sandbox.faults["status"].append(fault)
    with pytest.raises(GatewayUnavailable):
        await client.status(ORDER)
    assert (await client.status(ORDER)).state == "PENDING"


async def test_a_paid_order_tells_how_it_was_paid(sandbox: Sandbox, client: PhonePe) -> None:
    await create(client)
    await sandbox.choose(ORDER, "retry")
    assert (await client.status(ORDER)).state == "PENDING"
    await sandbox.choose(ORDER, "pay")
    order, status = sandbox.orders.find(ORDER), await client.status(ORDER)
    failed, paid = order.attempts
    assert (status.state, status.amount_paise, status.error_code) == ("COMPLETED", 50_000, "")
    assert (status.utr, status.transaction_id) == (paid["rail"]["utr"], paid["transactionId"])
    assert status.transaction_id != failed["transactionId"]
    assert status.payment_mode == "UPI_QR"


async def test_a_failed_order_tells_why(sandbox: Sandbox, client: PhonePe) -> None:
    await create(client)
    await sandbox.choose(ORDER, "fail")
    status = await client.status(ORDER)
    assert (status.state, status.error_code) == ("FAILED", "INVALID_MPIN")
    assert status.body["errorContext"]["source"] == "CUSTOMER"


async def test_unknown_states_modes_and_fields_are_read(sandbox: Sandbox, client: PhonePe) -> None:
    await create(client)
    await sandbox.choose(ORDER, "pay")
    sandbox.orders.find(ORDER).overrides = {
        "state": "EXPIRED",
        "amount": "50000",
        "novelty": {"deep": [1, {"er": None}]},
        "paymentDetails": [{"paymentMode": "UPI_LITE", "state": "NEW", "rail": {"type": "HYPERLOOP"}}, "?"],
    }
    status = await client.status(ORDER)
    assert (status.state, status.amount_paise, status.payment_mode, status.utr) == ("EXPIRED", 50_000, "UPI_LITE", "")
    assert status.body["novelty"] == {"deep": [1, {"er": None}]}


async def test_the_id_in_a_path_cannot_leave_it() -> None:
    asked: list[bytes] = []

    def pg(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path)
        return httpx.Response(500)

    with pytest.raises(GatewayUnavailable):
        await answering(pg).status("../pay?x=#")
    assert asked == [b"/checkout/v2/order/..%2Fpay%3Fx%3D%23/status?details=true&errorContext=true"]


async def test_aclose_closes_only_what_it_opened(sandbox: Sandbox) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
        await phonepe(http).aclose()
        assert not http.is_closed
    own = phonepe()
    await own.aclose()
    assert own._http.is_closed


def ring(authorization: str, body: bytes) -> str | None:
    return phonepe(httpx.AsyncClient()).doorbell(authorization, body)


NAMED = json.dumps({"event": "checkout.order.completed", "payload": {"merchantOrderId": ORDER}}).encode()


@pytest.mark.parametrize(
    "header",
    [BELL, BELL.upper(), f" {BELL} ", f"SHA256 {BELL}", f"SHA256({BELL})", f"sha256({BELL.upper()})"],
)
def test_the_doorbell_knows_our_header_in_every_form(header: str) -> None:
    assert ring(header, NAMED) == ORDER


@pytest.mark.parametrize(
    "header",
    [
        "",
        "0" * 64,
        BELL[:-1],
        BELL + "0",
        f"Basic {BELL}",
        f"SHA512 {BELL}",
        "evapp_hook:hook12345",
        hashlib.sha256(b":").hexdigest(),
        "é" * 64,
        "٣" * 64,
        " " * 100_000 + "(" * 100_000,
    ],
)
def test_a_forged_header_is_unauthorized(header: str) -> None:
    with pytest.raises(GatewayRefused) as refused:
        ring(header, NAMED)
    assert refused.value.code == "UNAUTHORIZED"


def test_a_doorbell_without_credentials_lets_nobody_in() -> None:
    for username, password in (("", ""), ("evapp_hook", ""), ("", "hook12345")):
        client = phonepe(httpx.AsyncClient(), webhook_username=username, webhook_password=password)
        guess = hashlib.sha256(f"{username}:{password}".encode()).hexdigest()
        for header in ("", guess, hashlib.sha256(b"").hexdigest()):
            with pytest.raises(GatewayRefused, match="UNAUTHORIZED"):
                client.doorbell(header, NAMED)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"[]",
        b'"RCH-1"',
        b"null",
        b"\xff\xfe{\x00}\x00",
        b'{"payload": ' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"n": ' + b"9" * 100_000 + b"}",
    ],
)
def test_an_unreadable_body_is_malformed(body: bytes) -> None:
    with pytest.raises(GatewayRefused) as refused:
        ring(BELL, body)
    assert refused.value.code == "MALFORMED"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"event": "pg.refund.completed", "payload": {"originalMerchantOrderId": ORDER}}, ORDER),
        ({"payload": {"merchantRefundId": "REF-1", "originalMerchantOrderId": ORDER}}, "REF-1"),
        ({"payload": {"merchantRefundId": None, "merchantOrderId": ORDER}}, ORDER),
        ({"originalMerchantOrderId": ORDER, "refundId": "OMR1", "state": "COMPLETED"}, ORDER),
        ({"merchantOrderId": ORDER, "state": "COMPLETED"}, ORDER),
        ({"payload": {"merchantOrderId": 7}}, None),
        ({"payload": {"merchantOrderId": ""}}, None),
        ({"payload": {"merchantOrderId": "x" * 64}}, None),
        ({"payload": {"merchantOrderId": "RCH-1\n"}}, None),
        ({"payload": {"merchantOrderId": "../admin"}}, None),
        ({"payload": {"merchantOrderId": "\ud800"}}, None),
        ({"payload": None}, None),
        ({}, None),
    ],
)
def test_the_doorbell_names_only_what_could_be_ours(body: dict[str, Any], named: str | None) -> None:
    assert ring(BELL, json.dumps(body).encode()) == named


async def test_a_trace_has_each_request_without_order_and_sum(client: PhonePe) -> None:
    async with collected() as collector:
        await create(client)
        await client.status(ORDER)
    assert [(step.name, step.said) for step in collector.steps] == [
        (f"phonepe {action}", {"action": action, "outcome": "200"}) for action in ("token", "pay", "status")
    ]


async def test_a_gateway_that_is_not_there_fails_in_the_trace() -> None:
    def gone(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("to 9845012345")

    async with collected() as collector:
        with pytest.raises(GatewayUnavailable):
            await create(answering(gone))
    step = collector.step("phonepe pay")
    assert (step.well, step.said, step.events) == (False, {"action": "pay", "outcome": "ConnectTimeout"}, 0)
