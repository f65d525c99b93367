"""Signs of life: who is pinged, who is let go, and who is online when the house closes or has crashed."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from sqlmodel import Session
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from csms import central, keepalive
from csms.central import Pace
from csms.fast import Socket
from csms.limits import Limits
from csms.v16 import commands
from domain import arrivals, chargers, processes, quirks
from domain.bus import ChargerOffline
from domain.db import opened, transact
from domain.events import NewsLost, RemoteStart
from domain.models import Charger, Finding, now
from tests.csms.charger import SECONDS, Raw
from tests.csms.conftest import running, until
from tests.e2e.running import free_port

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One kind of database is enough here: no query differs."""


async def test_a_charger_that_came_back_silent_may_be_asked_after_a_while(database_url: str) -> None:
    """After a restart nobody waits for the next heartbeat, minutes away; a charger that never booted is waited for."""
    async with running(database_url, pace=Pace(settle=60, quiet=0.1, beat=60, ping=0)) as house:
        async with house.charger() as raw:
            await raw.boot()
        await house.eventually(Charger, lambda row: not row.online)
        async with house.charger() as raw:
            await house.online()
            reply = asyncio.create_task(house.bus.call("RAW-1", RemoteStart(1, "TAG1"), SECONDS))
            id_, _ = await raw.asked("RemoteStartTransaction")
            await raw.send([3, id_, {"status": "Accepted"}])
            assert (await reply).accepted


