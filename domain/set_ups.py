"""What each charger was asked to be set to in vain, so that no boot repeats it (ocpp.md Q10)."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from domain import chargers
from domain.models import Charger

PATIENCE = timedelta(days=1)
"""A key whose writing was not answered is left alone for so long: the charger may have booted over it, or the line
have broken."""


@dataclass(frozen=True, slots=True)
class Try:
    """A configuration key was written: what it read before, and what was wanted."""

    read: str
    wanted: str
    unanswered: str = ""
    """Since when no answer to it has come, ISO 8601 in UTC; empty: one came."""

    def repeats(self, before: "Try | None", at: datetime) -> bool:
        """Whether the same was tried before and answered, or not answered a short while ago."""
        if before is None or (self.read, self.wanted) != (before.read, before.wanted):
            return False
        return not before.unanswered or at - datetime.fromisoformat(before.unanswered) < PATIENCE


def tried(db: Session, charger_id: str) -> dict[str, Try]:
    """By configuration key, what was written to the charger's firmware of now.

    Raises:
        ChargerUnknown: there is no such charger.
    """
    return _kept(chargers.info(db, charger_id))


def note(db: Session, charger_id: str, key: str, attempt: Try | None) -> None:
    """This key is about to be written, or was; None: it reads as wanted, and may be written again once it does not.

    Raises:
        ChargerUnknown: there is no such charger.
    """
    charger = chargers.info(db, charger_id)
    kept = _kept(charger)
    kept.pop(key, None)
    if attempt is not None:
        kept[key] = attempt
    keys = {name: [one.read, one.wanted, one.unanswered] for name, one in kept.items()}
    charger.set_up_tried = json.dumps({"firmware": charger.firmware, "keys": keys})


def _kept(charger: Charger) -> dict[str, Try]:
    if charger.set_up_tried is None:
        return {}
    kept = json.loads(charger.set_up_tried)
    return {key: Try(*told) for key, told in kept["keys"].items()} if kept["firmware"] == charger.firmware else {}
