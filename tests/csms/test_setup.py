"""When a charger is set up after a boot, and when it is left alone."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from csms.central import Central, Pace
from csms.connection import Connection
from csms.v16 import setup
from csms.v16.setup import ENERGY, POWER, WISHES
from domain import arrivals, chargers, findings, health, interruptions, sessions, trail
from domain.db import read, transact
from domain.events import RemoteStart
from domain.models import Charger, Finding, now
from domain.settings import settings
from tests.csms.charger import SECONDS, Raw
from tests.csms.conftest import HURRY, House, running

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One kind of database is enough here: no query differs."""

FULL = f"{ENERGY},{POWER},Current.Import,Voltage,SoC"
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


async def resynced(raw: Raw, status: str = "Accepted") -> None:
    """Answer the question that follows a coming back without a boot."""
    id_, payload = await raw.asked("TriggerMessage")
    assert payload == {"requestedMessage": "StatusNotification"}
    await raw.send([3, id_, {"status": status}])


MadeUp = Callable[[], Awaitable[None]]


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> "asyncio.Queue[bool]":
    """What each look of a set-up for a charge came to."""
    looks: asyncio.Queue[bool] = asyncio.Queue()
    real = setup._charges_there

    async def charges_there(charger: Connection) -> bool:
        looks.put_nowait(await real(charger))
        return charger.postponed

    monkeypatch.setattr(setup, "_charges_there", charges_there)
    return looks


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


async def test_a_charger_that_boots_while_a_car_charges_is_set_up_after_that(house: House) -> None:
    """Q10: some boot when they are written to, and the car would wait."""
    async with house.charger() as raw:
        await raw.boot()
        await configured(raw, GOOD)
        await house.eventually(Charger, lambda row: not row.set_up_due)
        told = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": now().isoformat()}
        transaction = (await raw.call("StartTransaction", **told))["transactionId"]
        await raw.boot()
        await raw.silent()
        await raw.silent()
        assert (await house.stored()).set_up_due
        told = {"transactionId": transaction, "meterStop": 100, "timestamp": now().isoformat()}
        await raw.call("StopTransaction", **told)
        await configured(raw, {**GOOD, "ConnectionTimeOut": "120"})
        assert await changed(raw) == ("ConnectionTimeOut", "90")
        await house.eventually(Charger, lambda row: not row.set_up_due)


async def test_a_set_up_that_waits_for_a_charge_is_done_though_no_stop_comes(
    house: House, made_up: MadeUp, looked: "asyncio.Queue[bool]"
) -> None:
    """Q23: the stop is lost, the socket stays; the charger is set up after one of its next heartbeats."""
    async with house.charger() as raw, asyncio.timeout(SECONDS):
        await raw.boot()
        await configured(raw, GOOD)
        assert not await looked.get()
        await house.eventually(Charger, lambda row: not row.set_up_due)
        told = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": now().isoformat()}
        transaction = (await raw.call("StartTransaction", **told))["transactionId"]
        await raw.boot()
        assert await looked.get()
        await raw.call("Heartbeat")
        await made_up()
        assert await looked.get()
        await transact(_lose_the_stop, transaction)
        await raw.call("Heartbeat")
        await configured(raw, GOOD)
        await made_up()
        await house.eventually(Charger, lambda row: not row.set_up_due)
        await raw.silent()
        await raw.silent()


def _lose_the_stop(db: Session, session_id: int) -> None:
    interruptions.interrupt(db, sessions.locked(db, session_id))


async def test_the_lines_of_a_set_up_name_its_charger(house: House) -> None:
    """Boots that come together are written down together, in the context of the first one."""
    names = ["RAW-1", "RAW-2"]
    with capture_logs([merge_contextvars]) as lines:
        async with house.charger("/ocpp/RAW-1") as one, house.charger("/ocpp/RAW-2") as two:
            for raw in (one, two):
                await raw.send([2, "b", "BootNotification", {"chargePointVendor": "Raw", "chargePointModel": "One"}])
            for raw in (one, two):
                assert (await raw.receive())[:2] == [3, "b"]
                await configured(raw, {**GOOD, "HeartbeatInterval": "900"})
                await changed(raw)
                await raw.silent()
        told = [line for line in lines if line["event"] == "configuration"]
    assert [line.get("charger") for line in told] == names
    assert not any("message" in line for line in told), "that was a boot's"


async def test_a_driver_goes_before_the_set_up(house: House) -> None:
    """Q17."""
    async with house.charger() as raw:
        await raw.boot()
        id_, _ = await raw.asked("GetConfiguration")
        reply = asyncio.create_task(house.bus.call("RAW-1", RemoteStart(1, "TAG1"), SECONDS))
        await raw.silent()
        known = [{"key": "HeartbeatInterval", "value": "0", "readonly": False}]
        unknown = [key for key in GOOD if key != "HeartbeatInterval"]
        await raw.send([3, id_, {"configurationKey": known, "unknownKey": unknown}])
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


