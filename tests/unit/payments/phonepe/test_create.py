"""Orders through the PhonePe client: what it asks, believes, repeats and refuses."""

import asyncio
import inspect

import httpx
import pytest

from domain.recharges import GatewayRefused, GatewayUnavailable, OrderExists, OrderUnknown, PaymentGateway
from payments.phonepe import PhonePe
from simulator.phonepe import Sandbox
from tests.collector import collected
from tests.unit.payments.phonepe.desk import BACK, ORDER, UNKNOWN_OUTCOMES, answering, create, phonepe


def test_it_is_a_payment_gateway() -> None:
    gateway: PaymentGateway = phonepe(httpx.AsyncClient())
    for call in ("create", "status", "refund", "refund_status", "doorbell"):
        assert inspect.signature(getattr(type(gateway), call)) == inspect.signature(getattr(PaymentGateway, call))


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
