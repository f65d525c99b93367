"""The life of a virtual charger and of its line, and what a test may see and do."""

from base64 import b64decode
from datetime import datetime

import pytest
from websockets.asyncio.server import serve

from simulator.chargers import AS_USUAL, SILENT, VirtualCharger
from simulator.link import CallError
from tests.e2e.running import free_port
from tests.unit.simulator.central_system import NOW, CentralSystem
from tests.unit.simulator.states import TAG, charging, powered


def refuse(connection, request):
    return connection.respond(401, "No.")


async def test_it_boots_then_tells_the_state_of_every_connector_and_its_own(csms, clock):
    async with powered(csms, clock, connectors=2):
        assert csms.actions() == ["BootNotification"] + ["StatusNotification"] * 3
        assert [(s["connectorId"], s["status"]) for s in csms.payloads("StatusNotification")] == [
            (0, "Available"),
            (1, "Available"),
            (2, "Available"),
        ]


async def test_heartbeats_come_at_the_interval_the_boot_was_answered_with(csms, clock):
    csms.replies["BootNotification"] = {"status": "Accepted", "currentTime": NOW, "interval": 60}
    async with powered(csms, clock) as charger:
        await clock.advance(59)
        assert "Heartbeat" not in csms.actions()
        await clock.advance(61)
        await charger.answered("Heartbeat", count=2)
        assert charger.keys.number("HeartbeatInterval") == 60


async def test_a_pending_charger_asks_again_and_starts_nothing_meanwhile(csms, clock):
    csms.replies["BootNotification"] = {"status": "Pending", "currentTime": NOW, "interval": 20}
    async with VirtualCharger("BLR-017", csms.url, clock=clock) as charger:
        await charger.answered("BootNotification")
        assert (await csms.ask("RemoteStartTransaction", connectorId=1, idTag=TAG))["status"] == "Rejected"
        assert (await csms.ask("GetConfiguration", key=["ConnectionTimeOut"]))["configurationKey"][0]["value"] == "60"
        assert csms.actions() == ["BootNotification"]
        del csms.replies["BootNotification"]
        await clock.advance(20)
        await charger.until(lambda c: c.online)
        assert csms.actions()[:2] == ["BootNotification"] * 2


async def test_a_pending_charger_boots_at_once_when_triggered(csms, clock):
    csms.replies["BootNotification"] = {"status": "Pending", "currentTime": NOW, "interval": 900}
    async with VirtualCharger("BLR-017", csms.url, clock=clock) as charger:
        await charger.answered("BootNotification")
        del csms.replies["BootNotification"]
        assert (await csms.ask("TriggerMessage", requestedMessage="BootNotification"))["status"] == "Accepted"
        await charger.until(lambda c: c.online)


async def test_a_rejected_charger_is_silent(csms, clock):
    csms.replies["BootNotification"] = {"status": "Rejected", "currentTime": NOW, "interval": 900}
    async with VirtualCharger("BLR-017", csms.url, clock=clock) as charger:
        await charger.answered("BootNotification")
        await csms.say('[2, "1", "ClearCache", {}]')
        assert (await charger.asked("ClearCache")).answer is None


async def test_identity_and_password_travel_as_ocpp_j_says(csms, clock):
    async with VirtualCharger("RDAM 123", csms.url, clock=clock, password="sesame-0123456789") as charger:
        await charger.until(lambda c: c.online)
    assert csms.paths == ["/ocpp/RDAM%20123"]
    assert b64decode(csms.credentials[0].removeprefix("Basic ")) == b"RDAM 123:sesame-0123456789"


async def test_an_authorization_key_set_remotely_is_used_from_the_next_connection_on(csms, clock):
    async with powered(csms, clock) as charger:
        changed = await csms.ask("ChangeConfiguration", key="AuthorizationKey", value="00FF" * 8)
        assert changed["status"] == "Accepted"
        charger.drop()
        await charger.until(lambda c: not c.link.open)
        await clock.advance(1)
        await charger.until(lambda c: c.online)
    assert csms.credentials[0] is None
    assert b64decode(csms.credentials[1].removeprefix("Basic ")) == b"BLR-017:" + b"\x00\xff" * 8


