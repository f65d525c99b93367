"""What a charger is asked: the driver's commands over the bus, their turn, their answers and their failures."""

import asyncio
import json
from typing import Any

import pytest

from domain import chargers, charging, wishes
from domain.bus import CallRefused, ChargerOffline, ChargerSilent
from domain.db import transact
from domain.events import Call, Command, RemoteStart, RemoteStop, Reply
from domain.models import ChargingSession, SessionState
from tests.csms.charger import SECONDS, Raw, metered, sampled, stamp
from tests.csms.conftest import House
from tests.csms.test_charge import start, stop
from tests.csms.test_quirks import wanted
from tests.money.house import driver, give


def asking(house: House, command: Command, timeout: float = SECONDS) -> "asyncio.Task[Reply]":
    return asyncio.create_task(house.bus.call("RAW-1", command, timeout))


async def test_remote_start_is_accepted_or_rejected(house: House, raw: Raw) -> None:
    """OCPP 1.6, 5.11: with connector and tag."""
    for status in ("Accepted", "Rejected"):
        reply = asking(house, RemoteStart(1, "TAG1"))
        id_, payload = await raw.asked("RemoteStartTransaction")
        assert payload == {"connectorId": 1, "idTag": "TAG1"}
        await raw.send([3, id_, {"status": status}])
        assert (await reply).status == status


async def test_remote_stop_names_the_transaction(house: House, raw: Raw) -> None:
    reply = asking(house, RemoteStop(42))
    id_, payload = await raw.asked("RemoteStopTransaction")
    assert payload == {"transactionId": 42}
    await raw.send([3, id_, {"status": "Accepted"}])
    assert (await reply).accepted


async def test_nobody_connected_is_offline_at_once(house: House) -> None:
    with pytest.raises(ChargerOffline):
        await house.bus.call("RAW-1", RemoteStart(1, "TAG1"), 30)


async def test_a_charger_that_does_not_answer_is_silent(house: House, raw: Raw) -> None:
    """Q17: after the time-out; the next call goes out all the same, the late answer is discarded (Q16)."""
    with pytest.raises(ChargerSilent):
        await house.bus.call("RAW-1", RemoteStop(1), 0.1)
    late, _ = await raw.asked("RemoteStopTransaction")
    reply = asking(house, RemoteStop(2))
    id_, _ = await raw.asked("RemoteStopTransaction")
    await raw.send([3, late, {"status": "Accepted"}])
    await raw.send([4, late, "GenericError"])
    await raw.send([3, id_, {"status": "Rejected"}])
    assert (await reply).status == "Rejected"


async def test_a_call_fails_at_once_when_the_socket_goes(house: House, raw: Raw) -> None:
    """Q17: and so do those that wait for their turn."""
    calls = [asking(house, RemoteStop(number), timeout=60) for number in range(3)]
    await raw.asked("RemoteStopTransaction")
    raw.socket.transport.abort()
    async with asyncio.timeout(5):
        assert [type(error) for error in await asyncio.gather(*calls, return_exceptions=True)] == [ChargerSilent] * 3


@pytest.mark.parametrize("error", [[4, "id", "NotSupported", "No.", {}], [4, "id", "GenericError"], [4, "id"]])
async def test_a_callerror_is_a_refusal(house: House, raw: Raw, error: list[Any]) -> None:
    """Q16: also with fewer elements than OCPP-J has."""
    reply = asking(house, Call("ClearCache"))
    error[1] = (await raw.asked("ClearCache"))[0]
    await raw.send(error)
    with pytest.raises(CallRefused):
        await reply


async def test_what_is_not_valid_is_not_sent(house: House, raw: Raw) -> None:
    """Strict outbound: the charger never sees it."""
    for call in (
        Call("Reset", {"type": "Warm"}),
        Call("Reset"),
        Call("Heartbeat"),
        Call("Teleport"),
        Call("../../etc/passwd"),
        Call("UnlockConnector", {"connectorId": 1, "force": True}),
        RemoteStart(1, "X" * 21),
    ):
        with pytest.raises(CallRefused):
            await house.bus.call("RAW-1", call, SECONDS)
    await raw.silent()


