"""The whole street as operators look at it: page by page, what each charger does, and what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, not_, or_, select

from domain import chargers, health, typed_ids
from domain.models import IS_OPEN, Charger, ChargerHealth, ChargingSession, Connector, now

PAGE = 30
EVERY, CHARGING, FAULT, SILENT, FLAGGED, RETIRED = "", "charging", "fault", "silent", "flagged", "retired"
FILTERS = (EVERY, CHARGING, FAULT, SILENT, FLAGGED, RETIRED)


@dataclass(frozen=True, slots=True)
class Seen:
    """One charger from afar."""

    charger: Charger
    state: str
    """The best that any of its connectors offers, in the words of domain/chargers.py."""
    plugs: tuple[tuple[Connector, str], ...]
    """A connector, and what it is to the next driver."""
    charging: int
    """Charges under way."""
    health: ChargerHealth
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Chargers in service: all, in contact, with a charge under way, in contact and with a connector out of order."""

    all: int
    in_contact: int
    charging: int
    faulted: int


def page(db: Session, *, which: str = EVERY, typed: str = "", after: str = "", limit: int = PAGE) -> list[Seen]:
    """Chargers by their ids, those after the id `after`: of one filter, and with `typed` in id, name or place."""
    query = select(Charger).where(col(Charger.id) > after, *_within(which, now())).order_by(col(Charger.id))
    if typed:
        key = typed_ids.find_key(typed)
        named = [col(column).icontains(typed, autoescape=True) for column in (Charger.id, Charger.name, Charger.place)]
        query = query.where(or_(*named, *([col(Charger.find_key).startswith(key, autoescape=True)] if key else [])))
    return _seen(db, db.exec(query.limit(limit)).all())


def one(db: Session, charger_id: str) -> Seen:
    """The same of one charger, retired or not.

    Raises:
        ChargerUnknown: there is none.
    """
    [seen] = _seen(db, [chargers.info(db, charger_id)])
    return seen


def counts(db: Session) -> Counts:
    """How many there are of each kind."""
    at = now()
    found = [
        db.exec(select(func.count()).select_from(Charger).where(*bounds)).one()
        for bounds in (
            _within(EVERY, at),
            (*_within(EVERY, at), chargers.is_in_contact(at)),
            _within(CHARGING, at),
            _within(FAULT, at),
        )
    ]
    return Counts(*found)


def _within(which: str, at: datetime) -> tuple[Any, ...]:
    in_service, in_contact = col(Charger.retired_at).is_(None), chargers.is_in_contact(at)
    return {
        EVERY: (in_service,),
        CHARGING: (in_service, _has(ChargingSession, IS_OPEN)),
        FAULT: (in_service, in_contact, _has(Connector, col(Connector.status).in_(chargers.OUT_OF_ORDER))),
        SILENT: (in_service, not_(in_contact)),
        FLAGGED: (in_service, _has(ChargerHealth, health.flagged())),
        RETIRED: (col(Charger.retired_at).is_not(None),),
    }[which]


def _has(table: Any, condition: Any) -> Any:
    return select(table.charger_id).where(table.charger_id == Charger.id, condition).exists()


def _seen(db: Session, found: Sequence[Charger]) -> list[Seen]:
    ids, at = [charger.id for charger in found], now()
    plugs, taken = chargers.plugs_of(db, ids)
    figures = {
        row.charger_id: row for row in db.exec(select(ChargerHealth).where(col(ChargerHealth.charger_id).in_(ids)))
    }
    return [
        _one(charger, plugs[charger.id], taken[charger.id], figures.get(charger.id) or health.none(charger.id), at)
        for charger in found
    ]


def _one(charger: Charger, plugs: list[Connector], taken: set[int], figures: ChargerHealth, at: datetime) -> Seen:
    states = chargers.states_of(charger, plugs, taken, at)
    best = chargers.best({*states.values()})
    each = tuple((plug, states[plug.number]) for plug in plugs if plug.number in states)
    return Seen(charger, best, each, len(taken), figures, health.flags(figures))