async def test_cards_offline_are_known_ones_or_refused(csms, clock):
    async with powered(csms, clock) as charger:
        await charger.swipe(1, "REGULAR")
        await clock.advance(60)
        charger.go_offline()
        await charger.until(lambda c: not c.online)
        assert await charger.swipe(1, "STRANGER") == "Invalid"
        assert await charger.swipe(1, "REGULAR") == "Accepted"


async def test_a_power_cut_keeps_the_register_boots_and_tells_the_stop_by_power_loss(csms, clock):
    async with charging(csms, clock, boot_seconds=5) as charger:
        said = len(csms.calls)
        register = charger.connector(1).meter.read(clock.now())
        lost_at = clock.now()
        charger.power_cut(seconds=120)
        await charger.until(lambda c: not c.link.open)
        await clock.advance(119)
        assert len(csms.calls) == said
        await clock.advance(1)
        await charger.answered("StopTransaction", reason="PowerLoss", transactionId=41, meterStop=register)
        assert charger.connector(1).meter.read(clock.now()) == register
    back = csms.calls[said:]
    assert back[0][0] == "BootNotification"
    (stop,) = csms.payloads("StopTransaction")
    assert datetime.fromisoformat(stop["timestamp"]) == lost_at
    assert csms.statuses()[-1] == "Finishing"


async def test_power_that_comes_back_does_not_put_the_cable_in(csms, clock):
    async with powered(csms, clock) as charger:
        charger.go_offline()
        charger.power_cut(seconds=5)
        await charger.until(lambda c: not c.link.open)
        await clock.advance(60)
        assert not charger.link.open
        charger.go_online()
        await clock.advance(60)
        await charger.until(lambda c: c.online)


async def test_the_cable_and_a_shorter_outage_do_not_bring_power_back(csms, clock):
    async with powered(csms, clock) as charger:
        charger.power_cut(seconds=100)
        charger.power_cut(seconds=5)
        charger.go_online()
        await charger.until(lambda c: not c.link.open)
        await clock.advance(99)
        assert not charger.link.open
        await clock.advance(60)
        await charger.until(lambda c: c.online)


async def test_a_test_may_make_it_answer_anything_or_nothing(csms, clock):
    async with charging(csms, clock) as charger:
        charger.answer_with("RemoteStopTransaction", {"status": "Accepted"})
        assert (await csms.ask("RemoteStopTransaction", transactionId=41))["status"] == "Accepted"
        assert charger.connector(1).status == "Charging"
        charger.answer_with("RemoteStopTransaction", lambda asked: {"status": f"no {asked['transactionId']}"})
        assert (await csms.ask("RemoteStopTransaction", transactionId=41))["status"] == "no 41"
        charger.answer_with("RemoteStopTransaction", CallError("InternalError", "no idea"))
        assert (await csms.ask_frame("RemoteStopTransaction", {"transactionId": 41}))[2:4] == [
            "InternalError",
            "no idea",
        ]
        charger.answer_with("RemoteStopTransaction", SILENT)
        await csms.say('[2, "quiet", "RemoteStopTransaction", {"transactionId": 41}]')
        quiet = await charger.asked("RemoteStopTransaction", count=4)
        assert not quiet.closed
        charger.answer_with("RemoteStopTransaction", AS_USUAL)
        assert (await csms.ask("RemoteStopTransaction", transactionId=41))["status"] == "Accepted"
        await charger.answered("StopTransaction", reason="Remote")
        assert [asked.action for asked in charger.received].count("RemoteStopTransaction") == 5


async def test_raw_frames_and_their_replies(csms, clock):
    async with powered(csms, clock) as charger:
        await charger.send_raw('[2, "raw-1", "Heartbeat", {}]')
        assert await charger.reply_to("raw-1") == [3, "raw-1", {"currentTime": NOW}]
        csms.replies["Heartbeat"] = "InternalError"
        await charger.send_raw('[2, "raw-1", "Heartbeat", {}]')
        assert (await charger.reply_to("raw-1", count=2))[2] == "InternalError"