async def test_a_charger_that_answers_and_tells_nothing_of_its_own_is_found(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MicroOcpp 1.2.0 waits for ever for an answer that was lost with the line, and sends nothing else meanwhile. One
    that does not know the question, beats once a day and pings has nothing to tell."""
    monkeypatch.setitem(commands.SECONDS, "TriggerMessage", 0.5)
    watchful = Pace(settle=0, quiet=0.1, beat=60, ping=0, mute=1.5)
    async with running(database_url, pace=watchful) as house, AsyncExitStack() as lines:
        for name, answer in (("QUIET", ""), ("TELLS", "Accepted"), ("REFUSES", "NotImplemented"), ("MUTE", "Accepted")):
            async with house.charger(f"/ocpp/{name}") as raw:
                await raw.boot()
            raw = await lines.enter_async_context(house.charger(f"/ocpp/{name}"))
            id_, _ = await raw.asked("TriggerMessage")
            if answer:
                await raw.send([3, id_, {"status": answer}])
            if name == "TELLS":
                await raw.available()
        (finding,) = await house.eventually(Finding, lambda _: True)
        assert (finding.kind, finding.ref) == ("mute", "MUTE")
        assert 'python -m csms call MUTE Reset \'{"type": "Soft"}\'' in finding.detail
        with pytest.raises(ChargerOffline):
            await house.bus.call("MUTE", RemoteStart(1, "TAG1"), SECONDS)


async def test_any_sign_of_life_counts_and_none_ends_the_socket(database_url: str) -> None:
    """Q6: pongs keep a silent charger; one that stops answering is let go after three pings."""
    watchful = Pace(settle=60, quiet=60, beat=0.05, ping=0.1)
    async with running(database_url, pace=watchful) as house, house.charger() as raw:
        await raw.boot()
        before = (await house.stored()).heard_at
        await house.eventually(Charger, lambda row: bool(row.heard_at and before and row.heard_at > before))
        raw.socket.transport.pause_reading()
        await house.eventually(Charger, lambda row: not row.online)
        raw.socket.transport.abort()


async def test_a_chargers_own_pings_keep_it(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Q6: where ours are off, and its heartbeats rarer than anybody waits."""
    monkeypatch.setattr(keepalive, "HEARTBEAT_S", 1.0)
    monkeypatch.setattr(keepalive, "LOOK_S", 0.05)
    async with running(database_url) as house, house.charger(ping_interval=None) as raw:
        await raw.boot()
        await raw.asked("GetConfiguration")
        before = (await house.stored()).heard_at
        for _ in range(40):
            await raw.socket.ping()
            await asyncio.sleep(0.1)
        await house.eventually(
            Charger, lambda row: bool(row.online and before and row.heard_at and row.heard_at > before)
        )
        await house.eventually(Charger, lambda row: not row.online)


@pytest.fixture
def pinged(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Who was pinged."""
    names: set[str] = set()
    ping = Socket.ping

    async def counted(socket: Socket) -> Awaitable[float]:
        names.add(socket.charger_id)
        return await ping(socket)

    monkeypatch.setattr(Socket, "ping", counted)
    monkeypatch.setattr(keepalive, "MISSED", 1_000)  # nobody is let go because this machine is busy
    return names


async def test_each_charger_is_pinged_at_its_own_pace(database_url: str, pinged: set[str]) -> None:
    """Q6: as all others, rarely, or never, and by a new pace from when it is set."""
    async with running(database_url, pace=Pace(settle=60, quiet=60, beat=0.05, ping=0.05)) as house:
        for name, seconds in (("USUAL", None), ("RARE", 3_600), ("NEVER", 0)):
            await transact(chargers.add, name)
            await transact(quirks.set_ping, name, seconds)
        async with house.charger("/RARE") as rare, house.charger("/NEVER") as never, house.charger("/USUAL") as usual:
            for raw in (rare, never, usual):
                await raw.boot()
            for _ in range(3):
                pinged.discard("USUAL")
                await until(lambda: _seen(pinged, "USUAL"))
            assert pinged == {"USUAL"}
            await transact(quirks.set_ping, "NEVER", None)
            await until(lambda: _seen(pinged, "NEVER"))


def answers_pings(raw: Raw, pong: Callable[[Frame], list[Frame]], monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on this charger says these to a ping, in place of the pong that belongs to it."""
    send = raw.socket.protocol.send_frame

    def send_frame(frame: Frame) -> None:
        for one in pong(frame) if frame.opcode is Opcode.PONG else [frame]:
            send(one)

    monkeypatch.setattr(raw.socket.protocol, "send_frame", send_frame)


async def test_pings_go_on_after_a_pong_that_does_not_match(
    database_url: str, pinged: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q6: any pong is a sign of life; some chargers answer with an empty one."""
    eager = Pace(settle=60, quiet=60, beat=0.05, ping=0.05)
    async with running(database_url, pace=eager) as house, house.charger(ping_interval=None) as raw:
        answers_pings(raw, lambda _: [Frame(Opcode.PONG, b"")], monkeypatch)
        await raw.boot()
        for _ in range(3):
            pinged.clear()
            await until(lambda: _seen(pinged, "RAW-1"))


async def test_pings_go_on_after_one_without_a_pong(
    database_url: str, pinged: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q6: any frame since is a sign of life, too. Who never sends a pong is not let go after three pings for that: its
    heartbeats are rarer."""
    monkeypatch.setattr(keepalive, "MISSED", 3)
    eager = Pace(settle=60, quiet=60, beat=0.05, ping=0.05)
    async with running(database_url, pace=eager) as house, house.charger(ping_interval=None) as raw:
        answers_pings(raw, lambda _: [], monkeypatch)
        await raw.boot()
        for _ in range(3):
            await until(lambda: _seen(pinged, "RAW-1"))
            pinged.clear()  # before the frame after which the next one comes
            await raw.call("Heartbeat")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await raw.socket.wait_closed()


async def test_a_charger_is_not_pinged_before_its_pace_is_known(
    database_url: str, pinged: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the database takes its time; some boards drop the line at a ping."""
    goes_on = asyncio.Event()

    async def slowly(work: Callable[..., Any], *given: Any) -> Any:
        await goes_on.wait()
        return await transact(work, *given)

    async with running(database_url, pace=Pace(settle=60, quiet=60, beat=0.05, ping=0.05)) as house:
        for name, seconds in (("USUAL", None), ("NEVER", 0)):
            await transact(chargers.add, name)
            await transact(quirks.set_ping, name, seconds)
        async with house.charger("/USUAL") as usual:
            await usual.boot()
            monkeypatch.setattr(central, "transact", slowly)
            async with house.charger("/NEVER") as never:
                for _ in range(4):
                    pinged.discard("USUAL")
                    await until(lambda: _seen(pinged, "USUAL"))
                goes_on.set()
                await never.boot()
                assert pinged == {"USUAL"}


async def test_a_pace_that_was_set_while_nobody_heard_it_is_found_afterwards(
    database_url: str, pinged: set[str]
) -> None:
    """As when Redis was away (ADR 0013)."""

    def quietly(db: Session) -> None:
        chargers.info(db, "RAW-1").ping_s = None

    async with running(database_url, pace=Pace(settle=60, quiet=60, beat=0.05, ping=0.05)) as house:
        await transact(chargers.add, "RAW-1")
        await transact(quirks.set_ping, "RAW-1", 0)
        async with house.charger() as raw:
            await raw.boot()
            await transact(quietly)
            assert pinged == set()
            await house.bus.publish(NewsLost())
            await until(lambda: _seen(pinged, "RAW-1"))


async def test_a_charger_that_reads_nothing_keeps_no_other_from_being_pinged(
    database_url: str, pinged: set[str]
) -> None:
    """Its buffers are full, so whoever waited for its ping to leave would wait for ever."""
    watchful = Pace(settle=60, quiet=60, beat=0.05, ping=0.1)
    async with running(database_url, pace=watchful, limits=Limits(burst=1_000_000)) as house:
        for name in ("DEAF", "RAW-1"):
            await transact(chargers.add, name)
            await transact(quirks.set_ping, name, 0)
        async with house.charger("/DEAF") as deaf, house.charger() as raw:
            await raw.boot()
            await deaf.boot()
            deaf.socket.transport.pause_reading()
            await _until_nothing_leaves(deaf)
            await transact(quirks.set_ping, "DEAF", None)
            await until(lambda: _seen(pinged, "DEAF"))
            await transact(quirks.set_ping, "RAW-1", None)
            await until(lambda: _seen(pinged, "RAW-1"))
            deaf.socket.transport.abort()


async def test_a_charger_that_reads_nothing_is_let_go(database_url: str) -> None:
    """Whatever it sends: who would say goodbye to it would wait for ever, as at the end of the house."""
    limits = Limits(burst=1_000_000, unread_s=0.2)
    async with running(database_url, limits=limits) as house, house.charger("/DEAF") as deaf:
        await deaf.boot()
        deaf.socket.transport.pause_reading()
        await _until_nothing_leaves(deaf)
        await house.eventually(Charger, lambda row: row.id == "DEAF" and not row.online)


async def _until_nothing_leaves(raw: Raw) -> None:
    """What is answered at length fills the way back, and then the way there."""
    with suppress(TimeoutError, ConnectionClosed):
        while True:
            async with asyncio.timeout(3):
                await raw.socket.send(json.dumps([2, "long" * 2_000, "Heartbeat", {}]))


async def _seen(names: set[str], name: str) -> list[str]:
    return [name] if name in names else []


async def test_the_house_closes_with_a_word(database_url: str) -> None:
    """1012, service restart: chargers come back; their going offline is stored."""
    async with running(database_url) as house:
        connection = house.charger()
        raw = await connection.__aenter__()
        await raw.boot()
    assert await raw.gone() == 1012
    await connection.__aexit__(None, None, None)
    async with running(database_url) as house:
        assert not (await house.stored()).online


async def test_nobody_is_online_after_a_crash(database_url: str) -> None:
    """Who listens on a port knows that whoever had it before is dead."""

    def crash(db: Session, port: int) -> None:
        processes.begin(db, "crashed", "csms", now())
        processes.opened_door(db, "crashed", port)
        for name in ("RAW-1", "RAW-2"):
            chargers.add(db, name)
        arrivals.connected(db, "crashed", [("RAW-1", now())])
        arrivals.connected(db, "another one, that lives", [("RAW-2", now())])

    port = free_port()
    async with opened(database_url):
        await transact(crash, port)
    async with running(database_url, port=port) as house:
        assert not (await house.stored()).online
        assert (await house.stored("RAW-2")).online
