"""Endpoints for prices."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlmodel import Session

from api import cursors
from api.chargers import PriceNow
from api.operation import Ask, Operation
from api.shapes import ChargerId, Done, Filters, Given, Group, Leafing, Moment, Part, Told
from domain import chargers, listings, models, tariffs
from domain.prices import Band, Price
from domain.tariffs import LEAST_GRACE, MOST_BANDS, MOST_GRACE, MOST_PAISE

Rate = Annotated[int, Field(ge=0, le=MOST_PAISE)]
"""Paise."""
Minute = Annotated[int, Field(ge=0, le=1_439)]


class Tariff(Told):
    """A price from a moment on, for one charger, for a group of them, or for all."""

    id: int
    charger_id: str | None
    group: str | None
    effective_at: datetime
    ended_at: datetime | None = Field(description="From when on the next wider price holds; null: no end is set.")
    created_at: datetime
    price: PriceNow


class Hours(Given):
    """Hours of every Indian day, in minutes from midnight; through midnight where `until_minute` is earlier."""

    since_minute: Minute
    until_minute: Minute
    paise_per_kwh: Rate


class Wanted(Given):
    """A price, GST included; for one charger or one group, or, without both, for all that have none of their own."""

    paise_per_kwh: Rate
    charger_id: ChargerId | None = None
    group: Group | None = None
    effective_at: Moment | None = Field(None, description="From when on; null: now.")
    start_paise: Rate = Field(0, description="Once a charge.")
    per_minute_paise: Rate = Field(0, description="For every whole minute in which energy flowed.")
    idle_after_minutes: Annotated[int, Field(ge=0, le=MOST_GRACE)] = Field(
        0, description=f"Free minutes of a cable left in the car, {LEAST_GRACE} at least; 0: idling is free."
    )
    idle_per_minute_paise: Rate = 0
    bands: Annotated[list[Hours], Field(max_length=MOST_BANDS)] = Field(default_factory=list)


class Whose(Given):
    """Whose own price is meant: one charger's or one group's."""

    charger_id: ChargerId | None = None
    group: Group | None = None


class Ended(Whose):
    """Whose own price ends, and from when on the next wider one holds."""

    ends_at: Moment | None = Field(None, description="null: now.")


class Withdrawn(Whose):
    """What was to come: of one charger, of one group, or, without both, of all."""

    effective_at: Moment = Field(description="When it was to begin, or to end.")


class TariffFilters(Leafing):
    """Which prices."""

    charger_id: ChargerId | None = None
    group: Group | None = None


def list_(db: Session, ask: Ask[TariffFilters, None]) -> Part[Tariff]:
    """Every price there was, is and will be; the newest made first."""
    return Part[Tariff].model_validate(cursors.part(db, listings.TARIFFS, ask.query, lambda row: _tariff(db, row)))


def get(db: Session, ask: Ask[Filters, None], tariff_id: int) -> Tariff:
    """One price."""
    return _tariff(db, db.get_one(models.Tariff, tariff_id))


def set_(db: Session, ask: Ask[Filters, Wanted]) -> Tariff:
    """Put a price into force. Charges that run keep the price they began with."""
    told = ask.body
    if told.charger_id is not None:
        chargers.info(db, told.charger_id)
    made = tariffs.set_price(
        db,
        Price(
            told.paise_per_kwh,
            0,
            told.start_paise,
            told.per_minute_paise,
            told.idle_after_minutes,
            told.idle_per_minute_paise,
            tuple(Band(band.since_minute, band.until_minute, band.paise_per_kwh) for band in told.bands),
        ),
        charger_id=told.charger_id,
        group=told.group,
        effective_at=told.effective_at,
    )
    return _tariff(db, made)


def end(db: Session, ask: Ask[Filters, Ended]) -> Tariff:
    """Let the own price of a charger or a group end. Charges that run keep the price they began with."""
    told = ask.body
    return _tariff(db, tariffs.end(db, charger_id=told.charger_id, group=told.group, ends_at=told.ends_at))


def withdraw(db: Session, ask: Ask[Filters, Withdrawn]) -> Done:
    """Take back a price that is to come, or the end of one; what holds before that moment goes on."""
    told = ask.body
    tariffs.withdraw(db, told.effective_at, charger_id=told.charger_id, group=told.group)
    return Done()


def _subject(told: Wanted | Whose) -> str:
    return tariffs.subject(told.charger_id, told.group)


def _tariff(db: Session, row: models.Tariff) -> Tariff:
    return Tariff.model_validate(
        row.model_dump(include={"id", "charger_id", "effective_at", "ended_at", "created_at"})
        | {"group": row.group_name, "price": tariffs.of(db, row)}
    )


OPERATIONS = (
    Operation("GET", "/tariffs", "tariffs:read", list_),
    Operation("GET", "/tariffs/{tariff_id}", "tariffs:read", get),
    Operation(
        "POST",
        "/tariffs",
        "tariffs:write",
        set_,
        "tariff set",
        about=_subject,
        named=True,
        status=201,
        refuses=(404,),
    ),
    Operation("POST", "/tariff-ends", "tariffs:write", end, "tariff end", about=_subject),
    Operation("POST", "/tariff-withdrawals", "tariffs:write", withdraw, "tariff withdraw", about=_subject),
)
