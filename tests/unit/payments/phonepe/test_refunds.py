"""Refunds through the PhonePe client against the sandbox: what it sends, believes, and never sends again."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain.recharges import GatewayRefused, GatewayUnavailable, OrderUnknown
from payments import shapes
from payments.phonepe import PhonePe
from simulator.phonepe import Sandbox
from tests.unit.payments.phonepe.desk import ORDER, UNKNOWN_OUTCOMES, answering, create, phonepe

REFUND = "REF-0193c0a7f1e27c0e8a41c2d9b7f4a611"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(seed=1, hold_s=0)


@pytest.fixture
async def client(sandbox: Sandbox) -> AsyncIterator[PhonePe]:
    """A client whose order of ₹500 was paid."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
        client = phonepe(http)
        await create(client)
        await sandbox.choose(ORDER, "pay")
        yield client


async def refund(client: PhonePe, paise: int = 20_000) -> Any:
    return await client.refund(merchant_refund_id=REFUND, merchant_order_id=ORDER, amount_paise=paise)


async def test_a_refund_names_its_recharge(client: PhonePe) -> None:
    await refund(client)
    assert (await client.refund_status(REFUND)).merchant_order_id == ORDER


async def test_a_refund_and_its_states(sandbox: Sandbox, client: PhonePe) -> None:
    asked = await refund(client)
    stored = sandbox.refunds.find(REFUND)
    assert (asked.gateway_refund_id, asked.state, asked.amount_paise) == (stored.refund_id, "PENDING", 20_000)
    assert stored.merchant_order_id == ORDER
    for state in ("CONFIRMED", "COMPLETED", "FAILED"):
        await sandbox.decide(REFUND, state)
        told = await client.refund_status(REFUND)
        assert (told.state, told.amount_paise, told.gateway_refund_id) == (state, 20_000, stored.refund_id)
        assert told.error_code == ("INTERNAL_SERVER_ERROR" if state == "FAILED" else "")


async def test_both_url_layouts_reach_refunds(sandbox: Sandbox, client: PhonePe) -> None:
    await refund(client)
    for pg, oauth in (("pg-sandbox", "pg-sandbox"), ("pg", "identity-manager")):
        base = "http://localhost/apis/"
        async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
            other = phonepe(http, pg_url=base + pg, oauth_url=base + oauth)
            assert (await other.refund_status(REFUND)).state == "PENDING"


async def test_a_refusal_carries_the_gateways_words(client: PhonePe) -> None:
    with pytest.raises(GatewayRefused) as refused:
        await refund(client, 50_001)
    assert refused.value.code == "INVALID_REFUND_AMOUNT"


@pytest.mark.row("R32")
@pytest.mark.parametrize("fault", (*UNKNOWN_OUTCOMES, "417"))
async def test_an_unknown_outcome_is_not_repeated_and_status_tells(
    sandbox: Sandbox, client: PhonePe, fault: str
) -> None:
    """R32; an id used before is one more reason to ask."""
    sandbox.faults["refund"].append(fault)
    with pytest.raises(GatewayUnavailable):
        await refund(client)
    assert sandbox.calls["refund"] == 1
    if fault.endswith("-after"):
        assert (await client.refund_status(REFUND)).state == "PENDING"
    else:
        with pytest.raises(OrderUnknown):
            await client.refund_status(REFUND)


@pytest.mark.parametrize("status", [403, 404, 409, 422])
async def test_only_a_400_says_that_nothing_goes_back(status: int) -> None:
    client = answering(lambda _: httpx.Response(status, json={"code": "NO"}))
    with pytest.raises(GatewayUnavailable, match=f"{status} to a refund: NO"):
        await refund(client)


@pytest.mark.row("R20")
async def test_a_revoked_token_is_renewed_once(sandbox: Sandbox, client: PhonePe) -> None:
    """R20: a 401 was refused before acting, so repeating it is no second refund."""
    sandbox.tokens.clear()
    await refund(client)
    assert (sandbox.calls["refund"], len(sandbox.refunds.newest_first())) == (2, 1)


@pytest.mark.parametrize("fault", ["400", "401", "417", "429", "500", "garbage", "timeout"])
async def test_whatever_status_answers_is_not_an_end(sandbox: Sandbox, client: PhonePe, fault: str) -> None:
    await refund(client)
    sandbox.faults["refund-status"].extend([fault, fault])
    with pytest.raises(GatewayUnavailable):
        await client.refund_status(REFUND)


async def test_an_answer_about_another_refund_is_not_believed(client: PhonePe, sandbox: Sandbox) -> None:
    await refund(client)
    sandbox.refunds.find(REFUND).overrides = {"merchantRefundId": "REF-2"}
    with pytest.raises(GatewayUnavailable, match="another refund"):
        await client.refund_status(REFUND)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"state": "COMPLETED"}, "paise"),
        ({"state": "COMPLETED", "amount": 1.5}, "paise"),
        ({"state": "COMPLETED", "amount": -1}, "paise"),
        ({"amount": 100}, "state"),
        ({"state": 3, "amount": 100}, "state"),
        ({"state": "", "amount": 100}, "state"),
    ],
)
async def test_what_money_depends_on_is_exact(body: dict[str, Any], wrong: str) -> None:
    client = answering(lambda _: httpx.Response(200, json=body))
    for call in (refund(client), client.refund_status(REFUND)):
        with pytest.raises(GatewayUnavailable, match=wrong):
            await call


def test_the_fixtures_of_the_official_sdk_are_read() -> None:
    """As tests/test_refund.py and tests/test_refund_status.py of phonepe-pg-sdk-python 3.0.1 have them."""
    asked = shapes.refund_status({"refundId": "OMR5757225", "amount": 3, "state": "PENDING"}, REFUND)
    assert (asked.gateway_refund_id, asked.amount_paise, asked.state) == ("OMR5757225", 3, "PENDING")
    attempt = {
        "transactionId": "OMR2403071623443032708524",
        "paymentMode": "UPI_INTENT",
        "timestamp": 1709808824322,
        "amount": 100,
        "state": "CONFIRMED",
        "responseCode": "PAYMENT_SUCCESS",
        "backendErrorCode": "SUCCESS",
    }
    body = {
        "merchantId": "MID",
        "merchantRefundId": "merchant_refund_id",
        "originalMerchantOrderId": "Merchant1709808573",
        "amount": 100,
        "state": "CONFIRMED",
        "paymentDetails": [attempt],
    }
    told = shapes.refund_status(body, "merchant_refund_id")
    assert (told.gateway_refund_id, told.amount_paise, told.state, told.error_code) == (
        "OMR2403071623443032708524",
        100,
        "CONFIRMED",
        "",
    )


def test_what_is_kept_of_a_refund_names_nobody() -> None:
    attempt = {"rail": {"vpa": "asha@ybl", "utr": "1"}, "instrument": {"accountNumber": "121212121212"}}
    told = shapes.refund_status({"amount": 100, "state": "COMPLETED", "paymentDetails": [attempt]}, REFUND)
    assert "asha" not in str(told.body) and "1212" not in str(told.body)
