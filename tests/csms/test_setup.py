"""What a charger is set to after a boot, when it is left alone, and how the house is closed."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from sqlmodel import Session
from websockets.exceptions import ConnectionClosed

from csms.central import Pace
from csms.connection import Connection
from csms.fast import Socket
from csms.limits import Limits
from csms.v16 import setup
from csms.v16.setup import ENERGY, POWER, WISHES
from domain import arrivals, chargers, processes, quirks
from domain.db import opened, transact
from domain.events import RemoteStart
from domain.models import Charger, Finding, now
from tests.csms.charger import SECONDS, Raw
from tests.csms.conftest import House, running, until
from tests.e2e.running import free_port

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One kind of database is enough here: no query differs."""

GOOD = {wish.key: wish.values[0] for wish in WISHES}


async def configured(raw: Raw, values: dict[str, str], *, readonly: tuple[str, ...] = ()) -> None:
    """Answer GetConfiguration with these values."""
    id_, payload = await raw.asked("GetConfiguration")
    assert set(payload["key"]) == set(GOOD)
    known = [{"key": key, "value": value, "readonly": key in readonly} for key, value in values.items()]
    unknown = [key for key in payload["key"] if key not in values]
    await raw.send([3, id_, {"configurationKey": known, "unknownKey": unknown}])


async def changed(raw: Raw, status: str = "Accepted") -> tuple[str, str]:
    """Answer one ChangeConfiguration; gives its key and value."""
    id_, payload = await raw.asked("ChangeConfiguration")
    await raw.send([3, id_, {"status": status}])
    return payload["key"], payload["value"]


async def test_only_what_differs_is_set(house: House) -> None:
    """Q10, Q40: unknown and read-only keys are left alone."""
    async with house.charger() as raw:
        await raw.boot()
        values = {**GOOD, "AuthorizeRemoteTxRequests": "True", "HeartbeatInterval": "14400", "ConnectionTimeOut": "60"}
        values["LocalAuthorizeOffline"] = "true"
        del values["AllowOfflineTxForUnknownId"]
        await configured(raw, values, readonly=("LocalAuthorizeOffline",))
        assert await changed(raw) == ("AuthorizeRemoteTxRequests", "false")
        assert await changed(raw, "RebootRequired") == ("HeartbeatInterval", "300")
        await raw.silent()


async def test_a_charger_that_is_right_is_not_written_to(house: House) -> None:
    """Q10."""
    async with house.charger() as raw:
        await raw.boot()
        await configured(raw, GOOD)
        await raw.silent()


async def test_the_list_of_measurands_grows_shorter_until_it_is_taken(house: House) -> None:
    """Q40: OCPP 1.6, 3.16.4."""
    async with house.charger() as raw:
        await raw.boot()
        await configured(raw, {"MeterValuesSampledData": ENERGY})
        full = f"{ENERGY},{POWER},Current.Import,Voltage,SoC"
        for value in (full, f"{ENERGY},{POWER}", ENERGY):
            assert await changed(raw, "Rejected") == ("MeterValuesSampledData", value)
        await raw.silent()


async def test_a_charger_that_refuses_to_tell_so_much_is_asked_for_all(house: House) -> None:
    async with house.charger() as raw:
        await raw.boot()
        id_, _ = await raw.asked("GetConfiguration")
        await raw.send([4, id_, "OccurenceConstraintViolation", "too many keys", {}])
        id_, payload = await raw.asked("GetConfiguration")
        assert payload == {}
        await raw.send([3, id_, {"configurationKey": [{"key": "ClockAlignedDataInterval", "value": "60"}, 5]}])
        assert await changed(raw) == ("ClockAlignedDataInterval", "0")


async def test_a_driver_goes_before_the_set_up(house: House) -> None:
    """Q17."""
    async with house.charger() as raw:
        await raw.boot()
        id_, _ = await raw.asked("GetConfiguration")
        reply = asyncio.create_task(house.bus.call("RAW-1", RemoteStart(1, "TAG1"), SECONDS))
        await raw.silent()
        known = [{"key": "HeartbeatInterval", "value": "0", "readonly": False}]
        await raw.send([3, id_, {"configurationKey": known}])
        started, _ = await raw.asked("RemoteStartTransaction")
        await raw.send([3, started, {"status": "Accepted"}])
        assert (await reply).accepted
        assert await changed(raw) == ("HeartbeatInterval", "300")


