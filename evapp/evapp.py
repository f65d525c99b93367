"""Wiring only: the app, what lies over every page, the pages, the routes beside them, and who hears of an error."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, NoReturn

import reflex as rx
import structlog
from reflex.event import Event, EventSpec
from reflex.state import BaseState, FrontendEventExceptionState, StateUpdate
from reflex.utils.exec import is_prod_mode
from reflex.utils.prerequisites import get_web_dir
from reflex_base.constants import Dirs
from reflex_base.environment import environment
from reflex_components_core.base.error_boundary import error_boundary
from starlette.applications import Starlette
from starlette.routing import Route

from api.app import Everything
from api.app import app as operators
from api.openapi import PREFIX
from csms.server import listening
from domain import complaints, logs, metrics, socket, sweeper, traces
from domain.bus import Bus, bus, joined
from domain.db import opened
from domain.processes import living
from domain.scrape import scraped
from domain.settings import SettingsError, settings
from domain.throttle import Sparingly
from evapp.components.arrival import announcer
from evapp.components.brand import window_title
from evapp.components.effects import effects
from evapp.components.strip import lines, renewal, without_script
from evapp.components.theme import papers, repapered
from evapp.pages.broken import broken
from evapp.pages.charge import charge
from evapp.pages.charger import charger
from evapp.pages.coming import coming
from evapp.pages.dashboard import dashboard
from evapp.pages.help import help_page
from evapp.pages.history import history, session
from evapp.pages.login import login
from evapp.pages.notfound import TITLE, notfound
from evapp.pages.offline import offline
from evapp.pages.ops_charger import ops_charger
from evapp.pages.ops_findings import ops_findings
from evapp.pages.ops_fleet import ops_fleet
from evapp.pages.ops_pin import ops_pin
from evapp.pages.ops_refunds import ops_refunds
from evapp.pages.ops_sessions import ops_sessions
from evapp.pages.ops_tariffs import ops_tariffs
from evapp.pages.ops_trail import ops_trail
from evapp.pages.ops_user import ops_user
from evapp.pages.ops_users import ops_users
from evapp.pages.profile import profile
from evapp.pages.register import register
from evapp.pages.scan import scan
from evapp.pages.wallet import wallet
from evapp.state.charger import ChargerPage
from evapp.state.dashboard import Dashboard
from evapp.state.effects import Effects
from evapp.state.find import Find
from evapp.state.help import Help
from evapp.state.history import History, Session
from evapp.state.live import Live
from evapp.state.ops_charger import OpsCharger
from evapp.state.ops_findings import OpsFindings
from evapp.state.ops_fleet import Fleet
from evapp.state.ops_pin import OpsPin
from evapp.state.ops_refunds import OpsRefunds
from evapp.state.ops_sessions import OpsSessions
from evapp.state.ops_tariffs import OpsTariffs
from evapp.state.ops_trail import OpsTrail
from evapp.state.ops_user import OpsUser
from evapp.state.ops_users import OpsUsers
from evapp.state.profile import Profile
from evapp.state.scan import Scan
from evapp.state.sign_in import SignIn
from evapp.state.wallet import Wallet
from evapp.texts import Later, at, later, speaking, t
from evapp.texts.languages import ENGLISH, LANGUAGES, Language
from evapp.web import auth, checkout, downloads, health, home, language, push, requests, strangers, tabs
from evapp.web.handshake import Handshake
from evapp.web.headers import Headers
from evapp.web.live import WithRedis, hub
from evapp.web.operators import OperatorsOnly
from payments.phonepe import PhonePe

logs.configure()
log = structlog.get_logger()

ORPHAN_S = 0.5
ORPHAN_GRACE_S = 5.0
"""How often a worker looks for its supervisor, and how long it then takes to end in order."""
NO_PAGES = (
    "There are no built pages in this folder, so drivers would find none: `make build` makes them (docs/deploy.md)."
)
REPORT = 1_000
"""Characters of what a browser says that failed."""
reports, failures = Sparingly(), Sparingly()


def handler_failed(exception: Exception) -> EventSpec:
    """Log what a handler raised, some of it in a minute, and tell the driver in our words."""
    metrics.EVENTS.add("failed")
    if failures.once_more():
        log.error("handler failed", exc_info=exception, left_out=failures.left_out())
    return Effects.failed()  # type: ignore[operator]


def page_failed(exception: Exception) -> None:
    """Log what a page's script raised in a browser, or whatever a stranger says that it did: some in a minute."""
    if reports.once_more():
        log.warning("page failed", error=str(exception)[:REPORT])