async def test_decimals_of_a_charging_profile_are_valid(house: House, raw: Raw) -> None:
    """A limit of 16.1 is one decimal, whatever binary floats make of it."""
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.1}]}
    profile = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": schedule,
    }
    reply = asking(house, Call("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile}))
    id_, payload = await raw.asked("SetChargingProfile")
    assert payload["csChargingProfiles"] == profile
    await raw.send([3, id_, {"status": "Accepted"}])
    await reply


async def test_one_call_at_a_time_the_driver_first(house: House, raw: Raw) -> None:
    """Q17, Q18: while a call is open the others wait, and the driver's goes before the operator's."""
    calls = [asking(house, command) for command in (Call("ClearCache"), Call("GetLocalListVersion"))]
    id_, _ = await raw.asked("ClearCache")
    calls.append(asking(house, RemoteStart(1, "TAG1")))
    await raw.silent()
    await raw.send([3, id_, {"status": "Accepted"}])
    id_, _ = await raw.asked("RemoteStartTransaction")
    await raw.send([3, id_, {"status": "Accepted"}])
    id_, _ = await raw.asked("GetLocalListVersion")
    await raw.send([3, id_, {"listVersion": 7}])
    assert [reply.payload for reply in await asyncio.gather(*calls)][1] == {"listVersion": 7}


async def test_nothing_is_asked_before_the_first_answer(house: House) -> None:
    """Q9: not before BootNotification is answered, though the driver waits."""
    async with house.charger() as raw:
        await house.online()
        reply = asking(house, RemoteStart(1, "TAG1"))
        await raw.send([2, "b", "BootNotification", {"chargePointVendor": "a", "chargePointModel": "b"}])
        assert (await raw.receive())[:2] == [3, "b"]
        id_, _ = await raw.asked("RemoteStartTransaction")
        await raw.send([3, id_, {"status": "Accepted"}])
        assert (await reply).accepted


async def test_messages_are_answered_while_a_call_is_open(house: House, raw: Raw) -> None:
    """Q18, Q26: a StartTransaction in the middle of a RemoteStart."""
    reply = asking(house, RemoteStart(1, "TAG1"))
    id_, _ = await raw.asked("RemoteStartTransaction")
    assert await start(raw, tag="TAG1") > 0
    await raw.send([3, id_, {"status": "Accepted"}])
    assert (await reply).accepted


@pytest.mark.row("C35")
async def test_a_newer_socket_wins(house: House) -> None:
    """Q5: the old one is closed, its calls fail at once, and its end does not unregister the new one."""
    async with house.charger() as old, house.charger() as new:
        assert await old.gone() == 1000
        await new.boot()
        assert (await house.stored()).online
        id_, _ = await new.asked("GetConfiguration")
        await new.send([3, id_, {"configurationKey": []}])
        reply = asking(house, RemoteStart(1, "TAG1"))
        id_, _ = await new.asked("RemoteStartTransaction")
        await new.send([3, id_, {"status": "Accepted"}])
        assert (await reply).accepted


async def test_a_call_open_on_the_old_socket_fails_at_once(house: House, raw: Raw) -> None:
    """Q5."""
    reply = asking(house, RemoteStart(1, "TAG1"), timeout=60)
    await raw.asked("RemoteStartTransaction")
    async with house.charger():
        with pytest.raises(ChargerSilent):
            async with asyncio.timeout(5):
                await reply


async def test_money_runs_out_and_the_charge_is_stopped(house: House, raw: Raw) -> None:
    """A sample that reaches the hold is answered first, then RemoteStop is sent (Q18)."""
    session = await wanted(10_000, hours_ago=2)
    transaction = await start(raw, tag=session.tag, timestamp=stamp(-3600))
    values = metered(sampled("7000"))
    await raw.send([2, "m", "MeterValues", {"connectorId": 1, "transactionId": transaction, "meterValue": values}])
    assert await raw.receive() == [3, "m", {}]
    id_, payload = await raw.asked("RemoteStopTransaction")
    assert payload == {"transactionId": transaction}
    await raw.send([3, id_, {"status": "Accepted"}])
    await house.eventually(ChargingSession, lambda row: row.stop_tries == 1)
    assert (await house.session()).stop_cause == "funds"
    await stop(raw, transaction, 7010, reason="Remote")
    assert (await house.session()).state == SessionState.SETTLED


async def test_a_start_nobody_may_make_is_answered_then_stopped(house: House, raw: Raw) -> None:
    """Q28: the driver had called it off; the plug came later. Its answer has a transaction id all the same (4.8)."""
    user_id = await transact(driver)
    await transact(give, user_id, 10_000)
    session = await transact(charging.request_start, user_id, "RAW-1", 1)
    assert session.id is not None
    await transact(wishes.answered, session.id, "accepted")
    await transact(charging.request_stop, session.id, "driver")
    told = {"connectorId": 1, "idTag": session.tag, "meterStart": 5, "timestamp": stamp()}
    answer = await raw.call("StartTransaction", **told)
    assert answer["idTagInfo"] == {"status": "Invalid"}
    _, payload = await raw.asked("RemoteStopTransaction")
    assert payload == {"transactionId": answer["transactionId"]}


async def test_a_tag_of_a_wanted_charge_is_accepted_where_walk_ups_are_not(
    house: House, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q29, Q32."""
    from domain.settings import settings

    monkeypatch.setenv("EVAPP_OCPP_WALK_UPS", "false")
    settings.cache_clear()
    assert await raw.call("Authorize", idTag="STRANGER") == {"idTagInfo": {"status": "Invalid"}}
    user_id = await transact(driver)
    await transact(give, user_id, 10_000)
    session = await transact(charging.request_start, user_id, "RAW-1", 1)
    assert await raw.call("Authorize", idTag=session.tag.lower()) == {"idTagInfo": {"status": "Accepted"}}


async def test_the_journal_hides_keys_and_leaves_out_meter_values(house: House, raw: Raw) -> None:
    """Every message but MeterValues and Heartbeat; an AuthorizationKey never."""
    transaction = await start(raw)
    await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=metered(sampled("1100")))
    await raw.call("Heartbeat")
    change = {"key": "AuthorizationKey", "value": "topsecret-topsecret"}
    reply = asking(house, Call("ChangeConfiguration", change))
    id_, payload = await raw.asked("ChangeConfiguration")
    assert payload == change
    await raw.send([3, id_, {"status": "Accepted"}])
    await reply
    reply = asking(house, Call("GetConfiguration"))
    id_, _ = await raw.asked("GetConfiguration")
    keys = [{"key": "authorizationkey", "readonly": False, "value": "topsecret"}]
    await raw.send([3, id_, {"configurationKey": keys}])
    await reply
    lines = await house.eventually_journalled(lambda row: row.message_id == id_)
    lines = await house.eventually_journalled(lambda row: True)
    assert not any("topsecret" in repr(line) for line in lines)
    assert {line.action for line in lines} >= {"BootNotification", "StartTransaction", "ChangeConfiguration"}
    assert not {line.action for line in lines} & {"MeterValues", "Heartbeat"}
    (started,) = [line for line in lines if line.action == "StartTransaction"]
    assert json.loads(started.answer or "")[2]["transactionId"] == transaction
    changed = [line for line in lines if line.action == "ChangeConfiguration"]
    assert [(line.direction, line.answer) for line in changed] == [("out", None), ("in", None)]


async def test_an_answer_of_any_depth_is_none(house: House, raw: Raw) -> None:
    """It goes on to other processes, whose parsers have another end."""
    asked = asking(house, Call("GetConfiguration"), timeout=0.5)
    id_, _ = await raw.asked("GetConfiguration")
    await raw.send(f'[3,"{id_}",{{"configurationKey":{"[" * 900}{"]" * 900}}}]')
    (line,) = await house.eventually_journalled(lambda row: "[[[" in row.frame)
    assert line.repairs == "The frame is nested too deeply."
    with pytest.raises(ChargerSilent):
        await asked


async def test_a_traced_charger_is_journalled_whole(house: House, raw: Raw) -> None:
    await transact(chargers.trace, "RAW-1", True)
    async with asyncio.timeout(SECONDS):
        while not [line for line in await house.eventually_journalled(lambda row: True) if line.action == "Heartbeat"]:
            await raw.call("Heartbeat")


@pytest.mark.parametrize("status", ["accepted", " ACCEPTED "])
async def test_an_answer_is_read_in_any_case(house: House, raw: Raw, status: str) -> None:
    """Q12: as the words of a charger's own messages are."""
    reply = asking(house, RemoteStart(1, "TAG1"))
    id_, _ = await raw.asked("RemoteStartTransaction")
    await raw.send([3, id_, {"status": status}])
    assert (await reply).accepted
    (line,) = await house.eventually_journalled(lambda row: row.direction == "in" and row.message_id == id_)
    assert line.repairs == f"status {status!r} read as Accepted"
    change = {"key": "AuthorizationKey", "value": "another-key-of-it"}
    reply = asking(house, Call("ChangeConfiguration", change))
    await raw.send([3, (await raw.asked("ChangeConfiguration"))[0], {"status": "accepted"}])
    assert (await reply).status == "Accepted"
    stored = await house.stored()
    assert stored.key_hash
    assert stored.next_key_hash is None


async def test_an_unknown_word_of_an_answer_stays(house: House, raw: Raw) -> None:
    reply = asking(house, Call("ClearCache"))
    id_, _ = await raw.asked("ClearCache")
    await raw.send([3, id_, {"status": "Perhaps", "more": 1}])
    assert (await reply).payload == {"status": "Perhaps", "more": 1}