async def test_nonsense_from_the_central_system_does_not_stop_it(csms, clock):
    async with powered(csms, clock) as charger:
        for text in ("not json", "[]", "{}", '[3, "unknown", {}]', '[4, "unknown", "InternalError"]', '[9, "x"]'):
            await csms.say(text)
        assert (await csms.ask("ClearCache"))["status"] == "Accepted"
        assert charger.online


async def test_an_answer_that_ocpp_forbids_is_a_failed_call(csms, clock):
    csms.replies["StartTransaction"] = {"idTagInfo": {"status": "Accepted"}}
    async with powered(csms, clock) as charger:
        charger.plug()
        await csms.ask("RemoteStartTransaction", connectorId=1, idTag=TAG)
        start = await charger.answered("StartTransaction")
        assert start.answer is None
        assert start.error[0] == "InvalidAnswer"
        assert "transactionId" in start.error[1]


async def test_it_keeps_trying_until_the_central_system_is_there(clock):
    csms, lines, port = CentralSystem(), [], free_port()
    url = f"ws://127.0.0.1:{port}/ocpp"
    async with VirtualCharger("BLR-017", url, clock=clock, reconnect_seconds=(1, 4), say=lines.append) as charger:
        await charger.until(lambda c: bool(lines))
        for _ in range(5):
            await clock.advance(4)
        assert len(lines) == 1, "the same trouble is told once"
        async with csms.serving(port):
            await clock.advance(4)
            await charger.until(lambda c: c.online)
            assert csms.actions()[0] == "BootNotification"


async def test_waiting_in_vain_says_what_was_there_instead(csms, clock):
    async with powered(csms, clock) as charger:
        with pytest.raises(TimeoutError, match=r"never sent StopTransaction.*BootNotification x1"):
            await charger.sent("StopTransaction", within=0.01)
        with pytest.raises(TimeoutError, match="never got there"):
            await charger.until(lambda c: c.connector(1).status == "Charging", within=0.01)
        with pytest.raises(TimeoutError, match="no reply to x"):
            await charger.reply_to("x", within=0.01)


async def test_a_mistake_of_the_simulator_is_not_lost(csms, clock):
    with pytest.raises(ZeroDivisionError):
        async with powered(csms, clock) as charger:
            charger.answer_with("ClearCache", lambda asked: {"status": str(1 / 0)})
            await csms.say('[2, "1", "ClearCache", {}]')
            await charger.until(lambda c: c.connector(1).status == "Charging")


async def test_it_lives_in_real_time_too(csms):
    async with VirtualCharger("BLR-017", csms.url, sample_seconds=0.02, boot_seconds=0.02) as charger:
        await charger.until(lambda c: c.online)
        charger.plug()
        await charger.swipe(1, TAG)
        await charger.answered("MeterValues", count=3)
        charger.power_cut()
        await charger.answered("StopTransaction", reason="PowerLoss")


async def test_a_central_system_that_does_not_let_it_in_is_told_of_once(clock):
    lines = []
    async with serve(lambda socket: None, "127.0.0.1", 0, process_request=refuse) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
        async with VirtualCharger("BLR-017", url, clock=clock, say=lines.append) as charger:
            await charger.until(lambda c: bool(lines))
            await clock.advance(10)
            assert len(lines) == 1
            assert "HTTP 401" in lines[0]


async def test_a_server_that_does_not_speak_ocpp_is_left(clock):
    lines = []

    async def listen(socket):
        await socket.wait_closed()

    async with serve(listen, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocpp"
        async with VirtualCharger("BLR-017", url, clock=clock, say=lines.append) as charger:
            await charger.until(lambda c: bool(lines))
            assert "does not speak ocpp1.6" in lines[0]
            assert not charger.link.open