class ShortReports(rx.Middleware):
    """Cuts what a browser says that failed before Reflex searches it, which takes the square of its length: anybody may
    send a megabyte."""

    async def preprocess(self, app: rx.App, state: BaseState, event: Event) -> StateUpdate | None:
        if event.state_cls is FrontendEventExceptionState:
            event.payload.update({name: str(said)[:REPORT] for name, said in event.payload.items()})
        return None


gateway = PhonePe.of(settings())
programs = operators(gateway, auth.address_of)
csms = asyncio.Event()
"""Set while chargers can connect to this process."""
beside = Starlette(
    routes=[
        *language.in_each([*auth.routes, *checkout.routes(gateway), *downloads.routes]),
        Everything(PREFIX, programs),
        Route(PREFIX, programs),  # else Starlette leads from there to the mount's slash, by http
        *home.routes,
        *health.routes(
            {"bus": lambda: hub.listening, "csms": lambda: not settings().ocpp_embedded or csms.is_set()},
            {"redis": lambda: bus().connected} if settings().redis_url else {},
        ),
    ]
)
"""What answers beside the pages."""


def built() -> bool:
    """Whether there are pages to serve."""
    return (get_web_dir() / Dirs.STATIC).is_dir()


if is_prod_mode() and built():
    # `--backend-only` would leave the built pages to another server, whose headers would not be those of headers.py.
    environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.set(True)

app = rx.App(
    html_lang="en-IN",
    stylesheets=["/theme.css"],
    toaster=rx.toast.provider(position="top-center", rich_colors=False, toast_options=rx.toast.options(duration=6000)),
    hydrate_fallback=coming,
    backend_exception_handler=handler_failed,
    frontend_exception_handler=page_failed,
    head_components=[
        rx.el.link(rel="manifest", href="/manifest.webmanifest"),
        rx.el.link(rel="icon", href="/icons/favicon.svg", type="image/svg+xml"),
        rx.el.link(rel="icon", href="/icons/favicon-48.png", type="image/png", sizes="48x48"),
        rx.el.link(rel="apple-touch-icon", href="/icons/apple-touch-180.png"),
        rx.el.link(
            rel="preload",
            href="/fonts/anek-latin-1.woff2",
            custom_attrs={"as": "font", "type": "font/woff2", "crossOrigin": "anonymous"},
        ),
        *papers(),
        rx.el.meta(name="format-detection", content="telephone=no"),
    ],
    # Inner to outer: round the pages alone, the routes beside them, the handshake, and what every answer has.
    api_transformer=[
        OperatorsOnly,
        language.ToTheReader,
        strangers.ToTheForm,
        beside,
        Handshake,
        tabs.Crowd,
        WithRedis,
        language.OfRequests,
        Headers,
        requests.Named,
    ],
)
assert app.event_namespace is not None
tabs.keep_short(app.event_namespace)
tabs.forget_strangers(app, app.event_namespace)
app.add_middleware(language.OfEvents(), index=0)
app.add_middleware(requests.OfEvents(), index=0)
app.add_middleware(ShortReports(), index=0)

app.app_wraps[55, "ErrorBoundary"] = lambda stateful: error_boundary(fallback_render=rx.Var.create(broken()))
app.app_wraps[5, "Overlay"] = lambda stateful: (
    rx.fragment(without_script(), lines(Live.running), renewal(), announcer(), repapered(), effects())
    if stateful
    else None
)


@contextlib.asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """Start-up and shut-down: the database, the bus, the chargers' side, the sweeper. What keeps it from starting is a
    sentence that ends the process."""
    try:
        running = await _started()
    except complaints.KNOWN as error:
        _leave(complaints.complaint(error))
    async with running:
        yield
    await gateway.aclose()


