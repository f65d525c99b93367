"""Chargers: which there are, who may connect as one, and what a driver may know of one before a start."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, delete, func, select

from domain import charger_keys
from domain.db import emit
from domain.events import ChargerChanged, ChargerMustReconnect
from domain.gst import is_state
from domain.models import IS_NOT_OVER, IS_OPEN, Charger, ChargingSession, Connector, now
from domain.plugs import beyond
from domain.prices import Price
from domain.tariffs import price
from domain.typed_ids import find_key

SILENCE = timedelta(minutes=10)
"""Two heartbeat intervals: an idle charger that says nothing for so long is out of contact."""

FREE, BUSY, FAULT, OFF, NO_CONTACT = "free", "busy", "fault", "off", "no contact"

_STATUS_STATE = {
    "Available": FREE,
    "Preparing": FREE,
    "Charging": BUSY,
    "SuspendedEV": BUSY,
    "SuspendedEVSE": BUSY,
    "Finishing": BUSY,
    "Reserved": BUSY,
    "Unavailable": OFF,
    "Faulted": FAULT,
    "Unknown": NO_CONTACT,
}
"""What a connector's OCPP status means for the next driver."""
OUT_OF_ORDER = [status for status, state in _STATUS_STATE.items() if state in (FAULT, OFF)]

ID_FORM, LONGEST_ID = r"[*+\-_.:]*[A-Za-z0-9][A-Za-z0-9*+\-_.:]*", 48
IDENTITY = re.compile(rf"(?!.{{{LONGEST_ID + 1}}}){ID_FORM}")
"""How a charger may be called (payments.md 4.2); dots alone are no name."""
MOST_CONNECTORS = 255


class NotACharger(ValueError):
    """The argument is a sentence for the operator: what about a charger cannot be."""


class ChargerUnknown(Exception):
    """No charger has this identity, and unknown ones are refused."""


class ChargerKeyWrong(Exception):
    """The Basic-authentication key is missing or not this charger's."""


class ChargerIsRetired(Exception):
    """The operator took this charger out of service."""


