"""The PhonePe sandbox's API: PhonePe's rules, and what each broken one is answered."""

from typing import Any

import pytest

from tests.unit.simulator.phonepe.desk import CREDENTIALS, Desk


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
