"""Past charges, page by page, and one of them in full."""

from dataclasses import dataclass

import reflex as rx

from domain import charging, history, sessions
from domain.db import read
from domain.history import Charge
from domain.models import SessionState
from domain.sessions import NotYours
from evapp.components.money import clock, day, duration, kwh, rupees
from evapp.components.receipt import Bill
from evapp.components.spark import spark_points
from evapp.state.bill import bill_of
from evapp.state.visit import arrive
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


class History(rx.State):
    """The list of past charges, newest first."""

    loaded: bool = False
    charges: list[Past] = []  # noqa: RUF012 - a default that Reflex copies
    more: bool = False
    _shown: int = PAGE

    @rx.event
    async def load(self) -> None:
        """Show the page /history."""
        self._shown = PAGE
        await arrive(self, History)

    @rx.event
    async def show_more(self) -> None:
        """Twenty older charges below those shown."""
        user = await auth.guard(self)
        if user is None or user.id is None or not self.charges:
            return
        last = await read(sessions.owned, user.id, self.charges[-1].ref)
        older = await read(history.page, user.id, before=last, limit=PAGE + 1)
        self.more = len(older) > PAGE
        self.charges = [*self.charges, *(_past(charge) for charge in older[:PAGE])]
        self._shown = len(self.charges)

    async def _refresh(self, user_id: int) -> None:
        found = await read(history.page, user_id, limit=self._shown + 1)
        self.more = len(found) > self._shown
        self.charges = [_past(charge) for charge in found[: self._shown]]
        self.loaded = True


class Session(rx.State):
    """One past charge, as its receipt."""

    phase: str = ""
    """found, missing or running; empty: not loaded yet."""
    bill: Bill = Bill()
    curve: str = ""
    curve_words: str = ""
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
        self.phase = "found" if charge.session.state in history.PAST else "running"
        assert charge.session.id is not None
        watts = [power for _, power in await read(history.curve, charge.session.id)]
        if len(watts) > 1:
            highest = max(watts)
            self.curve = spark_points(watts, highest)
            self.curve_words = t("Power over the charge; the highest was {power} kW.", power=kwh(highest, 1))


def _past(charge: Charge) -> Past:
    session = charge.session
    begun = session.started_at or session.requested_at
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
