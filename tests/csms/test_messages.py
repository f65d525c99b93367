"""Frames that are not as OCPP has them, and what they get all the same."""

import asyncio
import json
from functools import partial
from random import Random
from typing import Any

import pytest

from domain.events import RemoteStart
from domain.models import Charger, ChargingSession, Connector, MeterSample, OcppMessage, SessionState
from tests.csms.charger import SECONDS, Raw, metered, sampled, stamp
from tests.csms.conftest import House
from tests.csms.test_charge import start, stop
from tests.unit.csms.test_repairs import VALID


async def test_null_and_missing_payloads_are_empty_ones(raw: Raw) -> None:
    """Q14."""
    for frame in ([2, "a", "Heartbeat", None], [2, "b", "Heartbeat"], [2, "c", "Heartbeat", []]):
        kind, id_, answer = await raw.ask(frame)
        assert (kind, id_) == (3, frame[1])
        assert answer["currentTime"].endswith("Z")


UNREADABLE = {
    '[2,"x1","Heartbeat",{': "x1",
    '[2, 17, "Heartbeat", {"a": b}]': 17,
    '[2,"a\\"b","Heart': 'a"b',
    '[2,"x2"]': "x2",
    '[2,"x3",5,{}]': "x3",
    '[2,"x4",{}]': "x4",
}


async def test_an_unreadable_call_with_an_id_gets_a_callerror(raw: Raw) -> None:
    """Q13, Q14: FormationViolation, spelt as 1.6 has it; the socket lives on."""
    for frame, id_ in UNREADABLE.items():
        kind, answered, code, sentence, details = await raw.ask(frame)
        assert (kind, answered, code, details) == (4, id_, "FormationViolation", {}), frame
        assert sentence
    await raw.silent()


@pytest.mark.parametrize("action", ["Heartbeat", "StopTransaction", "MeterValues", "DataTransfer", "Unknown"])
async def test_a_payload_of_any_depth_is_answered(raw: Raw, action: str) -> None:
    """Parsers end somewhere, each with an error of its own; the connection does not."""
    for depth in (40, 900, 960, 990, 1_100, 15_000):
        for opening, closing in (('{"vendorId":', "}"), ("[", "]")):
            payload = opening * depth + "1" + closing * depth
            kind, id_, *_ = await raw.ask(f'[2,"{closing}{depth}","{action}",{payload}]')
            taken = action in ("Heartbeat", "StopTransaction", "MeterValues") and depth < 950 and closing == "}"
            assert (kind in ((3,) if taken else (3, 4)), id_) == (True, f"{closing}{depth}")
    assert (await raw.ask([2, "next", "Heartbeat", {}]))[:2] == [3, "next"]


GARBAGE = (
    *("", "hello", "{}", "[]", "null", "5", '"2"', "[2]", "[9,1,2]", '{"2":1}', "[" * 60_000, b"\x00\xff\xfe", b"[ ]"),
    *('[3,"never asked",{}]', '[4,"never asked","GenericError","",{}]', '[4,"short"]', "[3]", "[4]", '[5,"a","b",{}]'),
    *("9" * 5000, '[3,{"a":[]},null]', '["\\ud800"]', "\u0000"),
)


def _says(text: str, line: OcppMessage) -> bool:
    return line.frame == text


async def test_garbage_does_not_end_the_connection(house: House, raw: Raw) -> None:
    """Q14, Q16: nothing is answered, the frame is in the journal, and the next message is served."""
    for frame in GARBAGE:
        await raw.send(frame)
        await raw.silent()
    for frame in GARBAGE:
        text = frame.decode(errors="replace") if isinstance(frame, bytes) else frame
        lines = await house.eventually_journalled(partial(_says, text.replace("\x00", "")))
        assert lines[0].repairs, frame


async def test_a_binary_frame_is_read_as_text(raw: Raw) -> None:
    """Q14."""
    kind, id_, _ = await raw.ask(b'[2,"bin","Heartbeat",{}]')
    assert (kind, id_) == (3, "bin")


async def test_the_message_id_comes_back_as_typed(raw: Raw) -> None:
    """Q15."""
    for id_ in ("not-a-uuid", 17, 17.5, -1, "", "x" * 300, None, True, [1], {"a": 1}, "ä\u0000\ud83d"):
        assert (await raw.ask([2, id_, "Heartbeat", {}]))[1] == id_


async def test_a_repeated_message_has_the_same_answer_and_no_second_effect(house: House, raw: Raw) -> None:
    """Q15: the same id with the same payload; the same id with another payload is another message."""
    told = {"connectorId": 1, "idTag": "CARD1", "meterStart": 5, "timestamp": "1970-01-01T00:00:00Z"}
    first = await raw.ask([2, 1, "StartTransaction", told])
    assert await raw.ask([2, 1, "StartTransaction", told]) == first
    assert len(await house.rows(ChargingSession)) == 1
    other = await raw.ask([2, 1, "StartTransaction", {**told, "connectorId": 2, "idTag": "CARD2"}])
    assert other[2]["transactionId"] != first[2]["transactionId"]


