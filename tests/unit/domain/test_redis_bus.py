"""The bus over Redis where it is not like the one inside a process: ownership, gathering, and Redis gone and back."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from domain import redis_bus
from domain.bus import BACKLOG, CallRefused, ChargerOffline, ChargerSilent, ChargerUnreachable, Handler
from domain.events import (
    Alone,
    Call,
    ChargerChanged,
    Command,
    Event,
    NewsLost,
    RemoteStop,
    Reply,
    SessionMetered,
    WalletChanged,
)
from domain.models import now
from domain.redis_bus import RedisBus
from tests.servers import Redis as Server
from tests.servers import redis

STOP = RemoteStop(7)
SOON = 15
DEEP = "[" * 5_000 + "]" * 5_000
"""Further down than a parser goes."""


class Street:
    """Processes on one Redis, and who holds which charger."""

    def __init__(self, server: Server, stack: AsyncExitStack) -> None:
        self.server = server
        self.held_by: dict[str, str] = {}
        self._stack = stack

    async def join(self) -> RedisBus:
        async def holder(charger_id: str) -> str | None:
            return self.held_by.get(charger_id)

        return await self._stack.enter_async_context(RedisBus(self.server.url, holder))


@pytest.fixture
async def street() -> AsyncIterator[Street]:
    async with AsyncExitStack() as stack:
        server = stack.enter_context(redis())
        yield Street(server, stack)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not true():
            await asyncio.sleep(0.01)


async def accepts(_: Command) -> Reply:
    return Reply("Accepted")


async def next_of(events: AsyncIterator[Event]) -> Event:
    async with asyncio.timeout(SOON):
        return await anext(events)


async def test_a_command_goes_where_the_charger_is_now(street: Street) -> None:
    old, new, web = [await street.join() for _ in range(3)]

    async def stale(_: Command) -> Reply:
        raise AssertionError("it is asked where it is no longer")

    async with old.attach("A", stale), new.attach("A", accepts):
        street.held_by["A"] = new.process
        for bus in (web, new, old):
            assert (await bus.call("A", STOP, SOON)).accepted


async def test_a_charger_of_a_dead_process_is_offline_at_once(street: Street) -> None:
    web = await street.join()
    street.held_by["A"] = "a process that was killed"
    begun = time.monotonic()
    for charger_id in ("A", "nobody's"):
        with pytest.raises(ChargerOffline):
            await web.call(charger_id, STOP, 30)
    assert time.monotonic() - begun < SOON


async def test_what_comes_together_travels_together(street: Street) -> None:
    """The newest figures of each charge, in a few messages; a lone event goes at once."""
    bus, other = await street.join(), await street.join()
    async with Redis.from_url(street.server.url) as client, client.pubsub() as wire:
        await wire.subscribe("evapp:0:events")
        await wire.get_message(timeout=SOON)
        for wh in range(100):
            await bus.publish(*(SessionMetered(n, "A", None, wh, 0, 0, now()) for n in range(100)))
        heard, seen = other.subscribe(SessionMetered), 0
        newest: dict[int, int] = {}
        while set(newest.values()) != {99} or len(newest) < 100:
            event = await next_of(heard)
            assert isinstance(event, SessionMetered)
            newest[event.session_id] = event.energy_wh
            seen += 1
        messages = 0
        while await wire.get_message(timeout=0.2):
            messages += 1
    assert seen <= 300, "of 10,000 figures only newest ones travelled"
    assert 1 <= messages <= 3


async def test_two_products_on_one_redis_do_not_hear_each_other(street: Street) -> None:
    ours = await street.join()
    async with RedisBus(street.server.url.replace("/0", "/1")) as theirs:
        heard = theirs.subscribe(WalletChanged)
        await ours.publish(WalletChanged(1))
        await theirs.publish(WalletChanged(2))
        assert await next_of(heard) == WalletChanged(2)


async def test_what_another_version_says_is_left_out(street: Street) -> None:
    bus = await street.join()
    heard = bus.subscribe()
    async with Redis.from_url(street.server.url) as client:
        for message in (
            "{",
            f'["another", [["WalletChanged", {DEEP}]]]',
            '["another", [["Teleported", {}], ["WalletChanged", {"user_id": 1, "colour": "red"}]]]',
            '["another", [["WalletChanged", {"user_id": "x"}], ["WalletChanged", {"user_id": 2}]]]',
        ):
            await client.publish("evapp:0:events", message)
        for message in ("[]", f'{{"type":"Answered","id":"1","reply":["Reply",{DEEP}]}}'):
            await client.publish(f"evapp:0:process:{bus.process}", message)
        await client.publish("evapp:0:events", '["another", [["WalletChanged", {"user_id": 3}]]]')
    assert [await next_of(heard) for _ in range(3)] == [WalletChanged(1), WalletChanged(2), WalletChanged(3)]


async def test_without_redis_a_process_goes_on_alone_and_finds_the_others_again(street: Street) -> None:
    one, two = await street.join(), await street.join()
    street.held_by.update(A=one.process, B=two.process)
    alone = one.subscribe(Alone)
    async with one.attach("A", accepts), two.attach("B", accepts):
        street.server.kill()
        assert await next_of(alone) == Alone()
        await until(lambda: not one.connected and not two.connected)
        here = one.subscribe()
        await one.publish(ChargerChanged("A"))
        assert await next_of(here) == ChargerChanged("A")
        assert (await one.call("A", STOP, SOON)).accepted
        with pytest.raises(ChargerUnreachable):
            await one.call("B", STOP, 30)
        there = two.subscribe()
        street.server.start()
        await until(lambda: one.connected and two.connected)
        assert await next_of(here) == NewsLost()
        await one.publish(ChargerChanged("C"))
        heard = [await next_of(there)]
        while heard[-1] != ChargerChanged("C"):
            heard.append(await next_of(there))
        # What one kept meanwhile reaches two if two was back first; else two knows that news were lost.
        assert set(heard) - {ChargerChanged("A")} == {NewsLost(), ChargerChanged("C")}
        assert (await one.call("B", STOP, SOON)).accepted


async def test_a_connection_that_went_while_it_was_written_to_is_made_anew(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvloop then raises RuntimeError, which ended the listening for good."""
    one, two = await street.join(), await street.join()
    news, get_message, fails = one.subscribe(NewsLost), PubSub.get_message, [True, True]

    async def failing(self: PubSub, *given: float, **options: float) -> object:
        if fails:
            fails.pop()
            raise RuntimeError("unable to perform operation; the handler is closed")
        return await get_message(self, *given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(PubSub, "get_message", failing)
    await one.publish(WalletChanged(1))  # whoever listens looks for the next message, and fails
    assert await next_of(news) == NewsLost()
    await until(lambda: one.connected and two.connected and not fails)
    heard = one.subscribe(ChargerChanged)
    await two.publish(ChargerChanged("A"))
    assert await next_of(heard) == ChargerChanged("A")


async def test_a_process_may_begin_without_redis(street: Street) -> None:
    street.server.kill()
    bus = await street.join()
    assert not bus.connected
    heard = bus.subscribe()
    street.server.start()
    await until(lambda: bus.connected)
    other = await street.join()
    await other.publish(WalletChanged(1))
    assert [await next_of(heard), await next_of(heard)] == [NewsLost(), WalletChanged(1)]


async def test_redis_that_says_nothing_blocks_nobody(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_bus, "PATIENCE_S", 0.3)
    bus, other = await street.join(), await street.join()
    street.held_by.update(A=bus.process, B=other.process)
    async with bus.attach("A", accepts), other.attach("B", accepts):
        street.server.freeze()
        try:
            begun = time.monotonic()
            for n in range(2 * BACKLOG):
                await bus.publish(WalletChanged(n))
            assert len(bus._waiting) <= BACKLOG
            assert (await bus.call("A", STOP, SOON)).accepted
            with pytest.raises((ChargerUnreachable, ChargerSilent)):
                await bus.call("B", STOP, 30)
            await until(lambda: not bus.connected)
            assert time.monotonic() - begun < SOON
        finally:
            street.server.thaw()
        async with asyncio.timeout(3 * SOON):
            while not await answers(bus, "B"):  # so short a patience may lose one more
                await asyncio.sleep(0.05)


async def answers(bus: RedisBus, charger: str) -> bool:
    with suppress(ChargerUnreachable, ChargerSilent):
        return (await bus.call(charger, STOP, SOON)).accepted
    return False


async def test_a_command_is_asked_once_though_its_answer_is_lost(street: Street) -> None:
    one, two = await street.join(), await street.join()
    street.held_by["B"] = two.process
    asked: list[Command] = []

    async def charger(command: Command) -> Reply:
        asked.append(command)
        street.server.kill()
        return Reply("Accepted")

    async with two.attach("B", charger):
        with pytest.raises(ChargerSilent):
            await one.call("B", STOP, 2)
        street.server.start()
        await until(lambda: one.connected and two.connected)
    assert asked == [STOP]


HALF = "\ud800"
"""Half of a surrogate pair: JSON may spell it, and no text that is sent may have it."""


async def test_what_a_charger_says_arrives_whatever_is_in_it(street: Street) -> None:
    web, csms = await street.join(), await street.join()
    street.held_by["A"] = csms.process

    async def answers(_: Command) -> Reply:
        return Reply("Accepted", {f"vendor{HALF}": [f"é{HALF}x", 1, None, 2.5, {"deep": HALF}]})

    reply = await asked_through(web, csms, answers)
    assert reply == Reply("Accepted", {"vendor?": ["é?x", 1, None, 2.5, {"deep": "?"}]})


async def test_a_refusal_arrives_whatever_is_in_it(street: Street) -> None:
    web, csms = await street.join(), await street.join()
    street.held_by["A"] = csms.process

    async def refuses(_: Command) -> Reply:
        raise CallRefused(f"InternalError: {HALF}")

    with pytest.raises(CallRefused, match=r"InternalError: \?"):
        await asked_through(web, csms, refuses)


async def test_an_answer_that_cannot_be_sent_is_a_refusal(street: Street) -> None:
    """Nobody waits for it until he gives up."""
    web, csms = await street.join(), await street.join()
    street.held_by["A"] = csms.process
    deep: dict[str, object] = {}
    for _ in range(10_000):
        deep = {"in": deep}

    async def answers(_: Command) -> Reply:
        return Reply("Accepted", deep)

    with pytest.raises(CallRefused, match="cannot be sent"):
        await asked_through(web, csms, answers)


async def asked_through(web: RedisBus, csms: RedisBus, charger: Handler) -> Reply:
    async with csms.attach("A", charger):
        return await web.call("A", Call("GetConfiguration", {"key": [HALF]}), SOON)


async def test_the_last_words_of_a_process_are_heard(street: Street) -> None:
    stays = await street.join()
    heard = stays.subscribe(WalletChanged)
    async with RedisBus(street.server.url) as goes:
        await goes.publish(*(WalletChanged(n) for n in range(2_000)))
    assert [await next_of(heard) for _ in range(2_000)] == [WalletChanged(n) for n in range(2_000)]


async def test_a_process_leaves_though_its_client_of_redis_swallows_a_cancellation(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As asyncio.wait_for of Python 3.11 does when what it waits for is done at that moment."""
    sending = asyncio.Event()

    async def publish(*_: object) -> int:
        sending.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return 1

    monkeypatch.setattr(redis_bus, "FAREWELL_S", 0.1)
    async with asyncio.timeout(SOON), RedisBus(street.server.url) as goes:
        monkeypatch.setattr(goes._redis, "publish", publish)
        await goes.publish(WalletChanged(1))
        await sending.wait()
