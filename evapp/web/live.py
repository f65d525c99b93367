"""Live push: what happens reaches exactly the browsers that look at it, newest value first."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import reflex as rx
import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Receive, Scope, Send

from domain import metrics, sign_ins
from domain.bus import Bus, bus
from domain.db import read
from domain.events import (
    Alone,
    ChargerChanged,
    ChargerFreed,
    Event,
    MessagesKept,
    NewsLost,
    RechargeChanged,
    SessionChanged,
    SessionMetered,
    SignedOut,
    WalletChanged,
)
from domain.logs import first_line
from evapp.state.effects import Effects
from evapp.texts import speaking
from evapp.texts.languages import ENGLISH, Language

log = structlog.get_logger()

LOOK_AGAIN_S = 1.0
LOOK_S = 60.0
"""A sign-in that ends by time tells nobody: those behind the pages are looked up once in so long."""
TRY_AGAIN_LATER = 1013
CROWD = 1_000
"""So many browsers may be watched before the hub looks which of them are still there."""


CHARGERS, CHARGES, MONEY = "chargers", "charges", "money"
"""Topics of operators: whatever happens to any charger, any charge, any recharge or refund."""
PACE_S = 1.0
"""A street changes all the time: an operator's page, and a driver's that lists chargers, is renewed once in so long."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What one browser looks at: whose it is, which sign-in opened it, the states on its page and their language."""

    user_id: int
    sign_in: str
    chargers: tuple[str, ...]
    states: tuple[type[rx.State], ...]
    language: Language = ENGLISH
    topics: tuple[str, ...] | None = None
    """Of an operator's page, which then stands for itself: what it is about beside its chargers."""
    path: str = ""
    """Where an operator's page goes by the gate when its sign-in ends."""


@dataclass(slots=True)
class Pending:
    """What a browser has not been told yet; a newer figure of a charge replaces an older one."""

    reload: bool = False
    metered: dict[int, SessionMetered] = field(default_factory=dict)
    since: float = 0.0
    """When the oldest of it happened, by the monotonic clock."""
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def waits(self) -> bool:
        """Whether there is something to tell."""
        return self.reload or bool(self.metered)