async def test_a_boot_loop_ends_the_set_up(house: House) -> None:
    """Q10: more than three boots in ten minutes; the operator finds it."""
    for _ in range(3):
        async with house.charger() as raw:
            await raw.boot()
            await configured(raw, {})
    async with house.charger() as raw:
        await raw.boot()
        await raw.silent()
        await raw.silent()
    assert not (await house.stored()).set_up_due
    (finding,) = await house.rows(Finding)
    assert (finding.kind, finding.ref) == ("boot-loop", "RAW-1")


async def test_a_replaced_socket_ends_its_set_up(database_url: str) -> None:
    """Q9: what was prepared on the old socket is not sent on the new one."""
    unhurried = Pace(settle=0.2, quiet=60, beat=60, ping=0)
    async with running(database_url, pace=unhurried) as house, house.charger() as old:
        await old.boot()
        async with house.charger() as new:
            await old.gone()
            await new.call("Heartbeat")
            assert (await new.asked("TriggerMessage"))[1] == {"requestedMessage": "StatusNotification"}


async def resynced(raw: Raw, status: str = "Accepted") -> None:
    """Answer the question that follows a coming back without a boot."""
    id_, payload = await raw.asked("TriggerMessage")
    assert payload == {"requestedMessage": "StatusNotification"}
    await raw.send([3, id_, {"status": status}])


MadeUp = Callable[[], Awaitable[None]]


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> MadeUp:
    """Waits until a set-up was made up for, or found not to be due."""
    ended: asyncio.Queue[None] = asyncio.Queue()
    real = setup.make_up

    async def make_up(charger: Connection) -> None:
        await real(charger)
        ended.put_nowait(None)

    monkeypatch.setattr(setup, "make_up", make_up)

    async def once() -> None:
        async with asyncio.timeout(SECONDS):
            await ended.get()

    return once


async def test_a_set_up_that_did_not_have_its_turn_is_done_when_the_charger_comes_back(
    house: House, made_up: MadeUp
) -> None:
    """Q10: a charger boots when its power comes, not when we restart; it would keep its sample interval for weeks."""
    async with house.charger() as raw:
        await raw.boot()
        await raw.asked("GetConfiguration")
    async with house.charger() as raw:
        await raw.call("Heartbeat")
        await resynced(raw, "NotImplemented")
        await configured(raw, {**GOOD, "HeartbeatInterval": "14400"})
        await changed(raw)
        await made_up()
    assert not (await house.stored()).set_up_due
    async with house.charger() as raw:
        await raw.call("Heartbeat")
        await resynced(raw)
        await made_up()
        await raw.silent()


async def test_a_set_up_that_waited_for_a_charge_is_not_done_again_after_a_boot(house: House, made_up: MadeUp) -> None:
    async with house.charger() as raw:
        await raw.boot()
        await raw.asked("GetConfiguration")
    async with house.charger() as raw:
        begun = await raw.call("StartTransaction", connectorId=1, idTag="A", meterStart=0, timestamp=now().isoformat())
        await resynced(raw)
        await made_up()
        await raw.boot()
        await configured(raw, GOOD)
        await house.eventually(Charger, lambda row: not row.set_up_due)
        told = {"transactionId": begun["transactionId"], "meterStop": 100, "timestamp": now().isoformat()}
        await raw.call("StopTransaction", **told)
        await made_up()
        await raw.silent()


async def test_a_charger_that_tells_no_configuration_is_asked_once(house: House) -> None:
    async with house.charger() as raw:
        await raw.boot()
        for _ in range(2):
            id_, _ = await raw.asked("GetConfiguration")
            await raw.send([4, id_, "NotImplemented", "", {}])
        await house.eventually(Charger, lambda row: not row.set_up_due)


async def test_a_charger_that_goes_whenever_it_is_set_up_is_left_alone_after_a_while(
    house: House, made_up: MadeUp
) -> None:
    """Q10: it comes back without a boot, so boots alone would not tell the loop."""
    async with house.charger() as raw:
        await raw.boot()
        await raw.asked("GetConfiguration")
    for _ in range(2):
        async with house.charger() as raw:
            await raw.call("Heartbeat")
            await resynced(raw)
            await raw.asked("GetConfiguration")
    async with house.charger() as raw:
        await raw.call("Heartbeat")
        await resynced(raw)
        await made_up()
        await raw.silent()


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


@pytest.fixture
def pinged(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Who was pinged."""
    names: set[str] = set()
    ping = Socket.ping

    async def counted(socket: Socket) -> Awaitable[float]:
        names.add(socket.charger_id)
        return await ping(socket)

    monkeypatch.setattr(Socket, "ping", counted)
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
            async with asyncio.timeout(1):
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
