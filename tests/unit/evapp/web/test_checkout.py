"""The way to PhonePe and back with the real client and the sandbox; only the network between them is missing."""

import asyncio
import json
import shutil
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette

from domain import charging, evidence, funnel, recharges, sign_ins
from domain.db import opened, read, transact
from domain.models import GatewayEvent, OrderState, User, now
from domain.recharges import PaymentGateway
from domain.settings import settings
from domain.sign_ins import Browser, hash_token
from evapp.web import auth, checkout, flash
from payments.phonepe import PhonePe
from simulator.phonepe import Sandbox
from tests.money import house
from tests.money.house import RUPEES_500, Gateway, broken, credits, driver, found, placed, rows

HOOK = "/payments/phonepe/webhook"
Browse = Callable[..., httpx.AsyncClient]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(funnel, "breaker", funnel.Breaker())
    monkeypatch.setattr(checkout, "_refusals", checkout.Refusals())


@pytest.fixture
async def asha(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[int]:
    async with opened(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}"):
        user_id = await transact(driver)
        yield user_id
        await quiet()
        assert await read(broken) == []


@pytest.fixture
def doors() -> Starlette:
    """Our app; its routes come with the gateway, which in turn rings at them."""
    return Starlette()


@pytest.fixture
def sandbox(doors: Starlette) -> Sandbox:
    return Sandbox(seed=1, hold_s=0, webhook_url=f"{settings().url}{HOOK}", transport=httpx.ASGITransport(doors))


@pytest.fixture
async def phonepe(sandbox: Sandbox, doors: Starlette) -> AsyncIterator[PhonePe]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as http:
        gateway = house.phonepe(http)
        doors.router.routes.extend(checkout.routes(gateway))
        yield gateway


@pytest.fixture
async def browse(asha: int, phonepe: PhonePe, doors: Starlette) -> AsyncIterator[Browse]:
    """Browsers; `user_id` says who is signed in there."""
    open_ones = []

    def browser(user_id: int | None = None, address: str = "203.0.113.7") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(doors, client=(address, 50_000))
        cookies = {flash.name(auth.COOKIE): f"token{user_id}"} if user_id else {}
        open_ones.append(httpx.AsyncClient(transport=transport, base_url=settings().url, cookies=cookies))
        return open_ones[-1]

    yield browser
    for client in open_ones:
        await client.aclose()


@pytest.fixture
async def phone(asha: int, browse: Browse) -> httpx.AsyncClient:
    """Asha's browser."""
    await sign_in(asha)
    return browse(asha)


async def sign_in(user_id: int) -> None:
    def start(db: Any) -> None:
        sign_ins.start(db, db.get_one(User, user_id), Browser(hash_token(f"token{user_id}"), "", ""))

    await transact(start)


async def quiet() -> None:
    """Everything that was to happen soon has happened."""
    while checkout._ringing:
        await asyncio.gather(*checkout._ringing)


async def opened_order(phone: httpx.AsyncClient, user_id: int, nonce: str = "n1") -> str:
    order_id = (await placed(user_id, nonce=nonce)).merchant_order_id
    answer = await phone.get(f"/payments/go/{order_id}")
    assert answer.status_code == 303
    return order_id


def bell(order_id: str, **other: Any) -> bytes:
    payload = {"merchantOrderId": order_id, "state": "COMPLETED", "amount": RUPEES_500, **other}
    return json.dumps({"event": "checkout.order.completed", "payload": payload}).encode()


@pytest.fixture
def credentials(sandbox: Sandbox) -> dict[str, str]:
    return {"authorization": sandbox.bell.credentials}


# Going


@pytest.mark.parametrize("name", ["%00", "a%00b", "%F0%9F%92%B3", "a.b", "x" * 64, "RCH-%0A"])
async def test_an_address_that_cannot_be_an_order_asks_no_database(
    phone: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """PostgreSQL refuses a NUL with an error of its own."""

    async def asked(*what: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(checkout, "read", asked)
    answer = await phone.get(f"/payments/go/{name}")
    assert answer.status_code == 404
    assert "There is no such payment of yours." in answer.text


async def test_the_owner_is_sent_to_the_pay_page_as_phonepe_named_it(
    asha: int, phone: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    order_id = (await placed(asha)).merchant_order_id
    answers = [await phone.get(f"/payments/go/{order_id}") for _ in range(3)]
    order = sandbox.orders.find(order_id)
    page = f"http://localhost/pay/{order.order_id}?token={order.page_token}"
    assert {(answer.status_code, answer.headers["location"]) for answer in answers} == {(303, page)}
    assert sandbox.calls["pay"] == 1
    assert order.redirect_url == f"{settings().url}/payments/return?order={order_id}"


async def test_the_address_is_passed_on_character_by_character(asha: int, browse: Browse) -> None:
    """D11: quoting it anew would break PhonePe's token."""
    strange = "https://mercury.phonepe.com/transact?token=a%2Bb+c|d^e~{}`'%zz"
    await sign_in(asha)
    order_id = (await placed(asha)).merchant_order_id
    payment = recharges.Payment("OMO1", "PENDING", strange, None)
    await transact(recharges.opened, order_id, payment)
    assert (await browse(asha).get(f"/payments/go/{order_id}")).headers["location"] == strange


async def test_signed_out_goes_by_the_gate_and_opens_nothing(asha: int, browse: Browse, sandbox: Sandbox) -> None:
    order_id = (await placed(asha)).merchant_order_id
    answer = await browse().get(f"/payments/go/{order_id}")
    assert answer.headers["location"] == f"/auth/gate?next=%2Fpayments%2Fgo%2F{order_id}"
    assert sandbox.calls["pay"] == 0


@pytest.mark.row("R12")
@pytest.mark.parametrize("order_id", ["", "RCH-0", "%3Cscript%3E", "a" * 3_000])
async def test_another_drivers_order_is_not_found(asha: int, browse: Browse, sandbox: Sandbox, order_id: str) -> None:
    """R12: exactly like one that does not exist."""
    theirs = (await placed(await transact(driver, "ravi"))).merchant_order_id
    await sign_in(asha)
    answer = await browse(asha).get(f"/payments/go/{order_id or theirs}")
    assert answer.status_code == 404
    assert "Nothing at this address." in answer.text
    assert "script" not in answer.text
    assert sandbox.calls.total() == 0


@pytest.mark.row("R17", "R18", "R19", "R20", "R22")
@pytest.mark.parametrize("fault", ["400", "417", "500", "500-after", "timeout", "garbage", "401"])
async def test_when_phonepe_opens_no_page_the_wallet_says_why(
    asha: int, phone: httpx.AsyncClient, sandbox: Sandbox, fault: str
) -> None:
    """R17, R18, R19, R22; one 401 is repaired unnoticed (R20)."""
    sandbox.faults["pay"].append(fault)
    order_id = (await placed(asha)).merchant_order_id
    answer = await phone.get(f"/payments/go/{order_id}")
    assert answer.status_code == 303
    if fault == "401":
        assert answer.headers["location"].startswith("http://localhost/pay/")
        return
    assert answer.headers["location"] == f"/wallet?paid={order_id}"
    assert sandbox.calls["pay"] == 1
    assert (await found(order_id)).state == {"400": "REJECTED", "500-after": "PENDING"}.get(fault, fault_state(fault))


def fault_state(fault: str) -> str:
    """417 without an order behind it stays NEW: nobody opened one, and it is closed in time."""
    return "NEW" if fault == "417" else "UNKNOWN"


async def test_phonepes_credentials_refused(asha: int, phone: httpx.AsyncClient, sandbox: Sandbox) -> None:
    sandbox.faults["token"].append("400")
    order_id = (await placed(asha)).merchant_order_id
    assert (await phone.get(f"/payments/go/{order_id}")).headers["location"] == f"/wallet?paid={order_id}"
    assert (await found(order_id)).state == OrderState.REJECTED


async def test_a_bug_on_the_way_is_no_error_page(
    asha: int, phone: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bug(gateway: PaymentGateway, order_id: str) -> str:
        raise RuntimeError("a bug")

    monkeypatch.setattr(funnel, "begin", bug)
    order_id = (await placed(asha)).merchant_order_id
    answer = await phone.get(f"/payments/go/{order_id}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/wallet?paid={order_id}")


# Coming back


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


# The doorbell


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
        broken_disk.setattr(charging, "fund_open_hold", full)
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
