"""Which price is in force at a charger at a moment, and how an operator puts another one into force."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, delete, func, or_, select

from domain import typed_ids
from domain.india import DAY_MINUTES
from domain.models import Charger, Tariff, TariffBand, now
from domain.money import AmountError, parse_rupees, plain_rupees
from domain.prices import Band, Price
from domain.sentences import Sentence
from domain.settings import settings

LEAST_GRACE, MOST_GRACE = 5, DAY_MINUTES
"""Minutes before idling costs: time enough to warn a driver, a day at most."""
MOST_PAISE = 1_000_000
"""No sum of a price is more: a slip of zeros bills nobody a crore."""
MOST_BANDS = 24
"""Times of the day with a price of their own, in one tariff."""
LATE = timedelta(minutes=1)
"""Whoever says "now" says it a moment before we hear it."""

Scope = tuple[str | None, str | None]
"""A charger's identity or a group's name; neither: all chargers."""
Hours = defaultdict[int | None, list[Band]]
"""Of each tariff, by their beginning."""
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)=(.+)")


class NotAPrice(ValueError):
    """The argument is a sentence for the operator: what about the price cannot be."""


def price(db: Session, charger_id: str, moment: datetime) -> Price:
    """What is in force at `moment`: the charger's own tariff, else its group's, else the common one, else the settings.

    The price of a charge is the one in force when it was asked for, and stays (payments.md C21).
    """
    charger = db.get(Charger, charger_id)
    return prices(db, {charger_id: charger.group_name if charger is not None else None}, moment)[charger_id]


def prices(db: Session, groups: Mapping[str, str | None], moment: datetime) -> dict[str, Price]:
    """The same of several chargers, each with its group."""
    in_force = _in_force(db, groups, moment)
    hours = _bands(db, in_force.values())
    told: dict[str, Price] = {}
    for charger_id, group in groups.items():
        scopes = (charger_id, None), (None, group), (None, None)
        tariff = next((in_force[scope] for scope in scopes if scope in in_force), None)
        told[charger_id] = _price(tariff, hours)
    return told


def common(db: Session, moment: datetime) -> Price:
    """What is in force at `moment` at every charger that has no price of its own or of its group."""
    return price(db, "", moment)


def least_to_start(price: Price) -> int:
    """Paise that must be free for a charge at this price: what the settings ask for, and the fee for the start."""
    return settings().start_min_paise + price.start_paise


def _in_force(db: Session, groups: Mapping[str, str | None], moment: datetime) -> dict[Scope, Tariff]:
    """The newest of each of these chargers, of each of their groups, and of all, where it has not ended."""
    scope = charger_id, group = col(Tariff.charger_id), col(Tariff.group_name)
    theirs = or_(
        charger_id.in_(groups), group.in_(set(groups.values()) - {None}), and_(charger_id.is_(None), group.is_(None))
    )
    age = func.row_number().over(partition_by=scope, order_by=col(Tariff.effective_at).desc()).label("age")
    begun = select(col(Tariff.id), age).where(theirs, col(Tariff.effective_at) <= moment).subquery()
    newest = select(begun.c.id).where(begun.c.age == 1)
    holds = or_(col(Tariff.ended_at).is_(None), col(Tariff.ended_at) > moment)
    found = db.exec(select(Tariff).where(col(Tariff.id).in_(newest), holds))
    return {(tariff.charger_id, tariff.group_name): tariff for tariff in found}


def _bands(db: Session, tariffs: Iterable[Tariff]) -> Hours:
    hours: Hours = defaultdict(list)
    theirs = col(TariffBand.tariff_id).in_([tariff.id for tariff in tariffs])
    for row in db.exec(select(TariffBand).where(theirs).order_by(col(TariffBand.since_minute))):
        hours[row.tariff_id].append(Band(row.since_minute, row.until_minute, row.paise_per_kwh))
    return hours


def _price(tariff: Tariff | None, hours: Hours) -> Price:
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
        tuple(hours[tariff.id]),
    )


def of(db: Session, tariff: Tariff) -> Price:
    """The price that a tariff asks."""
    return _price(tariff, _bands(db, [tariff]))


def everything(db: Session) -> list[tuple[Tariff, Price]]:
    """Every tariff with its price, those of all before those of groups before those of chargers, the newest first."""
    scope = col(Tariff.charger_id).nulls_first(), col(Tariff.group_name).nulls_first()
    rows = db.exec(select(Tariff).order_by(*scope, col(Tariff.effective_at).desc())).all()
    hours = _bands(db, rows)
    return [(tariff, _price(tariff, hours)) for tariff in rows]


def standing(db: Session, at: datetime, typed: str = "") -> list[tuple[Tariff, Price]]:
    """What holds at `at` and what is to come after it, of every charger, group and all; past ones are left out.

    With `typed`, those of that charger, of its group and of all; else those of groups and chargers with it in the name.
    """
    found: list[tuple[Tariff, Price]] = []
    begun: set[Scope] = set()
    for tariff, its_price in everything(db):
        scope = tariff.charger_id, tariff.group_name
        if tariff.effective_at > at or (scope not in begun and not _ends(tariff, at)):
            found.append((tariff, its_price))
        if tariff.effective_at <= at:
            begun.add(scope)
    return found if not typed else _meant(db, found, typed)


def _meant(db: Session, found: list[tuple[Tariff, Price]], typed: str) -> list[tuple[Tariff, Price]]:
    key = typed_ids.find_key(typed)
    charger = db.exec(select(Charger).where(Charger.find_key == key)).first() if key else None
    if charger is not None:
        scopes = {(charger.id, None), (None, charger.group_name), (None, None)}
        return [one for one in found if (one[0].charger_id, one[0].group_name) in scopes]
    part = typed.casefold()
    return [one for one in found if part in (one[0].charger_id or one[0].group_name or "").casefold()]


def beyond(db: Session, tariff: Tariff, moment: datetime) -> Price:
    """What would be in force at `moment` without this price of a charger's or a group's own."""
    charger = db.get(Charger, tariff.charger_id) if tariff.charger_id else None
    group = charger.group_name if charger is not None else None
    return prices(db, {"": group}, moment)[""]


def parse_band(typed: str) -> Band:
    """Hours of the Indian day with a price of their own, from text such as 22:00-06:00=12.50: rupees for a kWh.

    Raises:
        NotAPrice: it is written in another way.
    """
    match = _HOURS.fullmatch(typed)
    try:
        paise = parse_rupees(match and match[5])
    except AmountError:
        match = None
    if match is None:
        raise NotAPrice(Sentence("Enter hours and rupees like 22:00-06:00=12.50."))
    since, until = ((int(match[n]) * 60 + int(match[n + 1])) if match[n] else 0 for n in (1, 3))
    return Band(since, until, paise)


def set_price(
    db: Session,
    price: Price,
    *,
    charger_id: str | None = None,
    group: str | None = None,
    effective_at: datetime | None = None,
) -> Tariff:
    """Put a price into force from `effective_at` (default: now) on, for one charger, for a group, or for all.

    The GST in it is that of the settings, whatever `price` says. One that is not in force yet is replaced by another
    from the same moment; one that was in force stays as it was.

    Raises:
        NotAPrice: what `refuse` refuses, two scopes or an empty one, or a price that has been in force from this moment
            on.
    """
    refuse(price, effective_at)
    if charger_id and group:
        raise NotAPrice(Sentence("A price is for one charger or for a group, not for both."))
    if any(scope is not None and not scope.strip() for scope in (charger_id, group)):
        raise NotAPrice(Sentence("A price is for a charger or a group that has a name, or for all."))
    effective_at = effective_at or now()
    _make_room(db, charger_id, group, effective_at)
    tariff = Tariff(
        charger_id=charger_id,
        group_name=group,
        paise_per_kwh=price.paise_per_kwh,
        gst_basis_points=settings().gst_basis_points,
        start_paise=price.start_paise or None,
        per_minute_paise=price.per_minute_paise or None,
        idle_after_minutes=price.idle_after_minutes or None,
        idle_per_minute_paise=price.idle_per_minute_paise or None,
        effective_at=effective_at,
    )
    db.add(tariff)
    db.flush()
    for band in price.bands:
        db.add(
            TariffBand(
                tariff_id=tariff.id,
                since_minute=band.since,
                until_minute=band.until,
                paise_per_kwh=band.paise_per_kwh,
            )
        )
    db.flush()
    return tariff


def subject(charger_id: str | None, group: str | None) -> str:
    """What a price is set for, as the trail names it."""
    return f"charger:{charger_id}" if charger_id else f"tariff:{group or 'all'}"


def refuse(price: Price, effective_at: datetime | None) -> None:
    """Nobody can be asked for such a price, or not from then on.

    Raises:
        NotAPrice: it would have begun before now, something is negative or more than MOST_PAISE, a start needs more
            than a charge may hold, there are too many hours or they overlap, or too little time before idling costs.
    """
    if effective_at is not None and effective_at < now() - LATE:
        raise NotAPrice(Sentence("A price begins now or later; what was charged stays charged."))
    _refuse_sums(price)
    _refuse_start(price)
    _refuse_idling(price.idle_after_minutes, price.idle_per_minute_paise)
    _refuse_bands(price.bands)


def _refuse_sums(price: Price) -> None:
    sums = [price.paise_per_kwh, price.start_paise, price.per_minute_paise, price.idle_per_minute_paise]
    if min(sums) < 0:
        raise NotAPrice(Sentence("A price cannot be negative."))
    if max(*sums, *(band.paise_per_kwh for band in price.bands)) > MOST_PAISE:
        raise NotAPrice(Sentence("Each sum of a price may be up to {most}.", most=plain_rupees(MOST_PAISE)))


def _refuse_start(price: Price) -> None:
    """Nobody could start, however full the wallet."""
    cap, least = settings().session_cap_paise, settings().start_min_paise
    if least_to_start(price) > cap:
        raise NotAPrice(
            Sentence(
                "A start may cost {most} at most: one charge may hold {cap}, and {least} of it are to charge with.",
                most=plain_rupees(cap - least),
                cap=plain_rupees(cap),
                least=plain_rupees(least),
            )
        )


def _refuse_idling(after_minutes: int, per_minute_paise: int) -> None:
    if bool(after_minutes) != bool(per_minute_paise):
        raise NotAPrice(Sentence("Idling needs both: after how many minutes it costs, and how much a minute."))
    if after_minutes and not LEAST_GRACE <= after_minutes <= MOST_GRACE:
        raise NotAPrice(
            Sentence(
                "Idling may cost after {least} to {most} minutes: the driver is warned before.",
                least=LEAST_GRACE,
                most=MOST_GRACE,
            )
        )


def _refuse_bands(bands: tuple[Band, ...]) -> None:
    if len(bands) > MOST_BANDS:
        raise NotAPrice(Sentence("A price may have up to {most} bands of hours.", most=MOST_BANDS))
    if any(band.since == band.until or band.paise_per_kwh < 0 for band in bands):
        raise NotAPrice(Sentence("Hours need a beginning, another end, and a price that is not negative."))
    if any(sum(band.holds(minute) for band in bands) > 1 for minute in range(DAY_MINUTES)):
        raise NotAPrice(Sentence("No hour of the day can have two prices."))


def end(
    db: Session,
    *,
    charger_id: str | None = None,
    group: str | None = None,
    ends_at: datetime | None = None,
    begun_at: datetime | None = None,
) -> Tariff:
    """Let the own price of a charger or a group end at `ends_at` (default: now): from then on the next wider one holds.

    One that is to begin after that moment begins all the same. Charges keep the price they were asked for with. With
    `begun_at`, the one that began then and no other, which whoever ends it has not read.

    Raises:
        NotAPrice: it would have ended before now, it is the price of all, or none or another one holds there then.
    """
    ends_at = ends_at or now()
    if ends_at < now() - LATE:
        raise NotAPrice(Sentence("A price ends now or later; what was charged stays charged."))
    if not charger_id and not group:
        raise NotAPrice(Sentence("The price of all has no other behind it. Set another one."))
    begun = select(Tariff).where(_is_of(charger_id, group), Tariff.effective_at <= ends_at).with_for_update()
    tariff = db.exec(begun.order_by(col(Tariff.effective_at).desc()).limit(1)).first()
    if tariff is None or _ends(tariff, now()):
        raise NotAPrice(Sentence("No price of its own holds there then."))
    if begun_at is not None and tariff.effective_at != begun_at:
        raise NotAPrice(Sentence("Another price holds there by now. Look at it, then end it."))
    tariff.ended_at = max(ends_at, tariff.effective_at)
    db.flush()
    return tariff


def _ends(tariff: Tariff, at: datetime) -> bool:
    return tariff.ended_at is not None and tariff.ended_at <= at


def withdraw(db: Session, effective_at: datetime, *, charger_id: str | None = None, group: str | None = None) -> None:
    """Take back a price that is to come, or the end of one; then what holds before that moment goes on.

    Raises:
        NotAPrice: nothing is to begin or end at this very moment, or it has meanwhile.
    """
    known = _from(db, charger_id, group, effective_at)
    if known is None and effective_at > now():
        ending = select(Tariff).where(_is_of(charger_id, group), col(Tariff.ended_at) == effective_at)
        if (tariff := db.exec(ending).first()) is not None:
            tariff.ended_at = None
            db.flush()
            return
    if known is None:
        raise NotAPrice(Sentence("No price is to come there from that moment on."))
    if effective_at <= now():
        raise NotAPrice(Sentence("This price has begun, and stays. Set another one from now on."))
    _remove(db, known)


def _make_room(db: Session, charger_id: str | None, group: str | None, effective_at: datetime) -> None:
    """Take away the price that was to begin at this very moment."""
    if (known := _from(db, charger_id, group, effective_at)) is None:
        return
    if effective_at <= now():
        raise NotAPrice(Sentence("From that moment on another price has been in force; it stays. Choose a later one."))
    _remove(db, known)


def _from(db: Session, charger_id: str | None, group: str | None, effective_at: datetime) -> Tariff | None:
    return db.exec(select(Tariff).where(_is_of(charger_id, group), Tariff.effective_at == effective_at)).first()


def _is_of(charger_id: str | None, group: str | None) -> ColumnElement[bool]:
    return and_(col(Tariff.charger_id) == charger_id, col(Tariff.group_name) == group)


def _remove(db: Session, tariff: Tariff) -> None:
    db.exec(delete(TariffBand).where(col(TariffBand.tariff_id) == tariff.id))
    db.delete(tariff)
    db.flush()
