"""What a tab may take before anybody knows whose it is: a socket, and a little memory for its address."""

from collections import Counter
from typing import Any

from reflex.app import EventNamespace
from reflex_base.constants.route import ROUTER_DATA, ROUTER_DATA_INCLUDE
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.addresses import neighbourhood
from evapp.web import auth

SOCKETS = 200
"""Of one address in this process: a whole office, or a mobile carrier's customers, may share one."""
TRY_AGAIN_LATER = 1013
LONGEST = 2_000
"""Characters of a tab's path, of its query, and of each thing that a browser keeps for it."""


class Crowd:
    """Refuses the sockets of an address that has enough of them; they ask again by themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._open: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        whose = neighbourhood((auth.address_of(HTTPConnection(scope)), 0)) if scope["type"] == "websocket" else ""
        if not whose:
            return await self.app(scope, receive, send)
        if self._open[whose] >= SOCKETS:
            await receive()
            return await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
        self._open[whose] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._open[whose] -= 1
            if not self._open[whose]:
                del self._open[whose]


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
