"""The form for adding money, as a browser and as a forger sends it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
import reflex as rx
from sqlmodel import Session, select

from domain import funnel, recharges, suspense
from domain.breaker import SILENCES
from domain.db import read, transact
from domain.models import OrderState, RechargeOrder, User, now
from domain.recharges import OrderStatus, Payment
from evapp.state.effects import Effects
from evapp.state.recharge import Recharge
from tests.money.house import driver, found, placed


@pytest.fixture(autouse=True)
def fresh_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(funnel, "breaker", funnel.Breaker())


@pytest.fixture
async def page(asha: int, scope: dict[str, Any]) -> Recharge:
    return await tab("socket1")


async def tab(socket: str) -> Recharge:
    """The form in a browser's tab."""
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    root.router = rx.istate.data.RouterData.from_router_data({"sid": socket}) if socket else root.router
    state: Recharge = await root.get_state(Recharge)
    assert state.router.session.session_id == socket
    return state


def move(page: Recharge, socket: str, path: str) -> None:
    """The tab loads this page on this socket."""
    root: Any = page.parent_state
    told = {"sid": socket, "pathname": path, "asPath": path}
    root.router = rx.istate.data.RouterData.from_router_data(told)


async def orders() -> list[tuple[int, str]]:
    found = await read(lambda db: db.exec(select(RechargeOrder).order_by(RechargeOrder.id)).all())  # type: ignore[arg-type]
    return [(order.amount_paise, order.merchant_order_id) for order in found]


async def left_to(page: Recharge) -> str:
    return (await page.get_state(Effects))._path


async def test_a_chip_is_chosen_and_paid(page: Recharge) -> None:
    assert (page.chosen, page.sum) == ("1000", "₹1,000")
    await page.choose("2000")
    assert page.sum == "₹2,000"
    await page.pay({"amount": "2000", "other": ""})
    ((paise, order_id),) = await orders()
    assert paise == 200_000
    assert await left_to(page) == f"/payments/go/{order_id}"
    assert page.leaving
    assert page.error == ""


async def test_another_amount_is_typed_and_paid(page: Recharge) -> None:
    await page.write("750.5")
    assert (page.chosen, page.sum) == ("", "₹750.50")
    await page.pay({"other": "750.5"})
    assert [paise for paise, _ in await orders()] == [75_050]


async def test_what_was_typed_last_counts_even_when_its_event_was_late(page: Recharge) -> None:
    """The form knows better than the state, which hears of keys with a delay."""
    await page.pay({"amount": "1000", "other": "600"})
    assert [paise for paise, _ in await orders()] == [60_000]


async def test_a_refused_amount_does_not_outlive_its_page(page: Recharge, asha: int) -> None:
    """Loaded anew, or elsewhere, the form begins anew; what is typed and not refused yet stays (R23's way back)."""
    await page.write("75")
    await page.pay({"other": "75"})
    await page._refresh(asha)
    assert (page.typed, page.error, page.fills) == ("75", "The least you can add is ₹500.", 0)
    move(page, "socket1", "/dashboard")
    await page._refresh(asha)
    assert (page.chosen, page.typed, page.error, page.fills) == ("1000", "", "", 1)
    await page.pay({"amount": "1"})
    move(page, "socket2", "/dashboard")
    await page.write("750.5")
    await page._refresh(asha)
    assert (page.chosen, page.typed, page.error, page.fills) == ("", "750.5", "", 1)


async def test_choosing_empties_the_field(page: Recharge) -> None:
    await page.write("75")
    assert page.sum == "₹75"
    await page.choose("500")
    assert (page.typed, page.sum, page.fills) == ("", "₹500", 1)
    await page.write("")
    assert page.chosen == "1000"


