"""The wallet's page: its figures, its words, its pages, and what it says about a payment."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import reflex as rx
from sqlmodel import Session

from domain import recharges, statements, story, tariffs, wallet
from domain.db import read, transact
from domain.models import Charger, ChargingSession, OrderState, RechargeOrder, SessionState, now
from domain.prices import Band, Price
from domain.recharges import OrderStatus, Payment
from domain.sentences import PAID_OWED
from domain.settings import settings
from evapp.state.charger import ChargerPage
from evapp.state.recharge import Recharge
from evapp.state.wallet import OUTCOMES, REMEMBERED, Wallet, _movement
from evapp.texts import t
from tests.money.house import charge, driver, free_charger, give, owe, placed


@pytest.fixture
async def page(asha: int, scope: dict[str, Any]) -> Wallet:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state: Wallet = await root.get_state(Wallet)
    return state


async def test_a_new_wallet_is_empty(page: Wallet) -> None:
    await page.load()
    assert page.loaded
    assert (page.balance, page.reserved, page.arrears) == ("₹0.00", "", "")
    assert page.free == "Add ₹500 to start your first charge"
    assert (page.movements, page.more, page.outcome) == ([], False, "")


async def test_the_least_that_a_new_wallet_wants_is_what_the_settings_say(
    page: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "recharge_min_paise", 20_000)
    await page.load()
    assert page.free == "Add ₹200 to start your first charge"


async def test_who_charged_before_and_used_all_of_it_is_not_new(page: Wallet, asha: int) -> None:
    await transact(charge, asha, 1, SessionState.SETTLED)
    await page.load()
    assert (page.balance, page.free) == ("₹0.00", "Add money to charge again")


@pytest.mark.parametrize(
    ("price", "says"),
    [
        (Price(1_800, 0), "about 10 kWh at your last price"),
        (Price(1_800, 0, bands=(Band(0, 1_439, 900), Band(1_439, 0, 900))), "about 20 kWh at your last price"),
        (Price(1_800, 0, start_paise=9_000), "about 5 kWh at your last price"),
        (Price(0, 0), ""),
    ],
)
async def test_a_balance_reaches_as_far_as_the_whole_of_the_last_price_lets_it(
    page: Wallet, asha: int, price: Price, says: str
) -> None:
    """A base price that holds at no hour, or a start that costs as much as the energy, promised twice or half of it;
    after a charge that was free the balance was good for nothing."""

    def paid(db: Session) -> None:
        db.add(Charger(id="BLR-1", find_key="BLR1"))
        db.flush()
        place: dict[str, Any] = {"charger_id": "BLR-1", "connector_number": 1, "ref": "S1", "tag": "T1"}
        told = {"paise_per_kwh": price.paise_per_kwh, "terms": price.terms, "state": SessionState.SETTLED}
        db.add(ChargingSession(user_id=asha, **place, **told))

    await transact(paid)
    await transact(give, asha, 18_000)
    await page.load()
    assert page.free == says


async def test_the_first_balance_reaches_as_far_as_the_common_price_lets_it(page: Wallet, asha: int) -> None:
    """The one that the operator put into force, not the one that the settings begin with."""
    await transact(give, asha, 50_000)
    await page.load()
    assert page.free == "about 28 kWh"
    await transact(tariffs.set_price, Price(2_500, 0))
    await transact(tariffs.set_price, Price(900, 0), group="mall")
    await page.load()
    assert page.free == "about 20 kWh"


async def test_every_month_has_its_statement(page: Wallet, asha: int) -> None:
    await page.load()
    assert page.months == []
    await transact(give, asha, 100)
    await page.load()
    [month] = page.months
    name = statements.name(now())
    assert (month.csv, month.pdf) == (f"/wallet/statement.csv?month={name}", f"/wallet/statement.pdf?month={name}")


async def test_what_is_held_and_owed_is_said(page: Wallet, asha: int) -> None:
    await transact(give, asha, 123_450)
    session_id = await transact(charge, asha, 1, SessionState.INTERRUPTED)
    await transact(wallet.hold, session_id, asha, at_least=1, at_most=20_000)
    await transact(owe, asha, 11_800)
    await page.load()
    assert (page.balance, page.free, page.reserved) == ("₹1,234.50", "₹1,034.50 available", "₹200.00")
    assert page.arrears == "You owe ₹118.00. It is taken first when you add money."


@pytest.mark.row("R38")
async def test_a_recharge_through_arrears_shows_both_sides(page: Wallet, asha: int) -> None:
    """R38."""
    await transact(owe, asha, 11_800)
    order = await placed(asha)
    status = OrderStatus("OMO1", "COMPLETED", 50_000, "455069731511", "", "", "", {})
    await transact(recharges.apply, order.merchant_order_id, status)
    await page.load()
    added, taken, owed = page.movements
    assert (added.word, added.amount, added.after, added.incoming) == ("Added", "+₹382.00", "Balance ₹382.00", True)
    assert (taken.word, taken.amount, taken.after) == ("Added, taken for what you owed", "+₹118.00", "Owed ₹0.00")
    assert (owed.word, owed.amount, owed.after, owed.incoming) == ("Owed", "−₹118.00", "Owed ₹118.00", False)
    assert added.reference == order.merchant_order_id
    assert added.what == "Payment with PhonePe"


LINE = story.Line(
    id=1,
    at=now(),
    happened_at=now(),
    kind="charging",
    amount_paise=-4_338,
    balance_after_paise=95_662,
    description="Charging at BLR-017, connector 2, 2.345 kWh",
    ref="S123",
    arrears=False,
)


def test_a_charge_leads_to_its_receipt() -> None:
    shown = _movement(LINE)
    assert (shown.word, shown.amount, shown.link) == ("Paid", "−₹43.38", "/history/S123")
    assert shown.what == LINE.description


@pytest.mark.parametrize(
    ("other", "word"),
    [
        ({"kind": "charging", "amount_paise": 500}, "Refunded"),
        ({"kind": "charging", "arrears": True}, "Owed"),
        ({"kind": "charging", "arrears": True, "amount_paise": 500}, "Refunded"),
        ({"kind": "charging", "description": str(PAID_OWED)}, "Paid"),
        ({"kind": "charging", "description": str(PAID_OWED), "arrears": True, "amount_paise": 500}, "No longer owed"),
        ({"kind": "adjustment"}, "Adjusted"),
        ({"kind": "adjustment", "arrears": True}, "Adjusted"),
        ({"kind": "refund"}, "Refunded"),
        ({"kind": "nobody knows"}, "Adjusted"),
    ],
)
def test_every_movement_has_a_word(other: dict[str, Any], word: str) -> None:
    assert _movement(replace(LINE, **other)).word == word


@pytest.mark.parametrize(("kind", "reference"), [("charging", "S123"), ("recharge", "S123"), ("adjustment", "")])
def test_only_references_that_mean_something_are_shown(kind: str, reference: str) -> None:
    assert _movement(replace(LINE, kind=kind)).reference == reference


def test_a_late_message_says_when_it_happened() -> None:
    """payments.md 2.2: the list keeps the ledger's time."""
    late = replace(LINE, happened_at=LINE.at - timedelta(days=2))
    assert _movement(late).what.startswith(f"{LINE.description}, of ")
    assert _movement(late).when == _movement(LINE).when


