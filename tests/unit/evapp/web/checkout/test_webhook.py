"""PhonePe's doorbell: whoever rings, what he says is asked for, and no flood of it costs anything."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette

from domain import evidence, funnel, wallet
from domain.db import read
from domain.models import GatewayEvent, OrderState, now
from evapp.web import checkout
from payments.phonepe import PhonePe
from simulator.phonepe import Sandbox
from tests.money.house import RUPEES_500, credits, found, rows
from tests.unit.evapp.web.checkout.desk import HOOK, Browse, bell, opened_order, quiet


@pytest.mark.row("R1")
async def test_the_webhook_brings_the_money(asha: int, phone: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """R1."""
    order_id = await opened_order(phone, asha)
    order = await sandbox.choose(order_id, "pay")
    await quiet()
    stored = await found(order_id)
    assert stored.state == OrderState.CREDITED
    assert stored.utr == order.attempts[-1]["rail"]["utr"]
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R4")
async def test_a_hundred_webhooks_at_once(asha: int, phone: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """R4: one credit, all answered 200, and PhonePe is not asked a hundred times."""
    order_id = await opened_order(phone, asha)
    sandbox.faults["webhook"].append("drop")
    order = await sandbox.choose(order_id, "pay")
    assert await sandbox.bell.tell_order(order, 100) == [200] * 100
    await quiet()
    assert await read(credits, asha) == [RUPEES_500]
    assert sandbox.calls["status"] <= 3


@pytest.mark.row("R15")
async def test_a_failed_attempt_then_success(asha: int, phone: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """R15."""
    order_id = await opened_order(phone, asha)
    await sandbox.choose(order_id, "retry")
    await quiet()
    assert (await found(order_id)).state == OrderState.PENDING
    await sandbox.choose(order_id, "pay")
    await quiet()
    assert await read(credits, asha) == [RUPEES_500]


async def test_failure_is_kept_with_its_reason(asha: int, phone: httpx.AsyncClient, sandbox: Sandbox) -> None:
    order_id = await opened_order(phone, asha)
    await sandbox.choose(order_id, "fail")
    await quiet()
    order = await found(order_id)
    assert (order.state, order.error_code) == (OrderState.FAILED, "INVALID_MPIN")


@pytest.mark.row("R7")
@pytest.mark.parametrize(
    "authorization",
    [{}, {"authorization": ""}, {"authorization": "0" * 64}, {"authorization": "Basic ZXZhcHA6aG9vaw=="}],
)
async def test_foreign_credentials_are_refused_and_ask_nobody(
    asha: int, phone: httpx.AsyncClient, sandbox: Sandbox, authorization: dict[str, str]
) -> None:
    """R7."""
    order_id = await opened_order(phone, asha)
    sandbox.faults["webhook"].append("drop")
    await sandbox.choose(order_id, "pay")
    answer = await phone.post(HOOK, content=bell(order_id), headers=authorization)
    await quiet()
    assert answer.status_code == 401
    assert sandbox.calls["status"] == 0
    assert await read(credits, asha) == []


@pytest.mark.row("R7")
async def test_a_flood_of_foreign_credentials_is_cut_short_by_address(
    asha: int, phone: httpx.AsyncClient, browse: Browse, sandbox: Sandbox, credentials: dict[str, str]
) -> None:
    """R7; the right credentials are never refused, not even from that address."""
    statuses = [(await phone.post(HOOK, content=b"{}")).status_code for _ in range(40)]
    assert statuses == [401] * checkout.REFUSALS_A_MINUTE + [429] * (40 - checkout.REFUSALS_A_MINUTE)
    assert (await browse(address="198.51.100.9").post(HOOK, content=b"{}")).status_code == 401
    assert (await phone.post(HOOK, content=b"{}", headers=credentials)).status_code == 200


@pytest.mark.row("R8")
async def test_a_captured_header_on_an_altered_body(
    asha: int, phone: httpx.AsyncClient, sandbox: Sandbox, credentials: dict[str, str]
) -> None:
    """R8: not paid, so nothing; then paid, and what was asked for is what comes."""
    order_id = await opened_order(phone, asha)
    lie = bell(order_id, amount=100 * RUPEES_500)
    assert (await phone.post(HOOK, content=lie, headers=credentials)).status_code == 200
    await quiet()
    assert await read(credits, asha) == []
    sandbox.faults["webhook"].append("drop")
    await sandbox.choose(order_id, "pay")
    await phone.post(HOOK, content=lie, headers=credentials)
    await quiet()
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R9")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[]", 400),
        (b"\xff\xfe", 400),
        (b"[" * 60_000, 400),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
        (b"{}", 200),
        (b'{"payload": {"merchantOrderId": 5}}', 200),
        (b'{"payload": {"merchantOrderId": "RCH-0"}}', 200),
        (b'{"payload": {"merchantOrderId": "\' OR 1=1 --"}}', 200),
        (b'{"originalMerchantOrderId": "RCH-0", "state": "COMPLETED"}', 200),
        (b"x" * (checkout.LARGEST + 1), 413),
    ],
)
async def test_whatever_rings_changes_nothing(
    asha: int, phone: httpx.AsyncClient, sandbox: Sandbox, credentials: dict[str, str], body: bytes, status: int
) -> None:
    """R9."""
    assert (await phone.post(HOOK, content=body, headers=credentials)).status_code == status
    await quiet()
    assert sandbox.calls["status"] == 0
    assert await read(rows, GatewayEvent) == 0


@pytest.mark.row("R9")
async def test_ten_megabytes_are_not_read(phone: httpx.AsyncClient, credentials: dict[str, str]) -> None:
    """R9: whether the length is announced or not."""
    read_bytes = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read_bytes
        for _ in range(1_000):
            read_bytes += 10_000
            yield b"x" * 10_000

    assert (await phone.post(HOOK, content=endless(), headers=credentials)).status_code == 413
    assert read_bytes < 2 * checkout.LARGEST


async def test_a_thousand_different_rings_with_captured_credentials(
    asha: int, phone: httpx.AsyncClient, sandbox: Sandbox, credentials: dict[str, str]
) -> None:
    """R4, R8: one credit, a handful of rows, a handful of questions, and no more memory than for a hundred."""
    order_id = await opened_order(phone, asha)

    async def flood(numbers: range) -> int:
        tracemalloc.start()
        for n in numbers:
            answer = await phone.post(HOOK, content=bell(order_id, amount=n, pad="x" * 20_000), headers=credentials)
            assert answer.status_code == 200
        await quiet()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    await flood(range(20))
    few, many = await flood(range(20, 120)), await flood(range(120, 1_000))
    assert many < few + 1_000_000
    assert await read(rows, GatewayEvent) <= evidence.RINGS + 5
    sandbox.faults["webhook"].append("drop")
    await sandbox.choose(order_id, "pay")
    await phone.post(HOOK, content=bell(order_id), headers=credentials)
    await quiet()
    assert await read(credits, asha) == [RUPEES_500]


async def test_fifty_megabytes_take_no_memory(phone: httpx.AsyncClient, credentials: dict[str, str]) -> None:
    """R9: announced or not, they are not kept."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(800):
            yield bytes(65_536)

    tracemalloc.start()
    assert (await phone.post(HOOK, content=endless(), headers=credentials)).status_code == 413
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 4_000_000