@pytest.mark.row("R28")
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("499.99", "The least you can add is ₹500."),
        ("0", "The least you can add is ₹500."),
        ("10000.01", "The most you can add at once is ₹10,000."),
        ("99999999", "The most you can add at once is ₹10,000."),
        ("999999999999", "The most you can add at once is ₹10,000."),
        *((typed, "Enter the amount in digits, like 750 or 750.50.") for typed in (
            "-500", "500.001", "1e6", "५००", "NaN", "500,00", "1e309", "6,00", "six hundred", ",600", "1,0000"
        )),
    ],
)  # fmt: skip
async def test_a_wrong_amount_gets_a_sentence_beside_the_field(page: Recharge, typed: str, sentence: str) -> None:
    """R28."""
    await page.write(typed)
    await page.pay({"other": typed})
    assert page.error == sentence
    assert not page.leaving
    assert await left_to(page) == ""
    assert await orders() == []
    await page.write("600")
    assert page.error == ""


@pytest.mark.parametrize("typed", ["₹600", " 600 ", "1,000", "₹ 1,000.50", "10,000", "\u2068₹600\u2069"])
async def test_an_amount_as_we_show_it_is_taken(page: Recharge, typed: str) -> None:
    await page.write(typed)
    assert page.sum
    await page.pay({"other": typed})
    assert (page.error, len(await orders())) == ("", 1)


@pytest.mark.row("R28", "R29")
@pytest.mark.parametrize(
    "form",
    [None, [], "500", 500, {}, {"amount": 1000}, {"other": 500.0}, {"other": ["600"]}, {"amount": {"$gt": 0}},
     {"other": True}, {"paise": "100000"}],
)  # fmt: skip
async def test_a_forged_form_places_nothing(page: Recharge, form: Any) -> None:
    """R28, R29: any payload may come over the websocket."""
    await page.pay(form)
    assert page.error == "Enter the amount in digits, like 750 or 750.50."
    assert await orders() == []


@pytest.mark.row("R29")
async def test_a_small_amount_under_a_large_chip_is_refused(page: Recharge) -> None:
    """R29: what the page says is no authority."""
    await page.pay({"amount": "1"})
    assert page.error == "The least you can add is ₹500."


@pytest.mark.parametrize("value", ["1", "750", 500, None, ["500"]])
async def test_a_chip_that_is_none_is_ignored(page: Recharge, value: Any) -> None:
    await page.choose(value)
    assert page.chosen == "1000"


@pytest.mark.parametrize("typed", [None, 600, ["600"]])
async def test_typing_that_is_no_text_is_ignored(page: Recharge, typed: Any) -> None:
    await page.write(typed)
    assert page.chosen == "1000"


async def test_a_long_text_is_cut(page: Recharge) -> None:
    await page.write("9" * 100_000)
    assert len(page.typed) < 20


@pytest.mark.row("R23")
async def test_a_double_click_is_one_order(page: Recharge) -> None:
    """R23."""
    await asyncio.gather(*(page.pay({"amount": "1000"}) for _ in range(20)))
    ((_, order_id),) = await orders()
    assert await left_to(page) == f"/payments/go/{order_id}"


@pytest.mark.row("R24")
async def test_another_amount_another_tab_or_another_load_is_another_order(page: Recharge) -> None:
    """R24: each is a wish of its own."""
    await page.pay({"amount": "1000"})
    await page.pay({"amount": "2000"})
    await (await tab("socket2")).pay({"amount": "1000"})
    assert [paise for paise, _ in await orders()] == [100_000, 200_000, 100_000]


async def test_nobody_signed_in_places_nothing(page: Recharge, scope: dict[str, Any]) -> None:
    scope["ev.sign_in"] = None
    await page.pay({"amount": "1000"})
    await page.choose("500")
    await page.write("600")
    assert await orders() == []
    assert (page.chosen, page.leaving) == ("1000", False)
    assert (await left_to(page)).startswith("/auth/gate?next=")