class ChargerInUse(Exception):
    """A charge of it is not over; the argument is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class ConnectorView:
    """One plug as a driver may know it."""

    number: int
    state: str
    """free, busy, fault, off or no contact."""
    status: str
    error_code: str
    kind: str
    max_power_w: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ChargerView:
    """One charger as a driver may know it."""

    id: str
    name: str
    place: str
    heard_at: datetime | None
    price: Price
    connectors: tuple[ConnectorView, ...]

    @property
    def state(self) -> str:
        """The best that any of its connectors offers."""
        return best({c.state for c in self.connectors})

    def connector(self, number: int) -> ConnectorView | None:
        """The plug of this number."""
        return next((c for c in self.connectors if c.number == number), None)


def best(states: set[str]) -> str:
    """What several connectors offer together."""
    return next((s for s in (FREE, BUSY, FAULT, OFF) if s in states), NO_CONTACT)


def add(
    db: Session,
    charger_id: str,
    *,
    name: str = "",
    place: str = "",
    state: str = "",
    connectors: int = 1,
    max_power_w: int = 0,
    kind: str = "",
) -> Charger:
    """Make a charger known, or describe a known one anew.

    Raises:
        NotACharger: it cannot be called so, have so many connectors, give so much, or stand in such a state.
    """
    if not IDENTITY.fullmatch(charger_id):
        raise NotACharger(
            f"A charger's ID has up to {LONGEST_ID} characters: letters, digits and * + - _ . : "
            "with at least one letter or digit."
        )
    if not 0 <= connectors <= MOST_CONNECTORS:
        raise NotACharger(f"A charger has up to {MOST_CONNECTORS} connectors.")
    if state and not is_state(state):
        raise NotACharger(f"{state} is no state of India; its name decides which tax a receipt has.")
    charger = db.get(Charger, charger_id) or Charger(id=charger_id, find_key=find_key(charger_id))
    charger.name, charger.place, charger.retired_at = name or charger.name, place or charger.place, None
    charger.state = state or charger.state
    db.add(charger)
    db.flush()
    for number in range(1, connectors + 1):
        connector = db.get(Connector, (charger_id, number)) or Connector(charger_id=charger_id, number=number)
        connector.max_power_w = max_power_w or connector.max_power_w
        connector.kind = kind or connector.kind
        if too_much := beyond(connector.kind, connector.max_power_w):
            raise NotACharger(too_much)
        db.add(connector)
    db.flush()
    emit(db, ChargerChanged(charger_id))
    return charger


def set_key(db: Session, charger_id: str, key: str) -> None:
    """Ask this Basic-authentication key of the charger from now on; an empty one asks none.

    Raises:
        NotAKey: it is not empty, and no key.
        ChargerUnknown: there is no such charger.
    """
    key_hash = charger_keys.stored(charger_id, key) if key else ""
    charger = _locked(db, charger_id, key_share=True)
    charger.key_hash, charger.next_key_hash = key_hash, None
    emit(db, ChargerMustReconnect(charger_id))


def offer_key(db: Session, charger_id: str, key: str) -> None:
    """The charger is about to be told a new key: until it has answered, and used it, both are good (ocpp.md Q8).

    Raises:
        NotAKey: it is none.
        ChargerUnknown: there is no such charger.
    """
    key_hash = charger_keys.stored(charger_id, key)
    _locked(db, charger_id, key_share=True).next_key_hash = key_hash


def key_answered(db: Session, charger_id: str, status: str) -> None:
    """Accepted: only the new key is good from now on; after its reboot, as soon as it comes with it; else the old."""
    charger = _locked(db, charger_id, key_share=True)
    if status == "Accepted" and charger.next_key_hash is not None:
        charger.key_hash, charger.next_key_hash = charger.next_key_hash, None
    elif status != "RebootRequired":
        charger.next_key_hash = None


def set_group(db: Session, charger_id: str, group: str) -> None:
    """Put a charger into a group, which has one tariff; an empty name takes it out of its group.

    Raises:
        ChargerUnknown: there is no such charger.
    """
    info(db, charger_id).group_name = group or None
    emit(db, ChargerChanged(charger_id))


def rename(db: Session, charger_id: str, name: str, place: str) -> None:
    """What drivers read of it.

    Raises:
        ChargerUnknown: there is no such charger.
    """
    charger = info(db, charger_id)
    charger.name, charger.place = name, place
    emit(db, ChargerChanged(charger_id))


def retire(db: Session, charger_id: str) -> None:
    """Take a charger out of service; its history stays.

    Raises:
        ChargerUnknown: there is no such charger.
        ChargerInUse: a charge of it is not over. It may not connect afterwards, so nobody could stop that charge, and
            it would be billed by an estimate.
    """
    charger = _locked(db, charger_id)
    not_over = select(ChargingSession.ref).where(ChargingSession.charger_id == charger_id, IS_NOT_OVER)
    if (ref := db.exec(not_over).first()) is not None:
        raise ChargerInUse(
            f"Charge {ref} of {charger_id} is not over. Stop it first; "
            "where the charger is gone, it ends by itself in a day."
        )
    charger.retired_at = now()
    emit(db, ChargerMustReconnect(charger_id), ChargerChanged(charger_id))


def keep_connectors(db: Session, charger_id: str, count: int) -> None:
    """It has so many plugs and no more, as after another one was put in its place: drivers were offered the others.

    Raises:
        ChargerUnknown: there is no such charger.
        ChargerInUse: a charge at one that would go is not over.
    """
    info(db, charger_id)
    beyond_it = col(ChargingSession.charger_id) == charger_id, col(ChargingSession.connector_number) > count
    if (ref := db.exec(select(ChargingSession.ref).where(*beyond_it, IS_NOT_OVER)).first()) is not None:
        raise ChargerInUse(f"Charge {ref} of {charger_id} is at a plug that would go, and is not over. Stop it first.")
    db.exec(delete(Connector).where(col(Connector.charger_id) == charger_id, col(Connector.number) > count))
    emit(db, ChargerChanged(charger_id))


def trace(db: Session, charger_id: str, on: bool) -> None:
    """Journal every message of this charger, MeterValues and Heartbeat too, or no longer.

    Raises:
        ChargerUnknown: there is no such charger.
    """
    info(db, charger_id).trace = on


def info(db: Session, charger_id: str) -> Charger:
    """The charger's row.

    Raises:
        ChargerUnknown: there is no such charger.
    """
    charger = db.get(Charger, charger_id) if charger_id.isprintable() else None
    if charger is None:
        raise ChargerUnknown(charger_id)
    return charger


def _locked(db: Session, charger_id: str, **how: bool) -> Charger:
    """The same as it is now, and kept so until this transaction ends; `how`, as with_for_update has it."""
    charger = info(db, charger_id)
    db.refresh(charger, with_for_update=how or True)
    return charger


def serial(db: Session, charger_id: str) -> str | None:
    """The serial number that it told when it booted, if it did."""
    return db.exec(select(Charger.serial).where(Charger.id == charger_id)).first() or None


def admit(db: Session, charger_id: str, key: bytes | None, *, accept_unknown: bool) -> None:
    """Decide at the handshake whether this charger may connect (security white paper, profile 1).

    A key is compared as its raw bytes, whichever side writes them as hexadecimal text (ocpp.md Q8).

    Raises:
        ChargerUnknown: nobody added it, and unknown ones are not accepted.
        ChargerIsRetired: it was taken out of service.
        ChargerKeyWrong: its key is missing or wrong.
    """
    charger = db.get(Charger, charger_id, with_for_update={"key_share": True})
    if charger is None:
        if not accept_unknown:
            raise ChargerUnknown(charger_id)
        charger = Charger(id=charger_id, find_key=find_key(charger_id))
        db.add(charger)
        db.flush()
    if charger.retired_at is not None:
        raise ChargerIsRetired(charger_id)
    if key and charger.next_key_hash is not None and charger_keys.matches(charger.id, charger.next_key_hash, key):
        charger.key_hash, charger.next_key_hash = charger.next_key_hash, None
    elif charger.key_hash and not charger_keys.matches(charger.id, charger.key_hash, key or b""):
        raise ChargerKeyWrong(charger_id)


def holder(db: Session, charger_id: str) -> str | None:
    """The process that holds its socket, if one does."""
    return db.exec(select(Charger.held_by).where(Charger.id == charger_id)).first()


def view(db: Session, charger_id: str, *, kept: bool = False) -> ChargerView:
    """What a driver may know of a charger now; `kept`, nobody retires it before this transaction ends.

    Raises:
        ChargerUnknown: there is no such charger, or it is retired.
    """
    charger = _locked(db, charger_id, read=True, key_share=True) if kept else info(db, charger_id)
    if charger.retired_at is not None:
        raise ChargerUnknown(charger_id)
    moment, (plugs, taken) = now(), plugs_of(db, [charger_id])
    return seen(charger, plugs[charger_id], taken[charger_id], price(db, charger_id, moment), moment)


def plugs_of(
    db: Session, charger_ids: Collection[str]
) -> tuple[defaultdict[str, list[Connector]], defaultdict[str, set[int]]]:
    """The connectors of each of these chargers in their order, and the numbers of those with a charge under way."""
    plugs: defaultdict[str, list[Connector]] = defaultdict(list)
    theirs = select(Connector).where(col(Connector.charger_id).in_(charger_ids)).order_by(col(Connector.number))
    for plug in db.exec(theirs):
        plugs[plug.charger_id].append(plug)
    taken: defaultdict[str, set[int]] = defaultdict(set)
    under_way = select(ChargingSession.charger_id, ChargingSession.connector_number)
    for charger_id, number in db.exec(under_way.where(col(ChargingSession.charger_id).in_(charger_ids), IS_OPEN)):
        taken[charger_id].add(number)
    return plugs, taken


def seen(charger: Charger, plugs: Sequence[Connector], taken: set[int], price: Price, at: datetime) -> ChargerView:
    """The same of rows that were read; `taken` are the numbers with a charge under way."""
    states = states_of(charger, plugs, taken, at)
    views = tuple(
        ConnectorView(
            number=c.number,
            state=states[c.number],
            status=c.status,
            error_code=c.error_code,
            kind=c.kind,
            max_power_w=c.max_power_w,
            changed_at=c.changed_at,
        )
        for c in plugs
        if c.number in states
    )
    return ChargerView(
        id=charger.id,
        name=charger.name,
        place=charger.place,
        heard_at=charger.heard_at,
        price=price,
        connectors=views,
    )


def states_of(charger: Charger, plugs: Sequence[Connector], taken: set[int], at: datetime) -> dict[int, str]:
    """What each connector of a charger means for the next driver, by its number, but for number 0."""
    here, whole = in_contact(charger, at), next((c for c in plugs if c.number == 0), None)
    return {c.number: state_of(c, whole, taken, here) for c in plugs if c.number > 0}


def state_of(connector: Connector, whole: Connector | None, taken: set[int], in_contact: bool) -> str:
    """What a connector means for the next driver; `whole` is number 0, `taken` the numbers with a charge under way."""
    if not in_contact:
        return NO_CONTACT
    if whole is not None and whole.status in OUT_OF_ORDER:
        return _STATUS_STATE[whole.status]
    state = _STATUS_STATE.get(connector.status, NO_CONTACT)
    return BUSY if state == FREE and connector.number in taken else state


def in_contact(charger: Charger, at: datetime) -> bool:
    """Whether a charger can be reached at `at`: its socket is open, and it was heard less than SILENCE ago."""
    return charger.online and charger.heard_at is not None and at - charger.heard_at < SILENCE


def is_in_contact(at: datetime) -> ColumnElement[bool]:
    """The same for queries."""
    return and_(col(Charger.online), func.coalesce(col(Charger.heard_at) > at - SILENCE, False))


def counts(db: Session) -> tuple[int, int]:
    """How many chargers in service are in contact, and how many there are."""
    in_service = select(func.count()).select_from(Charger).where(col(Charger.retired_at).is_(None))
    return db.exec(in_service.where(is_in_contact(now()))).one(), db.exec(in_service).one()


def in_group(db: Session, group: str) -> int:
    """How many chargers have the tariff of this group, or would, had they none of their own."""
    return db.exec(select(func.count()).select_from(Charger).where(Charger.group_name == group)).one()


def everything(db: Session) -> list[Charger]:
    """Every charger, for the operator."""
    return list(db.exec(select(Charger).order_by(Charger.id)))
