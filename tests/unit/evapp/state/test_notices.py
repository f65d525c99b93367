"""What a driver waits for is said once in each tab, and stays at home until he puts it away."""

from typing import Any

import pytest
import reflex as rx

from domain import placing, recharges, vacancies
from domain.db import transact
from domain.models import now
from evapp.state.effects import Effects
from evapp.state.notices import Notices
from tests.money.house import free_charger


@pytest.fixture
async def asha(asha: int, scope: dict[str, Any]) -> int:
    """She waits for a charger that is free."""
    await transact(free_charger, "BLR-1")
    await transact(vacancies.wish, asha, "BLR-1")
    return asha


async def tab(address: str = "/dashboard") -> tuple[Any, Any]:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    root.router = root.router.__class__.from_router_data({"pathname": address, "asPath": address})
    return await root.get_state(Notices), await root.get_state(Effects)


async def test_an_open_tab_says_it_once(asha: int) -> None:
    notices, effects = await tab()
    await notices._refresh(asha)
    assert (notices.freed, effects._sentence) == ([], "")
    await transact(vacancies.tell, "BLR-1", now())
    await notices._refresh(asha)
    assert effects._sentence.startswith("BLR-1 became free at ")
    said = effects._count
    await notices._refresh(asha)
    assert effects._count == said
    assert [one.charger_id for one in notices.freed] == ["BLR-1"]


async def test_a_new_tab_shows_it_at_home_and_can_put_it_away(asha: int) -> None:
    await transact(vacancies.tell, "BLR-1", now())
    notices, effects = await tab()
    await notices._refresh(asha)
    assert (len(notices.freed), effects._sentence) == (1, "")
    await notices.dismiss("NOT-MINE")
    assert len(notices.freed) == 1
    await notices.dismiss("BLR-1")
    assert notices.freed == []


async def test_a_wish_is_listed_until_it_is_taken_back_or_told(asha: int) -> None:
    notices, _ = await tab()
    await notices._refresh(asha)
    assert [one.charger_id for one in notices.waiting] == ["BLR-1"]
    assert notices.waiting[0].until.startswith("You are told when it is free, until ")
    await notices.dismiss("BLR-1")
    assert notices.waiting == []
    await transact(vacancies.wish, asha, "BLR-1")
    await transact(vacancies.tell, "BLR-1", now())
    await notices._refresh(asha)
    assert notices.waiting == []


@pytest.mark.parametrize("forged", [None, 7, ["BLR-1"], {"BLR-1": 1}, "blr-1"])
async def test_nothing_else_is_taken_back(asha: int, forged: Any) -> None:
    notices, _ = await tab()
    await notices._refresh(asha)
    await notices.dismiss(forged)
    assert len(notices.waiting) == 1


@pytest.mark.parametrize(
    ("address", "tone"),
    [
        ("/dashboard", "success"),
        ("/wallet", "success"),
        ("/wallet?paid=another", "success"),
        ("/wallet?paid={order}", "quiet"),  # the page says it, and goes on saying it after a reload
        ("/hi/wallet?paid={order}", "quiet"),
    ],
)
async def test_a_payment_that_was_on_its_way_is_said_once_when_it_arrives(asha: int, address: str, tone: str) -> None:
    order = await transact(placing.place, asha, 50_000, "page")
    await transact(recharges.opened, order.merchant_order_id, recharges.Payment("OM1", "PENDING", "https://pay", None))
    notices, effects = await tab(address.format(order=order.merchant_order_id))
    await notices._refresh(asha)
    assert effects._sentence == ""
    paid = recharges.OrderStatus("OM1", "COMPLETED", 50_000, "UTR1", "T1", "UPI_QR", "", {})
    await transact(recharges.apply, order.merchant_order_id, paid)
    await notices._refresh(asha)
    assert (effects._sentence, effects._tone) == ("₹500 was added.", tone)
    said = effects._count
    await notices._refresh(asha)
    assert effects._count == said
