"""Whoever has no cookie of a sign-in is led to the form at once, before any page is sent.

By its script a private page finds that out only when all of it has come, which takes a new driver at a charger half a
minute on a slow line.
"""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from evapp.texts import at, bare
from evapp.web import auth
from evapp.web.forms import local

PRIVATE = ("dashboard", "charge", "c", "scan", "history", "wallet", "profile")
"""Pages that show nothing to strangers, by the first part of their addresses."""


class ToTheForm:
    """Round the pages. What a cookie is worth they ask themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_strange(request := Request(scope)):
            query = f"?{request.url.query}" if request.url.query else ""
            wanted = quote(local(quote(request.url.path) + query), safe="")
            await RedirectResponse(at(f"/login?next={wanted}"), 303)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _is_strange(request: Request) -> bool:
    """Whether somebody who is not signed in asks for the document of a private page."""
    wanted = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    return wanted and bare(request.url.path).split("/")[1] in PRIVATE and auth.token_hash_of(request) is None
