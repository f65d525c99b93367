"""Shell and server over var/evapp.sock: commands, announcements, and what goes wrong."""

import asyncio
import json
import socket as sockets
import stat
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlmodel import Session

from domain import arrivals, chargers, socket
from domain.bus import CallRefused, ChargerSilent, ChargerUnreachable, LocalBus
from domain.db import Database
from domain.events import ChargerChanged, Command, Event, Reply, SessionMetered, SignedOut
from domain.models import now
from domain.redis_bus import RedisBus
from domain.settings import settings
from tests.servers import redis


@pytest.fixture
async def bus(tmp_path: Path) -> AsyncIterator[LocalBus]:
    bus = LocalBus()
    async with socket.serving(bus, tmp_path / "evapp.sock"):
        yield bus


async def call(tmp_path: Path, charger: str = "C-1") -> dict[str, object]:
    return await asyncio.to_thread(socket.call, charger, "GetConfiguration", {"key": ["a"]}, tmp_path / "evapp.sock")


async def test_a_call_reaches_the_charger(bus: LocalBus, tmp_path: Path) -> None:
    asked: list[Command] = []

    async def charger(command: Command) -> Reply:
        asked.append(command)
        return Reply("", {"unknownKey": ["a"]})

    async with bus.attach("C-1", charger):
        assert await call(tmp_path) == {"status": "", "payload": {"unknownKey": ["a"]}}
    assert str(asked[0]) == "Call(action='GetConfiguration', payload={'key': ['a']})"


async def test_failures_are_sentences(bus: LocalBus, tmp_path: Path) -> None:
    with pytest.raises(socket.Failed, match=r"^C-1 is not connected\. It was not asked\.$"):
        await call(tmp_path)
    for error, sentence in (
        (ChargerSilent("C-1"), "^C-1 was asked and did not answer in time"),
        (ChargerUnreachable("C-1"), "It may have been asked, or not.$"),
        (CallRefused("NotSupported"), "^C-1 was not asked, or refused: NotSupported$"),
    ):

        async def charger(command: Command, error: Exception = error) -> Reply:
            raise error

        async with bus.attach("C-1", charger):
            with pytest.raises(socket.Failed, match=sentence):
                await call(tmp_path)


async def test_events_arrive_as_they_are(bus: LocalBus, tmp_path: Path) -> None:
    heard = bus.subscribe()
    events: list[Event] = [ChargerChanged("C-1"), SignedOut(("a", "b")), SessionMetered(1, "C", None, 2, 3, 4, now())]
    await asyncio.to_thread(socket.publish, events, tmp_path / "evapp.sock")
    assert [await anext(heard) for _ in events] == events
    await heard.aclose()  # type: ignore[attr-defined]


async def test_no_server_is_a_sentence(tmp_path: Path) -> None:
    for action in (call(tmp_path), asyncio.to_thread(socket.publish, [ChargerChanged("C")], tmp_path / "evapp.sock")):
        with pytest.raises(socket.NoServer, match="No server answers"):
            await action


async def test_only_its_user_may_speak(bus: LocalBus, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "evapp.sock").stat().st_mode) == 0o600


async def test_a_later_server_takes_over_and_the_earlier_leaves_it_alone(tmp_path: Path) -> None:
    path = tmp_path / "evapp.sock"
    async with socket.serving(LocalBus(), path):
        later = socket.serving(LocalBus(), path)
        await later.__aenter__()
    with pytest.raises(socket.Failed):
        await call(tmp_path)
    await later.__aexit__(None, None, None)
    assert not path.exists()


async def test_nonsense_is_answered(bus: LocalBus, tmp_path: Path) -> None:
    nonsense = (
        "{",
        "5",
        "{}",
        '{"call":{}}',
        '{"publish":[{"kind":"Teleported"}]}',
        '{"publish":[{"kind":"SignedOut"}]}',
        f'{{"publish":[["SignedOut",{"[" * 5_000}{"]" * 5_000}]]}}',
    )

    def ask() -> list[dict[str, str]]:
        with sockets.socket(sockets.AF_UNIX) as line, line.makefile("rw") as file:
            line.connect(str(tmp_path / "evapp.sock"))
            answers = []
            for text in nonsense:
                file.write(text + "\n")
                file.flush()
                answers.append(json.loads(file.readline()))
            return answers

    answers = await asyncio.to_thread(ask)
    assert all("did not understand" in answer["error"] for answer in answers)


async def test_with_several_processes_a_shell_speaks_on_their_bus(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever process holds the charger, on whichever machine; and when Redis is gone it says so."""

    def put(db: Session, process: str) -> None:
        chargers.add(db, "C-1")
        arrivals.connected(db, process, [("C-1", now())])

    async def charger(command: Command) -> Reply:
        return Reply("Accepted", {"asked": str(command)})

    with redis() as server:
        monkeypatch.setenv("EVAPP_REDIS_URL", server.url)
        monkeypatch.setenv("EVAPP_DATABASE_URL", database_url)
        settings.cache_clear()
        async with RedisBus(server.url) as elsewhere, elsewhere.attach("C-1", charger):
            with closing(Database(database_url)) as database:
                database.now(put, elsewhere.process)
            heard = elsewhere.subscribe(ChargerChanged)
            await asyncio.to_thread(socket.publish, [ChargerChanged("C-1")])
            async with asyncio.timeout(20):
                assert await anext(heard) == ChargerChanged("C-1")
            answer = await asyncio.to_thread(socket.call, "C-1", "Reset", {"type": "Soft"})
            assert answer["status"] == "Accepted"
            with pytest.raises(socket.Failed, match="C-2 is not connected"):
                await asyncio.to_thread(socket.call, "C-2", "Reset", {"type": "Soft"})
    with pytest.raises(socket.NoServer, match="Redis does not answer"):
        await asyncio.to_thread(socket.publish, [ChargerChanged("C-1")])
    settings.cache_clear()
