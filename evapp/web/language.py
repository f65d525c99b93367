"""Which language an answer and an event are in: decided here, once for each way in (docs/adr/0008).

An event is in the language of its page, which its address says. A request is in that of its address, or else in
the one this browser chose, which a cookie keeps; pages asked for without a language are then shown in it. The
hub speaks to each browser as its page does (evapp/web/live.py), and a page is compiled in its own
(evapp/evapp.py).
"""

from collections.abc import Sequence

import reflex as rx
from reflex.app import App
from reflex.event import Event
from reflex.state import BaseState, StateUpdate
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from evapp.state.tongue import Tongue
from evapp.texts import at, speaking
from evapp.texts.languages import ENGLISH, LANGUAGES, Language, bare, of_path, speak
from evapp.web import flash

COOKIE = "evapp_language"
SECONDS = 400 * 24 * 3600


class OfEvents(rx.Middleware):
    """Runs before each event handler, in the task of its event."""

    async def preprocess(self, app: App, state: BaseState, event: Event) -> StateUpdate | None:
        one = of_path(state.router.url.path)
        speak(one)
        (await state.get_state(Tongue))._speak(one)
        return None


class OfRequests:
    """Round everything that answers a request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        with speaking(_of(HTTPConnection(scope))):
            await self.app(scope, receive, send)


class ToTheReader:
    """Round the pages alone: who chose a language and asks for a page without one is led to his."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_page(request := Request(scope)) and at("/") != "/":
            query = f"?{request.url.query}" if request.url.query else ""
            await RedirectResponse(at(request.url.path) + query, 303)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def in_each(routes: Sequence[Route]) -> list[Route]:
    """The same doors under every language's prefix."""
    return [
        Route(at(route.path, one), route.endpoint, methods=sorted(route.methods or ()))
        for one in LANGUAGES.values()
        for route in routes
    ]


def keep(response: Response, one: Language) -> None:
    """Let this browser remember it."""
    response.set_cookie(flash.name(COOKIE), one.code, max_age=SECONDS, **flash.attributes())


def _of(connection: HTTPConnection) -> Language:
    spelled = of_path(connection.url.path)
    if spelled is not ENGLISH:
        return spelled
    return LANGUAGES.get(connection.cookies.get(flash.name(COOKIE), ""), ENGLISH)


def _is_page(request: Request) -> bool:
    """A document that a person asked for; assets and the websocket's polls are none."""
    path = request.url.path
    wanted = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    return wanted and path == bare(path) and "." not in path and not path.startswith("/_")
