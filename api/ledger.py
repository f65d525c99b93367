"""Endpoints for who keeps books: every transfer of the ledger, and every numbered paper about a charge."""

from datetime import datetime
from typing import Literal

from pydantic import Field
from sqlmodel import Session

from api import cursors
from api.operation import Ask, Operation
from api.shapes import Leafing, Moment, Part, Ref, Told
from domain import listings, models, receipts, wallet
from domain.models import PaperKind


class Posting(Told):
    """What a transfer did to one account; money in is positive."""

    account: str = Field(
        validation_alias="account_code",
        description="wallet:7 and due:7 are what driver 7 has and, negative, owes; the others are the house's own.",
    )
    amount_paise: int
    balance_after_paise: int
    number: int = Field(
        validation_alias="account_version",
        description="1, 2, 3 … of this account: where one is left out, something was missed.",
    )


class Transfer(Told):
    """One movement of money; its postings add up to nothing, and it never changes."""

    id: int
    kind: str
    ref: str = Field(description="What moved it: a session, a recharge or a refund; empty for an adjustment.")
    description: str
    at: datetime = Field(description="When it was booked.")
    happened_at: datetime
    postings: list[Posting]


class Tax(Told):
    """One tax within the total."""

    name: str
    basis_points: int
    paise: int


class Buyer(Told):
    """A firm that is registered for GST, as it was when the paper was given."""

    gstin: str
    name: str
    address: str


class Paper(Told):
    """A receipt about a charge, or a note that changes one, as it was given; it never changes."""

    number: str
    kind: str = Field(description="tax invoice, bill of supply, credit note or debit note.")
    session: str = Field(validation_alias="ref")
    charger_id: str
    issued_at: datetime
    corrects: str = Field(description="Of a note: the number of the receipt that it changes; else empty.")
    total_paise: int = Field(description="GST included; of a note what it gives back or asks for.")
    taxes: list[Tax]
    buyer: Buyer | None = Field(
        description="The registered firm that it is made out to (B2B); null: nobody such (B2C)."
    )
    place_of_supply: str
    energy_wh: int = Field(description="Of the whole charge, as it is with this paper.")
    estimated: bool


class TransferFilters(Leafing):
    """Which transfers."""

    kind: Literal["recharge", "charging", "refund", "adjustment"] | None = None
    booked_since: Moment | None = None
    booked_before: Moment | None = None


class PaperFilters(Leafing):
    """Which papers."""

    series: Literal[tuple(map(str, PaperKind))] | None = Field(  # type: ignore[valid-type]
        None, description="EV: receipts; CN: credit notes; DN: debit notes."
    )
    session: Ref | None = None
    issued_since: Moment | None = None
    issued_before: Moment | None = None


def transfers(db: Session, ask: Ask[TransferFilters, None]) -> Part[Transfer]:
    """Every movement of money between accounts, newest first."""
    found = cursors.part(db, listings.TRANSFERS, ask.query, lambda row: row)
    entered = wallet.entries_of(db, [row.id for row in found.items])
    return Part[Transfer](items=[_transfer(row, entered[row.id]) for row in found.items], next=found.next)


def papers(db: Session, ask: Ask[PaperFilters, None]) -> Part[Paper]:
    """Receipts, credit notes and debit notes, by number, the last first: each series has every number."""
    return Part[Paper].model_validate(
        cursors.part(db, listings.PAPERS, ask.query, lambda row: Paper.model_validate(receipts.paper(db, row)))
    )


def _transfer(row: models.Transfer, entered: list[models.Entry]) -> Transfer:
    return Transfer(
        id=row.id,
        kind=row.kind,
        ref=row.ref,
        description=row.description,
        at=row.created_at,
        happened_at=row.event_at,
        postings=[Posting.model_validate(entry) for entry in entered],
    )


OPERATIONS = (
    Operation("GET", "/transfers", "money:read", transfers),
    Operation("GET", "/papers", "money:read", papers),
)