async def _started() -> contextlib.AsyncExitStack:
    settings().check()
    if settings().production and is_prod_mode() and not built():
        raise SettingsError(NO_PAGES)
    logs.take_over()
    for doubt in settings().doubts():
        log.warning(doubt)
    auth.app = app
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(traces.told(settings(), "web"))
        bus = await stack.enter_async_context(joined(settings()))
        await stack.enter_async_context(opened(settings().database, bus.publish))
        await stack.enter_async_context(living(bus, "web"))
        if settings().ocpp_embedded:
            await stack.enter_async_context(_central_system(bus))
        await stack.enter_async_context(scraped(settings().metrics_port, "web"))
        # After all that can fail: it takes the path over from whoever serves here.
        await stack.enter_async_context(socket.serving(bus))
        work = hub.run(app, bus), sweeper.run(bus, gateway), push.run(bus), _with_parent()
        await stack.enter_async_context(_beside(*work))
        return stack.pop_all()


def _leave(sentence: str) -> NoReturn:
    """At once: the server that runs this in its loop would write a trace of whatever is raised, SystemExit too."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
    os._exit(1)


@contextlib.asynccontextmanager
async def _central_system(bus: Bus) -> AsyncIterator[None]:
    async with listening(host=settings().ocpp_host, port=settings().ocpp_port, bus=bus, settings=settings()):
        csms.set()
        yield
        csms.clear()


async def _with_parent() -> None:
    """End with the supervisor: a worker that outlives a killed one would keep its ports from the next."""
    supervisor = os.getppid()
    while os.getppid() == supervisor:  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(ORPHAN_S)
    log.warning("supervisor gone")
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(ORPHAN_GRACE_S)
    os._exit(1)


@contextlib.asynccontextmanager
async def _beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one) for one in work]
    for task in tasks:
        task.add_done_callback(_ended)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a task of the app failed", exc_info=error)


app.register_lifespan_task(lifespan)


def page(component: Callable[[], rx.Component], route: str, title: Later, *on_load: Any) -> None:
    """One page, in each language at an address of its own; `title` is its own part of the window's title."""
    for one in LANGUAGES.values():
        with speaking(one):
            single(spoken(component, one), at(route), title, *on_load)


def single(component: Callable[[], rx.Component], route: str, title: Later, *on_load: Any) -> None:
    """A page that says everything in each language by itself."""
    app.add_page(
        component,
        route=route,
        title=window_title(title),
        description=t("Find a charger, start it from your phone, and pay for the units you use."),
        image="/icons/icon-512.png",
        on_load=list(on_load),
    )


def spoken(component: Callable[[], rx.Component], one: Language) -> Callable[[], rx.Component]:
    """A page that is compiled in this language, whose scripts another language's reader does not load."""

    def said() -> rx.Component:
        with speaking(one):
            return component()

    # Reflex puts what a page shares with itself into a file named after its function's module.
    said.__module__ = component.__module__ if one is ENGLISH else f"{component.__module__}.{one.code}"
    return said


page(login, "/login", later("Sign in"), SignIn.arrive)
page(register, "/register", later("Create an account"), SignIn.arrive)
page(dashboard, "/dashboard", later("Home"), Dashboard.load)
page(charge, "/charge", later("Start a charge"), Find.load)
page(charger, "/c/[charger_id]", later("Charger"), ChargerPage.load)
page(scan, "/scan", later("Scan the code"), Scan.load)
page(history, "/history", later("History"), History.load)
page(session, "/history/[session_ref]", later("Charge"), Session.load)
page(wallet, "/wallet", later("Wallet"), Wallet.load)
page(profile, "/profile", later("You"), Profile.load)
page(help_page, "/help", later("Help"), Help.load)
page(ops_fleet, "/ops", later("Chargers"), Fleet.load)
page(ops_charger, "/ops/c/[charger_id]", later("Charger"), OpsCharger.load)
page(ops_sessions, "/ops/sessions", later("Charges"), OpsSessions.load)
page(ops_findings, "/ops/findings", later("Findings"), OpsFindings.load)
page(ops_users, "/ops/users", later("Users"), OpsUsers.load)
page(ops_user, "/ops/users/[user_id]", later("User"), OpsUser.load)
page(ops_tariffs, "/ops/tariffs", later("Tariffs"), OpsTariffs.load)
page(ops_refunds, "/ops/refunds", later("Payments"), OpsRefunds.load)
page(ops_trail, "/ops/trail", later("Trail"), OpsTrail.load)
page(ops_pin, "/ops/pin", later("Enter your PIN"), OpsPin.load)
single(offline, "/offline", later("No connection"))
single(notfound, "404", TITLE)
single(notfound, "/nothing", TITLE)
