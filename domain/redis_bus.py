"""The bus between processes, over publish and subscribe of Redis, which keeps nothing of it and so may go and come."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import uuid4

import msgspec
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from domain import chargers, metrics, traces
from domain.bus import BACKLOG, CallRefused, ChargerOffline, ChargerSilent, ChargerUnreachable, Handler, LocalBus
from domain.db import read
from domain.events import Alone, Command, Event, NewsLost, Reply, SessionMetered
from domain.logs import first_line
from domain.wire import UNREADABLE, UNWRITABLE, NotOurs, Packed, packed, unpacked, writable

log = structlog.get_logger()

PAUSE_S = 0.05
"""Between two messages of events: what comes meanwhile travels together, the newest figures of a charge only."""
MOST = 500
"""Events in one message."""
AGAIN_S = 0.5
"""Between two tries to reach Redis."""
PATIENCE_S = 3.0
"""So long may Redis take to answer, and say nothing before it is asked whether it is there."""
FAREWELL_S = 2.0
"""So long a process that ends waits for its last events to leave."""

GONE = (RedisError, OSError, RuntimeError)
"""What its client raises where Redis is gone; the last is uvloop's, of a connection lost while it was written to."""

Holder = Callable[[str], Awaitable[str | None]]
"""Which process holds a charger's socket; None when none does."""


class Asked(msgspec.Struct, tag=True):
    """A command on its way to the process that holds the charger."""

    id: str
    charger_id: str
    command: Packed
    timeout: float
    asker: str
    traceparent: str = ""


class Answered(msgspec.Struct, tag=True):
    """What became of it: a reply, or the error's name in ERRORS and its words."""

    id: str
    reply: Packed | None = None
    error: str = ""
    words: str = ""


ERRORS: dict[str, type[Exception]] = {
    error.__name__: error for error in (ChargerOffline, ChargerSilent, ChargerUnreachable, CallRefused)
}
_announced = msgspec.json.Decoder(tuple[str, msgspec.Raw])
_events = msgspec.json.Decoder(list[Packed])
_told = msgspec.json.Decoder(Asked | Answered)


async def _holder(charger_id: str) -> str | None:
    return await read(chargers.holder, charger_id)


