"""The PhonePe sandbox: the API's rules, the person's pages, the webhooks, the faults, and a real port."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from simulator.phonepe import Sandbox, serve
from simulator.phonepe_faults import KINDS
from simulator.phonepe_orders import Refusal

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


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    async with desk.http:
        await desk.authorize()
        yield desk


async def test_a_token_tells_its_times_in_seconds(desk: Desk) -> None:
    granted = (await desk.http.post("/v1/oauth/token", data=CREDENTIALS)).json()
    assert (granted["issued_at"], granted["expires_at"]) == (1_795_344_000, 1_795_347_600)
    assert granted["expires_in"] == 3600
    assert granted["token_type"] == "O-Bearer"


@pytest.mark.parametrize("field", list(CREDENTIALS))
async def test_wrong_credentials_get_no_token(desk: Desk, field: str) -> None:
    answer = await desk.http.post("/v1/oauth/token", data=CREDENTIALS | {field: "wrong"})
    assert (answer.status_code, answer.json()["code"], answer.json()["errorCode"]) == (400, "INVALID_CLIENT", "OIM000")


async def test_every_call_needs_a_live_token(desk: Desk) -> None:
    assert (await desk.pay()).status_code == 200
    held = desk.http.headers["Authorization"]
    for header in ("", "O-Bearer wrong", held.replace("O-Bearer", "Bearer")):
        desk.http.headers["Authorization"] = header
        answer = await desk.pay(merchantOrderId="RCH-2")
        assert (answer.status_code, answer.json()["code"]) == (401, "AUTHORIZATION_FAILED")
        assert (await desk.http.get("/checkout/v2/order/RCH-1/status")).status_code == 401
    desk.http.headers["Authorization"] = held
    desk.now += 3600
    assert (await desk.pay(merchantOrderId="RCH-2")).status_code == 401


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v1/oauth/token", True),
        ("/apis/pg-sandbox/v1/oauth/token", True),
        ("/apis/identity-manager/v1/oauth/token", True),
        ("/apis/pg/v1/oauth/token", False),
        ("/checkout/v2/pay", True),
        ("/apis/pg-sandbox/checkout/v2/pay", True),
        ("/apis/pg/checkout/v2/pay", True),
        ("/apis/identity-manager/checkout/v2/pay", False),
    ],
)
async def test_the_url_layouts_are_phonepes(desk: Desk, path: str, found: bool) -> None:
    assert ((await desk.http.post(path)).status_code != 404) is found


async def test_paying_opens_a_page_on_the_host_that_was_asked(desk: Desk) -> None:
    answer = (await desk.pay()).json()
    assert answer["state"] == "PENDING"
    assert answer["expireAt"] == 1_795_344_900_000
    assert answer["redirectUrl"].startswith(f"http://pay.test/pay/{answer['orderId']}?token=")
    assert (await desk.http.get(answer["redirectUrl"])).status_code == 200


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"amount": 99}, "amount"),
        ({"amount": "100000"}, "amount"),
        ({"amount": 1e5}, "amount"),
        ({"amount": True}, "amount"),
        ({"merchantOrderId": "x" * 64}, "merchantOrderId"),
        ({"merchantOrderId": "RCH 1"}, "merchantOrderId"),
        ({"merchantOrderId": ""}, "merchantOrderId"),
        ({"merchantOrderId": None}, "merchantOrderId"),
        ({"expireAfter": 299}, "expireAfter"),
        ({"expireAfter": 3601}, "expireAfter"),
        ({"expireAfter": "900"}, "expireAfter"),
        ({"paymentFlow": None}, "paymentFlow.type"),
        ({"paymentFlow": {"type": "PG_CHECKOUT", "merchantUrls": []}}, "redirectUrl"),
        ({"paymentFlow": {"type": "PG_CHECKOUT", "merchantUrls": {"redirectUrl": "javascript:1"}}}, "redirectUrl"),
        ({"metaInfo": {"udf1": "x" * 257}}, "metaInfo"),
        ({"metaInfo": {"udf11": "x" * 51}}, "metaInfo"),
        ({"metaInfo": {"udf1": ""}}, "metaInfo"),
        ({"metaInfo": {"udf16": "x"}}, "metaInfo"),
    ],
)
async def test_a_payment_that_breaks_a_rule_is_a_bad_request(desk: Desk, broken: dict[str, Any], rule: str) -> None:
    answer = await desk.pay(**broken)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert rule in answer.json()["message"]
    assert desk.sandbox.orders.newest_first() == []


@pytest.mark.parametrize(
    "kept",
    [
        {"amount": 100},
        {"merchantOrderId": "x" * 63},
        {"expireAfter": 300},
        {"expireAfter": 3600},
        {"expireAfter": None},
        {"metaInfo": None},
        {"metaInfo": {"udf1": "x" * 256, "udf11": "x" * 50}},
    ],
)
async def test_a_payment_at_the_edge_of_a_rule_is_taken(desk: Desk, kept: dict[str, Any]) -> None:
    assert (await desk.pay(**kept)).status_code == 200


async def test_an_order_without_expire_after_lives_ten_minutes(desk: Desk) -> None:
    assert (await desk.pay(expireAfter=None)).json()["expireAt"] == 1_795_344_600_000


@pytest.mark.parametrize("content", [b"", b"nonsense", b"[]", b"[" * 100_000])
async def test_a_body_that_is_no_object_is_a_bad_request(desk: Desk, content: bytes) -> None:
    for path in ("/checkout/v2/pay", "/_sandbox/faults"):
        assert (await desk.http.post(path, content=content)).status_code == 400


async def test_an_id_is_used_once(desk: Desk) -> None:
    await desk.pay()
    answer = await desk.pay(amount=200_000)
    assert (answer.status_code, answer.json()["code"]) == (417, "INVALID_MERCHANT_ORDER_ID")


async def test_an_order_that_was_never_opened_is_not_found(desk: Desk) -> None:
    answer = await desk.http.get("/checkout/v2/order/RCH-9/status")
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_MERCHANT_ORDER_ID")


async def test_status_before_any_attempt(desk: Desk) -> None:
    opened = (await desk.pay()).json()
    assert await desk.status() == {
        "orderId": opened["orderId"],
        "state": "PENDING",
        "amount": 100_000,
        "payableAmount": 100_000,
        "feeAmount": 0,
        "expireAt": opened["expireAt"],
        "metaInfo": {"udf1": "u_8842"},
        "paymentDetails": [],
    }


async def test_status_tells_attempts_and_error_as_its_flags_ask(desk: Desk) -> None:
    await desk.pay()
    await desk.choose("retry")
    await desk.choose("fail")
    plain, full = await desk.status(), await desk.status(details="true", errorContext="True")
    assert (plain["state"], plain["errorCode"]) == ("FAILED", "INVALID_MPIN")
    assert len(plain["paymentDetails"]) == 1 and len(full["paymentDetails"]) == 2
    assert plain["paymentDetails"][0] == full["paymentDetails"][1]
    assert "errorContext" not in plain
    assert full["errorContext"]["errorCode"] == "INVALID_MPIN"


async def test_nobody_can_pay_an_expired_order(desk: Desk) -> None:
    page = (await desk.pay()).json()["redirectUrl"]
    desk.now += 900
    assert "Pay ₹" not in (await desk.http.get(page)).text
    await desk.choose("pay")
    await desk.authorize()
    assert (await desk.status())["state"] == "FAILED"
    assert desk.rung == []


async def test_the_pay_page_says_what_it_is_and_offers_the_choices(desk: Desk) -> None:
    page = await desk.http.get((await desk.pay()).json()["redirectUrl"])
    assert "PhonePe sandbox: no real money" in page.text
    assert "Pay ₹1,000.00" in page.text
    assert [choice for choice in ("pay", "fail", "retry", "later") if f"value='{choice}'" in page.text] == [
        "pay",
        "fail",
        "retry",
        "later",
    ]
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("choice", "state", "event"),
    [("pay", "COMPLETED", "checkout.order.completed"), ("fail", "FAILED", "checkout.order.failed")],
)
async def test_a_choice_decides_the_order_returns_to_the_app_and_rings(
    desk: Desk, choice: str, state: str, event: str
) -> None:
    await desk.pay()
    answer = await desk.choose(choice)
    assert (answer.status_code, answer.headers["location"]) == (303, "http://app.example/payments/return?o=1")
    assert (await desk.status())["state"] == state
    (ring,) = desk.rung
    told = json.loads(ring.content)
    assert str(ring.url) == HOOK
    assert ring.headers["authorization"] == hashlib.sha256(b"evapp_hook:hook12345").hexdigest()
    assert (told["event"], told["payload"]["state"]) == (event, state)
    assert (told["payload"]["merchantOrderId"], told["payload"]["amount"]) == ("RCH-1", 100_000)


async def test_later_leaves_the_order_for_the_list(desk: Desk) -> None:
    await desk.pay()
    assert (await desk.choose("later")).headers["location"] == "http://app.example/payments/return?o=1"
    assert (await desk.status())["state"] == "PENDING"
    assert desk.rung == []
    listed = (await desk.http.get("/")).text
    order = desk.sandbox.orders.find("RCH-1")
    assert "RCH-1" in listed and f"/pay/{order.order_id}?token={order.page_token}" in listed
    await desk.choose("pay")
    assert order.page_token not in (await desk.http.get("/")).text


async def test_a_failed_attempt_stays_on_the_page_and_the_order_can_still_be_paid(desk: Desk) -> None:
    page = (await desk.pay()).json()["redirectUrl"]
    again = await desk.choose("retry")
    assert again.headers["location"] == page.removeprefix("http://pay.test")
    assert "1 failed attempt" in (await desk.http.get(page)).text
    assert (await desk.status())["state"] == "PENDING"
    assert json.loads(desk.rung[0].content)["event"] == "checkout.transaction.attempt.failed"
    await desk.choose("pay")
    assert (await desk.status())["state"] == "COMPLETED"


async def test_a_decided_order_cannot_be_chosen_again(desk: Desk) -> None:
    page = (await desk.pay()).json()["redirectUrl"]
    await desk.choose("pay")
    assert (await desk.choose("fail")).status_code == 303
    assert (await desk.status())["state"] == "COMPLETED"
    assert len(desk.rung) == 1
    assert "Back to the app" in (await desk.http.get(page)).text


async def test_a_page_opens_only_with_its_token_and_a_known_choice(desk: Desk) -> None:
    await desk.pay()
    order = desk.sandbox.orders.find("RCH-1")
    path = f"/pay/{order.order_id}"
    assert (await desk.http.get(path, params={"token": "wrong"})).status_code == 404
    assert (await desk.http.get("/pay/OMO-none", params={"token": order.page_token})).status_code == 404
    for form in ({"token": "wrong", "choice": "pay"}, {"token": order.page_token, "choice": "steal"}, {}):
        assert (await desk.http.post(path, data=form)).status_code == 404
    assert order.state == "PENDING"


async def test_what_a_merchant_sends_is_shown_as_text(desk: Desk) -> None:
    back = "http://app.example/'><script>alert(1)</script>"
    page = (await desk.pay(paymentFlow={"type": "PG_CHECKOUT", "merchantUrls": {"redirectUrl": back}})).json()
    await desk.choose("pay")
    assert "<script" not in (await desk.http.get(page["redirectUrl"])).text


async def test_webhooks_double_and_drop_on_command(desk: Desk) -> None:
    await desk.http.post("/_sandbox/faults", json={"webhook": ["twice", "drop"]})
    for n, rung in ((1, 2), (2, 2), (3, 3)):
        await desk.pay(merchantOrderId=f"RCH-{n}")
        await desk.sandbox.choose(f"RCH-{n}", "pay")
        assert len(desk.rung) == rung
    again = await desk.http.post("/_sandbox/orders/RCH-3", json={"webhooks": 100})
    assert again.json()["webhooks"] == [200] * 100
    assert len(desk.rung) == 103


async def test_a_webhook_nobody_hears_does_not_stop_the_payment(desk: Desk) -> None:
    desk.hook_status = 0
    await desk.pay()
    assert (await desk.choose("pay")).status_code == 303
    assert (await desk.status())["state"] == "COMPLETED"


async def test_faults_are_used_up_one_call_each(desk: Desk) -> None:
    planned = await desk.http.post("/_sandbox/faults", json={"pay": ["500", "401", "garbage", "timeout"]})
    assert planned.json() == {door: [] for door in KINDS} | {"pay": ["500", "401", "garbage", "timeout"]}
    answers = [await desk.pay() for _ in range(5)]
    assert [answer.status_code for answer in answers] == [500, 401, 200, 504, 200]
    assert answers[2].headers["content-type"].startswith("text/html")
    assert answers[4].json()["state"] == "PENDING"


@pytest.mark.parametrize("fault", ["500", "garbage", "timeout"])
async def test_an_after_fault_spoils_only_the_answer(desk: Desk, fault: str) -> None:
    await desk.http.post("/_sandbox/faults", json={"pay": [fault, f"{fault}-after"]})
    await desk.pay()
    assert desk.sandbox.orders.newest_first() == []
    await desk.pay()
    assert (await desk.status())["state"] == "PENDING"


@pytest.mark.parametrize(
    "plan", [{"pay": ["melt"]}, {"pay": "500"}, {"door": ["500"]}, {"webhook": ["500"]}, {"pay": [["500"]]}]
)
async def test_a_fault_there_is_not_is_refused_and_changes_nothing(desk: Desk, plan: dict[str, Any]) -> None:
    assert (await desk.http.post("/_sandbox/faults", json={"token": ["500"]} | plan)).status_code == 400
    assert not any(desk.sandbox.faults.values())


async def test_an_order_is_commanded_and_falsified(desk: Desk) -> None:
    await desk.pay()
    command = "/_sandbox/orders/RCH-1"
    assert (await desk.http.post(command, json={"choice": "pay"})).json()["order"]["state"] == "COMPLETED"
    await desk.http.post(command, json={"answer": {"state": "EXPIRED", "amount": 50_000}})
    assert (await desk.status())["state"] == "EXPIRED"
    assert (await desk.status())["amount"] == 50_000
    wrongs: dict[str, list[Any]] = {"choice": ["steal", []], "answer": [1], "webhooks": [1001, "3", []]}
    for wrong in ({key: value} for key, values in wrongs.items() for value in values):
        assert (await desk.http.post(command, json=wrong)).status_code == 400
    assert (await desk.http.post("/_sandbox/orders/RCH-9", json={})).status_code == 400


async def test_the_same_seed_gives_the_same_ids() -> None:
    desk = Desk()

    def story() -> list[Any]:
        orders = desk.new().orders
        order = orders.open(ASKED)
        orders.take(order, "pay")
        return [order.order_id, order.page_token, order.attempts]

    assert story() == story()
    with pytest.raises(Refusal):
        desk.sandbox.orders.find("RCH-1")


async def test_a_payment_over_real_sockets_with_its_webhook() -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def hook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()
        heard.put_nowait(head)

    app = await asyncio.start_server(hook, "127.0.0.1")
    hook_url = f"http://127.0.0.1:{app.sockets[0].getsockname()[1]}/payments/phonepe/webhook"
    async with app, Sandbox(webhook_url=hook_url).serving() as url, httpx.AsyncClient(base_url=url) as http:
        granted = (await http.post("/v1/oauth/token", data=CREDENTIALS)).json()
        http.headers["Authorization"] = f"O-Bearer {granted['access_token']}"
        page = (await http.post("/checkout/v2/pay", json=ASKED)).json()["redirectUrl"]
        assert page.startswith(f"{url}/pay/")
        back = await http.post(page, data={"token": page.partition("token=")[2], "choice": "pay"})
        assert (back.status_code, back.headers["location"]) == (303, "http://app.example/payments/return?o=1")
        assert (await http.get("/checkout/v2/order/RCH-1/status")).json()["state"] == "COMPLETED"
        async with asyncio.timeout(5):
            assert (await heard.get()).startswith(b"POST /payments/phonepe/webhook HTTP/1.1")


async def test_a_held_answer_does_not_hold_up_the_end() -> None:
    sandbox = Sandbox()
    sandbox.faults["token"].append("timeout")
    async with asyncio.timeout(10), httpx.AsyncClient(timeout=30) as http:
        async with sandbox.serving() as url:
            held = asyncio.create_task(http.post(f"{url}/v1/oauth/token"))
            while not sandbox.calls["token"]:
                await http.get(url)
        assert (await held).status_code == 504


async def test_serve_runs_until_cancelled_and_leaves_the_port(unused_tcp_port: int) -> None:
    running = asyncio.create_task(serve(host="127.0.0.1", port=unused_tcp_port, webhook_url=""))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_tcp_port}") as http, asyncio.timeout(10):
        while not running.done():
            with contextlib.suppress(httpx.ConnectError):
                assert "None yet" in (await http.get("/")).text
                break
            await asyncio.sleep(0.01)
        with pytest.raises(OSError):
            await serve(host="127.0.0.1", port=unused_tcp_port, webhook_url="")
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        with pytest.raises(httpx.ConnectError):
            await http.get("/")
