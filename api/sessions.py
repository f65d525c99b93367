"""Endpoints for charging sessions and their meter samples."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlmodel import Session as Db

from api import cursors
from api.operation import Ask, Operation
from api.problems import Problem
from api.shapes import ChargerId, Filters, Given, Id, Leafing, Moment, Paise, Part, Told, Why, text
from domain import charging, dispatch, goodwill, listings, sessions, settlement
from domain.bus import bus
from domain.db import read
from domain.models import OPEN, ChargingSession, SessionState, now


class Session(Told):
    """One charge, from the wish to the receipt. Energy in Wh, money in paise."""

    ref: str
    user_id: int | None = Field(description="null: a walk-up, charging by a card of nobody we know.")
    charger_id: str
    connector_number: int
    state: str
    tag: str
    card: str | None
    transaction_id: int | None
    limit_paise: int | None
    limit_wh: int | None
    limit_minutes: int | None
    paise_per_kwh: int
    requested_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None
    settled_at: datetime | None
    metered_at: datetime | None
    meter_start_wh: int | None
    meter_wh: int | None
    meter_stop_wh: int | None
    power_w: int
    suspended: str
    stop_cause: str
    stop_reason: str
    energy_wh: int
    cost_paise: int = Field(
        description="So far, while it runs; then as billed. Of a walk-up, what its energy costs, though nobody pays it."
    )
    gst_paise: int
    arrears_paise: int
    given_back_paise: int | None
    estimated: bool
    review: str
    receipt_number: str


class Sample(Told):
    """What one MeterValues message said."""

    at: datetime = Field(description="The charger's time.")
    received_at: datetime
    energy_wh: int | None = Field(description="The register.")
    power_w: int | None
    current_ma: int | None
    voltage_mv: int | None
    soc_percent: int | None


class SessionFilters(Leafing):
    """Which sessions."""

    charger_id: ChargerId | None = None
    user_id: Id | None = None
    state: Literal[tuple(map(str, SessionState))] | None = None  # type: ignore[valid-type]
    requested_since: Moment | None = None
    requested_before: Moment | None = None


class GivenBack(Given):
    """How much of a bill its driver gets back; he reads why."""

    amount_paise: Paise
    reason: Annotated[str, text(80, 1)]


def list_(db: Db, ask: Ask[SessionFilters, None]) -> Part[Session]:
    """Charging sessions, newest first."""
    return Part[Session].model_validate(cursors.part(db, listings.SESSIONS, ask.query, _session))


def get(db: Db, ask: Ask[Filters, None], ref: str) -> Session:
    """One charging session."""
    return _session(sessions.named(db, ref))


def samples(db: Db, ask: Ask[Leafing, None], ref: str) -> Part[Sample]:
    """The meter samples of a session, in the order in which they came."""
    of = sessions.named(db, ref).id
    return Part[Sample].model_validate(
        cursors.part(db, listings.SAMPLES, ask.query, Sample.model_validate, session_id=of)
    )


def stop(db: Db, ask: Ask[Filters, Why], ref: str) -> Session:
    """Stop a charge. The charger is asked until it has; only its StopTransaction ends the billing."""
    session = sessions.locked(db, sessions.named(db, ref).id)
    if session.state not in OPEN:
        raise Problem(409, "session-over", f"The session {ref} is {session.state}; there is nothing to stop.")
    return _session(charging.request_stop(db, session.id, "operator"))


async def stopping(ask: Ask[Filters, Why], told: Session) -> None:
    """Ask the charger at once; if this is lost, the sweeper asks."""
    await dispatch.stop(bus(), (await read(sessions.named, told.ref)).id)


def give_back(db: Db, ask: Ask[Filters, GivenBack], ref: str) -> Session:
    """Give a driver part of a bill back, once a charge, with a credit note. What is owed is paid first."""
    session = sessions.named(db, ref)
    return _session(goodwill.give_back(db, session.id, ask.body.amount_paise, ask.body.reason))


def _session(row: ChargingSession) -> Session:
    told = Session.model_validate(row)
    told.cost_paise = settlement.cost_by_now(row, now())
    return told


ONE = "/sessions/{ref}"

OPERATIONS = (
    Operation("GET", "/sessions", "sessions:read", list_),
    Operation("GET", ONE, "sessions:read", get),
    Operation("GET", f"{ONE}/samples", "sessions:read", samples),
    Operation("POST", f"{ONE}/stop", "sessions:write", stop, "session stop", named=True, after=stopping),
    Operation("POST", f"{ONE}/give-back", "money:write", give_back, "session give-back", named=True),
)
