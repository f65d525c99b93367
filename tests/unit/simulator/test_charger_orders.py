"""What a charger does when the central system asks for it."""

from tests.unit.simulator.states import charging, powered


async def test_configuration_is_told_and_changed_as_the_keys_allow(csms, clock):
    async with powered(csms, clock, locked={"AuthorizeRemoteTxRequests"}) as charger:
        told = await csms.ask("GetConfiguration", key=["ConnectionTimeOut", "NumberOfConnectors", "Nonsense"])
        assert told == {
            "configurationKey": [
                {"key": "ConnectionTimeOut", "readonly": False, "value": "60"},
                {"key": "NumberOfConnectors", "readonly": True, "value": "1"},
            ],
            "unknownKey": ["Nonsense"],
        }
        everything = (await csms.ask("GetConfiguration"))["configurationKey"]
        assert "AuthorizationKey" not in {row["key"] for row in everything}
        for key, value, status in [
            ("ConnectionTimeOut", "90", "Accepted"),
            ("ConnectionTimeOut", "-1", "Rejected"),
            ("NumberOfConnectors", "2", "Rejected"),
            ("Nonsense", "1", "NotSupported"),
            ("WebSocketPingInterval", "30", "RebootRequired"),
            ("AuthorizeRemoteTxRequests", "true", "Rejected"),
            ("MeterValuesSampledData", "Energy.Active.Import.Register,SoC", "Rejected"),
            ("MeterValuesSampledData", "Energy.Active.Import.Register,Voltage", "Accepted"),
            ("MeterValueSampleInterval", "15", "Accepted"),
            ("AuthorizationKey", "short", "Rejected"),
        ]:
            assert (await csms.ask("ChangeConfiguration", key=key, value=value))["status"] == status, (key, value)
        assert charger.sample_seconds == 15


async def test_a_fixed_sample_interval_is_not_for_others_to_change(csms, clock):
    async with powered(csms, clock, sample_seconds=0.5) as charger:
        changed = await csms.ask("ChangeConfiguration", key="MeterValueSampleInterval", value="30")
        assert changed["status"] == "Rejected"
        assert charger.sample_seconds == 0.5


async def test_triggers_are_answered_before_they_are_obeyed(csms, clock):
    async with powered(csms, clock) as charger:
        for message in ("Heartbeat", "MeterValues", "StatusNotification", "BootNotification"):
            asked = await csms.ask("TriggerMessage", requestedMessage=message, connectorId=1)
            assert asked["status"] == "Accepted"
            await charger.answered(message, count={"StatusNotification": 3, "BootNotification": 2}.get(message, 1))
        assert csms.payloads("MeterValues")[0]["meterValue"][0]["sampledValue"][0]["context"] == "Trigger"
        refused = [("DiagnosticsStatusNotification", 1, "NotImplemented"), ("MeterValues", 9, "Rejected")]
        for message, connector, status in refused:
            asked = await csms.ask("TriggerMessage", requestedMessage=message, connectorId=connector)
            assert asked["status"] == status


async def test_out_of_service_waits_for_a_running_charge(csms, clock):
    async with charging(csms, clock) as charger:
        assert (await csms.ask("ChangeAvailability", connectorId=0, type="Inoperative"))["status"] == "Scheduled"
        assert charger.connector(1).status == "Charging"
        charger.press_stop()
        await charger.answered("StatusNotification", status="Unavailable", connectorId=1)
        assert (await csms.ask("ChangeAvailability", connectorId=0, type="Operative"))["status"] == "Accepted"
        await charger.answered("StatusNotification", status="Finishing", connectorId=1)
        assert (await csms.ask("ChangeAvailability", connectorId=5, type="Operative"))["status"] == "Rejected"


async def test_unlocking_ends_the_charge_first(csms, clock):
    async with charging(csms, clock) as charger:
        assert (await csms.ask("UnlockConnector", connectorId=1))["status"] == "Unlocked"
        await charger.answered("StopTransaction", reason="UnlockCommand")
        assert (await csms.ask("UnlockConnector", connectorId=3))["status"] == "NotSupported"


async def test_a_soft_reset_tells_the_stop_before_it_boots(csms, clock):
    async with charging(csms, clock) as charger:
        said = len(csms.calls)
        assert (await csms.ask("Reset", type="Soft"))["status"] == "Accepted"
        await charger.answered("StopTransaction", reason="SoftReset")
        await charger.until(lambda c: not c.link.open)
        await clock.advance(5)
        await charger.answered("BootNotification", count=2)
    assert [a for a, _ in csms.calls[said:] if a != "StatusNotification"] == ["StopTransaction", "BootNotification"]


async def test_a_hard_reset_tells_the_stop_after_it_booted(csms, clock):
    async with charging(csms, clock) as charger:
        said = len(csms.calls)
        assert (await csms.ask("Reset", type="Hard"))["status"] == "Accepted"
        await charger.until(lambda c: not c.link.open)
        await clock.advance(5)
        await charger.answered("StopTransaction", reason="HardReset")
    assert csms.calls[said][0] == "BootNotification"


async def test_what_it_does_not_know_it_says_so(csms, clock):
    async with powered(csms, clock):
        assert (await csms.ask("ClearCache"))["status"] == "Accepted"
        assert (await csms.ask("DataTransfer", vendorId="com.example"))["status"] == "UnknownVendorId"
        assert (await csms.ask("RemoteStopTransaction", transactionId=5))["status"] == "Rejected"
        for action, payload, code in [
            ("GetLocalListVersion", {}, "NotImplemented"),
            ("MakeCoffee", {}, "NotImplemented"),
            ("RemoteStartTransaction", {"idTag": 7}, "TypeConstraintViolation"),
        ]:
            assert (await csms.ask_frame(action, payload))[0:3:2] == [4, code]
