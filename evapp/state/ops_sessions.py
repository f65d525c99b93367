"""Charges under way with their figures as they come, those that wait for somebody, and what can be done about each."""

from dataclasses import dataclass, replace
from typing import Any

import reflex as rx

from domain import charges, charging, dispatch, findings, goodwill
from domain.bus import bus
from domain.charges import Charge
from domain.db import read, storable
from domain.events import SessionMetered
from domain.goodwill import NotGivenBack
from domain.models import OPEN, STOPPABLE, SessionState
from domain.operators import Act
from evapp.components.money import clock, counted, kw, kwh, moment, rupees
from evapp.state.ops import operator, visit
from evapp.state.ops_deed import Deed, Deeds, text
from evapp.state.visit import renewed
from evapp.texts import later, t
from evapp.web.live import CHARGES

STATES = {
    SessionState.REQUESTED: ("starting", later("Asked to start")),
    SessionState.AWAITING_PLUG: ("waiting", later("Waiting for the plug")),
    SessionState.CHARGING: ("charging", later("Charging")),
    SessionState.STOPPING: ("stopping", later("Stopping…")),
    SessionState.INTERRUPTED: ("silent", later("Interrupted, no stop came")),
    SessionState.SETTLED: ("finished", later("Billed")),
    SessionState.CANCELLED: ("finished", later("Never began")),
}
"""State of a charge → dot, word."""
STUCK = later("Does not stop")
ORPHANS = "orphan-stop"
FEW = 5
"""Orphans beside the charges; all of them are among the findings."""


@dataclass(frozen=True)
class Row:
    """One charge in words."""

    ref: str
    number: int
    where: str
    link: str
    who: str
    who_link: str
    shown: str
    words: str
    energy: str
    cost: str
    power: str
    since: str
    can_stop: bool
    can_give: bool
    review: str


@dataclass(frozen=True)
class Orphan:
    """A stop that belongs to no charge."""

    number: int
    detail: str
    when: str


class OpsSessions(Deeds, rx.State):
    """The page /ops/sessions."""

    loaded: bool = False
    rows: list[Row] = []
    orphans: list[Orphan] = []
    """The newest few."""
    orphans_in_all: str = ""
    """How many there are, where it is more."""
    more: bool = False
    which: str = charges.RUNNING
    typed: str = ""
    giving: str = ""
    """The ref of the charge whose bill is open for a gift."""
    _limit: int = charges.PAGE

    @rx.event
    async def load(self) -> None:
        """Show the page; `?find=` names what is sought."""
        if not await renewed(self):
            self._begin()
        await visit(self, OpsSessions, topics=(CHARGES,))

    def _begin(self) -> None:
        self._calm()
        if found := storable(self.router.url.query_parameters.get("find", ""), 60):
            self.typed, self.which = found, charges.EVERY
        self.giving, self._limit = "", charges.PAGE

    @rx.event
    async def choose(self, which: str) -> None:
        """Show the charges of one filter."""
        user = await operator(self)
        if user is not None and which in charges.FILTERS:
            self.which, self._limit = which, charges.PAGE
            await self._refresh(user.id)

    @rx.event
    async def search(self, form: dict[str, object]) -> None:
        """Show the charges of one ref, receipt, charger or driver, whatever became of them."""
        if user := await operator(self):
            self.typed, self._limit = text(form, "charge", 60), charges.PAGE
            self.which = charges.EVERY if self.typed else self.which
            await self._refresh(user.id)

    @rx.event
    async def show_more(self) -> None:
        """Thirty older ones below those shown."""
        user = await operator(self)
        if user is None or not self.rows:
            return
        last = self.rows[-1].number
        found = await read(charges.page, which=self.which, typed=self.typed, before=last, limit=charges.PAGE + 1)
        self.rows = [*self.rows, *map(row_of, found[: charges.PAGE])]
        self._limit, self.more = len(self.rows), len(found) > charges.PAGE

    @rx.event
    async def stop(self, ref: str) -> None:
        """Ask whether this charge shall be stopped."""
        found = await self._charge(ref)
        if found is None or found.session.state not in OPEN:
            return
        self._ask(*stopping(found))

    @rx.event
    async def open_bill(self, ref: str) -> None:
        """Show the form for giving back part of a bill, or put it away."""
        if await operator(self) is not None:
            known = isinstance(ref, str) and any(row.ref == ref and row.can_give for row in self.rows)
            self.giving, self.error = (ref if known and ref != self.giving else ""), ""

    @rx.event
    async def give_back(self, form: dict[str, object]) -> None:
        """Ask whether so much of the open bill shall go back to its driver."""
        found = await self._charge(self.giving)
        if found is None or (given := self._sum_and_reason(form, 80)) is None:
            return
        paise, why = given
        facts = {"paise": paise, "reason": why}
        act = Act("session give-back", f"session:{found.session.ref}", facts, gains=found.session.user_id)
        said = t("{sum} went back to {driver}.", sum=rupees(paise), driver=found.username)
        self._ask(
            Deed(act, goodwill.give_back, (found.session.id, paise, why), said=said, refusals=(NotGivenBack,)),
            t(
                "Give {sum} of {cost} back to {driver}? A credit note is made, and the driver reads: {reason}",
                sum=rupees(paise),
                cost=rupees(found.cost_paise),
                driver=found.username,
                reason=why,
            ),
            t("Give {sum} back", sum=rupees(paise)),
        )

    async def _did(self, deed: Deed) -> Any:
        self.giving = ""
        ask_the_charger(deed)

    async def _charge(self, ref: object) -> Charge | None:
        if await operator(self) is None or not isinstance(ref, str):
            return None
        return await read(charges.of_ref, ref)

    async def _refresh(self, user_id: int) -> None:
        found = await read(charges.page, which=self.which, typed=self.typed, limit=self._limit + 1)
        self.rows = [row_of(one) for one in found[: self._limit]]
        self.more = len(found) > self._limit
        waiting = await read(findings.page, kind=ORPHANS, limit=FEW + 1)
        self.orphans = [Orphan(one.id, one.detail, moment(one.created_at)) for one in waiting[:FEW]]
        many = (await read(findings.kinds)).get(ORPHANS, 0) if len(waiting) > FEW else 0
        self.orphans_in_all = t("All {count}", count=counted(many)) if many else ""
        self.loaded = True

    def _metered(self, event: SessionMetered) -> None:
        self.rows = [metered(row, event) for row in self.rows]


