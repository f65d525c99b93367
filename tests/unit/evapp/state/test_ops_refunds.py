"""Any payment is found by whatever somebody names it by, and sent back once; without browsers."""

from domain import findings, placing, recharges, refunds, wallet
from domain.db import read, transact
from domain.models import RechargeOrder, now
from domain.recharges import OrderStatus, Payment
from evapp.state.ops_findings import OpsFindings
from evapp.state.ops_refunds import OpsRefunds
from tests.money import house
from tests.unit.evapp.state.test_ops import PageOf, lines, page, people, said, scope

__all__ = ["page", "people", "scope"]


async def paid(user_id: int, number: int, amount_paise: int = 50_000) -> RechargeOrder:
    """A recharge that came, with numbers of its own at PhonePe and the bank."""
    order = await transact(placing.place, user_id, amount_paise, f"n{number}")
    status = OrderStatus(f"OMO{number}", "COMPLETED", amount_paise, f"45506973{number:04d}", f"T26{number}", "", "", {})
    await transact(recharges.apply, order.merchant_order_id, status)
    return await house.found(order.merchant_order_id)


async def test_a_payment_is_found_by_whatever_names_it(page: PageOf, people: dict[str, int]) -> None:
    """The page had the newest twenty and no way to any other."""
    theirs = await paid(people["asha"], 1)
    for number in range(2, 24):
        await paid(people["ravi"], number, 60_000)
    state = await page(OpsRefunds)
    await state._refresh(0)
    assert theirs.merchant_order_id not in [row.name for row in state.rows]
    for typed in (
        *(theirs.merchant_order_id, theirs.gateway_order_id, theirs.gateway_transaction_id, theirs.utr),
        *("asha", str(people["asha"]), f" {theirs.utr} "),
    ):
        await state.search({"payment": typed})
        assert [row.name for row in state.rows] == [theirs.merchant_order_id], typed
    await state.search({"payment": "455069739999"})
    assert (state.rows, state.more) == ([], False)
    await state.search({"payment": "ravi"})
    assert (len(state.rows), state.more) == (20, True)
    await state.show_more()
    assert (len(state.rows), state.more) == (22, False)


async def test_a_refund_is_found_by_its_own_number_and_by_its_recharge(page: PageOf, people: dict[str, int]) -> None:
    order = await paid(people["asha"], 1)
    refund = await transact(refunds.request, order.merchant_order_id, 10_000, key="r", reason="He sold the car")
    state = await page(OpsRefunds)
    await state.search({"payment": refund.merchant_refund_id})
    assert (state.which, [row.name for row in state.rows]) == ("refunds", [refund.merchant_refund_id])
    await state.search({"payment": order.merchant_order_id})
    assert [row.name for row in state.rows] == [refund.merchant_refund_id]


async def test_a_finding_leads_to_its_payment(page: PageOf, people: dict[str, int]) -> None:
    """It led to the newest twenty, among which a payment of last week is not."""
    await transact(findings.note, "unconfirmed", "RCH-1", "Neither confirmed nor refused.")
    await transact(findings.note, "clock-ahead", "2026-11-29", "Two charges.")
    state = await page(OpsFindings)
    await state._refresh(0)
    assert [(row.title, row.link) for row in state.rows] == [
        ("A clock of ours was ahead", ""),
        ("A payment that nobody confirms", "/ops/refunds?find=RCH-1"),
    ]


async def test_phonepe_is_asked_about_a_payment_while_its_driver_waits(page: PageOf, people: dict[str, int]) -> None:
    """Of one that failed nobody could ask again from the pages, whatever the driver's bank said of it."""
    order, came = await house.placed(people["asha"]), await paid(people["asha"], 2)
    name = order.merchant_order_id
    await transact(recharges.opened, name, Payment("OMO9", "PENDING", "https://localhost/pay", None))
    await transact(recharges.apply, name, OrderStatus("OMO9", "FAILED", 50_000, "", "", "", "TXN_DECLINED", {}))
    state = await page(OpsRefunds)
    await state._refresh(0)
    assert [(row.state, row.can_ask) for row in state.rows] == [("In the wallet", False), ("Not paid", True)]
    await state.ask(came.merchant_order_id)
    assert await transact(recharges.due, now()) == []
    await state.ask(name)
    assert await said(state) == "PhonePe is asked within seconds."
    assert await lines() == [("payments ask", f"order:{name}")]
    assert await transact(recharges.due, now()) == [name]
    assert await transact(recharges.due, now()) == [], "once for each tap"


async def test_a_refund_is_requested_once_with_its_reason(page: PageOf, people: dict[str, int]) -> None:
    order = await house.placed(people["asha"])
    state = await page(OpsRefunds)
    await state._refresh(0)
    assert [(row.state, row.can_refund) for row in state.rows] == [("Not begun", False)]
    await state.open(order.merchant_order_id)
    assert state.refunding == ""
    status = OrderStatus("OMO1", "COMPLETED", 50_000, "455069731511", "", "", "", {})
    await transact(recharges.apply, order.merchant_order_id, status)
    await state._refresh(0)
    await state.open(order.merchant_order_id)
    await state.request({"rupees": "200", "reason": "He sold the car"})
    assert state.question.startswith("Send ₹200.00 back")
    await state.do()
    await state.do()
    [row] = state.rows
    assert (state.which, row.amount, row.state) == ("refunds", "₹200.00", "To be sent within a minute")
    assert (await read(wallet.balance, people["asha"])).balance_paise == 30_000
    assert await lines() == [("refund request", f"order:{order.merchant_order_id}")]
    state.refunding = order.merchant_order_id
    await state.request({"rupees": "999", "reason": "More"})
    await state.do()
    assert "on their way back already" in state.error