async def test_twenty_more_at_a_time_without_gaps(page: Wallet, asha: int) -> None:
    for n in range(1, 46):
        await transact(give, asha, n * 100, str(n))
    await page.load()
    assert (len(page.movements), page.more) == (20, True)
    await page.show_more()
    assert (len(page.movements), page.more) == (40, True)
    await page._refresh(asha)
    assert (len(page.movements), page.more) == (40, True)
    await page.show_more()
    assert (len(page.movements), page.more) == (45, False)
    assert [m.amount for m in page.movements] == [f"+₹{n}.00" for n in range(45, 0, -1)]
    await page.show_more()
    assert len(page.movements) == 45
    await page.load()
    assert len(page.movements) == 20


async def test_exactly_twenty_have_no_more(page: Wallet, asha: int) -> None:
    for n in range(20):
        await transact(give, asha, 100, str(n))
    await page.load()
    assert (len(page.movements), page.more) == (20, False)


async def test_nobody_signed_in_sees_nothing(page: Wallet, asha: int, scope: dict[str, Any]) -> None:
    await transact(give, asha, 100)
    scope["ev.sign_in"] = None
    await page.load()
    await page.show_more()
    assert not page.loaded
    assert (page.balance, page.movements) == ("", [])


async def test_a_driver_sees_only_his_own(page: Wallet, asha: int) -> None:
    ravi = await transact(driver, "ravi")
    await transact(give, ravi, 100)
    await page.load()
    assert page.movements == []


# Coming back from the gateway


def become(db: Session, order_id: str, state: OrderState) -> None:
    order = recharges.found(db, order_id)
    assert order is not None
    order.state = state
    db.add(order)


@pytest.mark.parametrize("state", list(OrderState))
async def test_what_became_of_the_payment(page: Wallet, asha: int, state: OrderState) -> None:
    order = await placed(asha, 100_000)
    await transact(become, order.merchant_order_id, state)
    page._paid = order.merchant_order_id
    await page._refresh(asha)
    assert page.outcome == (t(OUTCOMES[state], sum="₹1,000") if state in OUTCOMES else "")
    assert page.good == (state == OrderState.CREDITED)
    assert page.outcome_reference == f"Reference {order.merchant_order_id}"


