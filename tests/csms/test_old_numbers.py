"""A charger that goes on naming the number of a charge whose connector another one has by now (ocpp.md Q22-Q24)."""

import sys
from datetime import timedelta

import pytest

from domain import models, settlement, sweeper, wallet
from domain.db import read
from domain.models import ChargingSession, SessionState, now
from tests.csms.charger import Raw, metered, sampled, stamp
from tests.csms.conftest import House
from tests.csms.test_charge import start, stop
from tests.csms.test_fast import Times
from tests.csms.test_quirks import wanted
from tests.csms.test_quirks_of_charges import meter, money_of
from tests.money.house import broken

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Times:
    """The time of the domain, the CSMS and the charger, which passes only when told to."""
    times = Times(now())
    for name, module in sys.modules.items():
        here = name.startswith(("domain.", "csms.")) or name == "tests.csms.charger"
        if here and module is not models and getattr(module, "now", None) is models.now:
            monkeypatch.setattr(module, "now", times)
    return times


async def replaced(raw: Raw, house: House, times: Times, meter_start: int) -> tuple[ChargingSession, int]:
    """A driver's charge, interrupted at the register 1200 by the start of another one, and the number of that."""
    wish = await wanted()
    transaction = await start(raw, tag=wish.tag)
    times.at += timedelta(minutes=1)
    await meter(raw, transaction, "1200")
    times.at += timedelta(minutes=1)
    newer = await start(raw, meter=meter_start, tag="NEXT")
    old = await house.session_of(transaction)
    assert (old.state, old.energy_wh) == (SessionState.INTERRUPTED, 200)
    return old, newer


async def named_again(raw: Raw, transaction: int, register: int) -> None:
    """A sample that names this charge, which is then asked to stop, and says no."""
    values = metered(sampled(str(register)), at=stamp())
    await raw.send(
        [2, f"old-{register}", "MeterValues", {"connectorId": 1, "transactionId": transaction} | {"meterValue": values}]
    )
    frames = [await raw.receive(), await raw.receive()]
    assert [3, f"old-{register}", {}] in frames
    [(_, id_, action, _)] = [frame for frame in frames if frame[0] == 2]
    assert action == "RemoteStopTransaction"
    await raw.send([3, id_, {"status": "Rejected"}])


async def test_its_estimate_is_debited_a_day_after_it_was_interrupted(house: House, raw: Raw, times: Times) -> None:
    """Q23: however often its number is named meanwhile; the hold had stayed for ever."""
    old, _ = await replaced(raw, house, times, meter_start=50)
    for hour in range(1, 24):
        times.at += timedelta(hours=1)
        await named_again(raw, old.transaction_id or 0, 1200 + 10 * hour)
    times.at += timedelta(hours=1, minutes=1)
    await sweeper.sweep_charges(house.bus, times.at)
    final = await house.session_of(old.transaction_id or 0)
    assert (final.state, final.energy_wh, final.estimated) == (SessionState.SETTLED, 430, True)
    assert await money_of(old) == wallet.Balance(50_000 - final.cost_paise, 0, 0)
    assert await read(broken) == []


async def test_what_its_register_counts_after_the_next_start_is_not_its_own(
    house: House, raw: Raw, times: Times
) -> None:
    """Q22, Q24: readings and the stop are those of the charge that has the connector now, whatever number they name."""
    old, newer = await replaced(raw, house, times, meter_start=1250)
    number = old.transaction_id or 0
    for register in ("1700", "2250"):
        times.at += timedelta(minutes=1)
        await meter(raw, number, register)
    await raw.silent()
    its = await house.session_of(newer)
    assert (its.state, its.energy_wh) == (SessionState.CHARGING, 1000)
    await stop(raw, number, 2250)
    its = await house.session_of(newer)
    assert (its.state, its.energy_wh) == (SessionState.SETTLED, 1000)
    times.at += timedelta(hours=24)
    await sweeper.sweep_charges(house.bus, times.at)
    final = await house.session_of(number)
    assert (final.state, final.energy_wh, final.estimated) == (SessionState.SETTLED, 200, True)
    assert await money_of(old) == wallet.Balance(50_000 - settlement.cost_of(final, times.at), 0, 0)
    await stop(raw, number, 1240)
    final = await house.session_of(number)
    assert (final.energy_wh, final.estimated) == (240, False), "its own stop, late as it is, corrects it"
    assert await read(broken) == []
