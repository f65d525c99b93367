"""What became of an order, as the PhonePe client reads it."""

from datetime import UTC, datetime

import pytest

from domain.recharges import GatewayBusy, GatewayUnavailable, OrderUnknown
from payments.phonepe import PhonePe
from simulator.phonepe import Sandbox
from tests.unit.payments.phonepe.desk import ORDER, create


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


async def test_a_gateway_that_is_asked_too_often_says_so(sandbox: Sandbox, client: PhonePe) -> None:
    await create(client)
    sandbox.faults["status"].append("429")
    with pytest.raises(GatewayBusy):
        await client.status(ORDER)


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
    assert (status.user_ref, status.user_id) == ("u_8842", 8842)
    assert status.paid_at == datetime.fromtimestamp(paid["timestamp"] / 1000, UTC)


@pytest.mark.parametrize("meta", [None, "u_1", [], {}, *({"udf1": told} for told in (None, "u_", "u_0", "u_१", "42"))])
async def test_a_driver_that_is_not_named_is_nobody(sandbox: Sandbox, client: PhonePe, meta: object) -> None:
    await create(client)
    sandbox.orders.find(ORDER).overrides = {"metaInfo": meta}
    status = await client.status(ORDER)
    assert (status.state, status.user_id, status.paid_at) == ("PENDING", None, None)


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
