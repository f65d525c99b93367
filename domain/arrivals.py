"""Many chargers at once: what a restart of ours, or the end of a power cut, brings to the door in the same second."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, update
from sqlmodel import Session, col, select

from domain import idling, stops
from domain.chargers import key_matches
from domain.db import emit
from domain.events import ChargerChanged, SessionChanged
from domain.models import RUNNING, Charger, ChargingSession, SessionState
from domain.patience import counts_once

Knock = tuple[str, bytes | None]
"""An identity and the key that came with it."""
_CHARGERS = Charger.__table__  # type: ignore[attr-defined]
_THIS = update(_CHARGERS).where(_CHARGERS.c.id == bindparam("this"))


def admitted(db: Session, knocks: Sequence[Knock]) -> set[Knock]:
    """Those that may come in as they are; `chargers.admit` decides about the others, and says why not."""
    columns = _CHARGERS.c.id, _CHARGERS.c.retired_at, _CHARGERS.c.key_hash, _CHARGERS.c.next_key_hash
    rows = db.execute(select(*columns).where(_CHARGERS.c.id.in_({name for name, _ in knocks})))
    keys = {name: key_hash for name, retired_at, key_hash, next_ in rows if retired_at is None and next_ is None}
    return {
        (name, key)
        for name, key in knocks
        if name in keys and (not keys[name] or key_matches(name, keys[name], key or b""))
    }


@counts_once
def connected(db: Session, came: Sequence[tuple[str, datetime]]) -> None:
    """As `chargers.connected`."""
    names = {name: at for name, at in sorted(came)}
    stopping = select(ChargingSession.charger_id).where(
        col(ChargingSession.charger_id).in_(names), ChargingSession.state == SessionState.STOPPING
    )
    for name in sorted(set(db.exec(stopping))):
        stops.ask_again(db, name, names[name])
    rows = [{"this": name, "moment": at} for name, at in names.items()]
    moment = bindparam("moment", type_=_CHARGERS.c.heard_at.type)
    db.connection().execute(_THIS.values(online=True, connected_at=moment, heard_at=moment), rows)
    emit(db, *map(ChargerChanged, names))


@counts_once
def disconnected(db: Session, gone: Sequence[tuple[str, datetime]]) -> None:
    """As `chargers.disconnected`."""
    names = {name: at for name, at in sorted(gone)}
    idling.contact_lost(db, names, max(names.values()))
    db.connection().execute(_THIS.values(online=False), [{"this": name} for name in names])
    heard(db, names)
    running = db.exec(
        select(ChargingSession).where(
            col(ChargingSession.charger_id).in_(names), col(ChargingSession.state).in_(RUNNING)
        )
    )
    emit(db, *map(ChargerChanged, names))
    emit(db, *[SessionChanged(s.id or 0, s.charger_id, s.user_id, s.state) for s in running])


@counts_once
def booted(db: Session, told: Sequence[dict[str, Any]]) -> None:
    """As `chargers.booted`, each with its arguments."""
    rows = [
        {"this": one["charger_id"], **{f"its_{key}": one[key] for key in one if key != "charger_id"}}
        for one in sorted(told, key=lambda one: str(one["charger_id"]))
    ]
    names = ("vendor", "model", "serial", "firmware")
    at = bindparam("its_at", type_=_CHARGERS.c.heard_at.type)
    values = {name: bindparam(f"its_{name}") for name in names} | {"booted_at": at, "heard_at": at}
    db.connection().execute(_THIS.values(values), rows)
    emit(db, *[ChargerChanged(row["this"]) for row in rows])


@counts_once
def heard(db: Session, names: dict[str, datetime]) -> None:
    """These chargers said something at these times."""
    moment = bindparam("moment", type_=_CHARGERS.c.heard_at.type)
    later = or_(_CHARGERS.c.heard_at.is_(None), _CHARGERS.c.heard_at < moment)
    rows = [{"this": name, "moment": at} for name, at in sorted(names.items())]
    db.connection().execute(_THIS.where(later).values(heard_at=moment), rows)
