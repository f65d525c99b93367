"""Recharges and refunds with what became of each, and sending money back to where it was paid from."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import reflex as rx
from sqlmodel import Session

from domain import listings, recharges, refunds
from domain.db import read, storable
from domain.models import OrderState, RechargeOrder, Refund, RefundState, User
from domain.operators import Act
from domain.refunds import RefundRefused
from evapp.components.money import moment, rupees
from evapp.state.ops import operator, visit
from evapp.state.ops_deed import Deed, Deeds, nonce, text
from evapp.state.visit import renewed
from evapp.texts import later, t
from evapp.web.live import MONEY

PAGE = 20
RECHARGES, REFUNDS = "recharges", "refunds"

STATES = {
    OrderState.NEW: later("Not begun"),
    OrderState.PENDING: later("On its way"),
    OrderState.UNKNOWN: later("PhonePe has not answered"),
    OrderState.CREDITED: later("In the wallet"),
    OrderState.FAILED: later("Not paid"),
    OrderState.REJECTED: later("PhonePe opened no page"),
    OrderState.MISMATCH: later("Another amount was paid"),
}
REFUND_STATES = {
    RefundState.NEW: later("To be sent within a minute"),
    RefundState.UNKNOWN: later("PhonePe has not said whether it took it"),
    RefundState.PENDING: later("PhonePe has it"),
    RefundState.CONFIRMED: later("PhonePe confirmed it"),
    RefundState.COMPLETED: later("Paid back"),
    RefundState.FAILED: later("Not paid back; in the wallet again"),
    RefundState.REJECTED: later("Refused; in the wallet again"),
}


@dataclass(frozen=True)
class Row:
    """A recharge or a refund in words."""

    name: str
    number: int
    who: str
    who_link: str
    amount: str
    state: str
    when: str
    about: str
    can_refund: bool
    can_ask: bool


class OpsRefunds(Deeds, rx.State):
    """The page /ops/refunds."""

    loaded: bool = False
    rows: list[Row] = []
    more: bool = False
    which: str = RECHARGES
    typed: str = ""
    """What is sought: a payment by any of its numbers, or its driver; empty: all."""
    refunding: str = ""
    """The recharge whose form is open."""
    _limit: int = PAGE

    @rx.event
    async def load(self) -> None:
        """Show the page; `?find=` names what is sought."""
        if not await renewed(self):
            self._begin()
        await visit(self, OpsRefunds, topics=(MONEY,))

    def _begin(self) -> None:
        self._calm()
        if found := storable(self.router.url.query_parameters.get("find", ""), 100):
            self.typed, self.which = found, REFUNDS if found.startswith("REF-") else RECHARGES
        self.refunding, self._limit = "", PAGE

    @rx.event
    async def choose(self, which: str) -> None:
        """Recharges, or refunds."""
        user = await operator(self)
        if user is not None and which in (RECHARGES, REFUNDS):
            self.which, self.refunding, self._limit = which, "", PAGE
            await self._refresh(user.id)

    @rx.event
    async def search(self, form: dict[str, object]) -> None:
        """Show those of one order, one number of PhonePe's or the bank's, or one driver."""
        if user := await operator(self):
            self.typed, self.refunding, self._limit = text(form, "payment", 100), "", PAGE
            self.which = REFUNDS if self.typed.startswith("REF-") else self.which
            await self._refresh(user.id)

    @rx.event
    async def show_more(self) -> None:
        """Twenty older ones below those shown."""
        if await operator(self) is not None and self.rows and self.more:
            older = await read(_rows, self.which, self.typed, self.rows[-1].number, PAGE + 1)
            self.rows, self.more = [*self.rows, *older[:PAGE]], len(older) > PAGE
            self._limit = min(len(self.rows), listings.MOST)

    @rx.event
    async def open(self, order: str) -> None:
        """Show the form of one recharge, or put it away."""
        if await operator(self) is not None:
            known = isinstance(order, str) and any(row.name == order and row.can_refund for row in self.rows)
            self.refunding, self.error = (order if known and order != self.refunding else ""), ""

    @rx.event
    async def ask(self, order: str) -> None:
        """Let PhonePe be asked about a recharge: what it says is booked, and shown here."""
        user = await operator(self)
        if user is None or not any(row.name == order and row.can_ask for row in self.rows):
            return
        act = Act("payments ask", f"order:{order}", pin=False)
        await self._perform(Deed(act, recharges.ask_now, (order,), said=t("PhonePe is asked within seconds.")))
        await self._refresh(user.id)

    @rx.event
    async def request(self, form: dict[str, object]) -> None:
        """Ask whether so much of the open recharge shall go back."""
        if await operator(self) is None or not self.refunding or (given := self._sum_and_reason(form)) is None:
            return
        paise, why = given
        key = nonce()
        facts, known = {"paise": paise, "reason": why}, partial(refunds.wished, key=key)
        act = Act("refund request", f"order:{self.refunding}", facts, known=known)
        options: dict[str, Any] = {"key": key, "reason": why}
        said = t("It is sent to PhonePe within a minute.")
        self._ask(
            Deed(act, refunds.request, (self.refunding, paise), options, said=said, refusals=(RefundRefused,)),
            t("Send {sum} back to where it was paid from? It leaves the wallet now.", sum=rupees(paise)),
            t("Send {sum} back", sum=rupees(paise)),
        )

    async def _did(self, deed: Deed) -> None:
        self.refunding, self.which, self.typed, self._limit = "", REFUNDS, "", PAGE

    async def _refresh(self, user_id: int) -> None:
        rows = await read(_rows, self.which, self.typed, None, self._limit + 1)
        self.rows, self.more, self.loaded = rows[: self._limit], len(rows) > self._limit, True


def _rows(db: Session, which: str, typed: str, after: int | None, limit: int) -> list[Row]:
    some: dict[str, Any] = {"after": after, "limit": limit, "find": typed or None}
    if which == REFUNDS:
        return [_refund(db, one) for one in listings.part(db, listings.REFUNDS, **some)]
    return recharge_rows(db, **some)


def recharge_rows(db: Session, /, **some: Any) -> list[Row]:
    """Recharges in words, the newest first; `some` are those that `listings.part` gives."""
    return [_recharge(db, one) for one in listings.part(db, listings.RECHARGES, **some)]


def _recharge(db: Session, order: RechargeOrder) -> Row:
    return Row(
        name=order.merchant_order_id,
        number=order.id,
        who=db.get_one(User, order.user_id).username,
        who_link=f"/ops/users/{order.user_id}",
        amount=rupees(order.amount_paise),
        state=t(STATES[OrderState(order.state)]),
        when=moment(order.created_at),
        about=" · ".join(filter(None, (_reference(order), order.gateway_transaction_id, order.error_code))),
        can_refund=order.state == OrderState.CREDITED,
        can_ask=order.state in recharges.ASKABLE,
    )


def _reference(order: RechargeOrder) -> str:
    return t("Bank reference {code}", code=order.utr) if order.utr else ""


def _refund(db: Session, refund: Refund) -> Row:
    return Row(
        name=refund.merchant_refund_id,
        number=refund.id,
        who=db.get_one(User, refund.user_id).username,
        who_link=f"/ops/users/{refund.user_id}",
        amount=rupees(refund.amount_paise),
        state=t(REFUND_STATES[RefundState(refund.state)]),
        when=moment(refund.created_at),
        about=t("Of {order}: {reason}", order=refund.merchant_order_id, reason=refund.reason),
        can_refund=False,
        can_ask=False,
    )
