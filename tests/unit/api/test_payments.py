"""Endpoints for recharges, refunds and suspense: what moves money moves it once."""

import asyncio

import pytest

from domain import funnel
from domain.db import read
from domain.models import RefundState
from domain.recharges import GatewayUnavailable
from tests.money.house import RUPEES_500, credits, money, placed
from tests.unit.api.conftest import Caller, House


@pytest.fixture
def user(house: House) -> int:
    return house.desk.driver(0)


async def paid(house: House, user: int, amount_paise: int = RUPEES_500) -> str:
    order = (await placed(user)).merchant_order_id
    await funnel.begin(house.gateway, order)
    house.gateway.pay(order, amount_paise=amount_paise)
    await funnel.settle(house.gateway, order)
    return order


async def test_recharges(house: House, operator: Caller, user: int) -> None:
    order = await paid(house, user)
    told = await operator.get(f"/recharges/{order}")
    assert (told["order"], told["state"], told["amount_paise"], told["utr"]) == (
        order,
        "CREDITED",
        RUPEES_500,
        "455069731511",
    )
    assert (await operator.get(f"/recharges?user_id={user}&state=CREDITED"))["items"] == [told]
    assert (await operator.get("/recharges?state=FAILED"))["items"] == []
    await operator.refused(404, "GET", "/recharges/RCH-nosuch")


async def test_a_refund_is_requested_once_and_sent_once(house: House, operator: Caller, user: int) -> None:
    order = await paid(house, user)
    body = {"order": order, "amount_paise": 20_000, "reason": "He sold the car"}
    answers = await asyncio.gather(*(operator("POST", "/refunds", body, idempotency_key="car") for _ in range(8)))
    assert {(answer.status_code, answer.json()["id"]) for answer in answers} == {(201, answers[0].json()["id"])}
    await house.quiet()
    refund_id = answers[0].json()["id"]
    told = await operator.get(f"/refunds/{refund_id}")
    assert (told["state"], told["order"], told["reason"]) == ("PENDING", order, "He sold the car")
    assert house.gateway.calls["refund"] == 1
    assert (await read(money, user)).balance_paise == RUPEES_500 - 20_000
    assert (await operator.get(f"/refunds?order={order}&state=PENDING&user_id={user}"))["items"] == [told]
    told = await operator.refused(409, "POST", "/refunds", body)
    assert "on their way back already" in told["detail"]
    [act] = await house.trail()
    assert (act.action, act.subject) == ("refund request", f"order:{order}")


async def test_refunds_that_cannot_be(house: House, operator: Caller, user: int) -> None:
    order = await paid(house, user)
    body = {"order": order, "amount_paise": RUPEES_500 + 1, "reason": "x"}
    assert "No more than" in (await operator.refused(409, "POST", "/refunds", body))["detail"]
    await operator.refused(422, "POST", "/refunds", body | {"amount_paise": 99})
    await operator.refused(404, "GET", "/refunds/REF-nosuch")
    assert (await read(money, user)).balance_paise == RUPEES_500


async def test_a_refund_that_phonepe_does_not_know_is_given_up(house: House, operator: Caller, user: int) -> None:
    order = await paid(house, user)
    house.gateway.refund_raises.append(GatewayUnavailable("nothing came"))
    made = await operator.done("POST", "/refunds", {"order": order, "amount_paise": 20_000, "reason": "x"})
    await house.quiet()
    assert (await operator.get(f"/refunds/{made['id']}"))["state"] == RefundState.UNKNOWN
    given_up = await operator.done("POST", f"/refunds/{made['id']}/give-up", {"reason": "Not on the dashboard"})
    assert given_up["state"] == RefundState.REJECTED
    assert (await read(money, user)).balance_paise == RUPEES_500
    await operator.refused(409, "POST", f"/refunds/{made['id']}/give-up", {"reason": "again"})


async def test_another_amount_that_went_back_is_accepted(house: House, operator: Caller, user: int) -> None:
    order = await paid(house, user)
    made = await operator.done("POST", "/refunds", {"order": order, "amount_paise": 20_000, "reason": "x"})
    await house.quiet()
    accept = f"/refunds/{made['id']}/accept"
    await operator.refused(409, "POST", accept, {"reason": "too early"})
    house.gateway.say_refund(made["id"], "COMPLETED", amount_paise=25_000)
    await operator.refused(422, "POST", accept, {})
    told = await operator.done("POST", accept, {"reason": "PhonePe's ticket 7"})
    assert (told["state"], told["amount_paise"], told["paid_paise"]) == (RefundState.COMPLETED, 20_000, 25_000)
    assert (await read(money, user)).balance_paise == RUPEES_500 - 20_000


async def test_money_with_another_amount_is_booked_and_given_once(house: House, operator: Caller, user: int) -> None:
    order = await paid(house, user, 40_000)
    assert (await operator.get(f"/recharges/{order}"))["state"] == "MISMATCH"
    await operator.refused(409, "POST", f"/recharges/{order}/give", {})
    house.gateway.status_raises.append(GatewayUnavailable("nothing came"))
    told = await operator.refused(502, "POST", f"/recharges/{order}/set-aside", {}, idempotency_key="aside")
    assert told["detail"].startswith("PhonePe did not say")
    for _ in range(2):
        booked = await operator.done("POST", f"/recharges/{order}/set-aside", {}, idempotency_key="aside")
        assert booked == {"order": order, "amount_paise": 40_000}
    asked = house.gateway.calls["status"]
    await operator.done("POST", f"/recharges/{order}/set-aside", {}, idempotency_key="aside")
    assert house.gateway.calls["status"] == asked
    answers = await asyncio.gather(*(operator("POST", f"/recharges/{order}/give", {}) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await read(money, user)).balance_paise == 40_000
    assert await read(credits, user) == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/recharges/RCH-nosuch", None),
        ("POST", "/recharges/RCH-nosuch/set-aside", {}),
        ("POST", "/recharges/RCH-nosuch/give", {}),
        ("POST", "/refunds", {"order": "RCH-nosuch", "amount_paise": 100, "reason": "x"}),
        ("GET", "/refunds/REF-nosuch", None),
        ("POST", "/refunds/REF-nosuch/give-up", {"reason": "x"}),
    ],
)
async def test_what_is_not_there_is_said_not_to_be(
    house: House, operator: Caller, method: str, path: str, body: dict[str, object] | None
) -> None:
    told = await operator.refused(404, method, path, body)
    assert told["type"] == "urn:evapp:problem:not-there"
    assert told["detail"] in ("There is no recharge RCH-nosuch.", "There is no refund REF-nosuch.")
    assert house.gateway.calls["status"] == 0
