"""What each charger was asked to be set to in vain, so that no boot repeats it (ocpp.md Q10)."""

import json
from dataclasses import dataclass

from sqlmodel import Session

from domain import chargers
from domain.models import Charger


@dataclass(frozen=True, slots=True)
class Try:
    """A configuration key was written: what it read before, and what was wanted."""

    read: str
    wanted: str


def tried(db: Session, charger_id: str) -> dict[str, Try]:
    """By configuration key, what was written to the charger's firmware of now.

    Raises:
        ChargerUnknown: there is no such charger.
    """
    return _kept(chargers.info(db, charger_id))


def note(db: Session, charger_id: str, key: str, attempt: Try | None) -> None:
    """This key is about to be written; None: it reads as wanted, and may be written again once it does not.

    Raises:
        ChargerUnknown: there is no such charger.
    """
    charger = chargers.info(db, charger_id)
    kept = _kept(charger)
    kept.pop(key, None)
    if attempt is not None:
        kept[key] = attempt
    keys = {name: [one.read, one.wanted] for name, one in kept.items()}
    charger.set_up_tried = json.dumps({"firmware": charger.firmware, "keys": keys})
    db.add(charger)


def _kept(charger: Charger) -> dict[str, Try]:
    if charger.set_up_tried is None:
        return {}
    kept = json.loads(charger.set_up_tried)
    return {key: Try(*told) for key, told in kept["keys"].items()} if kept["firmware"] == charger.firmware else {}
