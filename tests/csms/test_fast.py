"""The direct path: what it answers and stores is what the lenient path answers and stores, and the order is kept."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as chosen
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from websockets.exceptions import ConnectionClosedError
from websockets.protocol import Event

from csms import repairs
from csms.central import Central
from csms.connection import Connection
from csms.fast import Direct, Socket
from csms.v16.hot import HOT
from csms.v16.schemas import fits, schema
from domain.models import ChargingSession, Connector, MeterSample, now
from tests.csms.charger import Raw, metered, sampled
from tests.csms.conftest import House, running
from tests.csms.test_charge import start
from tests.csms.traffic import mutated, traffic

COLUMNS = ("energy_wh", "power_w", "current_ma", "voltage_mv", "soc_percent")
FIGURES = ("state", "energy_wh", "meter_wh", "power_w", "suspended", "stop_cause", "review")
EXAMPLES: dict[str, dict[str, Any]] = {
    "FirmwareStatusNotification": {"status": "Installed"},
    "LogStatusNotification": {"status": "Uploading", "requestId": 1},
    "Heartbeat": {},
    "StatusNotification": {
        "connectorId": 1,
        "errorCode": "NoError",
        "status": "Available",
        "timestamp": "2026-01-01T00:00:00Z",
        "info": "i",
        "vendorId": "v",
        "vendorErrorCode": "e",
    },
    "MeterValues": {
        "connectorId": 1,
        "transactionId": 7,
        "meterValue": metered(
            sampled("12", unit="Wh", context="Sample.Periodic", location="Outlet", format="Raw"),
            sampled("3.5", unit="kW", measurand="Power.Active.Import", phase="L1"),
        ),
    },
}


@given(st.integers(0, 2**32), st.sampled_from(sorted(EXAMPLES)))
@chosen(max_examples=3000, deadline=None)
def test_what_is_decoded_is_valid_and_needs_no_repair(seed: int, action: str) -> None:
    """No false accept: the package's own schema agrees, and the lenient path finds nothing to mend."""
    payload = mutated(Random(seed), EXAMPLES[action])
    try:
        HOT[action].decode(msgspec.Raw(json.dumps(payload).encode()))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return
    assert Draft4Validator(schema(action)).is_valid(payload)
    mended, notes, missing = repairs.mend(schema(action), payload)
    assert (mended, notes, missing) == (payload, [], [])


@given(st.integers(0, 2**32), st.sampled_from(sorted(EXAMPLES)))
@chosen(max_examples=2000, deadline=None)
def test_the_compiled_validator_accepts_nothing_wrong(seed: int, action: str) -> None:
    payload = mutated(Random(seed), EXAMPLES[action])
    if fits(action, payload):
        assert Draft4Validator(schema(action)).is_valid(payload)


class Times:
    """The clock of the CSMS, which a test moves: what is plausible depends on the time between two frames."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


async def _told(raw: Raw, messages: list[list[Any]], times: Times) -> list[Any]:
    """Send them one by one, a millisecond apart; gives every answer without its time."""
    answers = []
    for number, message in enumerate(messages):
        times.at += timedelta(milliseconds=1)
        answer = await raw.ask([2, f"t{number}", *message])
        if isinstance(answer[2], dict):
            answer[2].pop("currentTime", None)
        answers.append(answer)
    return answers


async def _stored(house: House, charger_id: str) -> list[Any]:
    session = next(row for row in await house.rows(ChargingSession) if row.charger_id == charger_id)
    samples = [row for row in await house.rows(MeterSample) if row.session_id == session.id]
    connectors = [row for row in await house.rows(Connector) if row.charger_id == charger_id]
    return [
        [[getattr(row, name) for name in COLUMNS] for row in samples],
        [getattr(session, name) for name in FIGURES],
        [(row.number, row.status, row.error_code, row.info) for row in connectors],
    ]


@pytest.mark.parametrize("seed", [1, 2])
async def test_both_paths_answer_and_store_the_same(
    database_url: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same 400 frames at the same times, a quarter of them mutated, by the direct path and by the lenient one."""
    take, took, outcomes, began = Direct.take, 0, [], now()
    times = Times(began)
    for module in ("csms.fast", "csms.connection"):
        monkeypatch.setattr(f"{module}.now", times)

    def counted(direct: Direct, raw: bytes) -> bool:
        nonlocal took
        taken = take(direct, raw)
        took += taken
        return taken

    def none(_direct: Direct, _raw: bytes) -> bool:
        return False

    for name, path in (("DIRECT", counted), ("LENIENT", none)):
        monkeypatch.setattr(Direct, "take", path)
        times.at = began
        async with running(database_url) as house, house.charger(f"/{name}") as raw:
            await raw.boot()
            id_, _ = await raw.asked("GetConfiguration")
            await raw.send([3, id_, {"configurationKey": []}])
            at = began.isoformat().replace("+00:00", "Z")
            transaction = await start(raw, meter=0, timestamp=at)
            answers = await _told(raw, traffic(Random(seed), transaction, 400, began), times)
            outcomes.append([answers, *await _stored(house, name)])
    direct, lenient = outcomes
    assert direct == lenient
    assert took > 200


