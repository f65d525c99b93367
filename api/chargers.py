"""Endpoints for chargers: what they are, how they do, and what they are asked to do."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints
from sqlmodel import Session

from api import cursors
from api.operation import Ask, Operation
from api.problems import Problem
from api.shapes import Done, Filters, Given, Group, Leafing, Part, Told, Why, YesOrNo, text
from domain import charger_keys, chargers, health, listings, local_lists, models, plugs, tariffs
from domain.bus import CALL_S, bus
from domain.db import read
from domain.events import CALLS, Call
from domain.gst import STATES
from domain.models import ReservationState, now


class Charger(Told):
    """A charge point, as its operator and its own boot message describe it."""

    id: str
    name: str
    place: str
    stands_in: str | None = Field(validation_alias="state", description="A state of India; null: the seller's own.")
    group: str | None = Field(validation_alias="group_name")
    vendor: str
    model: str
    serial: str
    firmware: str
    has_key: bool
    online: bool = Field(description="Its socket is open, though it may have been silent for long.")
    in_contact: bool = Field(
        description="It is online and was heard in the last 10 minutes: drivers can start a charge only then."
    )
    connected_at: datetime | None
    heard_at: datetime | None
    booted_at: datetime | None
    trace: bool
    retired_at: datetime | None
    created_at: datetime


class Connector(Told):
    """One plug; number 0 is the charger as a whole."""

    number: int
    status: str = Field(description="As OCPP says it; Unknown until the charger reports.")
    error_code: str
    info: str
    kind: str
    max_power_w: int
    status_at: datetime | None = Field(description="The charger's own time of the status.")
    changed_at: datetime
    session: str | None = Field(description="The ref of the session that has it.")


class ChargerAndPlugs(Charger):
    """A charger, with its plugs."""

    connectors: list[Connector]


class Health(Told):
    """How well a charger keeps up, counted since it was first seen."""

    connects: int
    boots: int
    repairs: int = Field(description="Messages that had to be mended before they were OCPP.")
    unanswered: int
    refused: int
    protocol_errors: int
    last_protocol_error: str
    last_protocol_error_at: datetime | None
    clock_skew_ms: int | None
    boot_loop_at: datetime | None
    energy_factor: int = Field(description="1000: it counts kWh and calls them Wh.")


class Band(Told):
    """Hours of every Indian day with a price of their own; through midnight where `until` is earlier."""

    since_minute: int = Field(validation_alias="since")
    until_minute: int = Field(validation_alias="until")
    paise_per_kwh: int


class PriceNow(Told):
    """What holds at a charger; GST included."""

    paise_per_kwh: int
    gst_basis_points: int
    start_paise: int
    per_minute_paise: int
    idle_after_minutes: int
    idle_per_minute_paise: int
    bands: list[Band]


class Reservation(Told):
    """A connector kept free until a moment; connector 0 is any."""

    number: int
    charger_id: str
    connector_number: int
    tag: str
    parent: str
    user_id: int | None
    state: str
    expires_at: datetime
    created_at: datetime
    ended_at: datetime | None


class LocalList(Told):
    """The list of cards that a charger was given for when it is offline."""

    version: int | None = Field(description="null: it was never given one.")
    entries: str = Field(description="JSON: idTagInfo by idTag.")
    reported_version: int | None = Field(description="What it last said it has: -1 knows no lists, 0 has none.")
    reported_at: datetime | None
    updated_at: datetime | None


_STATES = "|".join(sorted(set(STATES.values())))


class Described(Given):
    """What an operator says of a charger; what is left out stays as it was."""

    name: Annotated[str, text(120)] = Field("", description="What drivers read.")
    place: Annotated[str, text(200)] = ""
    stands_in: Annotated[str, StringConstraints(pattern=f"^({_STATES})?$")] = Field(
        "", description="A state of India, if not the seller's."
    )
    connectors: Annotated[int, Field(ge=1, le=chargers.MOST_CONNECTORS)] = 1
    max_power_w: Annotated[int, Field(ge=0, le=plugs.MOST_W)] = Field(
        0, description=f"The most a plug gives; 0: unknown. One for AC gives {plugs.MOST_AC_W:,} at most."
    )
    kind: Annotated[str, text(40)] = Field("", description="Of its plugs: CCS2, Type 2 …")
    group: Annotated[str, text(40)] | None = Field(None, description="Whose tariff it has; empty: of no group.")


class Key(Given):
    """The Basic-authentication key that it must show from now on."""

    authorization_key: Annotated[str, StringConstraints(pattern=f"^{charger_keys.FORM}$")] = Field(
        json_schema_extra={"format": "password", "writeOnly": True}
    )


class Trace(Given):
    """Whether every message of it is kept."""

    on: bool


class Asked(Given):
    """A message of OCPP 1.6 by its own name and payload."""

    action: Literal[CALLS]  # type: ignore[valid-type]
    payload: dict[str, Any] = Field(default_factory=dict)


class Reply(Told):
    """What the charger answered."""

    status: str = Field(description="Accepted, Rejected …; empty where the answer carries none.")
    payload: dict[str, Any]


class ChargerFilters(Leafing):
    """Which chargers."""

    online: YesOrNo | None = None
    retired: YesOrNo | None = None
    group: Group | None = None
    place: Annotated[str, text(200, 1)] | None = None


class ReservationFilters(Leafing):
    """Which reservations."""

    state: Literal[tuple(map(str, ReservationState))] | None = None  # type: ignore[valid-type]


def list_(db: Session, ask: Ask[ChargerFilters, None]) -> Part[Charger]:
    """Chargers, by id."""
    return Part[Charger].model_validate(cursors.part(db, listings.CHARGERS, ask.query, _charger))


def fleet(db: Session, ask: Ask[ChargerFilters, None]) -> Part[ChargerAndPlugs]:
    """Chargers with the state of their plugs, by id: for a board that asks again and again."""
    found = cursors.part(db, listings.CHARGERS, ask.query, lambda row: row)
    plugs_of = listings.connectors_of(db, [row.id for row in found.items])
    told = [
        ChargerAndPlugs.model_validate(_known(row) | {"connectors": [*map(_connector, plugs_of[row.id])]})
        for row in found.items
    ]
    return Part[ChargerAndPlugs](items=told, next=found.next)


def get(db: Session, ask: Ask[Filters, None], charger_id: str) -> Charger:
    """One charger."""
    return _charger(chargers.info(db, charger_id))


def describe(db: Session, ask: Ask[Filters, Described], charger_id: str) -> Charger:
    """Make a charger known, or describe a known one anew; a retired one comes back.

    403: the key lacks tariffs:write, and the charger would get another group, which is its price, or stand in another
    state, which decides its tax.
    """
    told = ask.body
    if "tariffs:write" not in ask.scopes and _moves_the_price(db.get(models.Charger, charger_id), told):
        raise Problem(
            403,
            "not-allowed",
            "A charger's group is its price, and the state it stands in decides its tax: the key lacks tariffs:write. "
            "Nothing was changed.",
        )
    charger = chargers.add(
        db,
        charger_id,
        name=told.name,
        place=told.place,
        state=told.stands_in,
        connectors=told.connectors,
        max_power_w=told.max_power_w,
        kind=told.kind,
    )
    if told.group is not None:
        chargers.set_group(db, charger_id, told.group)
    return _charger(charger)


def _moves_the_price(charger: models.Charger | None, told: Described) -> bool:
    group, state = (charger.group_name, charger.state) if charger is not None else (None, None)
    other_group = told.group is not None and (told.group or None) != group
    return other_group or (bool(told.stands_in) and told.stands_in != state)


def retire(db: Session, ask: Ask[Filters, Why], charger_id: str) -> Charger:
    """Take a charger out of service: it may not connect, and drivers do not find it. Its history stays."""
    chargers.retire(db, charger_id)
    return _charger(chargers.info(db, charger_id))


def set_key(db: Session, ask: Ask[Filters, Key], charger_id: str) -> Done:
    """Ask this key of a charger from now on. It loses its connection, and comes back with the key."""
    chargers.set_key(db, charger_id, ask.body.authorization_key)
    return Done(at=now())


def trace(db: Session, ask: Ask[Filters, Trace], charger_id: str) -> Charger:
    """Keep every message of a charger, MeterValues and Heartbeat too, or no longer."""
    chargers.trace(db, charger_id, ask.body.on)
    return _charger(chargers.info(db, charger_id))


def connectors(db: Session, ask: Ask[Filters, None], charger_id: str) -> Part[Connector]:
    """The plugs of a charger, their state, and the sessions that have them."""
    return Part[Connector](items=[*map(_connector, listings.connectors(db, charger_id))])


def healthy(db: Session, ask: Ask[Filters, None], charger_id: str) -> Health:
    """How well a charger keeps up."""
    chargers.info(db, charger_id)
    return Health.model_validate(health.of(db, charger_id))


def price(db: Session, ask: Ask[Filters, None], charger_id: str) -> PriceNow:
    """What a charge that began now would be asked for."""
    chargers.info(db, charger_id)
    return PriceNow.model_validate(tariffs.price(db, charger_id, now()))


def reservations(db: Session, ask: Ask[ReservationFilters, None], charger_id: str) -> Part[Reservation]:
    """The reservations of a charger, newest first. ReserveNow and CancelReservation make and end them."""
    chargers.info(db, charger_id)
    found = cursors.part(db, listings.RESERVATIONS, ask.query, Reservation.model_validate, charger_id=charger_id)
    return Part[Reservation].model_validate(found)


def local_list(db: Session, ask: Ask[Filters, None], charger_id: str) -> LocalList:
    """The local list of a charger. SendLocalList changes it, GetLocalListVersion asks for it."""
    chargers.info(db, charger_id)
    row = local_lists.get(db, charger_id)
    if row is None:
        return LocalList(version=None, entries="{}", reported_version=None, reported_at=None, updated_at=None)
    return LocalList.model_validate(row)


async def call(ask: Ask[Filters, Asked], charger_id: str) -> Reply:
    """Have a charger do anything that OCPP 1.6 knows, and give its answer.

    409: it is not connected and was not asked. 504: it did not answer in time, and may have done it or not. 503:
    another process has it, and there is no way to that now. 422: the payload is not valid, or the charger answered with
    an error.
    """
    await read(chargers.info, charger_id)
    reply = await bus().call(charger_id, Call(ask.body.action, ask.body.payload), CALL_S)
    return Reply(status=reply.status, payload=reply.payload)


def _charger(row: models.Charger) -> Charger:
    return Charger.model_validate(_known(row))


def _known(row: models.Charger) -> dict[str, Any]:
    return row.model_dump() | {"has_key": bool(row.key_hash), "in_contact": chargers.in_contact(row, now())}


def _connector(found: tuple[models.Connector, str | None]) -> Connector:
    row, ref = found
    return Connector.model_validate(row.model_dump() | {"session": ref})


ONE = "/chargers/{charger_id}"

OPERATIONS = (
    Operation("GET", "/chargers", "chargers:read", list_),
    Operation("GET", "/fleet", "chargers:read", fleet),
    Operation("GET", ONE, "chargers:read", get),
    Operation("PUT", ONE, "chargers:write", describe, "charger add"),
    Operation("POST", f"{ONE}/retire", "chargers:write", retire, "charger retire"),
    Operation("PUT", f"{ONE}/key", "chargers:write", set_key, "charger set-key"),
    Operation("PUT", f"{ONE}/trace", "chargers:write", trace, "charger trace"),
    Operation("GET", f"{ONE}/connectors", "chargers:read", connectors),
    Operation("GET", f"{ONE}/health", "chargers:read", healthy),
    Operation("GET", f"{ONE}/price", "chargers:read", price),
    Operation("GET", f"{ONE}/reservations", "chargers:read", reservations),
    Operation("GET", f"{ONE}/local-list", "chargers:read", local_list),
    Operation("POST", f"{ONE}/call", "chargers:call", call, "call {action}", named=True, refuses=(503, 504)),
)
