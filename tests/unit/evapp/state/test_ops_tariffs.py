"""An operator's prices, without browsers: read before they hold, and refused in sentences."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from domain import chargers, tariffs
from domain.db import read, transact
from domain.india import INDIA
from domain.models import Tariff, now
from domain.prices import Band, Price
from evapp.state.ops_tariffs import OpsTariffs
from tests.unit.evapp.state.test_ops import PageOf, lines, page, people, scope

__all__ = ["page", "people", "scope"]


async def test_a_price_is_read_before_it_holds(page: PageOf, people: dict[str, int]) -> None:
    state = await page(OpsTariffs, scope="group")
    form = {
        "group": "malls",
        "rupees": "18",
        "bands": "22:00-06:00=12.50\n",
        "start": "10",
        "idle_after": "10",
        "idle": "2",
        "reason": "Nights",
    }
    await state.set_price(form)
    assert state.question.startswith(
        "Chargers of the group malls without a price of their own. From now on: ₹12.50/kWh from 10:00 pm to 6:00 am."
    )
    assert await read(tariffs.everything) == []
    await state.do()
    [(tariff, price)] = await read(tariffs.everything)
    assert (tariff.group_name, price.bands, price.start_paise) == ("malls", (Band(1_320, 360, 1_250),), 1_000)
    assert await lines() == [("tariff set", "tariff:malls")]
    [row] = state.rows
    assert (row.rate, row.now) == ("₹18.00/kWh", True)


@pytest.mark.parametrize(
    ("scope_", "form", "error"),
    [
        ("all", {}, "Enter the amount in digits, like 750 or 750.50."),
        ("group", {"rupees": "1"}, "Say for which chargers it holds."),
        ("charger", {"rupees": "1", "charger": "NOSUCH"}, "There is no charger of this ID."),
        ("all", {"rupees": "1", "bands": "at night=12"}, "Enter hours and rupees like 22:00-06:00=12.50."),
        (
            "all",
            {"rupees": "1", "bands": "\n".join(["01:00-02:00=1"] * 25)},
            "A price may have up to 24 bands of hours.",
        ),
        ("all", {"rupees": "1", "idle_after": "ten"}, "Enter the minutes in digits, like 10."),
        (
            "all",
            {"rupees": "1", "begins": "2020-01-01T00:00"},
            "A price begins now or later; what was charged stays charged.",
        ),
        ("all", {"rupees": "1", "begins": "soon"}, "Choose a day and time from now on, or leave it empty for now."),
    ],
)
async def test_what_is_no_price_is_not_asked_about(page: PageOf, scope_: str, form: Any, error: str) -> None:
    state = await page(OpsTariffs, scope=scope_)
    await state.set_price(form)
    assert (state.question, state.error) == ("", error)


async def test_a_price_from_this_minute_on_is_asked_about(page: PageOf) -> None:
    """A field of day and time has no seconds: what it calls now has begun."""
    state = await page(OpsTariffs)
    await state.set_price(
        {"rupees": "1", "begins": f"{now().astimezone(INDIA) - timedelta(seconds=30):%Y-%m-%dT%H:%M:%S}"}
    )
    assert (state.question[:5], state.error) == ("Every", "")


async def test_what_the_rules_say_to_a_price_is_shown(page: PageOf) -> None:
    state = await page(OpsTariffs)
    await state.set_price({"rupees": "1", "idle_after": "10"})
    await state.do()
    assert state.error.startswith("Idling needs both")
    assert await read(lambda db: db.exec(select(Tariff)).all()) == []


async def test_a_price_to_come_is_taken_back(page: PageOf) -> None:
    state = await page(OpsTariffs, scope="group")
    await state.set_price({"rupees": "20", "group": "mals", "begins": "2099-12-01T00:00"})
    assert state.question.endswith("No charger is in this group yet.")
    await state.do()
    await transact(tariffs.set_price, Price(1_900, 0))
    await state._refresh(0)
    holding, coming = state.rows
    await state.withdraw(holding.number)
    assert state.question == ""
    await state.withdraw(coming.number)
    assert state.question == (
        "Chargers of the group mals without a price of their own. Take back the price from 1 Dec 2099, 12:00 am on? "
        "What holds now goes on."
    )
    await state.do()
    assert ([row.rate for row in state.rows], state.error) == (["₹19.00/kWh"], "")
    assert (await lines())[0] == ("tariff withdraw", "tariff:mals")


async def test_a_price_of_ones_own_ends_and_the_question_says_what_holds_then(page: PageOf) -> None:
    await transact(tariffs.set_price, Price(1_900, 0))
    await transact(tariffs.set_price, Price(2_400, 0), group="malls")
    state = await page(OpsTariffs)
    await state._refresh(0)
    common, own = state.rows
    assert (common.can_end, own.can_end, own.until) == (False, True, "")
    await state.end(common.number)
    assert state.question == ""
    await state.end(own.number)
    assert state.question == (
        "Chargers of the group malls without a price of their own. End this price now? From then on: ₹19.00/kWh"
    )
    await state.do()
    assert ([row.rate for row in state.rows], state.error) == (["₹19.00/kWh"], "")
    assert (await lines())[0] == ("tariff end", "tariff:malls")


async def test_a_price_that_was_set_since_the_question_does_not_end(page: PageOf) -> None:
    """A colleague was faster: the yes was about another price."""
    began = now() - timedelta(seconds=30)
    await transact(tariffs.set_price, Price(2_400, 0), group="malls", effective_at=began)
    state = await page(OpsTariffs)
    await state._refresh(0)
    await state.end(state.rows[0].number)
    await transact(tariffs.set_price, Price(2_100, 0), group="malls")
    await state.do()
    assert state.error == "Another price holds there by now. Look at it, then end it."
    assert [tariff.ended_at for tariff in await read(lambda db: db.exec(select(Tariff)).all())] == [None, None]


async def test_an_end_that_is_to_come_is_told_and_taken_back(page: PageOf) -> None:
    await transact(tariffs.set_price, Price(2_400, 0), group="malls")
    await transact(tariffs.end, group="malls", ends_at=now() + timedelta(days=2))
    state = await page(OpsTariffs)
    await state._refresh(0)
    [own] = state.rows
    assert own.until.startswith("Until ")
    await state.go_on(own.number)
    assert state.question.startswith("Chargers of the group malls without a price of their own. Let this price go on")
    await state.do()
    assert [row.until for row in state.rows] == [""]
    assert (await lines())[0] == ("tariff withdraw", "tariff:malls")


async def test_of_hundreds_of_prices_those_of_one_charger_are_found(page: PageOf) -> None:
    await transact(chargers.add, "BLR-17")
    await transact(chargers.set_group, "BLR-17", "site-5")
    await transact(tariffs.set_price, Price(1_900, 0))
    for number in range(40):
        await transact(tariffs.set_price, Price(2_000 + number, 0), group=f"site-{number}")
    state = await page(OpsTariffs)
    await state._refresh(0)
    assert (len(state.rows), state.more) == (30, True)
    await state.show_more()
    assert (len(state.rows), state.more) == (41, False)
    await state.search({"where": "blr 17"})
    assert [row.rate for row in state.rows] == ["₹19.00/kWh", "₹20.05/kWh"]
    await state.search({"where": "SITE-39"})
    assert [row.rate for row in state.rows] == ["₹20.39/kWh"]
