"""Endpoints for what somebody must look at: orphans, what does not fit together, bills to review."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlmodel import Session

from api import cursors
from api.operation import Ask, Operation
from api.shapes import Filters, Given, Leafing, Part, Told, YesOrNo, text
from domain import findings, listings, models


class Finding(Told):
    """Something that is never mended by itself."""

    id: int
    kind: str = Field(description="orphan-stop, conflict, mismatch, review …; docs/operate.md explains each.")
    ref: str = Field(description="What it is about.")
    detail: str
    created_at: datetime
    taken_by: str | None = Field(description="Who is at it: user:7 …; null: nobody.")
    taken_at: datetime | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None


class FindingFilters(Leafing):
    """Which findings."""

    kind: Annotated[str, text(30, 1)] | None = None
    resolved: YesOrNo | None = None


class Resolution(Given):
    """What came of it."""

    note: Annotated[str, text(500, 1)]
    detail: Annotated[str, text(500)] | None = Field(
        None, description="What it said when it was looked at; where it says something else by now, it waits still."
    )


def list_(db: Session, ask: Ask[FindingFilters, None]) -> Part[Finding]:
    """Findings, oldest first; `resolved=false` gives what is still to be looked at."""
    return Part[Finding].model_validate(cursors.part(db, listings.FINDINGS, ask.query, Finding.model_validate))


def get(db: Session, ask: Ask[Filters, None], finding_id: int) -> Finding:
    """One finding."""
    return Finding.model_validate(db.get_one(models.Finding, finding_id))


def resolve(db: Session, ask: Ask[Filters, Resolution], finding_id: int) -> Finding:
    """Somebody has looked; who resolved it first stays."""
    findings.resolve(db, finding_id, ask.actor, ask.body.note, read=ask.body.detail)
    return Finding.model_validate(db.get_one(models.Finding, finding_id))


ONE = "/findings/{finding_id}"

OPERATIONS = (
    Operation("GET", "/findings", "findings:read", list_),
    Operation("GET", ONE, "findings:read", get),
    Operation("POST", f"{ONE}/resolve", "findings:write", resolve),
)
