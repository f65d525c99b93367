"""Who needs help, and with what: written into the message before it is opened; and what works at this moment."""

import contextlib

import reflex as rx

from domain import chargers, funnel, history, recharges
from domain.db import read
from domain.models import User, now
from domain.sessions import NotYours
from domain.settings import settings
from evapp.components.money import clock, counted, moment, whole_rupees
from evapp.state.live import Live
from evapp.state.visit import arrive
from evapp.texts import later, t
from evapp.web import auth

PLAIN = later("Hello, I need help with charging.")
PIN = later("Hello, I forgot my PIN.")
LONGEST = 48
"""Characters of an ID that are worth repeating."""


class Help(rx.State):
    """The page is open to everybody; who is signed in need not type who he is."""

    message: str = ""
    email: str = ""
    whatsapp: str = ""
    """Digits with country code."""
    seller: str = ""
    """Who answers for it all: name and address, as on receipts."""
    least: str = ""
    """The least recharge."""
    chargers: str = ""
    """How many are in contact."""
    payments: str = ""
    as_of: str = ""

    @rx.event
    async def load(self) -> None:
        """Show the page /help; `?charge=`, `?charger=`, `?payment=` or `?about=pin` says with what."""
        user = await auth.signed_in(self)
        if user is None:
            (await self.get_state(Live)).reset()  # type: ignore[no-untyped-call]
        else:
            await arrive(self)
        self.message = await self._message(user)
        self.email, self.whatsapp = settings().support_email, settings().support_whatsapp
        self.seller = ", ".join(filter(None, (settings().seller_name, settings().seller_address)))
        self.least = whole_rupees(settings().recharge_min_paise)
        await self._look()

    async def _message(self, user: User | None) -> str:
        asked = self.router.url.query_parameters
        if user is None:
            forgotten = asked.get("about") == "pin"
            return t(PIN if forgotten else PLAIN)
        ref, charger = asked.get("charge", "")[:LONGEST], asked.get("charger", "")[:LONGEST]
        if payment := asked.get("payment", ""):
            with contextlib.suppress(recharges.NotYours):
                order = await read(recharges.owned, user.id, payment)
                return t(
                    "Hello, I need help with my payment of {sum}, {time}, reference {code}. My username is {username}.",
                    sum=whole_rupees(order.amount_paise),
                    time=moment(order.created_at),
                    code=recharges.named(order),
                    username=user.username,
                )
        if charger:
            return t(
                "Hello, I need help at charger {charger}. My username is {username}.",
                charger=charger,
                username=user.username,
            )
        try:
            charge = await read(history.one, user.id, ref) if ref else await read(history.current, user.id)
        except NotYours:
            charge = None
        if charge is None:
            return t("Hello, I need help with charging. My username is {username}.", username=user.username)
        return t(
            "Hello, I need help with my charge {ref} at {charger}, {time}. My username is {username}.",
            ref=charge.session.ref,
            charger=charge.session.charger_id,
            time=moment(charge.session.requested_at),
            username=user.username,
        )

    async def _look(self) -> None:
        here, all_of_them = await read(chargers.counts)
        paying = not funnel.breaker.open
        self.chargers = t("{count} of {all} in contact", count=counted(here), all=counted(all_of_them))
        self.payments = t("Working") if paying else t("Not available right now. Nothing is charged.")
        self.as_of = clock(now())
