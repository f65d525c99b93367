"""The bus inside one process: who hears what, who is asked, and what happens when nobody answers."""

import asyncio

import pytest

from domain import bus as buses
from domain.bus import BACKLOG, CallRefused, ChargerOffline, ChargerSilent, LocalBus
from domain.events import Call, ChargerChanged, Command, Event, RemoteStop, Reply, WalletChanged

STOP = RemoteStop(7)


def handler(status: str) -> buses.Handler:
    async def answer(_: Command) -> Reply:
        return Reply(status)

    return answer


async def test_a_subscriber_hears_its_kinds_in_order_from_its_call_on() -> None:
    bus = LocalBus()
    await bus.publish(WalletChanged(1))
    money, all_ = bus.subscribe(WalletChanged), bus.subscribe()
    events: list[Event] = [WalletChanged(2), ChargerChanged("A"), WalletChanged(3)]
    await bus.publish(*events)
    assert [await anext(money), await anext(money)] == [WalletChanged(2), WalletChanged(3)]
    assert [await anext(all_) for _ in events] == events


async def test_who_has_gone_is_forgotten() -> None:
    bus = LocalBus()
    heard = bus.subscribe(WalletChanged)
    await bus.publish(WalletChanged(1))
    async for _ in heard:
        break
    await heard.aclose()  # type: ignore[attr-defined]
    assert not bus._subscribers
    await bus.publish(WalletChanged(2))


async def test_who_is_too_slow_loses_the_oldest_and_holds_up_nobody() -> None:
    bus = LocalBus()
    slow = bus.subscribe(WalletChanged)
    await bus.publish(*(WalletChanged(n) for n in range(BACKLOG + 2)))
    assert await anext(slow) == WalletChanged(2)


async def test_a_command_reaches_the_holder_and_its_reply_comes_back() -> None:
    bus = LocalBus()
    async with bus.attach("A", handler("Accepted")), bus.attach("B", handler("Rejected")):
        assert (await bus.call("A", STOP, 1)).accepted
        assert not (await bus.call("B", STOP, 1)).accepted
    with pytest.raises(ChargerOffline):
        await bus.call("A", STOP, 1)


async def test_the_newest_holder_wins_and_the_end_of_an_older_one_changes_nothing() -> None:
    """ocpp.md Q5."""
    bus = LocalBus()
    async with bus.attach("A", handler("new")):
        older = bus.attach("A", handler("old"))
        await older.__aenter__()
        async with bus.attach("A", handler("newest")):
            await older.__aexit__(None, None, None)
            assert (await bus.call("A", STOP, 1)).status == "newest"


async def test_silence_ends() -> None:
    bus = LocalBus()

    async def silent(_: Command) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError

    async with bus.attach("A", silent):
        with pytest.raises(ChargerSilent):
            await bus.call("A", STOP, 0.01)


@pytest.mark.parametrize("error", [CallRefused("NotSupported"), ChargerSilent("A")])
async def test_what_the_holder_says_is_said(error: Exception) -> None:
    bus = LocalBus()

    async def refuse(_: Command) -> Reply:
        raise error

    async with bus.attach("A", refuse):
        with pytest.raises(type(error)):
            await bus.call("A", Call("Reset", {"type": "Soft"}), 1)


async def test_the_bus_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buses, "_bus", None)
    with pytest.raises(RuntimeError):
        buses.bus()
    bus = LocalBus()
    buses.use(bus)
    assert buses.bus() is bus
