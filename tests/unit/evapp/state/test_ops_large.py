"""The operators' pages of a large network: whatever is behind the last row that is shown can be reached."""

import pytest
from sqlmodel import Session

from domain import chargers, findings
from domain.db import read, transact
from evapp.state import ops_fleet, ops_users
from evapp.state.ops_fleet import Fleet
from evapp.state.ops_sessions import OpsSessions
from evapp.state.ops_users import OpsUsers
from tests.asked import asked, selects
from tests.money import house
from tests.unit.evapp.state.test_ops import PageOf, page, people, scope

__all__ = ["page", "people", "scope"]


def street(db: Session, many: int) -> None:
    for number in range(many):
        chargers.add(db, f"BLR-{number:03d}")


async def test_the_fleet_goes_on_behind_as_many_as_are_shown_at_once(
    page: PageOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 3,000 chargers 2,400 were to be had by searching only, and the list did not say that it ended."""
    monkeypatch.setattr(ops_fleet, "MOST", 60)
    await transact(street, 75)
    state = await page(Fleet)
    await state._refresh(0)
    await state.show_more()
    assert (len(state.rows), state.more, state.after) == (60, True, "")
    await state.show_more()
    assert ([row.id for row in state.rows][::14], state.more) == (["BLR-060", "BLR-074"], False)
    assert state.after == "BLR-059"
    await state.show_more()
    assert len(state.rows) == 15
    await state.go_back()
    assert (state.rows[0].id, len(state.rows), state.more) == ("BLR-000", 30, True)
    await state.show_more()
    await state.show_more()
    await state.search({"charger": "BLR-00"})
    assert (state.after, len(state.rows)) == ("", 10)


async def test_beside_the_charges_stand_a_few_orphans_and_how_many_there_are(page: PageOf) -> None:
    """Fifty stood there, newest first, and nothing said that there are more."""
    state = await page(OpsSessions)
    for number in range(7):
        await transact(findings.note, "orphan-stop", f"A-1:{number}", f"Stop {number}")
    await state._refresh(0)
    assert ([one.detail for one in state.orphans], state.orphans_in_all) == (
        ["Stop 6", "Stop 5", "Stop 4", "Stop 3", "Stop 2"],
        "All 7",
    )


def crowd(db: Session, many: int) -> None:
    for name in (*(f"asha{number}" for number in range(many)), "ash"):
        house.driver(db, name)


async def test_whoever_is_called_just_so_is_found_among_many_who_are_called_nearly_so(page: PageOf) -> None:
    """Of 4,000 whose names begin so the oldest fifty were shown, and nobody can say more than the whole name."""
    await transact(crowd, 60)
    state = await page(OpsUsers)
    await state.find({"who": "Ash"})
    assert (state.people[0].username, state.more) == ("ash", True)


async def test_the_money_of_fifty_people_is_looked_up_at_once(people: dict[str, int]) -> None:
    await transact(crowd, 50)
    with asked() as every:
        found = await read(ops_users._people, "asha")
    assert (len(found), found[1].balance, selects(every)) == (51, "₹0.00", 2)
