"""The way to PhonePe: whose order it is, where it leads, and what is said when it leads nowhere."""

import httpx
import pytest

from domain import funnel, recharges
from domain.db import transact
from domain.models import OrderState
from domain.recharges import PaymentGateway
from domain.settings import settings
from evapp.web import checkout
from simulator.phonepe import Sandbox
from tests.money.house import driver, found, placed
from tests.unit.evapp.web.checkout.desk import Browse, sign_in


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
