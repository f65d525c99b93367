"""Names each request and each event of a page in the logs, and counts them."""

import re
import secrets
import time

import reflex as rx
import structlog
from reflex.app import App
from reflex.event import Event
from reflex.state import BaseState, StateUpdate
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, bound_contextvars

from domain import metrics, traces
from evapp.texts import bare

HEADER = b"x-request-id"
DOORS = ("auth", "payments", "health", "api", "c", "history", "wallet", "profile", "charge", "dashboard", "ops")
FILES = ("assets", "fonts", "icons")
"""What a page loads beside itself: counted together, and not logged."""
UNLOGGED = ("/health/", "/ping", "/_health")
UNTRACED = ("files", "health", "other")
"""Doors of which a trace says nothing: what pages, supervisors and strangers ask for again and again."""

log = structlog.get_logger()


class Named:
    """Round everything: each request gets an id, which its answer and every line about it carry."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        id_, began, status, door = secrets.token_hex(8), time.perf_counter(), 500, door_of(scope["path"])

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (HEADER, id_.encode())]}
            await send(message)

        with bound_contextvars(request=id_), traces.NONE if door in UNTRACED else traces.REQUEST.span(door) as span:
            try:
                await self.app(scope, receive, send_named)
            finally:
                span.came_to(str(status), well=status < 500)
                _counted(scope, door, status, time.perf_counter() - began)


def _counted(scope: Scope, door: str, status: int, seconds: float) -> None:
    metrics.REQUESTS.add(door, str(status))
    metrics.REQUEST_SECONDS.see(seconds, door)
    if door == "files" or (status < 400 and scope["path"].startswith(UNLOGGED)):
        return
    log.info("request", method=scope["method"], path=scope["path"][:200], status=status, ms=round(seconds * 1000, 1))


def door_of(path: str) -> str:
    """The first part of a path, if it is one of ours: strangers cannot make up more of them."""
    first = re.split(r"[/.]", bare(path).lstrip("/"), maxsplit=1)[0]
    return "files" if first in FILES else first if first in DOORS else "other"


class OfEvents(rx.Middleware):
    """Runs before each event handler, in the task of its event."""

    async def preprocess(self, app: App, state: BaseState, event: Event) -> StateUpdate | None:
        bind_contextvars(request=secrets.token_hex(8), handler=".".join(event.name.split(".")[-2:])[:100])
        metrics.EVENTS.add("handled")
        return None
