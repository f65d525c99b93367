"""Several CSMS processes on one PostgreSQL and one Redis: a driver's charge wherever its charger is connected."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from domain import audit, chargers, charging, dispatch, sessions
from domain.bus import Bus, joined
from domain.db import opened, read, transact
from domain.events import Call, SessionMetered
from domain.models import Charger, ChargingSession, SessionState
from domain.settings import settings
from domain.wishes import ENDINGS
from simulator.chargers import VirtualCharger
from tests import processes
from tests.chaos.balancer import Balancer
from tests.csms.charger import connected
from tests.databases import ROOT, empty
from tests.e2e.running import free_port, taken
from tests.money import house
from tests.servers import Redis, redis

SOON = 30


class Csms:
    """One `python -m csms`."""

    def __init__(self, folder: Path, number: int) -> None:
        self.port = free_port()
        self._log = folder / f"csms-{number}.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            env = {**environment(), "EVAPP_OCPP_PORT": str(self.port)}
            self._process = processes.start([sys.executable, "-m", "csms"], log=log, env=env)
        async with asyncio.timeout(SOON):
            while not taken(self.port):
                assert self._process.poll() is None, self._log.read_text()
                await asyncio.sleep(0.05)

    async def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            ended = await asyncio.to_thread(processes.end, process, how, SOON)
            assert ended == (0 if how == signal.SIGTERM else -how)


def environment() -> dict[str, str]:
    given = settings()
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "EVAPP_DATABASE_URL": given.database_url,
        "EVAPP_REDIS_URL": given.redis_url,
        "EVAPP_SECRET_KEY": given.secret_key.get_secret_value(),
        "EVAPP_OCPP_HOST": "127.0.0.1",
        "EVAPP_VAR_DIR": given.var_dir,
    }


class City:
    """Two CSMS processes behind one address, and this process as the web process that commands."""

    def __init__(self, bus: Bus, redis: Redis, csms: list[Csms], edge: Balancer) -> None:
        self.bus, self.redis, self.csms, self.edge = bus, redis, csms, edge

    @asynccontextmanager
    async def charger(self, name: str, **ways: Any) -> AsyncIterator[VirtualCharger]:
        await transact(chargers.add, name)
        url = f"ws://127.0.0.1:{self.edge.port}/ocpp"
        options = {"sample_seconds": 0.2, "speed": 60.0, "reconnect_seconds": (0.1, 0.5)}
        async with VirtualCharger(name, url, **{**options, **ways}) as charger:
            await charger.answered("StatusNotification", connectorId=1)
            yield charger

    async def begins(self, charger: VirtualCharger, driver: int) -> int:
        """A charge, asked for and plugged in, and its charger knows its number, so that it can be stopped by it."""
        session = await transact(charging.request_start, driver, charger.identity, 1)
        assert session.id is not None
        assert await dispatch.start(self.bus, session.id) == "accepted"
        charger.plug()
        await session_until(session.id, lambda s: s.state == SessionState.CHARGING)
        await charger.answered("StartTransaction")
        return session.id

    async def ends(self, session_id: int) -> ChargingSession:
        await transact(charging.request_stop, session_id, "driver")
        assert await dispatch.stop(self.bus, session_id) == "accepted"
        return await session_until(session_id, lambda s: s.state == SessionState.SETTLED)


async def eventually(look: Callable[..., Any], *args: Any, true: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(SOON):
        while not true(found := await read(look, *args)):
            await asyncio.sleep(0.02)
        return found


async def session_until(session_id: int, true: Callable[[ChargingSession], bool]) -> ChargingSession:
    found: ChargingSession = await eventually(sessions.get, session_id, true=true)
    return found


def holder(db: Session, name: str) -> tuple[str | None, bool]:
    """Who holds a charger, and whether it is online."""
    held_by, online = db.exec(select(Charger.held_by, Charger.online).where(Charger.id == name)).one()
    return held_by, online


@pytest.fixture
async def city(postgresql_template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[City]:
    empty(postgresql_template)
    async with AsyncExitStack() as stack:
        server = stack.enter_context(redis())
        monkeypatch.setenv("EVAPP_DATABASE_URL", postgresql_template)
        monkeypatch.setenv("EVAPP_REDIS_URL", server.url)
        settings.cache_clear()
        csms = [Csms(tmp_path, number) for number in (1, 2)]
        for one in csms:
            stack.push_async_callback(one.end)
            await one.start()
        edge = Balancer([one.port for one in csms])
        await stack.enter_async_context(edge.serving())
        bus = await stack.enter_async_context(joined(settings()))
        await stack.enter_async_context(opened(settings().database, bus.publish))
        yield City(bus, server, csms, edge)
        assert [check for check in await read(audit.audit) if check.broken] == []


async def driver(name: str) -> int:
    user_id = await transact(house.driver, name)
    await transact(house.give, user_id, 100_000)
    return user_id


async def test_a_charge_goes_on_while_its_charger_moves(city: City) -> None:
    """C1 is stopped as for an update: its charger is closed with 1012, comes to C2, and is billed once."""
    one, two = city.csms
    city.edge.ports = [one.port]
    asha = await driver("asha")
    async with city.charger("BLR-1") as charger:
        metered = city.bus.subscribe(SessionMetered)
        session_id = await city.begins(charger, asha)
        first, _ = await read(holder, "BLR-1")
        async with asyncio.timeout(SOON):
            event = await anext(metered)
        assert isinstance(event, SessionMetered)
        assert event.session_id == session_id, "its figures are heard in another process"
        city.edge.ports = [two.port]
        await one.end()
        second, _ = await eventually(holder, "BLR-1", true=lambda found: found[1] and found[0] != first)
        before = (await read(sessions.get, session_id)).energy_wh
        await session_until(session_id, lambda s: s.energy_wh > before)
        session = await city.ends(session_id)
        assert second is not None
    assert session.cost_paise > 0


async def test_the_newest_connection_wins_and_the_older_process_lets_go(city: City) -> None:
    one, two = city.csms
    await transact(chargers.add, "RAW-1")
    async with connected(one.port, "/ocpp/RAW-1") as old:
        await old.boot()
        first, _ = await eventually(holder, "RAW-1", true=lambda found: found[1])
        async with connected(two.port, "/ocpp/RAW-1") as new:
            await new.boot()
            assert await old.gone() == 1000
            second, online = await read(holder, "RAW-1")
            assert (online, second != first) == (True, True)
            asked = asyncio.create_task(city.bus.call("RAW-1", Call("Reset", {"type": "Soft"}), SOON))
            kind, id_, action, _ = await new.receive()
            while action != "Reset":  # the set-up of a known charger may come first
                await new.send([3, id_, {"configurationKey": []}])
                kind, id_, action, _ = await new.receive()
            await new.send([3, id_, {"status": "Accepted"}])
            assert (await asked).accepted
            assert kind == 2


async def test_a_killed_process_costs_nobody_a_charge(city: City) -> None:
    one, two = city.csms
    city.edge.ports = [one.port]
    asha = await driver("asha")
    async with city.charger("BLR-1") as charger:
        session_id = await city.begins(charger, asha)
        first, _ = await read(holder, "BLR-1")
        city.edge.ports = [two.port]
        await one.end(signal.SIGKILL)
        await eventually(holder, "BLR-1", true=lambda found: found[1] and found[0] != first)
        await city.ends(session_id)


async def test_without_redis_charging_goes_on_and_starts_say_why_not(city: City) -> None:
    asha, ben = await driver("asha"), await driver("ben")
    async with city.charger("BLR-1") as running, city.charger("BLR-2") as idle:
        session_id = await city.begins(running, asha)
        city.redis.kill()
        async with asyncio.timeout(SOON):
            while city.bus.connected:
                await asyncio.sleep(0.01)
        before = (await read(sessions.get, session_id)).energy_wh
        await session_until(session_id, lambda s: s.energy_wh > before)
        refused = await transact(charging.request_start, ben, "BLR-2", 1)
        assert await dispatch.start(city.bus, refused.id or 0) == "unreachable"
        told = await read(sessions.get, refused.id or 0)
        assert charging.explain(told) == ENDINGS["unreachable"]
        running.unplug()
        await session_until(session_id, lambda s: s.state == SessionState.SETTLED)
        city.redis.start()
        async with asyncio.timeout(SOON):
            while not city.bus.connected:
                await asyncio.sleep(0.01)
        second = await _begun_again(city, idle, ben)
        await city.ends(second)


async def _begun_again(city: City, charger: VirtualCharger, user_id: int) -> int:
    """The CSMS processes find Redis each in their own time."""
    async with asyncio.timeout(SOON):
        while True:
            session = await transact(charging.request_start, user_id, charger.identity, 1)
            assert session.id is not None
            if (verdict := await dispatch.start(city.bus, session.id)) == "accepted":
                break
            assert verdict in ("offline", "unreachable")
            await asyncio.sleep(0.1)
    charger.plug()
    await session_until(session.id, lambda s: s.state == SessionState.CHARGING)
    await charger.answered("StartTransaction")
    return session.id
