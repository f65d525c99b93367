"""Every bus: who hears what, who is asked, and what happens when nobody answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from domain import bus as buses
from domain.bus import BACKLOG, Bus, CallRefused, ChargerOffline, ChargerSilent, LocalBus, told
from domain.events import Call, ChargerChanged, Command, Event, RemoteStop, Reply, SessionMetered, WalletChanged
from domain.models import now
from domain.redis_bus import ERRORS, RedisBus
from domain.settings import Settings
from tests.servers import redis

STOP = RemoteStop(7)
SOON = 10


@dataclass
class Ends:
    """Two ends of one bus: chargers connect to `there`; inside one process both are the same."""

    here: Bus
    there: Bus


@pytest.fixture(params=["local", "redis"])
async def ends(request: pytest.FixtureRequest) -> AsyncIterator[Ends]:
    if request.param == "local":
        local = LocalBus()
        yield Ends(local, local)
        return
    async with AsyncExitStack() as stack:
        server = stack.enter_context(redis())

        async def holder(_: str) -> str | None:
            return there.process

        there = await stack.enter_async_context(RedisBus(server.url, holder))
        here = await stack.enter_async_context(RedisBus(server.url, holder))
        yield Ends(here, there)


def handler(status: str) -> buses.Handler:
    async def answer(_: Command) -> Reply:
        return Reply(status)

    return answer


async def next_of(events: AsyncIterator[Event]) -> Event:
    async with asyncio.timeout(SOON):
        return await anext(events)


async def test_a_subscriber_hears_its_kinds_in_order_from_its_call_on(ends: Ends) -> None:
    for bus in (ends.here, ends.there):
        money, all_ = bus.subscribe(WalletChanged), bus.subscribe()
        events: list[Event] = [WalletChanged(2), ChargerChanged("A"), WalletChanged(3)]
        await ends.there.publish(*events)
        assert [await next_of(money), await next_of(money)] == [WalletChanged(2), WalletChanged(3)]
        assert [await next_of(all_) for _ in events] == events


async def test_what_was_before_is_not_heard(ends: Ends) -> None:
    await ends.here.publish(WalletChanged(1))
    money = ends.here.subscribe(WalletChanged)
    await ends.here.publish(WalletChanged(2))
    assert await next_of(money) == WalletChanged(2)


async def test_who_is_too_slow_loses_the_oldest_and_holds_up_nobody(ends: Ends) -> None:
    slow = ends.here.subscribe(WalletChanged)
    await ends.here.publish(*(WalletChanged(n) for n in range(BACKLOG + 2)))
    assert await next_of(slow) == WalletChanged(2)


async def test_a_command_reaches_the_holder_and_its_reply_comes_back(ends: Ends) -> None:
    asked: list[Command] = []

    async def reset(command: Command) -> Reply:
        asked.append(command)
        return Reply("Accepted", {"a": [1, {"b": "é"}]})

    async with ends.there.attach("A", reset), ends.there.attach("B", handler("Rejected")):
        command = Call("Reset", {"type": "Soft"})
        assert await ends.here.call("A", command, SOON) == Reply("Accepted", {"a": [1, {"b": "é"}]})
        assert not (await ends.here.call("B", STOP, SOON)).accepted
    assert asked == [command]
    with pytest.raises(ChargerOffline):
        await ends.here.call("A", STOP, SOON)


async def test_the_newest_holder_wins_and_the_end_of_an_older_one_changes_nothing(ends: Ends) -> None:
    """ocpp.md Q5."""
    bus = ends.there
    async with bus.attach("A", handler("new")):
        older = bus.attach("A", handler("old"))
        await older.__aenter__()
        async with bus.attach("A", handler("newest")):
            await older.__aexit__(None, None, None)
            assert (await ends.here.call("A", STOP, SOON)).status == "newest"


async def test_silence_ends(ends: Ends) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def silent(_: Command) -> Reply:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    async with ends.there.attach("A", silent):
        with pytest.raises(ChargerSilent):
            await ends.here.call("A", STOP, 0.2)
        async with asyncio.timeout(SOON):
            await ended.wait()
    assert begun.is_set(), "it was asked, and is asked no longer than the caller waits"


@pytest.mark.parametrize("error", [CallRefused("NotSupported: é"), ChargerSilent("A"), ChargerOffline("A")])
async def test_what_the_holder_says_is_said(ends: Ends, error: Exception) -> None:
    async def refuse(_: Command) -> Reply:
        raise error

    async with ends.there.attach("A", refuse):
        with pytest.raises(type(error)) as caught:
            await ends.here.call("A", Call("Reset", {"type": "Soft"}), SOON)
    assert str(caught.value) == str(error)


async def test_calls_at_once_get_their_own_answers(ends: Ends) -> None:
    async with AsyncExitStack() as stack:
        for n in range(50):
            await stack.enter_async_context(ends.there.attach(f"C-{n}", handler(str(n))))
        replies = await asyncio.gather(*(ends.here.call(f"C-{n}", STOP, SOON) for n in range(50)))
    assert [reply.status for reply in replies] == [str(n) for n in range(50)]


async def test_the_newest_figures_arrive_last(ends: Ends) -> None:
    heard = ends.here.subscribe(SessionMetered)
    for wh in range(500):
        await ends.there.publish(SessionMetered(1, "A", None, wh, 0, 0, now()))
        await ends.there.publish(SessionMetered(2, "B", None, wh, 0, 0, now()))
    newest: dict[int, int] = {}
    while newest != {1: 499, 2: 499}:
        event = await next_of(heard)
        assert isinstance(event, SessionMetered)
        assert event.energy_wh > newest.get(event.session_id, -1), "never an older figure after a newer one"
        newest[event.session_id] = event.energy_wh


async def test_who_has_gone_is_forgotten() -> None:
    bus = LocalBus()
    heard = bus.subscribe(WalletChanged)
    await bus.publish(WalletChanged(1))
    async for _ in heard:
        break
    await heard.aclose()  # type: ignore[attr-defined]
    assert not bus._subscribers
    await bus.publish(WalletChanged(2))


async def test_the_settings_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buses, "_bus", None)
    with pytest.raises(RuntimeError):
        buses.bus()
    async with buses.joined(Settings(redis_url="")) as bus:
        assert isinstance(bus, LocalBus)
        assert buses.bus() is bus
    with redis() as server:
        async with buses.joined(Settings(redis_url=server.url)) as bus:
            assert isinstance(bus, RedisBus)
        assert buses.bus() is bus
        assert bus.connected


@pytest.mark.parametrize("error", ERRORS.values())
def test_every_failure_is_a_sentence_about_the_charger(error: type[Exception]) -> None:
    said = told(error("why"), "BLR-1")
    assert said.startswith("BLR-1 ")
    assert said.endswith(".")
    assert "{" not in said