def stopping(found: Charge) -> tuple[Deed, str, str]:
    """The stop of a charge, its question and its word."""
    session = found.session
    act = Act("session stop", f"session:{session.ref}", f"at {session.charger_id}")
    question = t(
        "Stop the charge of {driver} at {charger}? It has cost {cost} so far.",
        driver=found.username or t("a card"),
        charger=session.charger_id,
        cost=rupees(found.cost_paise),
    )
    done = t("The charger is asked to stop.")
    return Deed(act, charging.request_stop, (session.id, "operator"), said=done), question, t("Stop the charge")


def ask_the_charger(deed: Deed) -> None:
    """A stop that was wanted is sent; the sweeper repeats it."""
    if deed.act.action == "session stop":
        dispatch.soon(dispatch.stop(bus(), deed.args[0]))


def row_of(found: Charge) -> Row:
    """A charge as a line of a list."""
    session = found.session
    shown, word = STATES[SessionState(session.state)]
    begun = session.started_received_at or session.requested_at
    given = session.state == SessionState.SETTLED and session.given_back_paise is None
    return Row(
        ref=session.ref,
        number=session.id,
        where=t("{charger}, connector {number}", charger=session.charger_id, number=session.connector_number),
        link=f"/ops/c/{session.charger_id}",
        who=found.username or t("A card nobody knows"),
        who_link=f"/ops/users/{session.user_id}" if session.user_id is not None else "",
        shown="faulted" if found.stuck else shown,
        words=t(STUCK) if found.stuck and session.state == SessionState.STOPPING else t(word),
        energy=t("{energy} kWh", energy=kwh(session.energy_wh)),
        cost=rupees(found.cost_paise),
        power=t("{power} kW", power=kw(session.power_w)) if session.state == SessionState.CHARGING else "",
        since=t("Since {time}", time=moment(begun)),
        can_stop=session.state in STOPPABLE,
        can_give=given and bool(session.receipt_number) and session.cost_paise > 0 and session.user_id is not None,
        review=session.review,
    )


def metered(row: Row, event: SessionMetered) -> Row:
    """The line with its newest figures."""
    if row.number != event.session_id:
        return row
    return replace(
        row,
        energy=t("{energy} kWh", energy=kwh(event.energy_wh)),
        cost=rupees(event.cost_paise),
        power=t("{power} kW", power=kw(event.power_w)),
        since=t("Last reading {time}", time=clock(event.at)),
    )
