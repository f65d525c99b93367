"""What is known of makes of chargers, and of single ones, that differ from the others; as data."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import Session, col, select

from domain import chargers
from domain.db import emit
from domain.events import HabitsChanged
from domain.models import Charger, ChargerHealth

_HABITS = (
    select(Charger.id, Charger.ping_s, Charger.set_up_due, ChargerHealth.energy_factor)
    .add_columns(col(ChargerHealth.clock_skew_ms))
    .outerjoin(ChargerHealth, col(ChargerHealth.charger_id) == col(Charger.id))
)
"""Columns instead of rows: after a restart everybody's are read in the same second."""

NO_POWER, UNLOCK, OUT_OF_SERVICE = "no power", "unlock", "out of service"

ESCALATIONS: dict[str, tuple[str, ...]] = {
    "": (NO_POWER, UNLOCK),
    # Beny goes on until its one transaction ends otherwise; Ocular lets go of nothing it has not unlocked itself.
    "zj beny": (NO_POWER, OUT_OF_SERVICE),
    "beny": (NO_POWER, OUT_OF_SERVICE),
    "ocular": (NO_POWER, OUT_OF_SERVICE, UNLOCK),
}
"""By the beginning of a vendor's name, in lower case: what to do with a charger that does not stop (ocpp.md Q30)."""


def escalation(vendor: str) -> tuple[str, ...]:
    """The steps against a charger of this vendor that goes on although it agreed to stop."""
    make = vendor.strip().lower()
    return next((steps for name, steps in ESCALATIONS.items() if name and make.startswith(name)), ESCALATIONS[""])


@dataclass(frozen=True, slots=True)
class Habits:
    """What a socket must know of its own charger."""

    energy_factor: int
    """1000: it counts kWh and calls them Wh (ocpp.md Q34)."""
    ping_s: int | None
    """Seconds between two pings of ours, 0 for none; None: as all others (ocpp.md Q6)."""
    set_up_due: bool
    """It booted and was not set up since."""
    clock_skew_ms: int | None
    """How far its clock was ahead of ours when it last told the time of something new (ocpp.md Q39)."""


def of(db: Session, charger_ids: Collection[str]) -> dict[str, Habits]:
    """The habits of each of these chargers that there is."""
    rows = db.execute(_HABITS.where(col(Charger.id).in_(charger_ids)))
    return {row.id: Habits(row.energy_factor or 1, row.ping_s, row.set_up_due, row.clock_skew_ms) for row in rows}


def set_ping(db: Session, charger_id: str, seconds: int | None) -> None:
    """Ping it so often from now on, 0 for never, None as all others; its socket goes by it at once (ocpp.md Q6).

    Raises:
        ChargerUnknown: there is no such charger.
    """
    chargers.info(db, charger_id).ping_s = seconds
    emit(db, HabitsChanged(charger_id))


def require_subprotocol(db: Session, charger_id: str, required: bool) -> None:
    """Whether it must name its version of OCPP when it next knocks (ocpp.md Q1).

    Raises:
        ChargerUnknown: there is no such charger.
    """
    chargers.info(db, charger_id).subprotocol_required = required
