"""What a trace tells of a charge, and that no charge waits for it."""

import asyncio
from contextlib import ExitStack

import pytest
from structlog.contextvars import bound_contextvars

from domain import dispatch, traces
from domain.bus import ChargerSilent
from domain.events import Call
from domain.models import SessionState
from domain.settings import Settings
from tests.collector import collected, silent
from tests.csms.charger import Raw, metered, sampled
from tests.csms.conftest import House
from tests.csms.test_charge import start, stop
from tests.e2e.running import free_port

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def test_a_command_its_call_and_what_the_charger_said(house: House, raw: Raw) -> None:
    async with collected("csms") as collector:
        asking = asyncio.create_task(house.bus.call("RAW-1", Call("ClearCache"), 5))
        await raw.send([3, (await raw.asked("ClearCache"))[0], {"status": "Rejected"}])
        await asking
        with pytest.raises(ChargerSilent), bound_contextvars(request="r2"):
            await house.bus.call("RAW-1", Call("GetLocalListVersion"), 0.05)
    answered, unanswered = [one for one in collector.steps if one.name == "command Call"]
    call = collector.child(answered, "call ClearCache")
    assert (answered.said["outcome"], answered.well) == ("refused", True)
    assert (call.role, call.said) == ("client", {"action": "ClearCache", "charger": "RAW-1", "outcome": "answered"})
    assert (unanswered.said["outcome"], unanswered.said["request"]) == ("ChargerSilent", "r2")
    assert not collector.child(unanswered, "call GetLocalListVersion").well


async def test_a_stop_and_its_bill(house: House, raw: Raw) -> None:
    async with collected("csms") as collector:
        transaction = await start(raw)
        values = metered(sampled("1100"))
        await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values)
        await raw.call("Heartbeat")
        await raw.ask([2, "x", "Authorise", {}])
        await stop(raw, transaction, 1400)
    session = await house.session()
    message = collector.step("message StopTransaction")
    bill = collector.child(message, "settlement bill")
    assert message.said == {"action": "StopTransaction", "charger": "RAW-1", "outcome": "answered"}
    assert bill.said == {"action": "bill", "charger": "RAW-1", "session": session.id, "outcome": "metered"}
    assert collector.step("message other").said["outcome"] == "refused"
    assert {one.name for one in collector.steps} - {message.name, bill.name, "message other"} == {
        "message StartTransaction"
    }, "the direct path tells nothing"


async def test_a_command_of_a_charge_names_it(house: House, raw: Raw) -> None:
    await start(raw)
    session = await house.session()
    async with collected() as collector:
        assert await dispatch._ask(house.bus, session.model_copy(update={"charger_id": "GONE"}), Call("X")) == "offline"
    assert collector.step("command Call").said["session"] == session.id


@pytest.mark.parametrize("collector", ["gone", "silent"])
async def test_a_charge_does_not_notice_a_broken_collector(
    house: House, raw: Raw, collector: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
    with ExitStack() as stack:
        url = stack.enter_context(silent()) if collector == "silent" else f"http://127.0.0.1:{free_port()}"
        async with traces.told(Settings(otlp_endpoint=url), "csms"):
            async with asyncio.timeout(5):  # what is sent to the collector waits for longer
                await stop(raw, await start(raw), 1400)
            assert (await house.session()).state == SessionState.SETTLED
