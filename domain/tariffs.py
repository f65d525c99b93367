"""Which price is in force at a charger at a moment, and how an operator puts another one into force."""

from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, select

from domain.models import Charger, Tariff, TariffBand, now
from domain.prices import Band, Price
from domain.sentences import Sentence
from domain.settings import settings

LEAST_GRACE, MOST_GRACE = 5, 1_440
"""Minutes before idling costs: time enough to warn a driver, a day at most."""
DAY = 24 * 60
LATE = timedelta(minutes=1)
"""Whoever says "now" says it a moment before we hear it."""


class NotAPrice(ValueError):
    """The argument is a sentence for the operator: what about the price cannot be."""


def price(db: Session, charger_id: str, moment: datetime) -> Price:
    """What is in force at `moment`: the charger's own tariff, else its group's, else the common one, else the settings.

    The price of a charge is the one in force when it was asked for, and stays (payments.md C21).
    """
    charger = db.get(Charger, charger_id)
    group = charger.group_name if charger is not None else None
    found = _in_force(db, moment, charger_id=charger_id) or (group and _in_force(db, moment, group=group))
    return _price(db, found or _in_force(db, moment))


def _in_force(
    db: Session, moment: datetime, *, charger_id: str | None = None, group: str | None = None
) -> Tariff | None:
    return db.exec(
        select(Tariff)
        .where(col(Tariff.charger_id) == charger_id, col(Tariff.group_name) == group)
        .where(col(Tariff.effective_at) <= moment)
        .order_by(col(Tariff.effective_at).desc())
        .limit(1)
    ).first()


def _price(db: Session, tariff: Tariff | None) -> Price:
    gst = settings().gst_basis_points if settings().seller_gstin else 0
    if tariff is None:
        return Price(settings().tariff_paise_per_kwh, gst)
    return Price(
        tariff.paise_per_kwh,
        tariff.gst_basis_points if gst else 0,
        tariff.start_paise or 0,
        tariff.per_minute_paise or 0,
        tariff.idle_after_minutes or 0,
        tariff.idle_per_minute_paise or 0,
        bands(db, tariff),
    )


def of(db: Session, tariff: Tariff) -> Price:
    """The price that a tariff asks."""
    return _price(db, tariff)


def bands(db: Session, tariff: Tariff) -> tuple[Band, ...]:
    """A tariff's hours, by their beginning."""
    rows = select(TariffBand).where(TariffBand.tariff_id == tariff.id).order_by(col(TariffBand.since_minute))
    return tuple(Band(row.since_minute, row.until_minute, row.paise_per_kwh) for row in db.exec(rows))


def everything(db: Session) -> list[tuple[Tariff, Price]]:
    """Every tariff with its price, those of all before those of groups before those of chargers, the newest first."""
    scope = col(Tariff.charger_id).nulls_first(), col(Tariff.group_name).nulls_first()
    rows = select(Tariff).order_by(*scope, col(Tariff.effective_at).desc())
    return [(tariff, _price(db, tariff)) for tariff in db.exec(rows)]


def beginning(wanted: datetime | None) -> datetime:
    """From when on a price that an operator sets holds: now, or when he says.

    Raises:
        NotAPrice: that is over; what was charged stays charged.
    """
    moment = now()
    if wanted is not None and wanted < moment - LATE:
        raise NotAPrice("A price begins now or later; what was charged stays charged.")
    return wanted or moment


def standing(db: Session, at: datetime) -> list[tuple[Tariff, Price]]:
    """What holds at `at` and what is to come after it, of every charger, group and all; past ones are left out."""
    found: list[tuple[Tariff, Price]] = []
    holding: set[tuple[str | None, str | None]] = set()
    for tariff, its_price in everything(db):
        scope = tariff.charger_id, tariff.group_name
        if tariff.effective_at > at or scope not in holding:
            found.append((tariff, its_price))
        if tariff.effective_at <= at:
            holding.add(scope)
    return found


def set_price(
    db: Session,
    paise_per_kwh: int,
    *,
    charger_id: str | None = None,
    group: str | None = None,
    effective_at: datetime | None = None,
    start_paise: int = 0,
    per_minute_paise: int = 0,
    idle_after_minutes: int = 0,
    idle_per_minute_paise: int = 0,
    bands: tuple[Band, ...] = (),
) -> Tariff:
    """Put a price into force from `effective_at` (default: now) on, for one charger, for a group, or for all.

    One that is not in force yet is replaced by another from the same moment; one that was in force stays as it was.

    Raises:
        NotAPrice: something negative, hours that overlap, too little time before idling costs, two scopes, or a price
            that has been in force from this moment on.
    """
    moment = now()
    effective_at = effective_at or moment
    _refuse(charger_id, group, idle_after_minutes, idle_per_minute_paise, bands)
    if min(paise_per_kwh, start_paise, per_minute_paise, idle_per_minute_paise) < 0:
        raise NotAPrice(Sentence("A price cannot be negative."))
    same = select(Tariff).where(
        col(Tariff.charger_id) == charger_id, col(Tariff.group_name) == group, Tariff.effective_at == effective_at
    )
    if (known := db.exec(same).first()) is not None:
        if effective_at <= moment:
            raise NotAPrice(
                Sentence("From that moment on another price has been in force; it stays. Choose a later one.")
            )
        db.exec(delete(TariffBand).where(col(TariffBand.tariff_id) == known.id))
        db.delete(known)
        db.flush()
    tariff = Tariff(
        charger_id=charger_id,
        group_name=group,
        paise_per_kwh=paise_per_kwh,
        gst_basis_points=settings().gst_basis_points,
        start_paise=start_paise or None,
        per_minute_paise=per_minute_paise or None,
        idle_after_minutes=idle_after_minutes or None,
        idle_per_minute_paise=idle_per_minute_paise or None,
        effective_at=effective_at,
    )
    db.add(tariff)
    db.flush()
    for band in bands:
        db.add(
            TariffBand(
                tariff_id=tariff.id or 0,
                since_minute=band.since,
                until_minute=band.until,
                paise_per_kwh=band.paise_per_kwh,
            )
        )
    db.flush()
    return tariff


def _refuse(
    charger_id: str | None, group: str | None, idle_after: int, idle_per_minute: int, bands: tuple[Band, ...]
) -> None:
    if charger_id and group:
        raise NotAPrice(Sentence("A price is for one charger or for a group, not for both."))
    if bool(idle_after) != bool(idle_per_minute):
        raise NotAPrice(Sentence("Idling needs both: after how many minutes it costs, and how much a minute."))
    if idle_after and not LEAST_GRACE <= idle_after <= MOST_GRACE:
        raise NotAPrice(
            Sentence(
                "Idling may cost after {least} to {most} minutes: the driver is warned before.",
                least=LEAST_GRACE,
                most=MOST_GRACE,
            )
        )
    if any(band.since == band.until or band.paise_per_kwh < 0 for band in bands):
        raise NotAPrice(Sentence("Hours need a beginning, another end, and a price that is not negative."))
    if any(sum(band.holds(minute) for band in bands) > 1 for minute in range(DAY)):
        raise NotAPrice(Sentence("No hour of the day can have two prices."))
