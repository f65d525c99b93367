"""What the chargers' side counts, and the ids that its lines carry."""

import asyncio
from collections.abc import Iterator

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from csms.central import COMPLAINTS
from csms.connection import Connection
from domain import metrics
from domain.bus import CallRefused, ChargerSilent
from domain.events import Call
from domain.metrics import Counter, Histogram
from tests.csms.charger import Raw, metered, sampled
from tests.csms.conftest import House, until
from tests.csms.test_handshake import refused

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def from_nought() -> Iterator[None]:
    """Whoever keeps a cell goes on with it, so the cells stay."""
    for metric in metrics.METRICS.values():
        if isinstance(metric, Counter):
            for cell in metric.cells.values():
                cell.n = 0
        elif isinstance(metric, Histogram):
            metric.seen.clear()
    yield


def counted(counter: Counter) -> dict[tuple[str, ...], int]:
    return {labels: cell.n for labels, cell in counter.cells.items() if cell.n}


async def test_messages_by_action_and_outcome(house: House, raw: Raw) -> None:
    await raw.call("Heartbeat")
    await raw.call("MeterValues", connectorId=1, transactionId=7, meterValue=metered(sampled("100")))
    await raw.ask([2, "x", "Authorise", {}])
    await raw.ask('[2,"y",')
    await raw.ask([2, "z", "DataTransfer", {"vendorId": 7}])
    await raw.ask([2, "z", "DataTransfer", {"vendorId": 7}])
    said = counted(metrics.MESSAGES)
    assert said["BootNotification", "answered"] == 1
    assert said["Heartbeat", "answered"] == 1
    assert said["MeterValues", "answered"] == 1
    assert said["other", "refused"] == 1
    assert said["other", "unreadable"] == 1
    assert said["DataTransfer", "answered"] == 1
    assert said["DataTransfer", "repeated"] == 1
    assert metrics.BATCH_ITEMS.seen["samples",][-1] == 1


async def test_calls_by_what_came_of_them(house: House, raw: Raw) -> None:
    asking = asyncio.create_task(house.bus.call("RAW-1", Call("ClearCache"), 5))
    await raw.send([3, (await raw.asked("ClearCache"))[0], {"status": "Accepted"}])
    await asking
    asking = asyncio.create_task(house.bus.call("RAW-1", Call("ClearCache"), 5))
    await raw.send([4, (await raw.asked("ClearCache"))[0], "NotSupported", "", {}])
    with pytest.raises(CallRefused):
        await asking
    with pytest.raises(ChargerSilent):
        await house.bus.call("RAW-1", Call("ClearCache"), 0.05)
    said = {outcome: number for (action, outcome), number in counted(metrics.CALLS).items() if action == "ClearCache"}
    assert said == {"answered": 1, "refused": 1, "silent": 1}
    assert sum(metrics.CALL_SECONDS.seen["ClearCache",][:-1]) == 2, "a silent one took no time that says anything"
    assert metrics.CALLS_WAITING.read() == {(): 0}


async def test_who_is_connected_and_who_was_refused(house: House, raw: Raw) -> None:
    assert metrics.CHARGERS.read() == {(): 1}
    assert await refused(house, "/ocpp/NO%20NAME") == 404
    assert counted(metrics.HANDSHAKES) == {("admitted",): 1, ("identity",): 1}
    await raw.socket.close()

    async def gone() -> list[bool]:
        return [True] if metrics.CHARGERS.read() == {(): 0} else []

    await until(gone)


def broken(*_: object) -> None:
    raise ValueError("here")


async def test_a_line_says_which_charger_and_which_message(
    house: House, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    with capture_logs(processors=[merge_contextvars]) as lines:
        await raw.send("[2,")
        await raw.silent()
        monkeypatch.setattr(Connection, "_understood", broken)
        await raw.ask([2, "odd-17", "Authorize", {"idTag": "NOBODY"}])
    ids = {line["event"]: (line.get("charger"), line.get("message")) for line in lines}
    assert ids["unreadable frame"] == ("RAW-1", None)
    assert ids["a message could not be handled"] == ("RAW-1", "odd-17")
    assert counted(metrics.MESSAGES)["Authorize", "failed"] == 1


async def test_frames_that_fail_fill_no_log(house: House, raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many lines a minute, whatever is wrong with them, and those of another charger none the less."""
    monkeypatch.setattr(Connection, "_understood", broken)
    with capture_logs(processors=[merge_contextvars]) as lines:
        for _ in range(COMPLAINTS - 1):
            await raw.send("[2,")
        for number in range(5):
            await raw.ask([2, f"odd-{number}", "Authorize", {"idTag": "NOBODY"}])
        async with house.charger("/WELL") as other:
            await other.ask([2, "1", "Authorize", {"idTag": "NOBODY"}])
    told = [(line["charger"], line["event"]) for line in lines if "left_out" in line]
    ours, failed = ("RAW-1", "unreadable frame"), "a message could not be handled"
    assert told == [*[ours] * (COMPLAINTS - 1), ("RAW-1", failed), ("WELL", failed)]
    assert counted(metrics.MESSAGES)["Authorize", "failed"] == 6
