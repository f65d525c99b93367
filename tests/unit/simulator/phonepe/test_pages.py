"""The sandbox's pages: what a person can choose there, and where it leads."""

import hashlib
import json

import pytest

from tests.unit.simulator.phonepe.desk import HOOK, Desk


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
