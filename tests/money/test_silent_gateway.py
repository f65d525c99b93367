"""A gateway that does not answer a recharge: what was asked is found out, and what was not is not begun."""

import pytest

from domain import funnel, poll_schedule
from domain.breaker import REST_S, SILENCES, Breaker
from domain.db import read
from domain.models import OrderState
from domain.recharges import GatewayBusy
from tests.money.house import RUPEES_500, Clock, Gateway, credits, found, placed
from tests.money.orders import SILENT, opened


@pytest.mark.row("R18")
async def test_a_lost_pay_answer_is_found_by_status(asha: int, gateway: Gateway) -> None:
    """R18: PhonePe acted, its answer was lost; the id is not sent again, and money would arrive."""
    order_id = (await placed(asha)).merchant_order_id
    gateway.create_raises.append(SILENT)
    gateway.raises_after = True
    assert await funnel.begin(gateway, order_id) == ""
    assert (await found(order_id)).state == OrderState.PENDING
    assert await funnel.begin(gateway, order_id) == ""
    assert gateway.calls["create"] == 1
    gateway.pay(order_id)
    await funnel.settle(gateway, order_id)
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R18")
async def test_a_pay_request_that_never_arrived(asha: int, gateway: Gateway, clock: Clock) -> None:
    """R18: nothing there, nothing charged; closed when it can no longer be under way."""
    order_id = (await placed(asha)).merchant_order_id
    gateway.create_raises.append(SILENT)
    assert await funnel.begin(gateway, order_id) == ""
    order = await found(order_id)
    assert order.state == OrderState.UNKNOWN
    assert order.due_at == order.created_at + poll_schedule.FIRST
    assert await funnel.begin(gateway, order_id) == ""
    assert gateway.calls["create"] == 1
    clock.at = order.expires_at + poll_schedule.GRACE
    await funnel.poll(gateway, clock.at)
    assert (await found(order_id)).state == OrderState.FAILED


@pytest.mark.row("R19")
async def test_an_id_used_before_is_adopted(asha: int, gateway: Gateway) -> None:
    """R19: a crash between the gateway's answer and our writing it down."""
    order_id = (await placed(asha)).merchant_order_id
    await gateway.create(merchant_order_id=order_id, amount_paise=RUPEES_500, redirect_url="", user_ref="")
    assert await funnel.begin(gateway, order_id) == ""
    order = await found(order_id)
    assert (order.state, order.gateway_order_id) == (OrderState.PENDING, "OMO1")
    gateway.pay(order_id)
    await funnel.settle(gateway, order_id)
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R22")
async def test_silence_changes_nothing_and_keeps_the_schedule(asha: int, gateway: Gateway, clock: Clock) -> None:
    """R22."""
    order_id = await opened(gateway, asha)
    before = await found(order_id)
    gateway.status_raises.append(SILENT)
    await funnel.settle(gateway, order_id)
    assert (await found(order_id)).model_dump() == before.model_dump()
    gateway.pay(order_id)
    assert await funnel.poll(gateway, clock.at + poll_schedule.FIRST) == 1
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R21")
async def test_five_silences_open_the_breaker_and_one_answer_closes_it(
    asha: int, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R21: no new payments, polls continue, it recovers by itself."""
    order_id = await opened(gateway, asha)
    for _ in range(SILENCES):
        assert not funnel.breaker.open
        gateway.status_raises.append(SILENT)
        await funnel.settle(gateway, order_id)
    assert funnel.breaker.open
    gateway.pay(order_id)
    await funnel.settle(gateway, order_id)
    assert not funnel.breaker.open
    assert await read(credits, asha) == [RUPEES_500]


async def test_a_gateway_that_is_asked_too_often_is_there(asha: int, gateway: Gateway) -> None:
    """Its 429 says so: nobody is kept from paying for it."""
    order_id = await opened(gateway, asha)
    for _ in range(SILENCES):
        gateway.status_raises.append(GatewayBusy("PhonePe answered 429"))
        await funnel.settle(gateway, order_id)
    assert not funnel.breaker.open
    assert (await found(order_id)).state == OrderState.PENDING


@pytest.mark.row("R21")
def test_with_nothing_to_poll_the_breaker_lets_one_try_after_a_rest() -> None:
    """R21."""
    at = 1_000.0
    breaker = Breaker(lambda: at)
    for _ in range(SILENCES):
        breaker.silent()
    assert breaker.open and not breaker.lets_through()
    at += REST_S
    assert not breaker.open
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
    at += REST_S
    breaker.silent()
    assert breaker.open


@pytest.mark.row("R21")
async def test_while_the_gateway_is_away_a_placed_order_is_not_begun(asha: int, gateway: Gateway) -> None:
    """R21: it was placed a moment before; nothing is sent, nothing is lost, and it can be begun once it is back."""
    order_id = (await placed(asha)).merchant_order_id
    for _ in range(SILENCES):
        funnel.breaker.silent()
    assert await funnel.begin(gateway, order_id) == ""
    assert (gateway.calls.total(), (await found(order_id)).state) == (0, OrderState.NEW)
    funnel.breaker.answered()
    assert await funnel.begin(gateway, order_id)
