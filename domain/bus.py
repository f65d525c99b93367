"""How the adapters tell each other what happened and ask each other to act."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import uuid4

from domain import traces
from domain.events import Command, Event, Reply
from domain.sentences import Sentence
from domain.settings import Settings

Handler = Callable[[Command], Awaitable[Reply]]

CALL_S = 40.0
"""How long a charger may take to answer what an operator asks it; its turn may have to come first."""
BACKLOG = 10_000
"""Events a subscriber may lag behind before the oldest are dropped: every event only says where to look."""


class ChargerOffline(Exception):
    """No process holds this charger's socket."""


class ChargerSilent(Exception):
    """The charger did not answer in time, or its socket went while it was asked."""


class ChargerUnreachable(Exception):
    """Another process holds this charger's socket, and there is no way to it now: Redis is gone."""


class CallRefused(Exception):
    """The command is not valid OCPP, or the charger answered it with an error; the argument says which."""


FAILURES: dict[type[Exception], Sentence] = {
    ChargerOffline: Sentence("{charger} is not connected. It was not asked."),
    ChargerUnreachable: Sentence(
        "{charger} is connected to another process, and there is no way to it now. It may have been asked, or not."
    ),
    ChargerSilent: Sentence("{charger} was asked and did not answer in time: it may have done it, or not."),
    CallRefused: Sentence("{charger} was not asked, or refused."),
}
"""How a call fails, and what an operator reads of it."""


def told(error: Exception, charger_id: str) -> Sentence:
    """What became of a call to this charger; why it was refused, only the error says."""
    return Sentence(FAILURES[type(error)].key, charger=charger_id)


class Bus(Protocol):
    process: str
    """How this process is called, other than every other one and than itself before a restart."""

    @property
    def connected(self) -> bool:
        """Whether other processes hear this one, and it them."""
        ...

    async def publish(self, *events: Event) -> None: ...

    def subscribe(self, *kinds: type[Event]) -> AsyncIterator[Event]:
        """Events of these kinds from this call on; none given means all."""
        ...

    async def call(self, charger_id: str, command: Command, timeout: float) -> Reply:
        """Have the charger do something.

        Raises:
            ChargerOffline: at once, when no process holds its socket.
            ChargerUnreachable: at once, when there is no way to the process that holds it.
            ChargerSilent: after `timeout` seconds, or when the socket goes.
            CallRefused: for an invalid command, or when the charger answers with a CALLERROR.
        """
        ...

    def attach(self, charger_id: str, handler: Handler) -> AbstractAsyncContextManager[None]:
        """Hold a charger: its commands come to `handler` until the context ends or a newer one attaches."""
        ...


class LocalBus:
    """The bus inside one process: queues and direct calls."""

    connected = True

    def __init__(self) -> None:
        self.process = uuid4().hex
        self._subscribers: set[asyncio.Queue[Event]] = set()
        self._kinds: dict[asyncio.Queue[Event], tuple[type[Event], ...]] = {}
        self._listening: dict[type[Event], tuple[asyncio.Queue[Event], ...]] = {}
        """Who wants a kind, as far as it was asked: samples come by the thousand."""
        self._holders: dict[str, Handler] = {}

    async def publish(self, *events: Event) -> None:
        for event in events:
            for queue in self._listening_to(type(event)):
                if queue.full():
                    queue.get_nowait()
                queue.put_nowait(event)

    def _listening_to(self, kind: type[Event]) -> tuple[asyncio.Queue[Event], ...]:
        listening = self._listening.get(kind)
        if listening is None:
            wanting = (queue for queue in self._subscribers if kind in self._kinds[queue] or not self._kinds[queue])
            listening = self._listening[kind] = tuple(wanting)
        return listening

    def subscribe(self, *kinds: type[Event]) -> AsyncIterator[Event]:
        queue: asyncio.Queue[Event] = asyncio.Queue(BACKLOG)
        self._kinds[queue] = kinds
        self._subscribers.add(queue)
        self._listening.clear()
        return self._drain(queue)

    async def _drain(self, queue: asyncio.Queue[Event]) -> AsyncIterator[Event]:
        try:
            while True:
                yield await queue.get()
        finally:
            self._subscribers.discard(queue)
            self._kinds.pop(queue, None)
            self._listening.clear()

    async def call(self, charger_id: str, command: Command, timeout: float, traceparent: str = "") -> Reply:
        with traces.COMMAND.span(type(command).__name__, traceparent, charger=charger_id) as span:
            handler = self._holders.get(charger_id)
            if handler is None:
                raise ChargerOffline(charger_id)
            try:
                async with asyncio.timeout(timeout):
                    reply = await handler(command)
            except TimeoutError:
                raise ChargerSilent(charger_id) from None
            span.came_to("accepted" if reply.accepted else "refused")
            return reply

    @contextlib.asynccontextmanager
    async def attach(self, charger_id: str, handler: Handler) -> AsyncIterator[None]:
        self._holders[charger_id] = handler
        try:
            yield
        finally:
            if self._holders.get(charger_id) is handler:
                del self._holders[charger_id]


@contextlib.asynccontextmanager
async def joined(settings: Settings) -> AsyncIterator[Bus]:
    """The bus that the settings ask for, in use by this process as long as the context lasts."""
    if settings.redis_url:
        from domain.redis_bus import RedisBus  # only who has several processes needs Redis's client

        async with RedisBus(settings.redis_url) as bus:
            use(bus)
            yield bus
    else:
        use(local := LocalBus())
        yield local


_bus: Bus | None = None


def use(bus: Bus) -> None:
    """Make this the bus of the process."""
    global _bus
    _bus = bus


def bus() -> Bus:
    """The bus of this process.

    Raises:
        RuntimeError: before `use`.
    """
    if _bus is None:
        raise RuntimeError("no bus is in use")
    return _bus
