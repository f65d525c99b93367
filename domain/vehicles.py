"""The car a driver charges: how much its battery holds, and how much it takes at a time."""

import re
from collections.abc import Mapping

from sqlmodel import Session

from domain import plugs
from domain.accounts import FieldErrors
from domain.models import Vehicle
from domain.sentences import Sentence

MOST_WH = 1_000_000
LONGEST = 40
"""Characters of its name."""

_TYPED = re.compile(r"([0-9]{1,12})(?:\.([0-9]))?")
_FIELDS = {
    "battery": (
        MOST_WH,
        Sentence("Enter the battery in kWh, like 30.2."),
        Sentence("The most a battery can hold here is 1,000 kWh."),
    ),
    "ac": (
        plugs.MOST_AC_W,
        Sentence("Enter the power in kW, like 7.2."),
        Sentence("The most a car can take from AC is 44 kW."),
    ),
    "dc": (
        plugs.MOST_W,
        Sentence("Enter the power in kW, like 50."),
        Sentence("The most a car can take here is 1,000 kW."),
    ),
}
"""What may be typed: the most of it, and what is said of no number, and of more."""


def of(db: Session, user_id: int) -> Vehicle | None:
    """The driver's car; None when he told of none."""
    return db.get(Vehicle, user_id)


def save(db: Session, user_id: int, typed: Mapping[str, object]) -> Vehicle | None:
    """Keep the car as it was typed: `name`, `battery` in kWh, `ac` and `dc` in kW; all empty forgets it.

    Raises:
        FieldErrors: for every field that is no such number, or more than any car has.
    """
    values, errors = {}, {}
    for field, (most, no_number, too_much) in _FIELDS.items():
        value = _thousandths(typed.get(field))
        if value is None or value > most:
            errors[field] = no_number if value is None else too_much
        values[field] = value or 0
    if errors:
        raise FieldErrors(errors)
    name = typed.get("name")
    name = "".join(c for c in name if c.isprintable()).strip()[:LONGEST] if isinstance(name, str) else ""
    vehicle = of(db, user_id)
    if not name and not any(values.values()):
        if vehicle is not None:
            db.delete(vehicle)
        return None
    vehicle = vehicle or Vehicle(user_id=user_id)
    vehicle.name, vehicle.battery_wh, vehicle.ac_w, vehicle.dc_w = name, values["battery"], values["ac"], values["dc"]
    db.add(vehicle)
    return vehicle


def takes_w(vehicle: Vehicle | None, kind: str, nameplate_w: int) -> int:
    """Watts that flow at a connector of this kind and power: what it gives, or less where the car takes less."""
    if vehicle is None:
        return nameplate_w
    most = vehicle.dc_w if plugs.is_direct(kind, nameplate_w) else vehicle.ac_w
    return min((watts for watts in (most, nameplate_w) if watts), default=0)


def _thousandths(typed: object) -> int | None:
    """30.2 -> 30200; nothing -> 0; None for what is no such number."""
    text = typed.strip() if isinstance(typed, str) else "" if typed is None else "?"
    if not text:
        return 0
    match = _TYPED.fullmatch(text)
    return int(match[1]) * 1000 + int(match[2] or 0) * 100 if match else None
