"""The sandbox's refunds: the API's rules, the states on command, the webhooks in both shapes, and the attempts."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from simulator.phonepe_faults import KINDS
from tests.unit.simulator.phonepe.desk import Desk

ASKED: dict[str, Any] = {"merchantRefundId": "REF-1", "originalMerchantOrderId": "RCH-1", "amount": 40_000}


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """A desk with one paid order of ₹1,000."""
    desk = Desk()
    async with desk.http:
        await desk.authorize()
        await desk.pay()
        await desk.sandbox.choose("RCH-1", "pay")
        desk.rung.clear()
        yield desk


async def refund(desk: Desk, **other: Any) -> httpx.Response:
    return await desk.http.post("/payments/v2/refund", json=ASKED | other)


async def told(desk: Desk, refund_id: str = "REF-1") -> dict[str, Any]:
    answer = await desk.http.get(f"/payments/v2/refund/{refund_id}/status")
    assert answer.status_code == 200
    return dict(answer.json())


async def decide(desk: Desk, refund_id: str = "REF-1", **command: Any) -> dict[str, Any]:
    answer = await desk.http.post(f"/_sandbox/refunds/{refund_id}", json=command)
    assert answer.status_code == 200
    return dict(answer.json())


async def test_a_refund_is_taken_and_waits_for_the_bank(desk: Desk) -> None:
    answer = (await refund(desk)).json()
    assert (answer["amount"], answer["state"]) == (40_000, "PENDING")
    assert answer["refundId"].startswith("OMR")
    status = await told(desk)
    assert (status["merchantRefundId"], status["originalMerchantOrderId"]) == ("REF-1", "RCH-1")
    assert (status["amount"], status["state"]) == (40_000, "PENDING")
    (attempt,) = status["paymentDetails"]
    assert (attempt["transactionId"], attempt["paymentMode"]) == (answer["refundId"], "UPI_QR")


@pytest.mark.parametrize("layout", ["", "/apis/pg-sandbox", "/apis/pg"])
async def test_refunds_are_in_both_url_layouts(desk: Desk, layout: str) -> None:
    assert (await desk.http.post(f"{layout}/payments/v2/refund", json=ASKED)).status_code == 200
    assert (await desk.http.get(f"{layout}/payments/v2/refund/REF-1/status")).status_code == 200
    attempt = desk.sandbox.orders.find("RCH-1").attempts[0]["transactionId"]
    assert (await desk.http.get(f"{layout}/checkout/v2/transaction/{attempt}/status")).status_code == 200


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ({"merchantRefundId": "x" * 64}, "BAD_REQUEST"),
        ({"merchantRefundId": None}, "BAD_REQUEST"),
        ({"amount": 99}, "BAD_REQUEST"),
        ({"amount": "40000"}, "BAD_REQUEST"),
        ({"amount": True}, "BAD_REQUEST"),
        ({"amount": 100_001}, "INVALID_REFUND_AMOUNT"),
        ({"originalMerchantOrderId": "RCH-9"}, "INVALID_MERCHANT_ORDER_ID"),
        ({"originalMerchantOrderId": "RCH-2"}, "INVALID_REFUND_AMOUNT"),
    ],
)
async def test_a_refund_that_breaks_a_rule_is_a_bad_request(desk: Desk, broken: dict[str, Any], code: str) -> None:
    await desk.pay(merchantOrderId="RCH-2")
    answer = await refund(desk, **broken)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert desk.sandbox.refunds.newest_first() == []


async def test_all_refunds_together_are_no_more_than_was_paid(desk: Desk) -> None:
    await refund(desk)
    assert (await refund(desk, merchantRefundId="REF-2")).json()["code"] == "REFUND_IN_PROGRESS"
    await decide(desk, state="COMPLETED")
    assert (await refund(desk, merchantRefundId="REF-2", amount=60_001)).json()["code"] == "INVALID_REFUND_AMOUNT"
    assert (await refund(desk, merchantRefundId="REF-2", amount=60_000)).status_code == 200
    await decide(desk, "REF-2", state="FAILED")
    assert (await refund(desk, merchantRefundId="REF-3", amount=60_000)).status_code == 200


async def test_a_refund_id_is_used_once(desk: Desk) -> None:
    await refund(desk)
    answer = await refund(desk, amount=100)
    assert (answer.status_code, answer.json()["code"]) == (417, "INVALID_MERCHANT_REFUND_ID")


async def test_a_refund_nobody_asked_for_is_not_found(desk: Desk) -> None:
    answer = await desk.http.get("/payments/v2/refund/REF-9/status")
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_MERCHANT_REFUND_ID")


async def test_refunds_need_a_token(desk: Desk) -> None:
    desk.http.headers["Authorization"] = "O-Bearer wrong"
    assert (await refund(desk)).status_code == 401
    assert (await desk.http.get("/payments/v2/refund/REF-1/status")).status_code == 401
    assert (await desk.http.get("/checkout/v2/transaction/OM1/status")).status_code == 401


@pytest.mark.parametrize(
    ("state", "event"),
    [
        ("CONFIRMED", "pg.refund.accepted"),
        ("COMPLETED", "pg.refund.completed"),
        ("FAILED", "pg.refund.failed"),
    ],
)
async def test_a_state_on_command_rings(desk: Desk, state: str, event: str) -> None:
    await refund(desk)
    assert (await decide(desk, state=state))["refund"]["state"] == state
    status = await told(desk)
    assert (status["state"], status["paymentDetails"][0]["state"]) == (state, state)
    assert ("errorCode" in status) == (state == "FAILED")
    bell = json.loads(desk.rung[0].content)
    assert (bell["event"], bell["type"]) == (event, event.upper().replace(".", "_"))
    assert (bell["payload"]["merchantRefundId"], bell["payload"]["state"]) == ("REF-1", state)


async def test_the_flat_webhook_names_only_the_order(desk: Desk) -> None:
    answer = (await refund(desk)).json()
    await decide(desk, state="COMPLETED", flat=True)
    assert json.loads(desk.rung[0].content) == {
        "originalMerchantOrderId": "RCH-1",
        "refundId": answer["refundId"],
        "amount": 40_000,
        "state": "COMPLETED",
    }


async def test_a_refund_lies_on_command(desk: Desk) -> None:
    await refund(desk)
    await decide(desk, answer={"amount": 1, "state": "EXPIRED"}, webhooks=2)
    status = await told(desk)
    assert (status["amount"], status["state"]) == (1, "EXPIRED")
    assert len(desk.rung) == 2
    for wrong in ({"state": "PAID"}, {"answer": [1]}, {"webhooks": 1001}):
        assert (await desk.http.post("/_sandbox/refunds/REF-1", json=wrong)).status_code == 400
    assert (await desk.http.post("/_sandbox/refunds/REF-9", json={})).status_code == 400


async def test_a_person_at_the_desk_ends_a_refund(desk: Desk) -> None:
    await refund(desk)
    page = (await desk.http.get("/")).text
    assert "Refund asked for" in page and "action='/refunds/REF-1'" in page and "₹400.00" in page
    done = await desk.http.post("/refunds/REF-1", data={"state": "COMPLETED"})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    page = (await desk.http.get("/")).text
    assert "Refunded" in page and "/refunds/REF-1" not in page
    assert (await desk.http.post("/refunds/REF-1", data={"state": "PAID"})).status_code == 400


async def test_an_attempt_tells_of_itself_only(desk: Desk) -> None:
    await desk.pay(merchantOrderId="RCH-2")
    await desk.sandbox.choose("RCH-2", "retry")
    await desk.sandbox.choose("RCH-2", "pay")
    failed, paid = desk.sandbox.orders.find("RCH-2").attempts
    for attempt in (failed, paid):
        answer = (await desk.http.get(f"/checkout/v2/transaction/{attempt['transactionId']}/status")).json()
        assert (answer["merchantOrderId"], answer["state"]) == ("RCH-2", "COMPLETED")
        assert answer["paymentDetails"] == [attempt]
    missing = await desk.http.get("/checkout/v2/transaction/OM-none/status")
    assert (missing.status_code, missing.json()["code"]) == (400, "INVALID_TRANSACTION_ID")


CALLS = {
    "token": ("POST", "/v1/oauth/token"),
    "pay": ("POST", "/checkout/v2/pay"),
    "status": ("GET", "/checkout/v2/order/RCH-1/status"),
    "attempt": ("GET", "/checkout/v2/transaction/OM1/status"),
    "refund": ("POST", "/payments/v2/refund"),
    "refund-status": ("GET", "/payments/v2/refund/REF-1/status"),
}


@pytest.mark.parametrize("door", sorted(CALLS))
async def test_every_door_fails_on_command(desk: Desk, door: str) -> None:
    assert set(CALLS) == set(KINDS) - {"webhook"}
    statuses = {"garbage": 200, "timeout": 504}
    faults = sorted(fault for fault in KINDS[door] if not fault.endswith("-after"))
    await desk.http.post("/_sandbox/faults", json={door: faults})
    for fault in faults:
        answer = await desk.http.request(*CALLS[door])
        assert answer.status_code == (statuses.get(fault) or int(fault))


async def test_a_lost_answer_is_a_refund_all_the_same(desk: Desk) -> None:
    await desk.http.post("/_sandbox/faults", json={"refund": ["503", "503-after"]})
    assert (await refund(desk)).status_code == 503
    assert desk.sandbox.refunds.newest_first() == []
    assert (await refund(desk)).status_code == 503
    assert (await told(desk))["state"] == "PENDING"


async def test_webhooks_come_late_forged_and_altered_on_command(desk: Desk) -> None:
    await refund(desk)
    await desk.http.post("/_sandbox/faults", json={"webhook": ["forged", "altered", "late"]})
    await decide(desk, state="CONFIRMED")
    await decide(desk, state="CONFIRMED")
    forged, altered = desk.rung
    ours = desk.sandbox.bell.credentials
    assert forged.headers["authorization"] != ours
    assert altered.headers["authorization"] == ours
    assert json.loads(altered.content)["payload"]["amount"] == 4_000_000
    await decide(desk, state="COMPLETED")
    async with asyncio.timeout(5):
        while len(desk.rung) < 3:
            await asyncio.sleep(0)
    assert json.loads(desk.rung[2].content)["payload"]["state"] == "COMPLETED"
