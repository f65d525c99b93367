"""The chargers a driver knows: read together, since their list is renewed with every change of any of them."""

from typing import Any

import pytest
import reflex as rx
from sqlmodel import Session

from domain import chargers, favourites
from domain.db import transact
from evapp.state.dashboard import Dashboard
from evapp.state.find import Find, _known
from tests.asked import asked, selects
from tests.money import house


@pytest.mark.parametrize(
    ("typed", "place", "there", "suggestions", "error"),
    [
        ("phoenix", "phoenix", ["MALL-2", "MALL-1"], [], ""),
        ("MALL-3", "", [], ["MALL-1", "MALL-2"], "No charger MALL-3. Check the ID on its sticker."),
        ("nowhere", "", [], [], "No charger nowhere. Check the ID on its sticker."),
    ],
)
async def test_a_place_is_answered_with_its_chargers_and_is_no_mistake(
    asha: int, scope: dict[str, Any], typed: str, place: str, there: list[str], suggestions: list[str], error: str
) -> None:
    """The free one first, with state and price, as every other list of chargers; it was an error and a bare ID."""
    await transact(house.free_charger, "MALL-1", "Faulted", place="Phoenix Mall")
    await transact(house.free_charger, "MALL-2", place="Phoenix Mall")
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    page: Any = await root.get_state(Find)
    for earlier in ("phoenix", "MALL-3", typed):
        await page.find({"charger": earlier})
    assert (page.place, [one.id for one in page.there]) == (place, there)
    assert (page.suggestions, page.error) == (suggestions, error)
    await page.load()
    assert (page.place, page.there, page.suggestions, page.error) == ("", [], [], "")


async def test_home_begins_without_an_earlier_search(asha: int, scope: dict[str, Any]) -> None:
    await transact(house.free_charger, "MALL-1", place="Phoenix Mall")
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    page: Any = await root.get_state(Find)
    home: Any = await root.get_state(Dashboard)
    for typed in ("phoenix", "nowhere"):
        await page.find({"charger": typed})
        assert page.place or page.error
        await home.load()
        assert (page.place, page.there, page.error) == ("", [], "")


def test_more_favourites_are_not_more_queries(db: Session) -> None:
    asha, counted = house.driver(db), []
    for n in range(6):
        chargers.add(db, f"BLR-{n}")
        favourites.mark(db, asha, f"BLR-{n}", True)
        if n in (1, 5):
            counted.append(_queries(db, asha))
    assert counted[0] == counted[1]


def _queries(db: Session, user_id: int) -> int:
    db.expire_all()
    with asked(db.connection().engine) as found:
        _known(db, user_id)
    return selects(found)