class Hub:
    """Who watches what, and the pumps that tell them. One to a process, handed the app at start-up."""

    def __init__(self) -> None:
        self.listening = False
        self._crowded = CROWD
        self._app: rx.App | None = None
        self._watches: dict[str, Watch] = {}
        self._tokens: defaultdict[str, set[str]] = defaultdict(set)
        self._pending: defaultdict[str, Pending] = defaultdict(Pending)
        self._leaving: set[asyncio.Task[None]] = set()
        metrics.BROWSERS.read = lambda: {(): len(self._watches)}
        metrics.PUSHES_PENDING.read = lambda: {(): sum(one.waits for one in tuple(self._pending.values()))}

    async def run(self, app: rx.App, bus: Bus) -> None:
        """Follow the bus until cancelled."""
        self._app = app
        events = bus.subscribe()
        self.listening = True
        looking = hanging_up = asyncio.create_task(asyncio.sleep(0))
        watching_the_time = asyncio.create_task(self._watch_the_time())
        try:
            async for event in events:
                match event:
                    case NewsLost():
                        looking = asyncio.create_task(self._look_anew())
                    case Alone():
                        hanging_up = asyncio.create_task(self._hang_up())
                    case _:
                        self._tell(event)
        finally:
            self.listening = False
            for task in (looking, hanging_up, watching_the_time):
                task.cancel()

    def watch(self, token: str, watch: Watch) -> None:
        """This browser looks at this page now, and no longer at the one before."""
        self.forget(token)
        if len(self._watches) >= self._crowded:
            self._forget_the_gone()
        self._watches[token] = watch
        for topic in _topics(watch):
            self._tokens[topic].add(token)

    def watches(self, token: str) -> bool:
        """Whether this browser looks at a page of somebody who is signed in."""
        return token in self._watches

    def follow(self, token: str, chargers: Iterable[str]) -> None:
        """This browser's page shows these chargers, too."""
        watch = self._watches.get(token)
        if watch is None:
            return
        shown = tuple(dict.fromkeys((*watch.chargers, *chargers)))
        self._watches[token] = replace(watch, chargers=shown)
        for topic in _topics(self._watches[token]):
            self._tokens[topic].add(token)

    async def renew(self, state: rx.State, user_id: int) -> None:
        """Read the whole page of this browser again, after what its driver did there: one part of it alone would
        contradict the others until the news of it has gone round."""
        watch = self._watches.get(state.router.session.client_token)
        for cls in watch.states if watch is not None else (type(state),):
            page: Any = await state.get_state(cls)
            await page._refresh(user_id)

    def forget(self, token: str) -> None:
        """Nothing more is sent to this browser."""
        watch = self._watches.pop(token, None)
        self._pending.pop(token, None)
        for topic in _topics(watch) if watch else ():
            self._tokens[topic].discard(token)
            if not self._tokens[topic]:
                del self._tokens[topic]

    def _forget_the_gone(self) -> None:
        """A browser that left says no goodbye; those that are gone are counted out when there are many."""
        for token in [token for token in self._watches if not self._is_here(token)]:
            self.forget(token)
        self._crowded = max(CROWD, 2 * len(self._watches))

    def _is_here(self, token: str) -> bool:
        """Whether this browser is connected to this process; `token_to_sid`, Reflex's public view, would be made anew
        for each push."""
        namespace = self._app.event_namespace if self._app is not None else None
        if namespace is None:
            return False
        manager = namespace._token_manager
        record = manager.token_to_socket.get(token)
        return record is not None and record.instance_id == manager.instance_id

    async def _hang_up(self) -> None:
        """Pages cannot be served without Redis, where their states are: each says that its connection is lost, and
        asks for another until there is one."""
        sio = self._app.sio if self._app is not None else None
        if sio is not None:
            await asyncio.gather(*map(sio.eio.disconnect, tuple(sio.eio.sockets)), return_exceptions=True)

    async def _reopen(self, token: str) -> None:
        """What this page showed is forgotten here: it connects anew, which loads it."""
        app = self._app
        if app is None or app.sio is None or app.event_namespace is None or not self._is_here(token):
            return
        sid = app.event_namespace._token_manager.token_to_socket[token].sid
        self.forget(token)
        await app.sio.eio.disconnect(app.sio.manager.eio_sid_from_sid(sid, app.event_namespace.namespace))

    async def _look_anew(self) -> None:
        """Nobody knows what was missed: who is signed out sees nothing more, every other page is read again."""
        try:
            await self._look_who_is_signed_in()
        except SQLAlchemyError as error:
            log.error("pages not read again; tried again", reason=first_line(error))
            await asyncio.sleep(LOOK_AGAIN_S)
            return await self._look_anew()
        for token in tuple(self._watches):
            self._wants(token, None)

    async def _watch_the_time(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._look_who_is_signed_in()
            except SQLAlchemyError as error:
                log.error("sign-ins not looked up; tried again", reason=first_line(error))

    async def _look_who_is_signed_in(self) -> None:
        """Those who no longer are see nothing more, as if it had been told. A page that is opened meanwhile was not
        asked about."""
        asked = {watch.sign_in for watch in self._watches.values()}
        if asked:
            self._signed_out(asked - await read(sign_ins.alive, asked))

    def _tell(self, event: Event) -> None:
        if isinstance(event, SignedOut):
            self._signed_out(event.token_hashes)
            return
        for token in {token for topic in _touched(event) for token in self._tokens.get(topic, ())}:
            self._wants(token, event if isinstance(event, SessionMetered) else None)

    def _signed_out(self, token_hashes: Collection[str]) -> None:
        """Nothing more is sent to the browsers of these sign-ins; operators' pages go."""
        for token, watch in [(t, w) for t, w in self._watches.items() if w.sign_in in token_hashes]:
            self.forget(token)
            if watch.path:
                self._leaving.add(task := asyncio.create_task(self._send_away(token, watch)))
                task.add_done_callback(self._leaving.discard)

    def _wants(self, token: str, metered: SessionMetered | None) -> None:
        """This browser is to be told these figures, or else everything."""
        pending = self._pending[token]
        if not pending.waits:
            pending.since = time.monotonic()
        if metered is not None:
            pending.metered[metered.session_id] = metered
        else:
            pending.reload = True
        if pending.task is None:
            pending.task = asyncio.create_task(self._pump(token, pending))

    async def _pump(self, token: str, pending: Pending) -> None:
        try:
            while pending.waits:
                reload, metered, since = pending.reload, pending.metered, pending.since
                pending.reload, pending.metered = False, {}
                try:
                    await self._push(token, reload, list(metered.values()))
                except SQLAlchemyError as error:
                    log.error("page not renewed; tried again", token=token[:8], reason=first_line(error))
                    pending.reload = True
                    await asyncio.sleep(LOOK_AGAIN_S)
                    continue
                watch = self._watches.get(token)
                if watch is None or watch.topics is None:
                    metrics.PUSH_SECONDS.see(time.monotonic() - since)
                if watch is not None and (watch.topics is not None or len(watch.chargers) > 1):
                    await asyncio.sleep(PACE_S)
        except Exception:
            log.exception("push failed", token=token[:8])
        finally:
            pending.task = None

    async def _send_away(self, token: str, watch: Watch) -> None:
        """An operator's page shows other people's money: it does not stay when the sign-in behind it has ended."""
        if self._app is not None and self._is_here(token):
            async with self._app.modify_state(rx.BaseStateToken(ident=token, cls=Effects)) as root:
                (await root.get_state(Effects))._leave(watch.path)

    async def _push(self, token: str, reload: bool, metered: list[SessionMetered]) -> None:
        watch = self._watches.get(token)
        if watch is None or self._app is None:
            return
        if not self._is_here(token):
            self.forget(token)
            return
        token_of = rx.BaseStateToken(ident=token, cls=watch.states[0])
        with speaking(watch.language):
            async with self._app.modify_state(token_of) as root:
                forgotten = not root.router_data
                for cls in () if forgotten else watch.states:
                    state = await root.get_state(cls)
                    await _renew(state, watch.user_id, reload, metered)
        if forgotten:
            await self._reopen(token)


hub = Hub()


class WithRedis:
    """Refuse browsers' sockets while no page could be served over them; they ask again by themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not bus().connected:
            await receive()
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
            return
        await self.app(scope, receive, send)


async def _renew(state: Any, user_id: int, reload: bool, metered: list[SessionMetered]) -> None:
    """Every watched state has `_refresh(user_id)`; one that shows live figures has `_metered(event)` too."""
    if reload:
        await state._refresh(user_id)
    elif hasattr(state, "_metered"):
        for event in metered:
            state._metered(event)


def _topics(watch: Watch) -> tuple[str, ...]:
    own = (f"user:{watch.user_id}",) if watch.topics is None else watch.topics
    return (*own, *(f"charger:{charger_id}" for charger_id in watch.chargers))


def _touched(event: Event) -> tuple[str, ...]:
    match event:
        case ChargerChanged(charger_id=charger_id):
            return (f"charger:{charger_id}", CHARGERS)
        case SessionMetered(user_id=user_id, charger_id=charger_id):
            return (f"user:{user_id}", f"meter:{charger_id}", CHARGES)
        case SessionChanged(user_id=user_id):
            return (f"user:{user_id}", CHARGES)
        case ChargerFreed(user_id=user_id):
            return (f"user:{user_id}",)
        case WalletChanged(user_id=user_id) | RechargeChanged(user_id=user_id):
            return (f"user:{user_id}", MONEY)
        case MessagesKept(charger_id=charger_id):
            return (f"messages:{charger_id}",)
        case _:
            return ()
