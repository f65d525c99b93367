"""The wallet: what there is, what is set aside, and every movement with the balance after it."""

from dataclasses import dataclass
from datetime import timedelta

import reflex as rx

from domain import recharges, statements, story, wallet
from domain.db import read
from domain.models import OrderState, RechargeOrder, now
from domain.recharges import NotYours
from evapp.components.money import clock, moment, month, rupees, signed_rupees, whole_rupees
from evapp.state.balance import owed, reach
from evapp.state.charger import ChargerPage
from evapp.state.recharge import Recharge, helped
from evapp.state.visit import arrive, renewed
from evapp.texts import later, t
from evapp.texts.movements import described, reference, word
from evapp.web import auth

PAGE = 20
REMEMBERED = timedelta(days=14)
"""So long a payment that failed is listed: banks take up to a week to give back what they took."""
LATE = timedelta(hours=1)
"""From here on a line also says when it happened."""

OUTCOMES = {
    OrderState.NEW: later("The payment of {sum} did not start. Nothing was charged. Try again."),
    OrderState.CREDITED: later("{sum} was added."),
    OrderState.FAILED: later("PhonePe did not take the {sum}. If your bank did, PhonePe gives it back."),
    OrderState.REJECTED: later("PhonePe did not open its page for {sum}. Nothing was charged. Try again later."),
}
"""What became of the payment a driver comes back from; those on their way have a line of their own."""


@dataclass(frozen=True)
class Movement:
    """One line of the list."""

    word: str
    what: str
    when: str
    reference: str
    amount: str
    after: str
    incoming: bool
    link: str
    receipt: str
    """Where the receipt of a recharge is."""


@dataclass(frozen=True)
class Failed:
    """A payment that brought no money."""

    sum: str
    when: str
    reference: str
    help: str


@dataclass(frozen=True)
class Month:
    """One line of the statements."""

    name: str
    csv: str
    pdf: str


KINDS = ("", "recharge", "charging", "refund")
"""Of the filter: everything, added, paid, refunded."""


class Wallet(rx.State):
    """The page /wallet."""

    loaded: bool = False
    balance: str = ""
    as_of: str = ""
    """When it was looked up."""
    free: str = ""
    """What a charge has left of it; while none has anything, how far it goes."""
    reserved: str = ""
    arrears: str = ""
    movements: list[Movement] = []
    more: bool = False
    kind: str = ""
    """The one of KINDS that is shown."""
    failed: list[Failed] = []
    months: list[Month] = []
    outcome: str = ""
    outcome_reference: str = ""
    outcome_help: str = ""
    """Where Help already knows of which payment."""
    good: bool = False
    back: str = ""
    """The charger that this tab looked at last, if money was lacking for a start there."""
    _shown: int = PAGE
    _last: int = 0
    _paid: str = ""

    @rx.event
    async def load(self) -> None:
        """Show the page; `?paid=` names the order a driver comes back from."""
        if not await renewed(self):
            self.reset()  # type: ignore[no-untyped-call]
            self._paid = self.router.url.query_parameters.get("paid", "")[:63]
        await arrive(self, Wallet, Recharge)

    @rx.event
    async def choose(self, kind: str) -> None:
        """Show movements of one kind, or all."""
        user = await auth.guard(self)
        if user is not None and kind in KINDS:
            self.kind, self._shown = kind, PAGE
            await self._refresh(user.id)

    @rx.event
    async def show_more(self) -> None:
        """Twenty older movements below those shown."""
        user = await auth.guard(self)
        if user is None or not self._last:
            return
        older = await read(story.lines, user.id, before=self._last, limit=PAGE + 1, kind=self.kind)
        self._show([*self.movements, *map(_movement, older[:PAGE])], older[:PAGE], more=len(older) > PAGE)

    async def _refresh(self, user_id: int) -> None:
        money = await read(wallet.balance, user_id)
        self.balance, self.as_of = rupees(money.balance_paise), clock(now())
        self.free = (
            t("{sum} available", sum=rupees(money.free_paise))
            if money.held_paise
            else await reach(user_id, money.balance_paise)
        )
        self.reserved = rupees(money.held_paise) if money.held_paise else ""
        self.arrears = owed(money.arrears_paise)
        lines = await read(story.lines, user_id, limit=self._shown + 1, kind=self.kind)
        shown = lines[: self._shown]
        self._show([_movement(line) for line in shown], shown, more=len(lines) > self._shown)
        self.failed = [_failed(order) for order in await read(recharges.failed, user_id, now() - REMEMBERED)]
        self.months = [_month(name) for name in await read(statements.months, user_id)]
        await self._tell_outcome(user_id)
        self.loaded = True

    def _show(self, movements: list[Movement], newest: list[story.Line], *, more: bool) -> None:
        self.movements, self.more = movements, more
        self._shown = max(PAGE, len(movements))
        self._last = newest[-1].id if newest else 0

    async def _tell_outcome(self, user_id: int) -> None:
        if not self._paid:
            return
        try:
            order = await read(recharges.owned, user_id, self._paid)
        except NotYours:
            self._paid = ""
            return
        words = OUTCOMES.get(OrderState(order.state))
        if order.state == OrderState.CREDITED and not self.good:
            (await self.get_state(Recharge))._paid(order.amount_paise)
        self.good = order.state == OrderState.CREDITED
        self.outcome = t(words, sum=whole_rupees(order.amount_paise)) if words else ""
        self.outcome_reference, self.outcome_help = _reference(order), helped(order)
        charger = await self.get_state(ChargerPage)
        self.back = charger.id if charger.lacking else ""


def _reference(order: RechargeOrder) -> str:
    return t("Reference {code}", code=recharges.named(order))


def _failed(order: RechargeOrder) -> Failed:
    return Failed(whole_rupees(order.amount_paise), moment(order.created_at), _reference(order), helped(order))


def _month(name: str) -> Month:
    since, _ = statements.bounds(name)
    return Month(month(since), f"/wallet/statement.csv?month={name}", f"/wallet/statement.pdf?month={name}")


def _movement(line: story.Line) -> Movement:
    late = line.at - line.happened_at > LATE
    what = described(line)
    after = t("Owed {sum}", sum=rupees(-line.balance_after_paise)) if line.arrears else ""
    return Movement(
        word=word(line),
        what=t("{what}, of {time}", what=what, time=moment(line.happened_at)) if late else what,
        when=moment(line.at),
        reference=reference(line),
        amount=signed_rupees(line.amount_paise),
        after=after or t("Balance {sum}", sum=rupees(line.balance_after_paise)),
        incoming=line.amount_paise > 0,
        link=f"/history/{line.ref}" if line.kind == "charging" and line.ref else "",
        receipt=f"/wallet/{line.ref}/receipt.pdf" if line.kind == "recharge" else "",
    )
