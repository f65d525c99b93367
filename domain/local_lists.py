"""The lists of cards that chargers were given for when they are offline, and whether they still have them."""

import json
from datetime import datetime
from typing import Any

from sqlmodel import Session

from domain import findings, tokens
from domain.models import LocalList, now

FULL, DIFFERENTIAL = "Full", "Differential"
VERSIONS = range(-(2**31), 2**31)
"""The versions that can be kept: whole numbers of 32 bits, of which chargers need the small ones."""


def get(db: Session, charger_id: str) -> LocalList | None:
    """What a charger was given; None for one that never got a list."""
    return db.get(LocalList, charger_id)


def sent(db: Session, charger_id: str, *, version: int, update: str, entries: list[dict[str, Any]]) -> None:
    """The charger took a SendLocalList: `update` is Full or Differential (OCPP 1.6, 5.15).

    In a differential one an entry without idTagInfo leaves the list.
    """
    row = get(db, charger_id) or LocalList(charger_id=charger_id, version=version)
    held: dict[str, Any] = {} if update == FULL else json.loads(row.entries)
    for entry in entries:
        tag = tokens.spelling(entry["idTag"])
        held.pop(tag, None)
        if entry.get("idTagInfo"):
            held[tag] = entry["idTagInfo"]
    row.version, row.entries, row.updated_at = version, json.dumps(held), now()
    row.reported_version = version
    db.add(row)


def reported(db: Session, charger_id: str, version: int, at: datetime) -> dict[str, Any] | None:
    """The charger says which version it has; gives the SendLocalList that it needs, None where both agree.

    -1 says that it knows no lists, 0 that it has none (OCPP 1.6, 5.10).
    """
    row = get(db, charger_id)
    if row is None:
        return None
    row.reported_version, row.reported_at = version, at
    if version in (row.version, -1):
        return None
    said = f"It has version {version}, not {row.version}."
    findings.renew(db, "local-list", f"{charger_id}:{row.version}:{version}", said)
    return whole(row)


def whole(row: LocalList) -> dict[str, Any]:
    """The payload of a SendLocalList that brings the whole list again."""
    entries = [{"idTag": tag, "idTagInfo": info} for tag, info in json.loads(row.entries).items()]
    return {"listVersion": row.version, "updateType": FULL, "localAuthorizationList": entries}


def parts(whole: dict[str, Any], most: int | None) -> list[dict[str, Any]]:
    """The same list in payloads of at most so many cards, None: of any number (OCPP 1.6, 9.3, SendLocalListMaxLength).

    The versions rise to that of the list, since each part changes what the one before brought (5.15); where there is no
    room below it for versions of a list (5.10), they rise from it. A charger that has the last has all.
    """
    entries, version = whole["localAuthorizationList"], whole["listVersion"]
    if most is None or len(entries) <= most:
        return [whole]
    chunks = [entries[first : first + most] for first in range(0, len(entries), most)]
    first = version - len(chunks) + 1 if version >= len(chunks) else version + 1
    return [
        {
            "listVersion": first + number,
            "updateType": DIFFERENTIAL if number else FULL,
            "localAuthorizationList": chunk,
        }
        for number, chunk in enumerate(chunks)
    ]