class RedisBus:
    """One process's end of the bus. `async with` joins and leaves it.

    Who holds a charger stands in the database; a command is published to that process's own channel, and Redis says
    how many have heard it: nobody means that the process is gone. While Redis is gone, what happens in this process
    is heard and commanded in this process all the same, and a bounded number of events waits.
    """

    def __init__(self, url: str, holder: Holder = _holder) -> None:
        self._holder = holder
        self._here = LocalBus()
        self.process = self._here.process
        self.connected = False
        # A command that Redis may have taken must not be sent again: the charger would be asked twice.
        self._redis = Redis.from_url(
            url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S, retry=Retry(NoBackoff(), 0)
        )
        # Publish and subscribe knows no numbers of databases; two products on one Redis do.
        self._prefix = f"evapp:{self._redis.connection_pool.connection_kwargs.get('db') or 0}:"
        self._waiting: dict[Any, Event] = {}
        self._something = asyncio.Event()
        self._joined = asyncio.Event()
        self._open: dict[str, asyncio.Future[Answered]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "RedisBus":
        metrics.BUS_UP.read = lambda: {(): self.connected}
        self._spawn(self._follow())
        self._spawn(self._send())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._joined.wait(), PATIENCE_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._flushed()
        while self._tasks:
            for task in tuple(self._tasks):
                task.cancel()
            # Not only once: while Redis's client sends, asyncio.wait_for of Python 3.11 may swallow it.
            await asyncio.wait(tuple(self._tasks), timeout=PAUSE_S)
        await self._redis.aclose()

    # Events

    async def publish(self, *events: Event) -> None:
        await self._here.publish(*events)
        for event in events:
            topic = (SessionMetered, event.session_id) if isinstance(event, SessionMetered) else event
            self._waiting.pop(topic, None)
            self._waiting[topic] = event
        self._bounded()
        self._something.set()

    def subscribe(self, *kinds: type[Event]) -> AsyncIterator[Event]:
        return self._here.subscribe(*kinds)

    async def _send(self) -> None:
        """Send what waits: a lone event at once, what comes within the next moment together."""
        while True:
            await self._something.wait()
            batch = dict(list(self._waiting.items())[:MOST])
            for topic in batch:
                del self._waiting[topic]
            message = msgspec.json.encode((self.process, [packed(event) for event in batch.values()]))
            try:
                await self._redis.publish(f"{self._prefix}events", message)
            except GONE:
                self._waiting = {**batch, **self._waiting}
                self._bounded()
                await asyncio.sleep(AGAIN_S)
                continue
            if not self._waiting:
                self._something.clear()
            if len(self._waiting) < MOST:
                await asyncio.sleep(PAUSE_S)

    def _bounded(self) -> None:
        """Every event only says where to look, so the oldest may go."""
        while len(self._waiting) > BACKLOG:
            del self._waiting[next(iter(self._waiting))]

    async def _flushed(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                while self.connected and self._something.is_set():  # noqa: ASYNC110 - it is soon over
                    await asyncio.sleep(PAUSE_S / 5)

    # What comes

    async def _follow(self) -> None:
        """Hear the others; when Redis goes, try until it is back, and say that something may have been missed."""
        while True:
            try:
                async with self._redis.pubsub() as news:
                    await news.subscribe(f"{self._prefix}events", self._channel(self.process))
                    await self._listen(news)
            except GONE as error:
                if self.connected or not self._joined.is_set():
                    log.error("Redis is gone; this process goes on alone", reason=str(error))
                    self.connected = False
                    self._joined.set()
                    await self._here.publish(Alone())
            await asyncio.sleep(AGAIN_S)

    async def _listen(self, news: PubSub) -> None:
        asked = False
        while True:
            message = await news.get_message(timeout=PATIENCE_S)
            if message is None:
                if asked:
                    raise RedisError(f"no answer in {PATIENCE_S:g} seconds")
                asked = True
                await news.ping()
                continue
            asked = False
            if message["type"] == "message":
                await self._take(message["channel"], message["data"])
            elif message["type"] == "subscribe" and message["data"] == 2:
                await self._back()

    async def _back(self) -> None:
        again = self._joined.is_set()
        self.connected = True
        self._joined.set()
        if again:
            log.info("Redis is back")
            await self._here.publish(NewsLost())

    async def _take(self, channel: bytes, data: bytes) -> None:
        try:
            if channel.decode() == self._channel(self.process):
                self._told(_told.decode(data))
                return
            sender, events = _announced.decode(data)
            if sender != self.process:
                await self._here.publish(*_readable(events))
        except (*UNREADABLE, NotOurs) as error:
            log.warning("a message of the bus could not be read", error=str(error))

    def _told(self, message: Asked | Answered) -> None:
        if isinstance(message, Asked):
            self._spawn(self._answer(message))
        elif (answer := self._open.get(message.id)) is not None and not answer.done():
            answer.set_result(message)

    # Commands

    async def call(self, charger_id: str, command: Command, timeout: float) -> Reply:
        holder = await self._holder(charger_id)
        if holder is None:
            raise ChargerOffline(charger_id)
        if holder == self.process:
            return await self._here.call(charger_id, command, timeout)
        if not self.connected:
            raise ChargerUnreachable(charger_id)
        with traces.SENT.span(type(command).__name__, charger=charger_id) as span:
            asked = Asked(uuid4().hex, charger_id, packed(command), timeout, self.process, span.traceparent())
            reply = await self._asked(holder, asked)
            span.came_to("accepted" if reply.accepted else "refused")
            return reply

    async def _asked(self, holder: str, asked: Asked) -> Reply:
        answer = self._open[asked.id] = asyncio.get_running_loop().create_future()
        try:
            if not await self._redis.publish(self._channel(holder), msgspec.json.encode(asked)):
                raise ChargerOffline(asked.charger_id)
            async with asyncio.timeout(asked.timeout):
                answered = await answer
        except TimeoutError:
            raise ChargerSilent(asked.charger_id) from None
        except GONE as error:
            raise ChargerUnreachable(asked.charger_id) from error
        finally:
            del self._open[asked.id]
        if answered.reply is None:
            raise ERRORS.get(answered.error, ChargerSilent)(answered.words)
        reply: Reply = unpacked(answered.reply)
        return reply

    async def _answer(self, asked: Asked) -> None:
        answer = Answered(asked.id)
        try:
            command = unpacked(asked.command)
            answer.reply = _sent(await self._here.call(asked.charger_id, command, asked.timeout, asked.traceparent))
        except (*ERRORS.values(), NotOurs) as error:  # type: ignore[misc]
            answer.error, answer.words = type(error).__name__, writable(str(error))
        try:
            await self._redis.publish(self._channel(asked.asker), msgspec.json.encode(answer))
        except GONE as error:
            log.warning("an answer could not be sent", charger=asked.charger_id, error=str(error))

    def attach(self, charger_id: str, handler: Handler) -> AbstractAsyncContextManager[None]:
        return self._here.attach(charger_id, handler)

    def _channel(self, process: str) -> str:
        return f"{self._prefix}process:{process}"

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task of the bus failed", exc_info=error)


def _sent(reply: Reply) -> Packed:
    """A reply ready to be sent; whoever asked is told at once of one that cannot be."""
    try:
        return packed(reply)
    except UNWRITABLE as error:
        raise CallRefused(f"The charger's answer cannot be sent: {first_line(error)}") from error


def _readable(events: msgspec.Raw) -> list[Event]:
    """The events of a message; a newer version's own are left out."""
    found = []
    for told in _events.decode(events):
        try:
            found.append(unpacked(told))
        except NotOurs as error:
            log.info("an event could not be read", error=str(error))
    return found
