"""Prices as they hold now and later, for each charger, group and all, and putting another one into force."""

import re
from dataclasses import dataclass
from datetime import datetime

import reflex as rx
from sqlmodel import Session

from domain import chargers, tariffs
from domain.chargers import ChargerUnknown
from domain.db import read
from domain.india import INDIA
from domain.models import Tariff, now
from domain.money import AmountError, parse_rupees
from domain.operators import Act
from domain.prices import Band, Price
from domain.sentences import Sentence
from domain.settings import settings
from domain.tariffs import NotAPrice
from evapp.components.money import moment, per_kwh
from evapp.state.ops import operator, visit
from evapp.state.ops_deed import Deed, Deeds, text
from evapp.state.visit import renewed
from evapp.texts import t
from evapp.texts.prices import price_lines

PARTS = ("paise_per_kwh", "start_paise", "per_minute_paise", "idle_after_minutes", "idle_per_minute_paise", "bands")
"""What the trail keeps of a price."""
SCOPES = ("all", "group", "charger")
PAGE = 30
_MINUTES = re.compile(r"[0-9]{1,4}")

WRONG = {
    "scope": Sentence("Say for which chargers it holds."),
    "moment": Sentence("Choose a day and time from now on, or leave it empty for now."),
    "minutes": Sentence("Enter the minutes in digits, like 10."),
}

NO_CHARGER = Sentence("There is no charger of this ID.")


@dataclass(frozen=True)
class Row:
    """One price in words."""

    number: int
    where: str
    since: str
    now: bool
    rate: str
    lines: list[str]
    until: str
    """When it ends; empty: no end is set."""
    can_end: bool


@dataclass(frozen=True)
class Wanted:
    """A price as it was typed."""

    price: Price
    charger_id: str | None
    group: str | None
    begins: datetime | None


class OpsTariffs(Deeds, rx.State):
    """The page /ops/tariffs."""

    loaded: bool = False
    rows: list[Row] = []
    more: bool = False
    typed: str = ""
    default: str = ""
    """The price of the settings."""
    preview: list[str] = []
    """What drivers will read of the price that is asked about."""
    scope: str = "all"
    _limit: int = PAGE

    @rx.event
    async def load(self) -> None:
        """Show the page."""
        if not await renewed(self):
            self._calm()
            self.preview, self.scope, self._limit = [], "all", PAGE
        await visit(self, OpsTariffs)

    @rx.event
    async def search(self, form: dict[str, object]) -> None:
        """Show what holds at one charger, or the prices of those groups whose names have these words."""
        if user := await operator(self):
            self.typed, self._limit = text(form, "where", 60), PAGE
            await self._refresh(user.id)

    @rx.event
    async def show_more(self) -> None:
        """Thirty more below those shown."""
        user = await operator(self)
        if user is not None and self.more:
            self._limit += PAGE
            await self._refresh(user.id)

    @rx.event
    async def choose(self, scope: str) -> None:
        """For which chargers the new price is."""
        if await operator(self) is not None and scope in SCOPES:
            self.scope, self.error = scope, ""

    @rx.event
    async def set_price(self, form: dict[str, object]) -> None:
        """Ask whether this price shall come into force, in the words that drivers will read."""
        if await operator(self) is None:
            return
        try:
            wanted = _wanted(self.scope, form)
            tariffs.refuse(wanted.price, wanted.begins)
            if wanted.charger_id:
                await read(chargers.info, wanted.charger_id)
        except (AmountError, NotAPrice) as error:
            return self._refuse(t(error.args[0]))
        except ChargerUnknown:
            return self._refuse(t(NO_CHARGER))
        price = wanted.price
        options = {"charger_id": wanted.charger_id, "group": wanted.group, "effective_at": wanted.begins}
        facts = {name: getattr(price, name) for name in PARTS} | options | {"reason": text(form, "reason")}
        subject = tariffs.subject(wanted.charger_id, wanted.group)
        self.preview = words_of(price)
        since = t("From {time} on", time=moment(wanted.begins)) if wanted.begins else t("From now on")
        empty = wanted.group and not await read(chargers.in_group, wanted.group)
        self._ask(
            Deed(
                Act("tariff set", subject, facts),
                tariffs.set_price,
                (price,),
                options,
                said=t("The price is set. Charges that run keep theirs."),
                refusals=(NotAPrice,),
            ),
            t(
                "{where}. {since}: {price}",
                since=since,
                where=where_words(wanted.charger_id, wanted.group),
                price=" ".join(self.preview),
            )
            + ("\n" + t("No charger is in this group yet.") if empty else ""),
            t("Set this price"),
        )

    @rx.event
    async def withdraw(self, number: int) -> None:
        """Ask whether a price that is to come shall be taken back."""
        if await operator(self) is None or type(number) is not int or (found := await read(_coming, number)) is None:
            return
        scope = {"charger_id": found.charger_id, "group": found.group_name}
        act = Act("tariff withdraw", tariffs.subject(**scope), {"from": found.effective_at})
        said = t("The price is taken back.")
        self.preview = []
        self._ask(
            Deed(act, tariffs.withdraw, (found.effective_at,), scope, said=said, calm=True, refusals=(NotAPrice,)),
            t(
                "{where}. Take back the price from {time} on? What holds now goes on.",
                where=where_words(**scope),
                time=moment(found.effective_at),
            ),
            t("Take it back"),
        )

    @rx.event
    async def end(self, number: int) -> None:
        """Ask whether the own price of a charger or a group shall end, so that the next wider one holds again."""
        if await operator(self) is None or type(number) is not int or (found := await read(_own, number)) is None:
            return
        tariff, then = found
        scope = {"charger_id": tariff.charger_id, "group": tariff.group_name}
        act = Act("tariff end", tariffs.subject(**scope))
        said = t("The price has ended. Charges that run keep theirs.")
        self.preview = []
        self._ask(
            Deed(act, tariffs.end, (), {**scope, "begun_at": tariff.effective_at}, said=said, refusals=(NotAPrice,)),
            t("{where}. End this price now? From then on: {price}", where=where_words(**scope), price=" ".join(then)),
            t("End it"),
        )

    @rx.event
    async def go_on(self, number: int) -> None:
        """Ask whether a price that is to end shall go on."""
        if await operator(self) is None or type(number) is not int or (found := await read(_own, number)) is None:
            return
        tariff, _ = found
        if tariff.ended_at is None:
            return
        scope = {"charger_id": tariff.charger_id, "group": tariff.group_name}
        act = Act("tariff withdraw", tariffs.subject(**scope), {"from": tariff.ended_at})
        said = t("The price goes on.")
        self.preview = []
        self._ask(
            Deed(act, tariffs.withdraw, (tariff.ended_at,), scope, said=said, calm=True, refusals=(NotAPrice,)),
            t("{where}. Let this price go on after {time}?", where=where_words(**scope), time=moment(tariff.ended_at)),
            t("Let it go on"),
        )

    async def _refresh(self, user_id: int) -> None:
        at = now()
        self.default = per_kwh(settings().tariff_paise_per_kwh)
        found = await read(tariffs.standing, at, self.typed)
        self.rows = [_row(tariff, price, at) for tariff, price in found[: self._limit]]
        self.more, self.loaded = len(found) > self._limit, True


