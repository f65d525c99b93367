"""What is told late, again, or never, when the line or the central system fails."""

from datetime import datetime

import pytest

from simulator.link import Lost
from tests.unit.simulator.states import TAG, charging, powered


async def test_a_lost_socket_comes_back_without_boot_and_with_nothing_lost(csms, clock):
    async with charging(csms, clock, sample_seconds=10) as charger:
        said = len(csms.calls)
        charger.go_offline()
        await charger.until(lambda c: not c.online)
        for _ in range(3):
            await clock.advance(10)
        charger.press_stop()
        assert charger.outbox.waiting == ["MeterValues"] * 3 + ["StopTransaction"]
        with pytest.raises(Lost):
            await charger.send_raw("[]")
        stopped_at = clock.now()
        await clock.advance(120)
        charger.go_online()
        await clock.advance(60)
        await charger.until(lambda c: c.online and not c.outbox.waiting)
    late = csms.calls[said:]
    assert [action for action, _ in late] == ["MeterValues"] * 3 + ["StopTransaction", "StatusNotification"]
    assert {told["transactionId"] for _, told in late[:4]} == {41}
    times = [told["meterValue"][0]["timestamp"] for _, told in late[:3]] + [late[3][1]["timestamp"]]
    assert times == sorted(times)
    assert datetime.fromisoformat(late[3][1]["timestamp"]) == stopped_at
    assert late[4][1]["status"] == "Finishing"


async def test_a_charge_begun_offline_is_told_later_with_the_number_it_then_gets(csms, clock):
    async with powered(csms, clock, keys={"AllowOfflineTxForUnknownId": "true"}, sample_seconds=10) as charger:
        charger.go_offline()
        await charger.until(lambda c: not c.online)
        charger.plug()
        assert await charger.swipe(1, "STRANGER") == "Accepted"
        await clock.advance(10)
        charger.press_stop()
        charger.go_online()
        await clock.advance(60)
        await charger.answered("StopTransaction", transactionId=41)
    assert csms.actions("StatusNotification") == [
        "BootNotification",
        "StartTransaction",
        "MeterValues",
        "StopTransaction",
    ]


async def test_a_failed_transaction_message_is_retried_with_the_same_content_and_longer_waits(csms, clock):
    csms.replies["StartTransaction"] = "InternalError"
    async with powered(csms, clock, keys={"TransactionMessageRetryInterval": "20"}) as charger:
        charger.plug()
        await csms.ask("RemoteStartTransaction", connectorId=1, idTag=TAG)
        await charger.answered("StartTransaction", count=1)
        await charger.answered("StatusNotification", status="Charging")
        await clock.advance(20)
        await charger.answered("StartTransaction", count=2)
        await clock.advance(39)
        assert len(csms.payloads("StartTransaction")) == 2
        del csms.replies["StartTransaction"]
        await clock.advance(1)
        await charger.answered("StartTransaction", count=3)
        first, second, third = csms.payloads("StartTransaction")
        assert first == second == third
        ids = {exchange.id for exchange in charger.record.sent if exchange.action == "StartTransaction"}
        assert len(ids) == 3
        assert charger.connector(1).transaction.id == 41


async def test_a_message_that_keeps_failing_is_discarded_and_the_next_goes_out(csms, clock):
    csms.replies["StartTransaction"] = "InternalError"
    keys = {"TransactionMessageRetryInterval": "20", "TransactionMessageAttempts": "2"}
    async with powered(csms, clock, keys=keys) as charger:
        charger.plug()
        await csms.ask("RemoteStartTransaction", connectorId=1, idTag=TAG)
        await charger.answered("StartTransaction")
        charger.press_stop()
        await clock.advance(20)
        await charger.answered("StopTransaction", transactionId=-1)
        assert csms.actions().count("StartTransaction") == 2


async def test_silence_counts_as_failure_after_the_call_time_out(csms, clock):
    csms.replies["StopTransaction"] = None
    async with charging(csms, clock, call_seconds=15) as charger:
        charger.press_stop()
        await charger.sent("StopTransaction")
        await clock.advance(15)
        assert charger.outbox.waiting[0] == "StopTransaction"
        del csms.replies["StopTransaction"]
        await clock.advance(30)
        await charger.answered("StopTransaction")


async def test_a_message_in_flight_when_the_line_went_is_sent_again(csms, clock):
    csms.replies["StopTransaction"] = None
    async with charging(csms, clock) as charger:
        charger.press_stop()
        await charger.sent("StopTransaction")
        del csms.replies["StopTransaction"]
        charger.drop()
        await charger.until(lambda c: not c.online)
        await clock.advance(1)
        await charger.answered("StopTransaction")
    first, second = csms.payloads("StopTransaction")
    assert first == second
    assert csms.actions().count("BootNotification") == 1


async def test_a_charger_that_is_offline_for_long_forgets_samples_but_never_starts_and_stops(csms, clock, monkeypatch):
    monkeypatch.setattr("simulator.outbox.MEMORY", 6)
    async with charging(csms, clock, sample_seconds=10) as charger:
        charger.go_offline()
        await charger.until(lambda c: not c.online)
        await clock.advance(100)
        charger.press_stop()
        kept = charger.outbox.waiting
        assert kept == ["MeterValues"] * 5 + ["StopTransaction"]
        charger.go_online()
        await clock.advance(60)
        await charger.answered("StopTransaction")
    late = [told["meterValue"][0]["timestamp"] for told in csms.payloads("MeterValues")][2:]
    assert len(late) == 5
    assert late[0] == "2026-01-05T09:01:20.000Z", "the oldest samples went first"