async def webhook_with(doors: Starlette, receive: Callable[[], Awaitable[dict[str, Any]]]) -> int:
    """The status that a request with these messages gets."""
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": HOOK,
        "query_string": b"",
        "headers": [],
        "client": ("203.0.113.7", 1),
    }

    async def send(message: Any) -> None:
        sent.append(message)

    await doors(scope, receive, send)
    status: int = sent[0]["status"]
    return status


async def test_a_body_that_drips_is_not_waited_for(
    phonepe: PhonePe, doors: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "PATIENCE_S", 0.01)
    never = asyncio.Event()

    async def drip() -> dict[str, Any]:
        await never.wait()
        raise AssertionError

    assert await webhook_with(doors, drip) == 408


async def test_a_sender_that_hangs_up(phonepe: PhonePe, doors: Starlette) -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert await webhook_with(doors, gone) == 400


@pytest.mark.row("R40")
async def test_a_broken_database_is_no_reason_to_lose_a_bell(
    asha: int, phone: httpx.AsyncClient, phonepe: PhonePe, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R40: answered 200, nothing half-written, and the poller does it."""
    order_id = await opened_order(phone, asha)

    def full(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as broken_disk:
        broken_disk.setattr(wallet, "fund_open_hold", full)
        sandbox.faults["webhook"].append("drop")
        order = await sandbox.choose(order_id, "pay")
        assert await sandbox.bell.tell_order(order) == [200]
        await quiet()
        assert await read(credits, asha) == []
    assert await funnel.poll(phonepe, now() + timedelta(seconds=25)) == 1
    assert await read(credits, asha) == [RUPEES_500]


@pytest.mark.row("R20")
async def test_token_renewed_in_the_middle(asha: int, phone: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """R20."""
    order_id = await opened_order(phone, asha)
    sandbox.tokens.clear()
    await sandbox.choose(order_id, "pay")
    await quiet()
    assert await read(credits, asha) == [RUPEES_500]
    assert sandbox.calls["token"] == 2


@pytest.mark.row("R11")
async def test_a_payment_of_another_amount(asha: int, phone: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """R11."""
    order_id = await opened_order(phone, asha)
    sandbox.orders.find(order_id).overrides["amount"] = RUPEES_500 - 100
    await sandbox.choose(order_id, "pay")
    await quiet()
    assert (await found(order_id)).state == OrderState.MISMATCH
    assert await read(credits, asha) == []


@pytest.mark.row("R22", "R37")
@pytest.mark.parametrize(
    "told", [{"state": "EXPIRED"}, {"state": "NEW_STATE", "type": "NEW"}, {"amount": 499.5}, {"amount": -50_000}]
)
async def test_what_phonepe_never_said_before_is_not_paid(
    asha: int, phone: httpx.AsyncClient, sandbox: Sandbox, told: dict[str, Any]
) -> None:
    """R37, R22."""
    order_id = await opened_order(phone, asha)
    sandbox.orders.find(order_id).overrides |= told
    await sandbox.choose(order_id, "pay")
    await quiet()
    order = await found(order_id)
    assert order.state == OrderState.PENDING
    assert order.due_at is not None
    assert await read(credits, asha) == []


async def test_the_doors_take_only_their_own_methods(phone: httpx.AsyncClient) -> None:
    assert (await phone.get(HOOK)).status_code == 405
    assert (await phone.post("/payments/go/RCH-0")).status_code == 405
    assert (await phone.post("/payments/return?order=RCH-0")).status_code == 405