@pytest.mark.row("R1")
async def test_it_turns_good_by_itself(page: Wallet, asha: int) -> None:
    """R1: without a reload."""
    order = await placed(asha)
    await transact(recharges.opened, order.merchant_order_id, Payment("OMO1", "PENDING", "http://localhost/pay", None))
    page._paid = order.merchant_order_id
    await page._refresh(asha)
    assert page.outcome == ""
    status = OrderStatus("OMO1", "COMPLETED", 50_000, "455069731511", "", "", "", {})
    await transact(recharges.apply, order.merchant_order_id, status)
    await page._refresh(asha)
    assert (page.outcome, page.outcome_reference) == ("₹500 was added.", "Reference 455069731511")
    assert page.balance == "₹500.00"


async def test_an_amount_that_has_come_is_not_offered_again(page: Wallet, asha: int) -> None:
    """A second tap on the button would add what was typed once more. What is typed afterwards stays."""
    form = await page.get_state(Recharge)
    form.chosen, form.typed = "", "1,250"
    order = await placed(asha, 125_000)
    page._paid = order.merchant_order_id
    await page._refresh(asha)
    assert (form.chosen, form.typed, form.fills) == ("", "1,250", 0)
    status = OrderStatus("OMO1", "COMPLETED", 125_000, "455069731511", "", "", "", {})
    await transact(recharges.apply, order.merchant_order_id, status)
    await page._refresh(asha)
    assert (form.chosen, form.typed, form.fills) == ("1000", "", 1)
    form.chosen, form.typed = "", "600"
    await page._refresh(asha)
    assert (form.chosen, form.typed, form.fills) == ("", "600", 1)


async def test_another_amount_that_is_typed_while_a_payment_waits_stays(page: Wallet, asha: int) -> None:
    form = await page.get_state(Recharge)
    order = await placed(asha)
    page._paid = order.merchant_order_id
    await page._refresh(asha)
    form.chosen, form.typed = "", "2,000"
    status = OrderStatus("OMO1", "COMPLETED", 50_000, "455069731511", "", "", "", {})
    await transact(recharges.apply, order.merchant_order_id, status)
    await page._refresh(asha)
    assert (page.good, form.chosen, form.typed, form.fills) == (True, "", "2,000", 0)


async def test_a_payment_that_failed_can_be_asked_about_later(page: Wallet, asha: int) -> None:
    """A bank may have taken the money; with the first visit after it went all trace of it."""
    await page.load()
    assert page.failed == []
    for nonce, gateway_id in (("opened", "OMO1"), ("never", "")):
        order = await placed(asha, 100_000, nonce)
        if gateway_id:
            await transact(recharges.opened, order.merchant_order_id, Payment(gateway_id, "PENDING", "", None))
            asked_about = f"/help?payment={order.merchant_order_id}"
        await transact(become, order.merchant_order_id, OrderState.FAILED)
    await page.load()
    assert [(one.sum, one.reference, one.help) for one in page.failed] == [("₹1,000", "Reference OMO1", asked_about)]
    assert await read(recharges.failed, await transact(driver, "ravi"), now() - REMEMBERED) == []
    assert await read(recharges.failed, asha, now()) == []


@pytest.mark.row("R12")
@pytest.mark.parametrize("paid", ["RCH-0", "theirs", "<script>", "x" * 63, "\x00"])
async def test_a_foreign_payment_is_not_talked_about(page: Wallet, asha: int, paid: str) -> None:
    """R12."""
    ravi = await transact(driver, "ravi")
    theirs: RechargeOrder = await placed(ravi)
    page._paid = theirs.merchant_order_id if paid == "theirs" else paid
    await page._refresh(asha)
    assert (page.outcome, page.outcome_reference, page._paid) == ("", "", "")
    assert (await read(recharges.owned, ravi, theirs.merchant_order_id)).state == OrderState.NEW


async def test_movements_of_one_kind(page: Wallet, asha: int) -> None:
    await transact(give, asha, 100)
    await page.load()
    assert len(page.movements) == 1
    kind = (await transact(story.lines, asha))[0].kind
    for chosen in ("recharge", "charging", "refund", "nonsense"):
        await page.choose(chosen)
        assert len(page.movements) == (1 if page.kind == kind else 0)
    assert page.kind == "refund"
    await page.choose("")
    assert len(page.movements) == 1


async def test_who_went_for_money_is_led_back_to_the_charger(page: Wallet, asha: int) -> None:
    await transact(free_charger, "MALL-1")
    root: Any = page.parent_state
    root.router = root.router.__class__.from_router_data({"pathname": "/c/mall1", "asPath": "/c/mall1", "sid": "one"})
    charger: Any = await page.get_state(ChargerPage)
    await charger.load()
    assert charger.lacking
    order = await placed(asha)
    await transact(
        recharges.apply, order.merchant_order_id, OrderStatus("OMO1", "COMPLETED", 50_000, "", "", "", "", {})
    )
    address = f"/wallet?paid={order.merchant_order_id}"
    root.router = root.router.__class__.from_router_data({"pathname": "/wallet", "asPath": address, "sid": "two"})
    await page.load()
    assert (page.outcome, page.back) == ("₹500 was added.", "MALL-1")
    charger.lacking = ""
    await page.load()
    assert page.back == ""
