"""The chargers a driver knows: read together, since their list is renewed with every change of any of them."""

from sqlalchemy import event
from sqlmodel import Session

from domain import chargers, favourites
from evapp.state.find import _known
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
    asked: list[str] = []

    def keep(_c: object, _u: object, statement: str, *_: object) -> None:
        asked.append(statement)

    db.expire_all()
    engine = db.connection().engine
    event.listen(engine, "before_cursor_execute", keep)
    try:
        _known(db, user_id)
    finally:
        event.remove(engine, "before_cursor_execute", keep)
    return len([one for one in asked if one.startswith("SELECT")])
