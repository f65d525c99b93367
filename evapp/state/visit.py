"""The way every private page begins: the guard, the watch on the hub, and the states of the page loaded afresh.

Reflex loads a page again whenever its socket is renewed: a phone that was in a pocket, a lift. Then what the driver has
chosen and typed there stays.
"""

from typing import Any

import reflex as rx

from domain.models import User
from evapp.state.live import Live
from evapp.state.notices import Notices
from evapp.texts import language
from evapp.web import auth
from evapp.web.live import Watch, hub


class Visit(rx.State):
    """The page that this tab shows."""

    _page: tuple[str, str] = ("", "")
    """The sign-in it is shown to, and its address."""
    _socket: str = ""

    @rx.event
    def woken(self) -> None:
        """The page came into sight, or went out of it. There is nothing to do: that it was heard is all."""

    @rx.event
    async def fetches(self) -> None:
        """A file was asked for: whoever is signed in no more signs in first, and comes back to this page."""
        await auth.guard(self)

    def _here(self) -> tuple[tuple[str, str], str]:
        url = self.router.url
        sign_in = auth.scope_of(self).get("ev.sign_in") or ""
        return (sign_in, f"{url.path}?{url.query}"), self.router.session.session_id

    def _arrive(self) -> None:
        self._page, self._socket = self._here()


async def renewed(state: rx.State) -> bool:
    """Whether a page's `on_load` comes because its socket is another one, and not because somebody came to it."""
    visit = await state.get_state(Visit)
    page, socket = visit._here()
    return page == visit._page and socket != visit._socket


async def arrive(state: rx.State, *states: type[rx.State], charger_id: str = "") -> User | None:
    """The user behind a page's `on_load`, or None after sending the tab to the gate.

    The page's states are loaded from the database now, and again whenever something of this driver, or this
    charger, changes.
    """
    user = await auth.guard(state)
    if user is None:
        return None
    every: tuple[type[rx.State], ...] = (Live, Notices, *states)
    (await state.get_state(Visit))._arrive()
    sign_in = auth.scope_of(state).get("ev.sign_in") or ""
    chargers = (charger_id,) if charger_id else ()
    hub.watch(state.router.session.client_token, Watch(user.id, sign_in, chargers, every, language()))
    for cls in every:
        page: Any = await state.get_state(cls)
        await page._refresh(user.id)
    return user
