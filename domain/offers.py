"""What several chargers offer to the next driver, asked for at once: lists of them are renewed with every change."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from domain import chargers, tariffs
from domain.chargers import FREE, ChargerView
from domain.models import Charger, now


def of(db: Session, ids: Sequence[str]) -> list[ChargerView]:
    """What a driver may know of these chargers now, in this order; without those that are retired or unknown."""
    in_service = select(Charger).where(col(Charger.id).in_(ids), col(Charger.retired_at).is_(None))
    found, at = {charger.id: charger for charger in db.exec(in_service)}, now()
    plugs, taken = chargers.plugs_of(db, found)
    prices = tariffs.prices(db, {one: charger.group_name for one, charger in found.items()}, at)
    seen = ((found[one], plugs[one], taken[one], prices[one]) for one in ids if one in found)
    return [chargers.seen(charger, its_plugs, busy, price, at) for charger, its_plugs, busy, price in seen]


def free_beside(db: Session, charger_id: str, limit: int = 3) -> list[ChargerView]:
    """Other chargers of the same place that are free now.

    Raises:
        ChargerUnknown: there is no such charger.
    """
    place = chargers.info(db, charger_id).place
    if not place:
        return []
    beside = select(Charger.id).where(Charger.place == place, Charger.id != charger_id, chargers.is_in_contact(now()))
    views = of(db, db.exec(beside.order_by(Charger.id)).all())
    return [view for view in views if view.state == FREE][:limit]
