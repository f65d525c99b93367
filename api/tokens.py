"""Endpoints for cards (RFID)."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlmodel import Session

from api import cursors
from api.operation import Ask, Operation
from api.shapes import MOST_ID, Filters, Given, Id, Leafing, Moment, Part, Tag, Told, Why
from domain import listings, models, tokens
from domain.models import TokenStatus, User, now


class Card(Told):
    """A card that is known. Linked to a user, its charges are his."""

    tag: str = Field(description="OCPP's idTag, in capitals.")
    user_id: int | None
    status: str = Field(description="What idTagInfo says of it now: Accepted, Blocked or Expired.")
    expires_at: datetime | None
    parent: str = Field(description="parentIdTag: cards of one group may end each other's charges; empty: of no group.")
    concurrent: bool = Field(description="Whether it may run several charges at once.")
    created_at: datetime


class CardDescribed(Given):
    """What an operator says of a card; what is left out is nobody, never and no."""

    user_id: Annotated[int, Field(ge=1, le=MOST_ID)] | None = Field(None, description="Who pays; null: nobody.")
    parent: Tag | None = None
    expires_at: Moment | None = None
    concurrent: bool = False


class CardFilters(Leafing):
    """Which cards."""

    user_id: Id | None = None


def list_(db: Session, ask: Ask[CardFilters, None]) -> Part[Card]:
    """Cards, by number."""
    return Part[Card].model_validate(cursors.part(db, listings.TOKENS, ask.query, lambda row: _card(db, row)))


def get(db: Session, ask: Ask[Filters, None], tag: str) -> Card:
    """One card."""
    return _card(db, tokens.get(db, tag))


def describe(db: Session, ask: Ask[Filters, CardDescribed], tag: str) -> Card:
    """Make a card known, or describe a known one anew; whether it is blocked stays as it was."""
    told = ask.body
    if told.user_id is not None:
        db.get_one(User, told.user_id)
    made = tokens.add(
        db,
        tag,
        user_id=told.user_id,
        parent=told.parent or "",
        expires_at=told.expires_at,
        concurrent=told.concurrent,
    )
    return _card(db, made)


def block(db: Session, ask: Ask[Filters, Why], tag: str) -> Card:
    """Let a card charge no more; a charge that runs goes on."""
    tokens.set_status(db, tag, TokenStatus.BLOCKED)
    return _card(db, tokens.get(db, tag))


def unblock(db: Session, ask: Ask[Filters, Why], tag: str) -> Card:
    """Let a blocked card charge again."""
    tokens.set_status(db, tag, TokenStatus.ACCEPTED)
    return _card(db, tokens.get(db, tag))


def _card(db: Session, row: models.Token) -> Card:
    return Card.model_validate(row.model_dump() | {"status": tokens.status(db, row, now())})


ONE = "/tokens/{tag}"

OPERATIONS = (
    Operation("GET", "/tokens", "tokens:read", list_),
    Operation("GET", ONE, "tokens:read", get),
    Operation("PUT", ONE, "tokens:write", describe, "token add"),
    Operation("POST", f"{ONE}/block", "tokens:write", block, "token block"),
    Operation("POST", f"{ONE}/unblock", "tokens:write", unblock, "token unblock"),
)