@pytest.fixture
def took(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Which of the messages the direct path took, of connections that come later."""
    took, take = list[bool](), Direct.take

    def noted(direct: Direct, frame: bytes) -> bool:
        took.append(take(direct, frame))
        return took[-1]

    monkeypatch.setattr(Direct, "take", noted)
    return took


@pytest.mark.parametrize("phases", [("L1", "L2", "L3", "N"), ("N", "L1", "L2", "L3"), ("N",)])
async def test_the_neutral_beside_its_phases_takes_nobody_off_the_direct_path(
    took: list[bool], house: House, raw: Raw, phases: tuple[str, ...]
) -> None:
    """go-e tells its voltage with every sample; alone it counts, which the lenient path decides (ocpp.md Q37)."""
    transaction, alone = await start(raw, meter=0), phases == ("N",)
    volts = [sampled("0" if phase == "N" else "231", measurand="Voltage", phase=phase) for phase in phases]
    values = metered(sampled("5"), *volts)
    await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values)
    assert took[-1] is not alone
    assert (await house.sample()).voltage_mv == (0 if alone else 231_000)


async def test_a_later_message_waits_for_an_earlier_one(house: House, raw: Raw) -> None:
    """Answers come in the order of the questions, whichever path each takes."""
    transaction = await start(raw, meter=0)
    expected = []
    for number in range(300):
        action, told = (
            ("MeterValues", {"connectorId": 1, "transactionId": transaction, "meterValue": metered(sampled("5"))}),
            ("Heartbeat", {}),
            ("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}),
            ("Heartbeat", None),
            ("Authorize", {"idTag": "CARD1"}),
        )[number % 5]
        await raw.send([2, f"o{number}", action, told])
        expected.append(f"o{number}")
    assert [(await raw.receive())[1] for _ in expected] == expected
    assert len(await house.rows(MeterSample)) == 60


async def test_what_was_said_at_the_door_goes_the_direct_path_in_its_order(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fleet that comes back boots before its connections are written down, and must not cost ten times as much."""
    let_in, said, taken = asyncio.Event(), asyncio.Event(), list[bytes]()
    mark, process, take = Central._mark_connected, Socket.process_event, Direct.take

    async def held_back(central: Central, connection: Connection) -> None:
        await let_in.wait()
        await mark(central, connection)

    def counted(socket: Socket, event: Event) -> None:
        process(socket, event)
        if socket.queued == 3:
            said.set()

    def noted(direct: Direct, raw: bytes) -> bool:
        taken.append(raw)
        return take(direct, raw)

    monkeypatch.setattr(Central, "_mark_connected", held_back)
    monkeypatch.setattr(Socket, "process_event", counted)
    monkeypatch.setattr(Direct, "take", noted)
    told = {
        "BootNotification": {"chargePointVendor": "Raw", "chargePointModel": "One"},
        "StatusNotification": {"connectorId": 1, "errorCode": "NoError", "status": "Charging"},
        "Heartbeat": {},
    }
    async with house.charger() as raw:
        for action, payload in told.items():
            await raw.send([2, action, action, payload])
        await said.wait()
        let_in.set()
        heard = [await raw.receive() for _ in (*told, "our first question")]
        assert [frame[1] for frame in heard if frame[0] == 3] == list(told)
    assert [json.loads(one)[2] for one in taken] == list(told)


async def test_a_repetition_has_no_second_effect_on_either_path(house: House, raw: Raw) -> None:
    """Q15."""
    transaction = await start(raw, meter=0)
    told = {"connectorId": 1, "transactionId": transaction, "meterValue": metered(sampled("5"))}
    frame = [2, "again", "MeterValues", told]
    assert await raw.ask(frame) == await raw.ask(frame) == [3, "again", {}]
    assert len(await house.rows(MeterSample)) == 1


@pytest.mark.parametrize("mended", [False, True], ids=["direct", "lenient"])
async def test_a_message_is_journalled_with_its_answer(house: House, raw: Raw, mended: bool) -> None:
    told = {"connectorId": "1" if mended else 1, "errorCode": "NoError", "status": "Faulted"}
    frame = json.dumps([2, "seen", "StatusNotification", told])
    before = now()
    answer = await raw.ask(frame)
    (line,) = await house.eventually_journalled(lambda row: row.message_id == "seen")
    assert (line.direction, line.action, line.frame) == ("in", "StatusNotification", frame)
    assert json.loads(line.answer or "") == answer == [3, "seen", {}]
    assert line.answered_at is not None
    assert before <= line.created_at <= line.answered_at <= now()
    assert bool(line.repairs) is mended


async def test_an_answer_that_did_not_go_is_in_no_journal(
    house: House, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(_socket: Socket, _text: str) -> None:
        raise ConnectionClosedError(None, None)

    monkeypatch.setattr(Socket, "send", gone)
    await raw.send([2, "lost", "Authorize", {"idTag": "CARD1"}])
    (line,) = await house.eventually_journalled(lambda row: row.message_id == "lost")
    assert (line.action, line.answer, line.answered_at) == ("Authorize", None, None)


async def test_split_frames_are_put_together(house: House, raw: Raw) -> None:
    """A message in fragments, and one cut anywhere on its way, is the same message."""
    await raw.socket.send(iter(['[2,"f1","Heart', 'beat",{}]']))
    assert (await raw.receive())[1] == "f1"
    payload = b'[2,"f2","Heartbeat",{}]'
    frame = bytes((0x81, 0x80 | len(payload))) + b"\0\0\0\0" + payload
    for cut in range(1, len(frame)):
        raw.socket.transport.write(frame[:cut])
        await asyncio.sleep(0)
        raw.socket.transport.write(frame[cut:] + frame)
        for _ in range(2):
            assert (await raw.receive())[1] == "f2"


async def test_what_is_no_text_ends_the_connection(house: House, raw: Raw) -> None:
    """RFC 6455, 8.1: 1007."""
    payload = b'[2,"bad\xff","Heartbeat",{}]'
    raw.socket.transport.write(bytes((0x81, 0x80 | len(payload))) + b"\0\0\0\0" + payload)
    assert await raw.gone() == 1007


async def test_a_database_that_fails_is_told(house: House, raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """The charger learns that its sample was not kept and sends it again later; the next one is served."""
    transaction = await start(raw, meter=0)

    def broken(*_given: Any) -> list[int]:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("domain.running.Meter.record", broken)
        told = {"connectorId": 1, "transactionId": transaction, "meterValue": metered(sampled("5"))}
        assert (await raw.ask([2, "x", "MeterValues", told]))[:3] == [4, "x", "InternalError"]
    assert await raw.ask([2, "y", "MeterValues", {**told, "meterValue": metered(sampled("6"))}]) == [3, "y", {}]
    assert [row.energy_wh for row in await house.rows(MeterSample)] == [6]


async def test_what_fails_on_the_direct_path_is_told_and_the_next_message_served(
    house: House, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A charger whose message meets a mistake of ours must not wait for its answer for ever."""

    def broken(*_given: Any) -> bytes:
        raise RuntimeError("a mistake of ours")

    with monkeypatch.context() as patch:
        patch.setitem(HOT, "Heartbeat", replace(HOT["Heartbeat"], serve=broken))
        assert (await raw.ask([2, "x", "Heartbeat", {}]))[:3] == [4, "x", "InternalError"]
    assert (await raw.ask([2, "y", "Heartbeat", {}]))[:2] == [3, "y"]


async def test_a_journal_that_fails_costs_no_charger_its_answer(
    house: House, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_frame: str) -> str:
        raise RuntimeError("a mistake of ours")

    told = {"connectorId": 1, "errorCode": "NoError", "status": "Faulted"}
    with monkeypatch.context() as patch:
        patch.setattr("csms.journal.redacted", broken)
        assert await raw.ask([2, "direct", "StatusNotification", told]) == [3, "direct", {}]
        assert await raw.ask([2, "lenient", "StatusNotification", {**told, "mood": "fine"}]) == [3, "lenient", {}]
    assert await raw.ask([2, "y", "StatusNotification", told]) == [3, "y", {}]


async def test_an_answer_longer_than_two_bytes_can_say(raw: Raw) -> None:
    """RFC 6455, 5.2: a message id of 64 KiB is answered with it, on the way that takes its time."""
    id_ = "i" * 65_500
    assert (await raw.ask([2, id_, "Heartbeat", {}]))[:2] == [3, id_]
    assert (await raw.ask([2, "next", "Heartbeat", {}]))[:2] == [3, "next"]
