"""What a tab may take before anybody knows whose it is: a socket, and a little memory for its address."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex.app import EventNamespace
from reflex.istate.manager.memory import StateManagerMemory
from reflex_base.constants.route import ROUTER_DATA, ROUTER_DATA_INCLUDE
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.addresses import neighbourhood
from domain.throttle import WINDOW_S
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
    ends, which the browser makes up, and strangers may say a megabyte each time."""
    take = namespace.on_event

    async def on_event(sid: str, data: Any) -> None:
        if isinstance(data, dict):
            route, payload = _route(data.get(ROUTER_DATA)), _payload(data.get("payload"))
            await take(sid, {**data, ROUTER_DATA: route, "payload": payload})

    namespace.on_event = on_event  # type: ignore[method-assign]


def _route(told: Any) -> dict[str, Any]:
    if not isinstance(told, dict):
        return {}
    return {name: _short(told[name]) for name in ROUTER_DATA_INCLUDE & told.keys()}


def _short(said: Any) -> Any:
    """A path is cut; a query that is too long is none."""
    if isinstance(said, str):
        return said[:LONGEST]
    return said if len(str(said)) <= LONGEST else {}


def _payload(told: Any) -> dict[str, Any]:
    """What a browser keeps is sent as `vars`, and kept by the tab's state too."""
    if not isinstance(told, dict):
        return {}
    kept = told.get("vars")
    if not isinstance(kept, dict):
        return told
    return {**told, "vars": {name: said for name, said in kept.items() if len(str(said)) <= LONGEST}}