async def test_an_unknown_action_is_not_implemented(raw: Raw) -> None:
    """Q13: OCPP-J 1.6, table 7."""
    for action in ("Teleport", "RemoteStartTransaction", "", "../Heartbeat", "x" * 1000):
        kind, id_, code, *_ = await raw.ask([2, "u", action, {}])
        assert (kind, id_, code) == (4, "u", "NotImplemented")


async def test_what_cannot_be_repaired_is_refused_by_its_kind(raw: Raw) -> None:
    """Q13."""
    cases: list[tuple[Any, str]] = [
        ({}, "ProtocolError"),
        ({"idTag": None}, "ProtocolError"),
        ({"idTag": {}}, "TypeConstraintViolation"),
        ("CARD1", "FormationViolation"),
    ]
    for payload, code in cases:
        assert (await raw.ask([2, "a", "Authorize", payload]))[:3] == [4, "a", code]


async def test_odd_status_notifications_are_stored(house: House, raw: Raw) -> None:
    """Q12: unknown words, numbers as text, extra and over-long fields, missing ones."""
    await raw.call(
        "StatusNotification",
        connectorId="2",
        errorCode="Error",
        status="charging",
        info="x" * 80,
        timestamp="yesterday",
        vendorId=7,
        mood="fine",
    )
    connector = await house.connector(2)
    assert (connector.status, connector.error_code, connector.info) == ("Charging", "OtherError", "x" * 50)
    (line,) = await house.eventually_journalled(lambda row: row.direction == "in" and "mood" in row.frame)
    for repair in ("mood is unknown", "OtherError", "cut from 80 to 50", "vendorId made text", "whole number"):
        assert repair in line.repairs
    await raw.call("StatusNotification", connectorId=2, status="Occupied", errorCode="NoError")
    assert (await house.connector(2)).status == "Preparing"
    odd: tuple[Any, ...] = ("nonsense", [1], {"connectorId": 10**12, "status": "Available"}, {"status": "Faulted"}, {})
    for payload in odd:
        assert (await raw.ask([2, repr(payload), "StatusNotification", payload]))[2] == {}
    assert sorted(row.number for row in await house.rows(Connector)) == [1, 2]


async def test_connectors_come_into_being_as_reported(house: House, raw: Raw) -> None:
    """Q44: 0 is the whole charger; an unknown one is created."""
    for number in (0, 3):
        await raw.available(number)
    assert [row.number for row in await house.rows(Connector)] == [0, 1, 3]


async def test_odd_starts_and_stops_are_a_charge(house: House, raw: Raw) -> None:
    """Q12: numbers as text and with fractions, over-long tags, an unknown reason; always a CALLRESULT."""
    answer = await raw.call(
        "StartTransaction", connectorId="1", idTag=12345, meterStart=999.6, timestamp=None, reservationId="none", x=1
    )
    session = await house.session()
    assert (session.tag, session.meter_start_wh) == ("12345", 1000)
    await stop(raw, answer["transactionId"], 1400, reason="Alien", idTag="Y" * 60)
    assert ((await house.session()).energy_wh, (await house.session()).stop_reason) == (400, "Other")


BILLING = ("StartTransaction", "StopTransaction", "MeterValues", "StatusNotification")


@pytest.mark.row("C16", "C17")
async def test_billing_messages_always_get_a_result(raw: Raw) -> None:
    """Q12, Q21: a CALLERROR would lose money or stall the charger's queue."""
    odd: tuple[Any, ...] = ({}, None, "x", 5, [[]], {"connectorId": {}, "transactionId": "x", "idTag": []})
    for action in BILLING:
        for payload in odd:
            kind, _, answer = await raw.ask([2, repr(payload), action, payload])
            assert kind == 3, (action, payload)
            assert answer.get("transactionId", 1) > 0


async def test_odd_meter_values_are_taken(house: House, raw: Raw) -> None:
    """Q12: an unknown context, a number for a value, empty sampledValue, extra fields, one object for a list."""
    transaction = await start(raw)
    values: list[Any] = [{"timestamp": stamp(), "sampledValue": []}]
    assert await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values) == {}
    values = metered(sampled(1250.0, context="Whenever", colour="red"))
    assert await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values[0]) == {}
    assert (await house.sample()).energy_wh == 1250


async def test_other_messages_are_answered(house: House, raw: Raw) -> None:
    assert await raw.call("DataTransfer", vendorId="com.acme", data="x") == {"status": "UnknownVendorId"}
    assert await raw.call("FirmwareStatusNotification", status="Installed") == {}
    assert await raw.call("DiagnosticsStatusNotification", status="Sleeping") == {}


async def test_markup_and_control_characters_are_text(house: House) -> None:
    """Q12, and no database is broken by NUL or half a character."""
    async with house.charger() as raw:
        frame = '[2,"b","BootNotification",{"chargePointVendor":"<b>\\u0000\\ud800\\r\\n","chargePointModel":"क"}]'
        assert (await raw.ask(frame))[2]["status"] == "Accepted"
        charger = await house.stored()
        assert (charger.vendor, charger.model) == ("<b>?\r\n", "क")


