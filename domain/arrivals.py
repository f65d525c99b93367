"""Many chargers at once: what a restart of ours, or the end of a power cut, brings to the door in the same second."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import update
from sqlmodel import Session, col, not_, select

from domain import charger_keys, health, idling, stops
from domain.bulk import Bulk, Row, text
from domain.chargers import is_in_contact
from domain.db import emit
from domain.events import ChargerChanged, ChargerTaken, SessionChanged
from domain.models import IS_RUNNING, Charger, ChargingSession, now
from domain.patience import counts_once

Knock = tuple[str, bytes | None]
"""An identity and the key that came with it."""


class Held(NamedTuple):
    """What the database knows of a charger's connection."""

    process: str | None
    fence: int
    """Of its newest connection."""
    retired: bool
    key_hash: str
    """Of the key that it must show now."""


_CHARGERS = Charger.__table__  # type: ignore[attr-defined]
_HERE = "UPDATE chargers SET online = true, held_by = ?, fence = ?, connected_at = ?, heard_at = ? WHERE id = ?"
_GONE = "UPDATE chargers SET online = false, held_by = NULL WHERE id = ? AND fence = ?"
_BOOTED = """UPDATE chargers SET vendor = ?, model = ?, serial = ?, firmware = ?, set_up_due = ?, booted_at = ?,
heard_at = ? WHERE id = ?"""
_SET_UP = "UPDATE chargers SET set_up_due = false WHERE id = ? AND (booted_at IS NULL OR booted_at <= ?)"
_HEARD = "UPDATE chargers SET heard_at = ? WHERE id = ? AND (heard_at IS NULL OR heard_at < ?)"


def admitted(db: Session, knocks: Sequence[Knock]) -> set[Knock]:
    """Those that may come in as they are; `chargers.admit` decides about the others, and says why not."""
    columns = _CHARGERS.c.id, _CHARGERS.c.retired_at, _CHARGERS.c.key_hash, _CHARGERS.c.next_key_hash
    rows = db.execute(select(*columns).where(_CHARGERS.c.id.in_({name for name, _ in knocks})))
    keys = {name: key_hash for name, retired_at, key_hash, next_ in rows if retired_at is None and next_ is None}
    return {
        (name, key)
        for name, key in knocks
        if name in keys and (not keys[name] or charger_keys.matches(name, keys[name], key or b""))
    }


@counts_once
def connected(db: Session, process: str, came: Sequence[tuple[str, datetime]]) -> dict[str, int]:
    """Their sockets are open, and from now on this process holds them; gives each one's fence.

    The process that held one until now hears that it is taken. What one was to stop while nobody reached it, it is
    asked to stop soon. Where nobody heard one until now, its contact was lost, though nobody was there to say so.
    """
    names = {name: at for name, at in sorted(came)}
    stops.ask_again(db, names)
    at = max(names.values())
    unheard = db.exec(select(Charger.id).where(col(Charger.id).in_(names), not_(is_in_contact(at))))
    idling.contact_lost(db, unheard.all(), at)
    there = db.execute(
        select(_CHARGERS.c.id, _CHARGERS.c.held_by, _CHARGERS.c.fence)
        .where(_CHARGERS.c.id.in_(names))
        .order_by(_CHARGERS.c.id)
        .with_for_update()
    ).all()
    bulk = Bulk.within(db)
    came_at = {name: text(moment, bulk.sqlite) for name, moment in names.items()}
    bulk.many(_HERE, [(process, fence + 1, came_at[name], came_at[name], name) for name, _, fence in there])
    emit(db, *[ChargerTaken(name, fence + 1) for name, held_by, fence in there if held_by is not None])
    emit(db, *map(ChargerChanged, names))
    return {name: fence + 1 for name, _, fence in there}


@counts_once
def disconnected(db: Session, gone: Sequence[tuple[str, datetime, int]]) -> None:
    """Connections ended, known by their fences: a charger that has a newer one stays online."""
    fences = {name: held.fence for name, held in holders(db, [name for name, _, _ in gone]).items()}
    names = {name: at for name, at, fence in sorted(gone) if fences.get(name) == fence}
    if not names:
        return
    idling.contact_lost(db, names, max(names.values()))
    Bulk.within(db).many(_GONE, [(name, fences[name]) for name in names])
    heard(db, names)
    _announce(db, names)


@counts_once
def orphaned(db: Session, process: str) -> None:
    """This process died: the chargers it held are out of contact since they were last heard, until they come again."""
    names = db.execute(select(_CHARGERS.c.id).where(_CHARGERS.c.held_by == process)).scalars().all()
    db.execute(update(_CHARGERS).where(_CHARGERS.c.held_by == process).values(online=False, held_by=None))
    idling.contact_lost(db, names, now())
    _announce(db, names)


def _announce(db: Session, names: Collection[str]) -> None:
    running = db.exec(select(ChargingSession).where(col(ChargingSession.charger_id).in_(names), IS_RUNNING))
    emit(db, *map(ChargerChanged, names))
    emit(db, *[SessionChanged(s.id, s.charger_id, s.user_id, s.state) for s in running])


def holders(db: Session, names: Collection[str]) -> dict[str, Held]:
    """Who holds each of these chargers."""
    columns = _CHARGERS.c.id, _CHARGERS.c.held_by, _CHARGERS.c.fence, _CHARGERS.c.retired_at, _CHARGERS.c.key_hash
    found = db.execute(_CHARGERS.select().with_only_columns(*columns).where(_CHARGERS.c.id.in_(names)))
    return {name: Held(holder, fence, gone is not None, key) for name, holder, fence, gone, key in found}


@counts_once
def booted(db: Session, told: Sequence[dict[str, Any]]) -> None:
    """They say what they are, after power-up (OCPP 1.6, 4.2): charger_id, vendor, model, serial, firmware, at, and
    set_up_due, whether they are to be set up now."""
    bulk = Bulk.within(db)
    rows = [_boot(one, text(one["at"], bulk.sqlite)) for one in sorted(told, key=lambda one: str(one["charger_id"]))]
    bulk.many(_BOOTED, rows)
    emit(db, *[ChargerChanged(row[-1]) for row in rows])


def _boot(told: dict[str, Any], at: str) -> Row:
    said = (told[name] for name in ("vendor", "model", "serial", "firmware", "set_up_due"))
    return *said, at, at, told["charger_id"]


@counts_once
def set_up(db: Session, done: Sequence[tuple[str, datetime]]) -> None:
    """Set-ups of these chargers that began at these times came to their ends, so none is left alone for a boot loop any
    more (ocpp.md Q10). Who has booted since is to be set up once more."""
    bulk = Bulk.within(db)
    bulk.many(_SET_UP, [(name, text(begun, bulk.sqlite)) for name, begun in sorted(done)])
    health.set_up(db, done)


@counts_once
def heard(db: Session, names: dict[str, datetime]) -> None:
    """These chargers said something at these times."""
    bulk = Bulk.within(db)
    at = ((name, text(moment, bulk.sqlite)) for name, moment in sorted(names.items()))
    bulk.many(_HEARD, [(moment, name, moment) for name, moment in at])