def _coming(db: Session, number: int) -> Tariff | None:
    tariff = db.get(Tariff, number)
    return tariff if tariff is not None and tariff.effective_at > now() else None


def _own(db: Session, number: int) -> tuple[Tariff, list[str]] | None:
    """A price of a charger's or a group's own that holds now, and what drivers would read without it."""
    tariff, at = db.get(Tariff, number), now()
    if tariff is None or not (tariff.charger_id or tariff.group_name) or tariff.effective_at > at:
        return None
    return tariff, words_of(tariffs.beyond(db, tariff, at))


def words_of(price: Price) -> list[str]:
    """A price as drivers read it."""
    return price_lines(price) or [per_kwh(price.paise_per_kwh)]


def where_words(charger_id: str | None, group: str | None) -> str:
    """At which chargers a price holds."""
    if charger_id:
        return charger_id
    if group:
        return t("Chargers of the group {group} without a price of their own", group=group)
    return t("Every charger without a price of its own or of its group")


def _row(tariff: Tariff, price: Price, at: datetime) -> Row:
    return Row(
        number=tariff.id,
        where=where_words(tariff.charger_id, tariff.group_name),
        since=t("Since {time}", time=moment(tariff.effective_at))
        if tariff.effective_at <= at
        else t("From {time} on", time=moment(tariff.effective_at)),
        now=tariff.effective_at <= at,
        rate=per_kwh(price.paise_per_kwh),
        lines=price_lines(price),
        until=t("Until {time}", time=moment(tariff.ended_at)) if tariff.ended_at else "",
        can_end=tariff.effective_at <= at and bool(tariff.charger_id or tariff.group_name),
    )


def _wanted(scope: str, form: dict[str, object]) -> Wanted:
    """The typed price.

    Raises:
        AmountError: a sum is none.
        NotAPrice: something else is wrong.
    """
    group, charger_id = text(form, "group", 40) or None, text(form, "charger", 48) or None
    if (scope == "group" and not group) or (scope == "charger" and not charger_id):
        raise NotAPrice(WRONG["scope"])
    price = Price(
        parse_rupees(text(form, "rupees", 12)),
        0,
        _paise(form, "start"),
        _paise(form, "minute"),
        _minutes(form, "idle_after"),
        _paise(form, "idle"),
        _bands(form),
    )
    return Wanted(
        price,
        charger_id if scope == "charger" else None,
        group if scope == "group" else None,
        _moment(text(form, "begins", 20)),
    )


def _paise(form: dict[str, object], name: str) -> int:
    typed = text(form, name, 12)
    return parse_rupees(typed) if typed else 0


def _minutes(form: dict[str, object], name: str) -> int:
    typed = text(form, name, 6)
    if typed and not _MINUTES.fullmatch(typed):
        raise NotAPrice(WRONG["minutes"])
    return int(typed or 0)


def _bands(form: dict[str, object]) -> tuple[Band, ...]:
    typed = form.get("bands") if isinstance(form, dict) else ""
    lines = [line.strip() for line in typed.splitlines() if line.strip()] if isinstance(typed, str) else []
    return tuple(map(tariffs.parse_band, lines))


def _moment(typed: str) -> datetime | None:
    """What a field of day and time gives; Indian time."""
    if not typed:
        return None
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=INDIA)
    except ValueError:
        raise NotAPrice(WRONG["moment"]) from None
