"""A charger that keeps all the rules, against the CSMS: the simulator's own, from its set-up to a lost line."""

from domain.events import RemoteStart
from domain.models import ChargingSession, MeterSample, SessionState
from simulator.chargers import VirtualCharger
from tests.csms.charger import SECONDS
from tests.csms.conftest import House


async def test_it_is_set_up_charges_and_is_billed(house: House) -> None:
    url = f"ws://127.0.0.1:{house.port}/ocpp"
    keys = {"LocalAuthorizeOffline": "true"}
    async with VirtualCharger("SIM-1", url, sample_seconds=0.1, keys=keys) as charger:
        change = await charger.asked("ChangeConfiguration")
        assert change.payload == {"key": "LocalAuthorizeOffline", "value": "false"}
        charger.plug()
        assert (await house.bus.call("SIM-1", RemoteStart(1, "SIMTAG"), SECONDS)).accepted
        await house.eventually(MeterSample, lambda row: bool(row.energy_wh and row.power_w))
        charger.unplug()
        (session,) = await house.eventually(ChargingSession, lambda row: row.state == SessionState.SETTLED)
        assert (session.tag, session.stop_reason) == ("SIMTAG", "EVDisconnected")


async def test_a_charge_outlives_a_lost_line(house: House) -> None:
    """Q11, Q27: what was queued while offline arrives and is billed; the charge is one."""
    url = f"ws://127.0.0.1:{house.port}/ocpp"
    async with VirtualCharger("SIM-1", url, sample_seconds=0.1, reconnect_seconds=(0.05, 0.1)) as charger:
        await charger.sent("StatusNotification")
        charger.plug()
        await charger.swipe(1, "CARD9")
        await house.eventually(MeterSample, lambda row: True)
        charger.go_offline()
        charger.unplug()
        charger.go_online()
        (session,) = await house.eventually(ChargingSession, lambda row: row.state == SessionState.SETTLED)
        assert session.tag == "CARD9"
