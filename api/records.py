"""Endpoints for what was written down: messages between chargers and us, chargers' alarms, and what operators did."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlmodel import Session

from api import cursors
from api.operation import Ask, Operation
from api.shapes import Leafing, Moment, Part, Told, text
from domain import chargers, listings
from domain.models import ActorKind


class Message(Told):
    """One frame, in (from the charger) or out, and our answer to it; passwords are taken out of both."""

    direction: str
    action: str
    message_id: str
    frame: str
    repairs: str = Field(description="What had to be mended before it was OCPP.")
    at: datetime = Field(validation_alias="created_at")
    answer: str | None = Field(
        description="What we answered to the charger; what it answers to us is a message of its own, "
        "with the same message_id."
    )
    answered_at: datetime | None


class SecurityEvent(Told):
    """What a charger reported of its own security (SecurityEventNotification)."""

    kind: str = Field(description="As the security white paper of OCPP 1.6 names it: TamperDetectionActivated …")
    detail: str
    at: datetime = Field(description="The charger's time.")
    received_at: datetime


class Act(Told):
    """What one operator did."""

    id: int
    actor_kind: str = Field(description="user: the operators' pages; key: this API; shell: the shell.")
    actor_id: str
    action: str
    subject: str
    detail: str
    at: datetime


class MessageFilters(Leafing):
    """Which messages."""

    direction: Literal["in", "out"] | None = None
    action: Annotated[str, text(50, 1)] | None = None
    since: Moment | None = None
    before: Moment | None = None


class EventFilters(Leafing):
    """Which events."""

    kind: Annotated[str, text(50, 1)] | None = None
    since: Moment | None = Field(None, description="By when it came.")
    before: Moment | None = None


class ActFilters(Leafing):
    """Which acts."""

    actor_kind: Literal[tuple(map(str, ActorKind))] | None = None  # type: ignore[valid-type]
    actor_id: Annotated[str, text(80, 1)] | None = None
    subject: Annotated[str, text(100, 1)] | None = Field(
        None, description="user:7, charger:BLR-017 …; of a user also what was done to the charges, payments and cards."
    )


def messages(db: Session, ask: Ask[MessageFilters, None], charger_id: str) -> Part[Message]:
    """The message journal of a charger, newest first; all of it while it is traced."""
    chargers.info(db, charger_id)
    return Part[Message].model_validate(
        cursors.part(db, listings.MESSAGES, ask.query, Message.model_validate, charger_id=charger_id)
    )


def security_events(db: Session, ask: Ask[EventFilters, None], charger_id: str) -> Part[SecurityEvent]:
    """What a charger reported of its own security, newest first, for 180 days; what alarms is a finding, too."""
    chargers.info(db, charger_id)
    return Part[SecurityEvent].model_validate(
        cursors.part(db, listings.SECURITY, ask.query, SecurityEvent.model_validate, charger_id=charger_id)
    )


def trail(db: Session, ask: Ask[ActFilters, None]) -> Part[Act]:
    """What operators did, newest first."""
    return Part[Act].model_validate(cursors.part(db, listings.TRAIL, ask.query, Act.model_validate))


OPERATIONS = (
    Operation("GET", "/chargers/{charger_id}/messages", "journal:read", messages),
    Operation("GET", "/chargers/{charger_id}/security-events", "journal:read", security_events),
    Operation("GET", "/trail", "trail:read", trail),
)
