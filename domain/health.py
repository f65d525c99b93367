"""How well each charger keeps up, for its operator: reconnects, clock, repairs, silence, refusals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, func, or_, select

from domain.bulk import Bulk, Row, text
from domain.db import storable
from domain.india import INDIA
from domain.models import Charger, ChargerHealth

SKEW = timedelta(minutes=5)
"""A clock further off than this, which is no delay on the way, is not believed; the operator is told (ocpp.md Q39)."""
_SKEW_MS = int(SKEW.total_seconds() * 1000)
SEEN_MS = 50
"""A clock closer than this reads +0.0 s, in seconds and their tenths: it is right."""
COUNTS = ("connects", "boots", "repairs", "unanswered", "refused", "protocol_errors")


@dataclass(slots=True)
class Noted:
    """What one process saw of a charger since it last wrote it down."""

    connects: int = 0
    boots: int = 0
    repairs: int = 0
    unanswered: int = 0
    refused: int = 0
    protocol_errors: int = 0
    last_protocol_error: str = ""
    last_protocol_error_at: datetime | None = None
    clock_skew_ms: int | None = None
    boot_loop_at: datetime | None = None

    def add(self, later: "Noted") -> None:
        """What was seen after this: counts add up, of everything else the newest stands."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(later, name))
        self.last_protocol_error = later.last_protocol_error or self.last_protocol_error
        for name in _NEWEST:
            if (seen := getattr(later, name)) is not None:
                setattr(self, name, seen)


_NEWEST = ("last_protocol_error_at", "clock_skew_ms", "boot_loop_at")
"""Of these what was seen last stands."""
_COLUMNS = ("charger_id", *COUNTS, "last_protocol_error", *_NEWEST, "energy_factor", "updated_at")
_CHANGES = (
    *(f"{name} = charger_health.{name} + excluded.{name}" for name in COUNTS),
    *(f"{name} = coalesce(excluded.{name}, charger_health.{name})" for name in _NEWEST),
    "last_protocol_error = CASE WHEN excluded.last_protocol_error_at IS NULL"
    " THEN charger_health.last_protocol_error ELSE excluded.last_protocol_error END",
    "updated_at = excluded.updated_at",
)
_ADDED = f"""INSERT INTO charger_health ({", ".join(_COLUMNS)}) VALUES ({", ".join("?" for _ in _COLUMNS)})
ON CONFLICT (charger_id) DO UPDATE SET {", ".join(_CHANGES)}"""  # noqa: S608
_CALM = "UPDATE charger_health SET boot_loop_at = NULL WHERE charger_id = ? AND boot_loop_at < ?"


def add(db: Session, noted: dict[str, Noted], at: datetime) -> None:
    """Write a batch down; of chargers that nobody knows nothing is kept, whoever knocks in their name."""
    known = db.exec(select(Charger.id).where(col(Charger.id).in_(noted)).order_by(Charger.id)).all()
    bulk = Bulk.within(db)
    bulk.many(_ADDED, [_row(name, noted[name], at, bulk.sqlite) for name in known])


def set_up(db: Session, done: Sequence[tuple[str, datetime]]) -> None:
    """These chargers are no longer left alone: a boot loop from before their set-ups began, at these times, is over."""
    bulk = Bulk.within(db)
    bulk.many(_CALM, [(name, text(begun, bulk.sqlite)) for name, begun in sorted(done)])


def _row(charger_id: str, seen: Noted, at: datetime, sqlite: bool) -> Row:
    counts = (getattr(seen, name) for name in COUNTS)
    error_at, loop_at = (
        None if moment is None else text(moment, sqlite) for moment in (seen.last_protocol_error_at, seen.boot_loop_at)
    )
    error = storable(seen.last_protocol_error, 200)
    return charger_id, *counts, error, error_at, seen.clock_skew_ms, loop_at, 1, text(at, sqlite)


def of(db: Session, charger_id: str) -> ChargerHealth:
    """A charger's figures; zeros where nothing was noted yet."""
    return db.get(ChargerHealth, charger_id) or none(charger_id)


def set_energy_factor(db: Session, charger_id: str, factor: int) -> None:
    """1000: this charger counts kWh and calls them Wh (ocpp.md Q34); 1: it does not."""
    row = db.get(ChargerHealth, charger_id, with_for_update=True) or none(charger_id)
    row.energy_factor = factor
    db.add(row)


def none(charger_id: str) -> ChargerHealth:
    """The figures of a charger of which nothing was noted yet."""
    return ChargerHealth(charger_id=charger_id)


def flagged() -> Any:
    """The condition that one of `flags` holds."""
    skew = func.abs(func.coalesce(col(ChargerHealth.clock_skew_ms), 0)) > _SKEW_MS
    counted = or_(col(ChargerHealth.repairs) > 0, col(ChargerHealth.unanswered) > 0)
    return or_(skew, counted, col(ChargerHealth.boot_loop_at).is_not(None))


def flags(health: ChargerHealth) -> tuple[str, ...]:
    """What of a charger's health wants to be looked at: skew, boot_loop, repairs, unanswered."""
    wrong = {
        "skew": abs(health.clock_skew_ms or 0) > _SKEW_MS,
        "boot_loop": health.boot_loop_at is not None,
        "repairs": health.repairs > 0,
        "unanswered": health.unanswered > 0,
    }
    return tuple(name for name, holds in wrong.items() if holds)


def lines(health: ChargerHealth) -> list[tuple[str, str]]:
    """The figures as an operator reads them: a name and a value each, what is wrong with a mark."""
    error, loop_at = health.last_protocol_error_at, health.boot_loop_at
    loop = f"{loop_at.astimezone(INDIA):%Y-%m-%d %H:%M}" if loop_at else ""
    set_up = f"left alone since the boot loop of {loop}" if loop else "after each boot"
    return [
        ("connected", _times(health.connects)),
        ("booted", _times(health.boots)),
        ("clock", _clock(health) + (", not believed" if "skew" in flags(health) else "")),
        ("repaired", _counted(health.repairs, "message")),
        ("unanswered", _counted(health.unanswered, "call")),
        ("refused", f"{_times(health.refused)} at the door"),
        ("protocol errors", f"{health.protocol_errors}" + (f", last {health.last_protocol_error}" if error else "")),
        ("set-up", set_up),
        ("registers", "kWh called Wh" if health.energy_factor == 1000 else "as labelled"),
    ]


def _clock(health: ChargerHealth) -> str:
    if health.clock_skew_ms is None:
        return "not seen"
    return f"{health.clock_skew_ms / 1000:+.1f} s" if abs(health.clock_skew_ms) >= SEEN_MS else "right"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
