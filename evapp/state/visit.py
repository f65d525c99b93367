"""The way every private page begins: the guard, the watch on the hub, and the states of the page loaded afresh."""

from typing import Any

import reflex as rx

from domain.models import User
from evapp.state.live import Live
from evapp.state.notices import Notices
from evapp.texts import language
from evapp.web import auth
from evapp.web.live import Watch, hub


async def arrive(state: rx.State, *states: type[rx.State], charger_id: str = "") -> User | None:
    """The user behind a page's `on_load`, or None after sending the tab to the gate.

    The page's states are loaded from the database now, and again whenever something of this driver, or this
    charger, changes.
    """
    user = await auth.guard(state)
    if user is None or user.id is None:
        return None
    every: tuple[type[rx.State], ...] = (Live, Notices, *states)
    sign_in = auth.scope_of(state).get("ev.sign_in") or ""
    chargers = (charger_id,) if charger_id else ()
    hub.watch(state.router.session.client_token, Watch(user.id, sign_in, chargers, every, language()))
    for cls in every:
        page: Any = await state.get_state(cls)
        await page._refresh(user.id)
    return user
