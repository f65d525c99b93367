"""Adding money, on Home and in the wallet: which amount, and off to the gateway."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from domain import funnel, placing, recharges, suspense
from domain.db import read, transact
from domain.models import RechargeOrder, now
from domain.money import AmountError, parse_rupees
from domain.placing import RechargeRefused
from domain.settings import settings
from evapp.components.money import plainly, whole_rupees
from evapp.components.recharge import AMOUNTS_PAISE
from evapp.state.effects import Effects
from evapp.texts import at, later, t
from evapp.web import auth

CHIPS = tuple(str(paise // 100) for paise in AMOUNTS_PAISE)
LONGEST = 12
"""Characters of a typed amount that are worth reading."""
ANOTHER_AMOUNT = later("PhonePe confirmed an amount other than {sum}. Nothing is lost: we are looking at it.")


@dataclass(frozen=True)
class Waiting:
    """A payment that the gateway has not confirmed, and where it can still be paid."""

    sentence: str
    link: str
    help: str
    """Where a person helps, once it can no longer be paid and its money has not come either."""


class Recharge(rx.State):
    """The form for adding money. What it sends is only believed after the domain's one parser and its limits."""

    chosen: str = CHIPS[1]
    """A chip's value; empty when another amount is typed."""
    typed: str = ""
    fills: int = 0
    """How often the page has emptied the field itself."""
    error: str = ""
    least: str = ""
    """The least amount; pages are built before there are settings."""
    alive: bool = False
    """The page has heard from the server, and hears what is typed."""
    leaving: bool = False
    waiting: list[Waiting] = []
    _refused: tuple[str, str] | None = None
    """The page and the socket on which `error` was said."""

    @rx.var
    def sum(self) -> str:
        """What the button will add; empty while it is no amount."""
        try:
            return whole_rupees(parse_rupees(plainly(self.typed or self.chosen)))
        except AmountError:
            return ""

    @rx.event
    async def choose(self, value: str) -> None:
        """Take one of the amounts, and empty the field for others."""
        if await auth.guard(self) is not None and value in CHIPS:
            self.chosen, self.typed, self.error = value, "", ""
            self.fills += 1

    @rx.event
    async def write(self, typed: str) -> None:
        """Another amount is being typed; it is judged when the driver pays."""
        if await auth.guard(self) is None or not isinstance(typed, str):
            return
        self.typed, self.error = typed[:LONGEST], ""
        self.chosen = "" if self.typed else CHIPS[1]

    @rx.event
    async def pay(self, form: dict[str, Any]) -> EventSpec | None:
        """Place the order and go to the gateway. Clicks on one page for one amount are one order (R23)."""
        user = await auth.guard(self)
        if user is None:
            return None
        self.error = ""
        try:
            order = await self._place(user.id, _amount(form))
        except (AmountError, RechargeRefused) as error:
            self.error, self._refused = t(error.args[0]), self._here()
            return rx.set_focus("other")
        self.leaving = True
        (await self.get_state(Effects))._leave(at(f"/payments/go/{order.merchant_order_id}"))
        return None

    async def _place(self, user_id: int, typed: str) -> RechargeOrder:
        paise = parse_rupees(plainly(typed))
        if funnel.breaker.open:
            raise RechargeRefused(funnel.UNAVAILABLE)
        # The server names each websocket: a page that was loaded anew, or came back from the gateway, has another.
        page = self.router.session.session_id
        return await transact(placing.place, user_id, paise, f"{page}:{paise}"[:64])

    def _paid(self, paise: int) -> None:
        """So much has come: whoever adds as much again chooses it anew. Another amount typed meanwhile stays."""
        if self.sum == whole_rupees(paise):
            self._begin()

    def _begin(self) -> None:
        self.chosen, self.typed, self.error = CHIPS[1], "", ""
        self.fills += 1

    def _here(self) -> tuple[str, str]:
        return self.router.url.path, self.router.session.session_id

    async def _refresh(self, user_id: int) -> None:
        # What was refused is not put before somebody who loads the page anew, or comes to another with this form.
        if self.error and self._refused != self._here():
            self._begin()
        self.alive, self.leaving = True, False
        self.least = whole_rupees(settings().recharge_min_paise)
        aside = [_aside(order) for order in await read(suspense.unfinished, user_id)]
        self.waiting = [*aside, *(_waiting(order) for order in await read(recharges.of_user, user_id))]


def _amount(form: object) -> str:
    """What the driver typed, or else the chip."""
    fields = form if isinstance(form, Mapping) else {}
    typed = fields.get("other") or fields.get("amount")
    return typed if isinstance(typed, str) else ""


def _waiting(order: RechargeOrder) -> Waiting:
    amount = whole_rupees(order.amount_paise)
    if not order.redirect_url:
        unopened = t("PhonePe did not open its page for {sum}. Nothing was charged; add it again.", sum=amount)
        return Waiting(unopened, "", "")
    link = f"/payments/go/{order.merchant_order_id}" if recharges.pay_page(order, now()) else ""
    words = t("{sum} on its way. PhonePe has not confirmed yet.", sum=amount)
    return Waiting(words, link, "" if link else helped(order))


def _aside(order: RechargeOrder) -> Waiting:
    """Money that came with another amount is no driver's yet: until it is, he reads where it is."""
    return Waiting(t(ANOTHER_AMOUNT, sum=whole_rupees(order.amount_paise)), "", helped(order))


def helped(order: RechargeOrder) -> str:
    """Help with this payment."""
    return f"/help?payment={order.merchant_order_id}"
