"""Who needs help, and with which charge: written into the message before it is opened."""

import reflex as rx

from domain import history
from domain.db import read
from domain.sessions import NotYours
from evapp.components.money import moment
from evapp.texts import later, t
from evapp.web import auth

PLAIN = later("Hello, I need help with charging.")


class Help(rx.State):
    """The page is open to everybody; who is signed in need not type who he is."""

    message: str = ""

    @rx.event
    async def load(self) -> None:
        """Show the page /help, or /help?charge=<session-id> for help with one charge."""
        self.message = t(PLAIN)
        user = await auth.signed_in(self)
        if user is None or user.id is None:
            return
        self.message = t("Hello, I need help with charging. My username is {username}.", username=user.username)
        ref = self.router.url.query_parameters.get("charge", "")[:20]
        try:
            charge = await read(history.one, user.id, ref) if ref else await read(history.current, user.id)
        except NotYours:
            return
        if charge is not None:
            self.message = t(
                "Hello, I need help with my charge {ref} at {charger}, {time}. My username is {username}.",
                ref=charge.session.ref,
                charger=charge.session.charger_id,
                time=moment(charge.session.requested_at),
                username=user.username,
            )
