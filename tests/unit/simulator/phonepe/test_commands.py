"""The sandbox on command: webhooks, faults and orders that go as a test wants them."""

from typing import Any

import pytest

from simulator.phonepe_faults import KINDS
from simulator.phonepe_orders import Refusal
from tests.unit.simulator.phonepe.desk import ASKED, Desk


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
