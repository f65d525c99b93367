"""How every page of the operators begins: who looks, what the page watches, and what only a fresh PIN opens."""

from typing import Any
from urllib.parse import quote

import reflex as rx

from domain import operators
from domain.db import read
from domain.models import Role, User
from evapp.components.money import clock
from evapp.state.visit import Visit
from evapp.texts import language
from evapp.web import auth
from evapp.web.live import Watch, hub

IN, NOTHING = "in", "nothing"


class Ops(rx.State):
    """What every page of the operators shows of itself."""

    here: str = ""
    """IN for an operator, NOTHING for everybody else; empty until that is known."""
    until: str = ""
    """The time until which the PIN opens everything; empty: it must be given first."""
    pin_at: str = "/ops/pin"
    """Where the PIN is given, to come back here."""


async def visit(
    state: rx.State, *states: type[rx.State], topics: tuple[str, ...] = (), chargers: tuple[str, ...] = ()
) -> User | None:
    """The operator behind a page's `on_load`; None for everybody else, for whom there is nothing.

    The page's states are loaded from the database now, and again whenever something of these topics and chargers
    changes.
    """
    user = await operator(state)
    if user is None:
        return None
    address = state.router.url.path + (f"?{state.router.url.query}" if state.router.url.query else "")
    (await state.get_state(Ops)).pin_at = f"/ops/pin?next={quote(address, safe='')}"
    (await state.get_state(Visit))._arrive()
    sign_in = auth.scope_of(state).get("ev.sign_in") or ""
    watch = Watch(user.id, sign_in, chargers, states, language(), topics, auth.gate_to(address))
    hub.watch(state.router.session.client_token, watch)
    for cls in states:
        page: Any = await state.get_state(cls)
        await page._refresh(user.id)
    return user


async def operator(state: rx.State) -> User | None:
    """The operator behind this event, looked up each time.

    Somebody whose sign-in has ended is sent to the gate, which knows the cookie of that moment; a stranger and a
    driver learn that there is nothing here.
    """
    ops = await state.get_state(Ops)
    token_hash = auth.scope_of(state).get("ev.sign_in")
    if not token_hash:
        ops.here, ops.until = NOTHING, ""
        return None
    user = await auth.guard(state)
    if user is None:
        return None
    ops.here = IN if user.role == Role.OPERATOR else NOTHING
    if ops.here == NOTHING:
        ops.until = ""
        return None
    try:
        _, sign_in = await read(operators.signed_in, token_hash)
    except operators.NotAnOperator:  # ended in this very moment: the next event learns it
        return None
    until = operators.open_until(sign_in)
    ops.until = clock(until) if until else ""
    return user
