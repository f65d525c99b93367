"""The way back from PhonePe: the money is there, whoever comes, and nobody waits for a slow gateway."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from domain import funnel
from domain.db import read, transact
from domain.models import now
from evapp.web import checkout
from payments.phonepe import PhonePe
from simulator.phonepe import Sandbox
from tests.money.house import RUPEES_500, Gateway, credits, driver
from tests.unit.evapp.web.checkout.desk import Browse, opened_order, quiet, sign_in


@pytest.mark.row("R1")
async def test_the_owner_comes_back_to_money(asha: int, phone: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """R1 without the webhook: the return alone credits, before the wallet is shown."""
    order_id = await opened_order(phone, asha)
    sandbox.faults["webhook"].append("drop")
    await sandbox.choose(order_id, "pay")
    answer = await phone.get("/payments/return", params={"order": order_id})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/wallet?paid={order_id}")
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R12")
@pytest.mark.parametrize("name", ["", "ravi"])
async def test_anybody_else_learns_nothing_but_rings_all_the_same(
    asha: int, phone: httpx.AsyncClient, browse: Browse, sandbox: Sandbox, name: str
) -> None:
    """R12."""
    order_id = await opened_order(phone, asha)
    sandbox.faults["webhook"].append("drop")
    await sandbox.choose(order_id, "pay")
    other = await transact(driver, name) if name else None
    if other:
        await sign_in(other)
    answer = await browse(other).get("/payments/return", params={"order": order_id})
    assert answer.status_code == 200
    assert "Your payment is being confirmed." in answer.text
    assert not any(secret in answer.text for secret in (order_id, "asha", "500", "wallet?"))
    assert sandbox.calls["status"] == 1
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.parametrize("order_id", ["", "RCH-0", "<script>alert(1)</script>", "../../etc", "a" * 3_000, "ऋ", "\x00"])
async def test_no_order_of_ours_asks_nobody(phone: httpx.AsyncClient, sandbox: Sandbox, order_id: str) -> None:
    answer = await phone.get("/payments/return", params={"order": order_id})
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert sandbox.calls["status"] == 0


async def test_a_slow_gateway_keeps_nobody_waiting(
    asha: int, browse: Browse, doors: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = Gateway()
    doors.router.routes[:] = checkout.routes(gateway)
    monkeypatch.setattr(checkout, "PATIENCE_S", 0.05)
    await sign_in(asha)
    phone = browse(asha)
    order_id = await opened_order(phone, asha)
    gateway.pay(order_id)
    gateway.shut()
    answer = await phone.get("/payments/return", params={"order": order_id})
    assert answer.headers["location"] == f"/wallet?paid={order_id}"
    assert await read(credits, asha) == []
    gateway.gate.set()
    await quiet()
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R6")
async def test_return_webhook_and_poller_at_once(asha: int, phone: httpx.AsyncClient, phonepe: PhonePe,
                                                 sandbox: Sandbox) -> None:  # fmt: skip
    """R6."""
    order_id = await opened_order(phone, asha)
    answers: list[Any] = await asyncio.gather(
        sandbox.choose(order_id, "pay"),
        *(phone.get("/payments/return", params={"order": order_id}) for _ in range(10)),
        funnel.poll(phonepe, now() + timedelta(seconds=25)),
    )
    await quiet()
    assert {answer.status_code for answer in answers[1:-1]} == {303}
    await funnel.settle(phonepe, order_id)
    assert await read(credits, asha) == [RUPEES_500]


async def test_whoever_comes_back_again_asks_no_more(
    asha: int, phone: httpx.AsyncClient, browse: Browse, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strangers ask once in ten seconds, and the owner once: he is told the truth though a stranger came first."""
    moment = [0.0]
    monkeypatch.setattr(checkout, "_returns", checkout.Returns(lambda: moment[0]))
    order_id = await opened_order(phone, asha)
    sandbox.faults["webhook"].append("drop")
    for _ in range(50):
        await browse().get("/payments/return", params={"order": order_id})
    assert sandbox.calls["status"] == 1
    await sandbox.choose(order_id, "pay")
    await phone.get("/payments/return", params={"order": order_id})
    assert sandbox.calls["status"] == 2
    assert await read(credits, asha) == [RUPEES_500]


async def test_some_seconds_later_one_may_ask_again(
    asha: int, phone: httpx.AsyncClient, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [0.0]
    monkeypatch.setattr(checkout, "_returns", checkout.Returns(lambda: moment[0]))
    order_id = await opened_order(phone, asha)
    for at in (0.0, 9.0, 10.0, 11.0):
        moment[0] = at
        answer = await phone.get("/payments/return", params={"order": order_id})
        assert answer.headers["location"] == f"/wallet?paid={order_id}"
    assert sandbox.calls["status"] == 2
    assert len(checkout._returns._asked) == 1, "what was long ago is forgotten"
