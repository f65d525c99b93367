"""What a desk is asked on the phone: which payment it was, whose, what there is to give; without browsers."""

import json
from datetime import datetime, timedelta

from sqlmodel import Session

from domain import accounts, firms, listings, tokens
from domain.db import read, transact
from domain.india import INDIA
from domain.models import SessionState, now
from evapp.state.ops_messages import OpsMessages
from evapp.state.ops_sessions import OpsSessions
from evapp.state.ops_users import OpsUsers
from tests.money import house
from tests.unit.evapp.state.test_ops import PageOf, lines, page, people, said, scope, user_page
from tests.unit.evapp.state.test_ops_refunds import paid

__all__ = ["page", "people", "scope"]


async def test_a_user_has_recharges_and_whatever_is_older(page: PageOf, people: dict[str, int]) -> None:
    """Ten movements stood there, and nothing said that there are more."""
    for number in range(12):
        await paid(people["asha"], number)
    state = await user_page(page, people["asha"])
    assert (len(state.lines), state.more) == (10, {"lines": True, "charges": False})
    assert (len(state.payments), state.payments[0].about) == (10, "Bank reference 455069730011 · T2611")
    await state.show_more("lines")
    assert (len(state.lines), state.more["lines"]) == (12, False)
    await state.show_more("lines")
    assert len(state.lines) == 12


async def test_what_is_owed_is_no_part_of_the_balance_that_is_told(page: PageOf, people: dict[str, int]) -> None:
    """It was told as if nothing were owed: a balance that the driver never had."""
    await transact(house.owe, people["asha"], 3_000)
    state = await user_page(page, people["asha"])
    await state.adjust({"way": "give", "rupees": "50", "reason": "He waited"})
    assert state.question == (
        "Give ₹50.00 to asha? The balance becomes ₹20.00, and the driver reads: He waited\n"
        "₹30.00 of it pays what is owed."
    )
    await state.do()
    assert (await said(state), state.balance, state.owed) == ("₹50.00 moved. The balance is ₹20.00.", "₹20.00", "")


# Whom one means


async def test_whose_invoices_are_made_out_to_a_firm_is_told(page: PageOf, people: dict[str, int]) -> None:
    state = await user_page(page, people["ravi"])
    assert not any("Invoices" in one for one in state.about)
    firm = {"gstin": "33AABCK4567Q1Z1", "name": "Kaveri Cabs", "address": "7 Anna Salai"}
    await transact(firms.save, people["ravi"], firm)
    assert "Invoices to Kaveri Cabs · 33AABCK4567Q1Z1" in (await user_page(page, people["ravi"])).about


async def test_more_people_than_are_shown_are_told_of(page: PageOf, people: dict[str, int]) -> None:
    """The fifty-first was not there, and the list looked whole."""

    def crowd(db: Session) -> None:
        for number in range(accounts.FOUND):
            house.driver(db, f"ashab_{number}")

    state = await page(OpsUsers)
    await state.find({"who": "asha"})
    assert (len(state.people), state.more) == (1, False)
    await transact(crowd)
    await state.find({"who": "asha"})
    assert (len(state.people), state.more) == (accounts.FOUND, True)


async def test_while_nobody_is_sought_the_operators_are_named(page: PageOf, people: dict[str, int]) -> None:
    """Nothing said who all may open these pages."""
    state = await page(OpsUsers)
    await state._refresh(0)
    assert ([one.username for one in state.people], state.sought) == (["ravi"], False)


async def test_nobody_gives_himself_money_of_the_house(page: PageOf, people: dict[str, int]) -> None:
    """An operator had only to open the own page of the own account, and give the own PIN."""
    state = await user_page(page, people["ravi"])
    await state.adjust({"way": "give", "rupees": "50", "reason": "For my trouble"})
    await state.do()
    assert (state.error, state.balance) == (OWN, "₹0.00")
    await transact(house.charge, people["ravi"], state=SessionState.SETTLED)
    charges_page = await page(OpsSessions, giving=f"S{1:015d}")
    await charges_page.give_back({"rupees": "5", "reason": "It was slow"})
    await charges_page.do()
    assert charges_page.error == OWN
    assert await lines() == []
    await transact(house.give, people["ravi"], 10_000)
    await state.adjust({"way": "take", "rupees": "50", "reason": "Paid twice"})
    await state.do()
    assert (state.error, state.balance) == ("", "₹50.00")


OWN = "This is your own money. Another operator must do it; nothing was done."


async def test_new_firmware_is_offered_for_the_next_night(page: PageOf) -> None:
    """With a date of the past, which it was by a constant, a charger installs at once, whoever charges there."""
    state = await page(OpsMessages, _charger_id="A-1")
    await state.choose("UpdateFirmware")
    at = datetime.fromisoformat(json.loads(state.payload)["retrieveDate"])
    assert timedelta(0) < at - now() < timedelta(days=2)
    assert at.astimezone(INDIA).hour == 2


async def test_a_card_that_was_lost_is_blocked_on_the_page_of_whoever_pays(
    page: PageOf, people: dict[str, int]
) -> None:
    """No page knew of cards: who was called by its owner needed the shell while somebody charged with it."""
    await transact(tokens.add, "04A2", user_id=people["asha"])
    await transact(tokens.add, "04B3", user_id=people["ravi"])
    state = await user_page(page, people["asha"])
    assert [(card.tag, card.state, card.blocked) for card in state.cards] == [("04A2", "It may charge", False)]
    await state.turn_card("04B3")
    assert state.question == ""
    await state.turn_card("04A2")
    assert state.question == "Block card 04A2 of asha? A charge that runs goes on."
    await state.do()
    assert [(card.state, card.blocked) for card in state.cards] == [("Blocked", True)]
    await state.turn_card("04A2")
    await state.do()
    assert not state.cards[0].blocked
    assert await lines() == [("token unblock", "card:04A2"), ("token block", "card:04A2")]


async def test_people_are_found_by_what_they_say(page: PageOf, people: dict[str, int]) -> None:
    state = await page(OpsUsers)
    await state.find({"who": "ash"})
    assert [one.username for one in state.people] == ["asha"]
    await state.find({"who": "ravi"})
    assert [one.state for one in state.people] == ["Operator"]
    await state.find({"who": "%"})
    assert (state.people, state.sought) == ([], True)


async def test_payments_of_whose_number_was_freed_are_found(page: PageOf, people: dict[str, int]) -> None:
    """What stands instead of a number finds nobody."""
    await paid(people["asha"], 0)
    await transact(accounts.free_phone, people["asha"])
    state = await user_page(page, people["asha"])
    assert len(await read(listings.part, listings.RECHARGES, after=None, limit=5, find=state.find)) == 1