@pytest.mark.parametrize(("before", "behind"), [("", "\0"), ("\ufeff", ""), ("\ufeff", "\0\r\n")])
async def test_what_stands_around_a_frame_is_no_part_of_it(house: House, raw: Raw, before: str, behind: str) -> None:
    """A C string sent with its terminator, and a mark of the byte order; the answers of such a charger count, too."""

    def told(id_: str, action: str, **payload: object) -> str:
        return before + json.dumps([2, id_, action, payload]) + behind

    assert (await raw.ask(told("around", "Heartbeat")))[:2] == [3, "around"]
    state = {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}
    assert await raw.ask(told("state", "StatusNotification", **state)) == [3, "state", {}]
    assert (await house.connector()).status == "Charging"
    (line,) = await house.eventually_journalled(lambda row: row.message_id == "state")
    assert line.repairs == "a NUL or byte order mark around the frame"
    reply = asyncio.create_task(house.bus.call("RAW-1", RemoteStart(1, "TAG1"), SECONDS))
    id_, _ = await raw.asked("RemoteStartTransaction")
    await raw.send(before + json.dumps([3, id_, {"status": "Accepted"}]) + behind)
    assert (await reply).accepted


async def test_a_charger_that_counts_its_messages_to_ten_tells_its_states(house: House, raw: Raw) -> None:
    """Q15: a state without a time is the same text each time, and is told anew: it doubles nothing."""
    states = ("Charging", "Finishing", "Available")
    for number, status in [*enumerate(states), *enumerate(states)]:
        told = {"connectorId": 1, "errorCode": "NoError", "status": status}
        assert await raw.ask([2, str(number), "StatusNotification", told]) == [3, str(number), {}]
        assert (await house.connector()).status == status


async def test_the_stop_of_a_night_is_taken(house: House, raw: Raw) -> None:
    """Eight hours of one measurand, a sample every 15 seconds: refused, it would stand before all that is queued."""
    values = [
        {
            "timestamp": stamp(15 * number - 8 * 3600),
            "sampledValue": [
                {
                    "value": str(1000 + 30 * number),
                    "context": "Sample.Periodic",
                    "format": "Raw",
                    "measurand": "Energy.Active.Import.Register",
                    "location": "Outlet",
                    "unit": "Wh",
                }
            ],
        }
        for number in range(8 * 240)
    ]
    transaction = await start(raw, timestamp=stamp(-8 * 3600))
    await stop(raw, transaction, 1000 + 30 * 8 * 240, transactionData=values)
    assert (await house.session()).energy_wh == 30 * 8 * 240


async def test_two_megabytes_are_no_message(house: House, raw: Raw) -> None:
    async with house.charger("/OTHER") as other:
        await other.boot()
        await raw.send(json.dumps([2, "big", "Heartbeat", {"x": "y" * 2_000_000}]))
        assert await raw.gone() == 1009
        await other.asked("GetConfiguration")
        await other.silent()


async def test_a_flood_hurts_nobody_else(house: House, raw: Raw) -> None:
    """Ten thousand messages, none of them waited for; another charger is served meanwhile."""
    async with house.charger("/OTHER") as other:

        async def hear() -> None:
            for number in range(2000):
                assert (await raw.receive())[1] == number

        async with asyncio.TaskGroup() as both:
            both.create_task(hear())
            for number in range(2000):
                await raw.send([2, number, "Heartbeat", {}])
            await other.boot()


async def test_noise_never_ends_a_connection(raw: Raw) -> None:
    """A thousand frames of every action, cut and mixed by chance, always the same ones; then a heartbeat."""
    chance = Random(16)
    junk: list[Any] = [None, True, -1, 2**70, 1.5e300, "", "x" * 500, "\ud800", [], {}, [[]], {"a": {"b": 1}}, "2026"]
    for number in range(1000):
        action = chance.choice([*VALID, "Nonsense"])
        payload = {**VALID.get(action, {})}
        for _ in range(chance.randrange(3)):
            payload[chance.choice([*payload, "extra"])] = chance.choice(junk)
        text = json.dumps([2, number, action, payload])
        if chance.random() < 0.2:
            text = text[: chance.randrange(len(text))]
        await raw.send(text)
    await raw.send([2, "last", "Heartbeat", {}])
    while (frame := await raw.receive())[1] != "last":
        assert frame[0] in (2, 3, 4)
        assert frame[0] != 4 or frame[2] != "InternalError", frame
    assert frame[0] == 3


async def test_who_was_heard_is_stored(house: House, raw: Raw) -> None:
    """OCPP 1.6, 4.6: any message is a sign of life."""
    before = (await house.stored()).heard_at
    await raw.silent()
    await house.eventually(Charger, lambda row: bool(row.heard_at and before and row.heard_at > before))


async def test_samples_after_the_stop_change_nothing(house: House, raw: Raw) -> None:
    """Q31."""
    transaction = await start(raw)
    await stop(raw, transaction, 1200)
    await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=metered(sampled("9999")))
    assert await house.rows(MeterSample) == []
    assert (await house.session()).state == SessionState.SETTLED