async def test_a_boot_loop_on_one_socket_ends_the_set_up_that_was_to_come(database_url: str) -> None:
    """Q10: what follows the third boot must not be what brings the fifth."""
    async with running(database_url, pace=replace(HURRY, settle=0.2)) as house, house.charger() as raw:
        for _ in range(4):
            await raw.boot()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.6):
                await raw.socket.recv()


async def test_a_set_up_leaves_off_when_a_car_begins_to_charge(house: House, looked: "asyncio.Queue[bool]") -> None:
    """Some chargers reboot when they are written to; the rest is made up for after the charge."""
    async with house.charger() as raw, asyncio.timeout(SECONDS):
        await raw.boot()
        await configured(raw, {**GOOD, "ConnectionTimeOut": "30", "HeartbeatInterval": "900"})
        id_, _ = await raw.asked("ChangeConfiguration")
        told = {"connectorId": 1, "idTag": "A", "meterStart": 0, "timestamp": now().isoformat()}
        transaction = (await raw.call("StartTransaction", **told))["transactionId"]
        await raw.send([3, id_, {"status": "Accepted"}])
        while not await looked.get():
            pass
        await raw.silent()
        told = {"transactionId": transaction, "meterStop": 100, "timestamp": now().isoformat()}
        await raw.call("StopTransaction", **told)
        await configured(raw, {**GOOD, "HeartbeatInterval": "900"})
        assert await changed(raw) == ("HeartbeatInterval", "300")
        await house.eventually(Charger, lambda row: not row.set_up_due)


@pytest.mark.parametrize(("minutes", "calm"), [(10, False), (10.1, True)])
async def test_a_loop_is_four_boots_in_ten_minutes(house: House, minutes: float, calm: bool) -> None:
    """Q10."""
    central, began = Central(house.bus, settings(), HURRY), now()
    for minute in range(3):
        assert central.calmly("RAW-1", began + timedelta(minutes=minute))
    assert central.calmly("RAW-1", began + timedelta(minutes=minutes)) == calm


async def test_a_second_boot_loop_is_found_again_and_a_calm_set_up_ends_it(house: House) -> None:
    """Q10: once for each loop, not for each of its boots; from the next set-up on the charger is not left alone."""
    central, began = Central(house.bus, settings(), HURRY), now()
    await transact(chargers.add, "RAW-1")

    async def boots(hour: int, times: int) -> None:
        for minute in range(times):
            await central.boots_in_a_loop("RAW-1", began + timedelta(hours=hour, minutes=minute))
        await central.health.write()

    async def open_findings() -> int:
        return len(await read(findings.unresolved))

    await boots(0, 4)
    (finding,) = await house.rows(Finding)
    assert finding.id is not None
    await transact(findings.resolve, finding.id, trail.shell())
    await boots(0, 2)
    assert await open_findings() == 0, "it is the same loop"
    await boots(1, 1)
    assert "boot loop" in dict(health.lines(await read(health.of, "RAW-1")))["set-up"]
    await transact(arrivals.set_up, [("RAW-1", began)])
    assert (await read(health.of, "RAW-1")).boot_loop_at is not None, "that one began before it"
    await transact(arrivals.set_up, [("RAW-1", began + timedelta(hours=1))])
    assert (await read(health.of, "RAW-1")).boot_loop_at is None
    assert await open_findings() == 0
    await boots(2, 4)
    assert await open_findings() == 1
    assert "boot loop" in dict(health.lines(await read(health.of, "RAW-1")))["set-up"]


async def test_a_boot_loop_that_could_not_be_written_down_is_so_with_its_next_boot(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    central, at = Central(house.bus, settings(), HURRY), now()

    async def gone(*_: object) -> None:
        raise OperationalError("connect", None, Exception("the database is gone"))

    for _ in range(3):
        assert not await central.boots_in_a_loop("RAW-1", at)
    with monkeypatch.context() as away:
        away.setattr("csms.central.transact", gone)
        with pytest.raises(OperationalError):
            await central.boots_in_a_loop("RAW-1", at)
    assert await central.boots_in_a_loop("RAW-1", at)
    assert [finding.kind for finding in await house.rows(Finding)] == ["boot-loop"]


async def test_a_replaced_socket_ends_its_set_up(database_url: str) -> None:
    """Q9: what was prepared on the old socket is not sent on the new one."""
    unhurried = Pace(settle=0.2, quiet=60, beat=60, ping=0)
    async with running(database_url, pace=unhurried) as house, house.charger() as old:
        await old.boot()
        async with house.charger() as new:
            await old.gone()
            await new.call("Heartbeat")
            assert (await new.asked("TriggerMessage"))[1] == {"requestedMessage": "StatusNotification"}


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
        told = {"transactionId": begun["transactionId"], "meterStop": 100, "timestamp": now().isoformat()}
        await raw.call("StopTransaction", **told)
        await configured(raw, GOOD)
        await made_up()
        await house.eventually(Charger, lambda row: not row.set_up_due)
        await raw.boot()
        await configured(raw, GOOD)
        await raw.silent()


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