async def test_a_blocked_driver_is_signed_out(page: Recharge, asha: int) -> None:
    def block(db: Session) -> None:
        user = db.get_one(User, asha)
        user.blocked_at = now()
        db.add(user)

    await transact(block)
    await page.pay({"amount": "1000"})
    assert await orders() == []


@pytest.mark.row("R21")
async def test_while_the_gateway_is_away_nothing_is_placed(page: Recharge) -> None:
    """R21."""
    for _ in range(SILENCES):
        funnel.breaker.silent()
    await page.pay({"amount": "1000"})
    assert page.error == "Payments are not available right now. Nothing was charged. Try again in a few minutes."
    assert await orders() == []
    funnel.breaker.answered()
    await page.pay({"amount": "1000"})
    assert len(await orders()) == 1


async def test_what_is_on_its_way_is_shown_with_its_way_back(page: Recharge, asha: int) -> None:
    order = await placed(asha, 100_000, "a")
    await page._refresh(asha)
    assert page.waiting == []
    await transact(recharges.opened, order.merchant_order_id, Payment("OMO1", "PENDING", "http://localhost/pay", None))
    page.leaving = True
    await page._refresh(asha)
    assert not page.leaving
    (waiting,) = page.waiting
    assert waiting.sentence == "₹1,000 on its way. PhonePe has not confirmed yet."
    assert waiting.link == f"/payments/go/{order.merchant_order_id}"


async def test_what_can_no_longer_be_paid_has_no_way_back(
    page: Recharge, asha: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await placed(asha, 100_000, "a")
    await transact(recharges.opened, order.merchant_order_id, Payment("OMO1", "PENDING", "http://localhost/pay", None))
    expires_at = (await found(order.merchant_order_id)).expires_at
    monkeypatch.setattr("evapp.state.recharge.now", lambda: expires_at + timedelta(seconds=1))
    await page._refresh(asha)
    assert [(w.sentence, w.link) for w in page.waiting] == [("₹1,000 on its way. PhonePe has not confirmed yet.", "")]


@pytest.mark.row("R18")
async def test_a_page_that_phonepe_did_not_open_is_said_so(page: Recharge, asha: int) -> None:
    """R18: continue is impossible, anew is offered, and nothing was charged is true."""
    order = await placed(asha, 100_000, "a")
    await transact(recharges.unknown, order.merchant_order_id)
    assert (await found(order.merchant_order_id)).state == OrderState.UNKNOWN
    await page._refresh(asha)
    (waiting,) = page.waiting
    assert waiting.sentence == "PhonePe did not open its page for ₹1,000. Nothing was charged; add it again."
    assert waiting.link == ""


async def test_a_payment_of_another_amount_is_not_forgotten_until_it_is_in_the_wallet(
    page: Recharge, asha: int
) -> None:
    """Only whoever came back from PhonePe had read of it, once; on every later visit the money was nowhere."""
    order_id = (await placed(asha, 100_000, "a")).merchant_order_id
    told = OrderStatus("OMO1", "COMPLETED", 90_000, "", "", "", "", {})
    await transact(recharges.apply, order_id, told)
    await page._refresh(asha)
    (waiting,) = page.waiting
    assert waiting.sentence == "PhonePe confirmed an amount other than ₹1,000. Nothing is lost: we are looking at it."
    assert (waiting.link, waiting.help) == ("", f"/help?payment={order_id}")
    await transact(suspense.set_aside, order_id, told)
    await page._refresh(asha)
    assert len(page.waiting) == 1
    await transact(suspense.give, order_id)
    await page._refresh(asha)
    assert page.waiting == []


async def test_other_drivers_payments_are_not_shown(page: Recharge, asha: int) -> None:
    ravi = await transact(driver, "ravi")
    order = await placed(ravi, 100_000, "a")
    await transact(recharges.opened, order.merchant_order_id, Payment("OMO1", "PENDING", "http://localhost/pay", None))
    await page._refresh(asha)
    assert page.waiting == []
