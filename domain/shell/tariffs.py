"""The operator's words for prices."""

import argparse
from argparse import Namespace
from collections.abc import Iterator

from sqlmodel import Session

from domain import chargers, tariffs
from domain.models import Charger, Tariff, now
from domain.money import plain_rupees
from domain.prices import MOST_IDLE_MINUTES, Band, Price
from domain.shell.command import Command, Shell, argument, clock, columns, moment, number, rupees, text
from domain.tariffs import LEAST_GRACE, MOST_GRACE


def set_price(shell: Shell, given: Namespace) -> Iterator[str]:
    if given.charger:
        shell.read(chargers.info, given.charger)
    price = Price(
        given.rupees, 0, given.start_fee, given.per_minute, given.idle_after, given.idle_per_minute, tuple(given.band)
    )
    shell.act(
        tariffs.subject(given.charger, given.group),
        {"paise_per_kwh": given.rupees, "from": given.begins},
        tariffs.set_price,
        price,
        charger_id=given.charger,
        group=given.group,
        effective_at=given.begins,
    )
    since = f"From {clock(given.begins)} on" if given.begins else "From now on"
    yield f"{since} a kWh costs {plain_rupees(given.rupees)}, GST included, {_where(given.charger, given.group)}."
    yield from parts(price)
    if given.group and not shell.read(chargers.in_group, given.group):
        yield f"No charger is in the group {given.group}. `charger list` says which groups there are."
    yield "Charges that run keep the price they began with."


def withdraw(shell: Shell, given: Namespace) -> Iterator[str]:
    scope = {"charger_id": given.charger, "group": given.group}
    subject = tariffs.subject(given.charger, given.group)
    shell.act(subject, {"from": given.begins}, tariffs.withdraw, given.begins, **scope)
    yield f"What was to come from {clock(given.begins)} on is taken back {_where(given.charger, given.group)}."


def end(shell: Shell, given: Namespace) -> Iterator[str]:
    scope = {"charger_id": given.charger, "group": given.group}
    subject = tariffs.subject(given.charger, given.group)
    tariff = shell.act(subject, {"at": given.ends}, tariffs.end, **scope, ends_at=given.ends)
    yield f"From {clock(tariff.ended_at)} on the next wider price holds {_where(given.charger, given.group)}."
    yield "Charges that run keep the price they began with."


def list_(shell: Shell, given: Namespace) -> Iterator[str]:
    yield from columns(
        ("FROM", "UNTIL", "WHERE", "KWH", "AND"),
        (
            (
                clock(tariff.effective_at),
                clock(tariff.ended_at),
                tariff.charger_id or (f"group {tariff.group_name}" if tariff.group_name else "everywhere else"),
                plain_rupees(tariff.paise_per_kwh),
                " ".join(parts(price)),
            )
            for tariff, price in shell.read(tariffs.everything)
        ),
    )


def show(shell: Shell, given: Namespace) -> Iterator[str]:
    charger, price, coming, ending = shell.read(_of, given.id)
    yield f"{charger.id}, {f'group {charger.group_name}' if charger.group_name else 'in no group'}"
    yield f"Now a kWh costs {plain_rupees(price.at(now()))}, GST included."
    yield from parts(price)
    for tariff in coming:
        where = _where(tariff.charger_id, tariff.group_name)
        yield f"From {clock(tariff.effective_at)} on another price holds {where}."
    for tariff in ending:
        where = _where(tariff.charger_id, tariff.group_name)
        yield f"From {clock(tariff.ended_at)} on the next wider price holds {where}."


def parts(price: Price) -> Iterator[str]:
    """What a price asks for beside its plain kWh, a sentence each."""
    for band in price.bands:
        yield f"From {_hour(band.since)} to {_hour(band.until)} a kWh costs {plain_rupees(band.paise_per_kwh)}."
    if price.start_paise:
        yield f"The start costs {plain_rupees(price.start_paise)}, once energy flows."
    if price.per_minute_paise:
        yield f"A minute of charging costs {plain_rupees(price.per_minute_paise)}."
    if price.idle_per_minute_paise:
        most = plain_rupees(price.idle_per_minute_paise * MOST_IDLE_MINUTES)
        yield (
            f"A cable left in a car costs {plain_rupees(price.idle_per_minute_paise)} a minute after "
            f"{price.idle_after_minutes} minutes without energy, {most} at most."
        )


def band(typed: str) -> Band:
    """Hours with a price of their own."""
    try:
        return tariffs.parse_band(typed)
    except tariffs.NotAPrice as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _of(db: Session, charger_id: str) -> tuple[Charger, Price, list[Tariff], list[Tariff]]:
    charger = chargers.info(db, charger_id)
    mine = ((charger.id, None), (None, charger.group_name), (None, None))
    at = now()
    theirs = [tariff for tariff, _ in tariffs.standing(db, at) if (tariff.charger_id, tariff.group_name) in mine]
    coming = [tariff for tariff in theirs if tariff.effective_at > at]
    return charger, tariffs.price(db, charger_id, at), coming, [one for one in theirs if one.ended_at is not None]


def _where(charger_id: str | None, group: str | None) -> str:
    if charger_id:
        return f"at {charger_id}"
    if group:
        return f"at the chargers of the group {group} that have no price of their own"
    return "at every charger that has no price of its own or of its group"


def _hour(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


CHARGER = argument("--charger", "at this charger only", type=text(48, least=1), default=None)
GROUP = argument("--group", "at the chargers of this group", type=text(40, least=1), default=None)

COMMANDS = (
    Command(
        "tariff set",
        "put a price into force",
        set_price,
        (
            argument("rupees", "for a kWh, GST included: 18 or 18.50", type=rupees),
            CHARGER,
            GROUP,
            argument("--from", "from this day or time on, Indian time; default: now", type=moment, dest="begins"),
            argument("--band", "other hours, other price: 22:00-06:00=12.50", type=band, action="append", default=[]),
            argument("--start-fee", "rupees once, when energy flows", type=rupees, default=0),
            argument("--per-minute", "rupees for a minute of charging", type=rupees, default=0),
            argument(
                "--idle-after",
                "minutes without energy that the cable may stay in the car",
                type=number(LEAST_GRACE, MOST_GRACE),
                default=0,
            ),
            argument("--idle-per-minute", "rupees for each minute after that", type=rupees, default=0),
        ),
    ),
    Command(
        "tariff withdraw",
        "take back a price that is to come, or the end of one",
        withdraw,
        (
            argument(
                "--from",
                "when it was to begin or to end, as `tariff list` says it",
                type=moment,
                dest="begins",
                required=True,
            ),
            CHARGER,
            GROUP,
        ),
    ),
    Command(
        "tariff end",
        "let the own price of a charger or a group end, so that the next wider one holds",
        end,
        (
            CHARGER,
            GROUP,
            argument("--at", "from this day or time on, Indian time; default: now", type=moment, dest="ends"),
        ),
    ),
    Command("tariff list", "every price there was, is and will be", list_),
    Command("tariff show", "what holds at a charger now", show, (argument("id", "the charger", type=text(48)),)),
)
