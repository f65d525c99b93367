"""What a tab may take before anybody knows whose it is: a socket, a little memory, and a little of the log."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from inspect import signature
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import reflex as rx
import structlog
from reflex.app import EventNamespace
from reflex.istate.manager.memory import StateManagerMemory
from reflex_base.constants.route import ROUTER_DATA, ROUTER_DATA_INCLUDE, RouteVar
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.registry import RegistrationContext
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from domain import metrics
from domain.addresses import neighbourhood
from domain.throttle import WINDOW_S, Sparingly
from evapp.web import auth
from evapp.web.live import hub

SOCKETS = 200
"""Of one address in this process: a whole office, or a mobile carrier's customers, may share one."""
NEW_TABS = 2 * SOCKETS
"""Of one address within a minute: everybody of a full one may load two pages. What Reflex keeps of a tab stays a while
after it, so tabs that come and go take memory, too."""
KEPT_S = 300.0
"""So long Reflex's state of a closed tab stays that nobody signed in behind; a reload is back within seconds."""
TRY_AGAIN_LATER = 1013
LONGEST = 2_000
"""Characters of a tab's path, of its query, and of each thing that a browser keeps for it."""
_HALVES = re.compile("[\ud800-\udfff]")
SETTERS = ".setvar"
"""Which every state of Reflex has, and no page of ours uses."""

log = structlog.get_logger()
strange = Sparingly()


class Crowd:
    """Refuses the sockets of an address that has enough of them, or had within this minute; they ask again by
    themselves."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.monotonic) -> None:
        self.app, self._clock = app, clock
        self._open: Counter[str] = Counter()
        self._new: Counter[str] = Counter()
        self._ends = clock() + WINDOW_S

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        whose = neighbourhood((auth.address_of(HTTPConnection(scope)), 0)) if scope["type"] == "websocket" else ""
        if not whose:
            return await self.app(scope, receive, send)
        if self._open[whose] >= SOCKETS or not self._may_open(whose):
            await receive()
            return await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
        self._open[whose] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._open[whose] -= 1
            if not self._open[whose]:
                del self._open[whose]

    def _may_open(self, whose: str) -> bool:
        if self._clock() > self._ends:
            self._new.clear()
            self._ends = self._clock() + WINDOW_S
        self._new[whose] += 1
        return self._new[whose] <= NEW_TABS


def forget_strangers(app: rx.App, namespace: EventNamespace) -> None:
    """Let the state of a tab go soon after it closed, unless a driver's page was open in it: Reflex keeps it for an
    hour. Redis, where several processes have theirs, ends it by itself after that hour."""
    close = namespace.on_disconnect

    def on_disconnect(sid: str) -> asyncio.Task[None] | None:
        token = namespace.sid_to_token.get(sid)
        if token is not None and not hub.watches(token):
            _later(KEPT_S, lambda: _let_go(app, namespace, token))
        return close(sid)

    namespace.on_disconnect = on_disconnect  # type: ignore[method-assign]


def _later(seconds: float, what: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, what)


def _let_go(app: rx.App, namespace: EventNamespace, token: str) -> None:
    states, state = app.state_manager, app._state
    if token in namespace._token_manager.token_to_socket or state is None or not isinstance(states, StateManagerMemory):
        return
    key = rx.BaseStateToken(ident=token, cls=state)
    lock = states._states_locks.get(key.lock_key)
    if lock is None or not lock.locked():
        states._purge_token(key)


def keep_short(namespace: EventNamespace) -> None:
    """Let Reflex take of each event only what fits: it keeps what a tab says of its address until the tab's token
    ends, which the browser makes up, and strangers may say a megabyte each time. An event that no page of ours sends it
    would log, with a trace."""
    take = namespace.on_event

    async def on_event(sid: str, data: Any) -> None:
        if not _is_ours(data):
            metrics.EVENTS.add("foreign")
            if strange.once_more():
                name = str(data.get("name") if isinstance(data, dict) else "")[:100]
                log.warning("event of no page", name=name, left_out=strange.left_out())
            return
        route, payload = _route(data.get(ROUTER_DATA, {})), _payload(data.get("payload", {}))
        await take(sid, {**data, ROUTER_DATA: route, "payload": payload})

    namespace.on_event = on_event  # type: ignore[method-assign]


def _is_ours(data: Any) -> bool:
    """Whether a page could have sent this event: it names a handler, with its arguments, and an address."""
    if not isinstance(data, dict) or not isinstance(name := data.get("name"), str):
        return False
    known = RegistrationContext.get().event_handlers.get(name)
    if known is None or name.endswith(SETTERS) or not _is_address(data.get(ROUTER_DATA, {})):
        return False
    wanted, given = _arguments(known.handler.fn), data.get("payload", {})
    return (
        isinstance(given, dict)
        and given.keys() <= wanted.keys()
        and all(name in given or may_lack for name, (_, may_lack) in wanted.items())
        and all(isinstance(value, wanted[name][0]) for name, value in given.items())
    )


def _is_address(told: Any) -> bool:
    if not isinstance(told, dict):
        return False
    query = told.get(RouteVar.QUERY, {})
    texts = (told.get(RouteVar.PATH, ""), told.get(RouteVar.ORIGIN, ""))
    return isinstance(query, dict) and all(isinstance(one, str) and _is_text(one) for one in (*texts, *query.values()))


def _is_text(said: str) -> bool:
    """JSON's escapes can spell halves of characters, which no address has."""
    return said.isascii() or not _HALVES.search(said)


@cache
def _arguments(handler: Callable[..., Any]) -> dict[str, tuple[tuple[type, ...], bool]]:
    """By name: of which types an argument of a handler may be, and whether it may be left out."""
    hints = get_type_hints(handler)
    _, *arguments = signature(handler).parameters.values()
    return {one.name: (_types(hints[one.name]), one.default is not one.empty) for one in arguments}


def _types(hint: Any) -> tuple[type, ...]:
    """str → str; dict[str, object] → dict; dict[str, Any] | None → dict, NoneType; Any → object."""
    several = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    return tuple(object if one is Any else get_origin(one) or one for one in several)


def _route(told: dict[str, Any]) -> dict[str, Any]:
    return {name: _short(told[name]) for name in ROUTER_DATA_INCLUDE & told.keys()}


def _short(said: Any) -> Any:
    """A path is cut; a query that is too long is none."""
    if isinstance(said, str):
        return said[:LONGEST]
    return said if len(str(said)) <= LONGEST else {}


def _payload(told: dict[str, Any]) -> dict[str, Any]:
    """What a browser keeps is sent as `vars`, and kept by the tab's state too; Reflex raises at names of no state."""
    kept = told.get("vars")
    if not isinstance(kept, dict):
        return told
    ours = _kept_by_browsers()
    return {**told, "vars": {name: said for name, said in kept.items() if name in ours and len(str(said)) <= LONGEST}}


@cache
def _kept_by_browsers() -> frozenset[str]:
    """What pages of ours keep in a browser, by the names under which they send it."""
    states = RegistrationContext.get().base_states.values()
    kept = ((state, name) for state in states for name in state.base_vars if state._is_client_storage(name))
    return frozenset(f"{state.get_full_name()}.{name}{FIELD_MARKER}" for state, name in kept)
