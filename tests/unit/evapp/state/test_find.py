"""The chargers a driver knows: read together, since their list is renewed with every change of any of them."""

from sqlmodel import Session

from domain import chargers, favourites
from evapp.state.find import _known
from tests.asked import asked, selects
from tests.money import house


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
