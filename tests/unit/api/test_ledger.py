"""Endpoints for who keeps books: what was booked can be booked elsewhere, to the paisa, and is known to be whole."""

from collections import defaultdict
from datetime import timedelta
from typing import Any

from sqlmodel import select

from domain import firms, goodwill, wallet
from domain.db import read
from domain.models import Account
from tests.money.charges import METER, Desk
from tests.unit.api.conftest import Caller, House
from tests.unit.api.test_payments import paid


async def everything(caller: Caller, path: str) -> list[Any]:
    found: list[Any] = []
    cursor = ""
    while True:
        part = await caller.get(f"{path}{'&' if '?' in path else '?'}limit=2{cursor}")
        found += part["items"]
        if part["next"] is None:
            return found
        cursor = f"&cursor={part['next']}"


def billed(desk: Desk) -> str:
    """The ref of a charge of 2 kWh at ₹18 of which ₹6 were given back."""
    user = desk.driver()
    desk.charger()
    session_id = desk.charging(user)
    desk.flows(session_id, 2)
    desk.stop(session_id, METER + 2_000)
    desk.do(goodwill.give_back, session_id, 600, "The cable was wet")
    return desk.session(session_id).ref


async def test_books_kept_elsewhere_are_ours_to_the_paisa(house: House, operator: Caller) -> None:
    billed(house.desk)
    order = await paid(house, house.desk.driver(0))
    await operator.done("POST", "/refunds", {"order": order, "amount_paise": 20_000, "reason": "He sold the car"})
    await house.quiet()
    booked: defaultdict[str, list[Any]] = defaultdict(list)
    for transfer in reversed(await everything(operator, "/transfers")):
        assert sum(each["amount_paise"] for each in transfer["postings"]) == 0
        for each in transfer["postings"]:
            booked[each["account"]].append(each)
    ours = {one.code: one.balance_paise for one in await read(lambda db: db.exec(select(Account)).all()) if one.version}
    assert {code: sum(each["amount_paise"] for each in theirs) for code, theirs in booked.items()} == ours
    assert {code: theirs[-1]["balance_after_paise"] for code, theirs in booked.items()} == ours
    for theirs in booked.values():
        assert [each["number"] for each in theirs] == list(range(1, len(theirs) + 1))
    assert ours[wallet.CLEARING] == 20_000


async def test_transfers_by_what_they_are(house: House, operator: Caller) -> None:
    desk = house.desk
    since = desk.clock.at
    ref = billed(desk)
    desk.passes(days=1)
    before = desk.clock.at
    order = await paid(house, desk.driver(0))
    [credit] = await everything(operator, "/transfers?kind=recharge")
    assert (credit["ref"], credit["happened_at"] <= credit["at"]) == (order, True)
    assert [each["ref"] for each in await everything(operator, "/transfers?kind=charging")] == [ref] * 2
    written = [at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in (since, before, before + timedelta(days=1))]
    of_the_day = await everything(operator, f"/transfers?booked_since={written[0]}&booked_before={written[1]}")
    assert {each["kind"] for each in of_the_day} == {"adjustment", "charging"}
    assert await everything(operator, f"/transfers?booked_since={written[1]}") == [credit]
    assert await everything(operator, f"/transfers?booked_since={written[2]}") == []


async def test_papers_name_the_firm_that_they_are_made_out_to(desk: Desk, operator: Caller) -> None:
    firm = {"gstin": "33AABCK4567Q1Z1", "name": "Kaveri Cabs", "address": "7 Anna Salai, Chennai"}
    user = desk.driver()
    desk.do(firms.save, user, firm)
    desk.charger()
    session_id = desk.charging(user)
    desk.flows(session_id, 2)
    desk.stop(session_id, METER + 2_000)
    desk.do(firms.save, user, {})
    [receipt] = await everything(operator, "/papers")
    assert (receipt["buyer"], receipt["place_of_supply"]) == (firm, "Tamil Nadu")


async def test_papers_with_their_taxes(desk: Desk, operator: Caller) -> None:
    ref = billed(desk)
    receipt, note = await everything(operator, f"/papers?session={ref}")
    assert (receipt["kind"], receipt["total_paise"], receipt["corrects"]) == ("bill of supply", 3_600, "")
    assert (note["kind"], note["total_paise"], note["corrects"]) == ("credit note", 600, receipt["number"])
    assert (note["session"], note["charger_id"], note["taxes"], note["energy_wh"]) == (ref, "BLR-1", [], 2_000)
    assert receipt["buyer"] is note["buyer"] is None
    assert await everything(operator, "/papers?series=CN") == [note]
    assert await everything(operator, "/papers?series=DN") == []
    assert await everything(operator, "/papers?session=NOSUCH") == []
    later = (desk.passes(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert await everything(operator, f"/papers?issued_since={later}") == []
    assert await everything(operator, f"/papers?issued_before={later}") == [receipt, note]
