"""A driver's favourite chargers."""

import pytest
from sqlmodel import Session

from domain import chargers, favourites
from domain.chargers import ChargerUnknown
from tests.money.house import driver


def test_a_star_is_set_and_taken_off(db: Session) -> None:
    asha, ravi = driver(db, "asha"), driver(db, "ravi")
    for charger_id in ("BLR-1", "BLR-2"):
        chargers.add(db, charger_id)
        favourites.mark(db, asha, charger_id, True)
        favourites.mark(db, asha, charger_id, True)
    assert set(favourites.of(db, asha)) == {"BLR-1", "BLR-2"}
    assert not favourites.is_one(db, ravi, "BLR-1")
    favourites.mark(db, asha, "BLR-1", False)
    favourites.mark(db, asha, "BLR-1", False)
    chargers.retire(db, "BLR-2")
    assert not favourites.is_one(db, asha, "BLR-1")
    assert favourites.of(db, asha) == []


def test_there_are_so_many_at_most(db: Session) -> None:
    asha = driver(db)
    for number in range(favourites.MOST + 1):
        chargers.add(db, f"BLR-{number}")
    for number in range(favourites.MOST):
        favourites.mark(db, asha, f"BLR-{number}", True)
    with pytest.raises(favourites.TooMany, match=f"{favourites.MOST} favourites"):
        favourites.mark(db, asha, f"BLR-{favourites.MOST}", True)
    with pytest.raises(ChargerUnknown):
        favourites.mark(db, asha, "NOSUCH", True)
