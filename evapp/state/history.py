"""Past charges, page by page, and one of them in full."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import reflex as rx
from sqlmodel import Session as Database

from domain import books, charging, history, statements
from domain.db import read
from domain.history import Charge
from domain.models import SessionState
from domain.sessions import NotYours
from evapp.components.money import clock, day, duration, kwh, month, rupees
from evapp.components.receipt import Bill
from evapp.state.bill import bill_of, curve_of
from evapp.state.visit import arrive, renewed
from evapp.texts import bare, t
from evapp.web import auth

PAGE = 20


@dataclass(frozen=True)
class Past:
    """One line of the list."""

    ref: str
    place: str
    when: str
    energy: str
    cost: str
    reason: str
    month: str = ""
    """The first line of a month names it."""
    month_sum: str = ""


@dataclass(frozen=True)
class Choice:
    """One month to choose, as 2026-11 and in words."""

    value: str
    words: str


@dataclass(frozen=True)
class Year:
    """A financial year in words, and where its papers are a file."""

    words: str
    csv: str


ALL = ""
"""Of a filter: every charger, every month."""
CHARGERS = 50
"""Chargers to choose from."""


class History(rx.State):
    """The list of past charges, newest first."""

    loaded: bool = False
    charges: list[Past] = []
    more: bool = False
    chargers: list[str] = []
    """Those with a charge of the driver, to choose from."""
    charger: str = ALL
    """The one whose charges are shown."""
    months: list[Choice] = []
    """Those with a charge of the driver, to choose from."""
    month: str = ALL
    """The one whose charges are shown."""
    years: list[Year] = []
    """Those with papers of the driver."""
    _shown: int = PAGE

    @rx.event
    async def load(self) -> None:
        """Show the page /history."""
        if not await renewed(self):
            self._shown, self.charger, self.month = PAGE, ALL, ALL
        await arrive(self, History)

    @rx.event
    async def choose(self, charger: str) -> None:
        """Show the charges of one charger, or of all."""
        user = await auth.guard(self)
        if user is not None and charger in (ALL, *self.chargers):
            self.charger, self._shown = charger, PAGE
            await self._refresh(user.id)

    @rx.event
    async def choose_month(self, month: str) -> None:
        """Show the charges of one month, or of all."""
        user = await auth.guard(self)
        if user is not None and month in (ALL, *(one.value for one in self.months)):
            self.month, self._shown = month, PAGE
            await self._refresh(user.id)

    @rx.event
    async def show_more(self) -> None:
        """Twenty older charges below those shown."""
        user = await auth.guard(self)
        if user is None or not self.charges:
            return
        if self.more:
            self._shown += PAGE
            await self._refresh(user.id)

    async def _refresh(self, user_id: int) -> None:
        span = statements.bounds(self.month) if self.month else None
        found = await read(history.page, user_id, charger_id=self.charger, span=span, limit=self._shown + 1)
        self.more = len(found) > self._shown
        self.charges = await read(_months, user_id, found[: self._shown], self.charger)
        self.chargers = sorted(await read(history.used_chargers, user_id, CHARGERS))
        begun = {statements.name(at): at for at in await read(history.moments, user_id)}
        self.months = [Choice(name, month(at)) for name, at in begun.items()]
        self.years = [_year(name) for name in await read(books.years, user_id)]
        self.loaded = True


def _year(name: str) -> Year:
    since, until = statements.year_bounds(name)
    words = t("{first} to {last}", first=month(since), last=month(until - timedelta(days=1)))
    return Year(words, f"/history/receipts.csv?year={name}")


class Session(rx.State):
    """One past charge, as its receipt."""

    phase: str = ""
    """found, missing or running; empty: not loaded yet."""
    bill: Bill = Bill()
    curve: str = ""
    curve_words: str = ""
    shared: str = ""
    """What is told to others."""
    _ref: str = ""

    @rx.event
    async def load(self) -> None:
        """Show the page /history/<session-id>; another driver's charge is not found."""
        self.reset()  # type: ignore[no-untyped-call]
        self._ref = bare(self.router.url.path).removeprefix("/history/").strip("/")[:20]
        await arrive(self, Session)

    async def _refresh(self, user_id: int) -> None:
        try:
            charge = await read(history.one, user_id, self._ref)
        except NotYours:
            self.phase = "missing"
            return
        self.bill = bill_of(charge)
        self.shared = t(
            "I charged {energy} kWh for {cost} at {place} with evapp.",
            energy=self.bill.energy,
            cost=self.bill.cost,
            place=self.bill.place or self.bill.charger,
        )
        self.phase = "found" if charge.session.state in history.PAST else "running"
        self.curve, self.curve_words = curve_of(await read(history.curve, charge.session.id))


def _months(db: Database, user_id: int, charges: Sequence[Charge], charger_id: str) -> list[Past]:
    """The lines, of which the first of each month by Indian time says what the month came to."""
    lines: list[Past] = []
    named = ""
    for charge in charges:
        name = statements.name(charge.session.requested_at)
        line = _past(charge)
        if name != named:
            since, until = statements.bounds(name)
            total = history.month(db, user_id, since, until, charger_id)
            line = replace(line, month=month(since), month_sum=_sum(total))
        named = name
        lines.append(line)
    return lines


def _sum(total: history.Month) -> str:
    if not total.charges:
        return ""
    return t("{energy} kWh · {sum}", energy=kwh(total.energy_wh), sum=rupees(total.cost_paise))


def _past(charge: Charge) -> Past:
    session = charge.session
    begun = charge.begun_at
    failed = session.state == SessionState.CANCELLED
    took, sum = duration(int(charge.duration.total_seconds())), rupees(charge.cost_paise)
    return Past(
        ref=session.ref,
        place=charge.place or session.charger_id,
        when=t("{day}, {time}", day=day(begun), time=clock(begun)) + ("" if failed else f" · {took}"),
        energy=t("Not started") if failed else t("{energy} kWh", energy=kwh(charge.energy_wh)),
        cost=t("{sum} estimated", sum=sum) if session.estimated else sum,
        reason=t(charging.explain(session)) if failed else "",
    )
