"""What a page's websocket brings of its browser: who it is goes to the handlers, and the rest to nobody."""

from urllib.parse import parse_qsl, urlencode
from uuid import UUID, uuid5

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from evapp.web import auth, flash

HEADERS = frozenset((b"host", b"origin", b"connection", b"upgrade"))
"""What Reflex reads of a websocket's headers; it keeps all that it is given until the tab's token ends."""
LONGEST = 2_000
"""Bytes of them together."""
POLICY_VIOLATION = 1008

TABS = UUID("6a1f0c52-3f0e-4c55-9d54-1a7a4f0f6d2b")
"""The name space of tabs."""


class Handshake:
    """Turn the cookies of a websocket into what handlers may know, and hide them from Reflex, as every header that it
    does not need."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            connection = HTTPConnection(scope)
            token_hash = auth.token_hash_of(connection)
            headers = [(name, value) for name, value in scope["headers"] if name in HEADERS]
            if sum(len(value) for _, value in headers) > LONGEST:
                await receive()
                return await send({"type": "websocket.close", "code": POLICY_VIOLATION})
            scope = {
                **scope,
                "query_string": _own_tab(scope["query_string"], token_hash or ""),
                "headers": headers,
                "ev.sign_in": token_hash,
                "ev.device": auth.device_of(connection),
                "ev.address": auth.address_of(connection),
                "ev.flash": connection.cookies.get(flash.name()),
            }
        await self.app(scope, receive, send)


def _own_tab(query: bytes, token_hash: str) -> bytes:
    """Bind a tab's token to who is signed in: by itself it would give a tab that left to whoever read it in a log.

    Reflex keeps a tab's state under a token that the browser invents and sends in the address (reflex.md section 3).
    """
    told = dict(parse_qsl(query.decode(errors="replace")))
    if "token" in told:
        told["token"] = str(uuid5(TABS, f"{told['token']} {token_hash}"))
    return urlencode(told).encode()
