"""What a charger's configuration is set to after a boot, as far as it lets us (OCPP 1.6, 5.3 and 5.8)."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from csms.v16.setup import ENERGY, POWER
from domain import set_ups
from domain.db import read
from domain.models import Charger
from tests.csms.charger import Raw
from tests.csms.conftest import House
from tests.csms.test_setup import FULL, GOOD, changed, configured

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One kind of database is enough here: no query differs."""


async def test_only_what_differs_is_set(house: House) -> None:
    """Q10, Q40: unknown and read-only keys are left alone."""
    async with house.charger() as raw:
        await raw.boot()
        values = {**GOOD, "AuthorizeRemoteTxRequests": "True", "HeartbeatInterval": "14400", "ConnectionTimeOut": "60"}
        values["LocalAuthorizeOffline"] = "true"
        del values["AllowOfflineTxForUnknownId"]
        await configured(raw, values, readonly=("LocalAuthorizeOffline",))
        assert await changed(raw) == ("AuthorizeRemoteTxRequests", "false")
        assert await changed(raw, "RebootRequired") == ("HeartbeatInterval", "300")
        await raw.silent()


async def test_a_number_of_thousands_of_digits_is_set_like_any_other_that_does_not_fit(house: House) -> None:
    """Python reads no more than 4300; of what it read, no more is kept than a value may have (CiString500Type)."""
    async with house.charger() as raw:
        await raw.boot()
        await configured(raw, {**GOOD, "HeartbeatInterval": "9" * 5_000})
        assert await changed(raw) == ("HeartbeatInterval", "300")
        await raw.silent()
        kept = await read(set_ups.tried, "RAW-1")
        assert kept["HeartbeatInterval"].read == "9" * 500


async def test_a_charger_that_is_right_is_not_written_to(house: House) -> None:
    """Q10."""
    async with house.charger() as raw:
        await raw.boot()
        await configured(raw, GOOD)
        await raw.silent()


async def test_the_list_of_measurands_grows_shorter_until_it_is_taken(house: House) -> None:
    """Q40: OCPP 1.6, 3.16.4."""
    async with house.charger() as raw:
        await raw.boot()
        await configured(raw, {"MeterValuesSampledData": "Voltage"})
        for value in (FULL, f"{ENERGY},{POWER}", ENERGY):
            assert await changed(raw, "Rejected") == ("MeterValuesSampledData", value)
        await raw.silent()


@pytest.mark.parametrize("has", [ENERGY, f" {ENERGY} ", f"Voltage, {ENERGY}"])
async def test_the_list_of_measurands_ends_at_what_the_charger_has(house: House, has: str) -> None:
    """Q10: one that knows no more would be written to after every boot, and some boot when they are written to."""
    async with house.charger() as raw:
        await raw.boot()
        await configured(raw, {"MeterValuesSampledData": has, "ConnectionTimeOut": "1"})
        for value in (FULL, f"{ENERGY},{POWER}"):
            assert await changed(raw, "Rejected") == ("MeterValuesSampledData", value)
        assert await changed(raw) == ("ConnectionTimeOut", "90")


@pytest.mark.parametrize("status", ["Accepted", "RebootRequired", "Rejected", "NotSupported"])
async def test_a_value_that_the_charger_keeps_is_written_once(
    house: House, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Q10: it boots when it is written to, answers that all is well, and reads as before; with new firmware, again."""

    monkeypatch.setattr(set_ups, "PATIENCE", timedelta(0))

    async def boots(firmware: str, timeout: str) -> Raw:
        told = {"chargePointVendor": "Raw", "chargePointModel": "One", "firmwareVersion": firmware}
        await raw.call("BootNotification", **told)
        await configured(raw, {**GOOD, "ConnectionTimeOut": timeout})
        return raw

    async with house.charger() as raw:
        await boots("1.0", "120")
        assert await changed(raw, status) == ("ConnectionTimeOut", "90")
        await house.eventually(Charger, lambda row: not row.set_up_due)
        await boots("1.0", "120")
        await raw.silent()
        await house.eventually(Charger, lambda row: not row.set_up_due)
        await boots("1.1", "120")
        assert await changed(raw, status) == ("ConnectionTimeOut", "90")


async def test_a_value_that_was_taken_and_is_lost_is_written_again(house: House) -> None:
    """As after a return to the factory's settings."""
    async with house.charger() as raw:
        for timeout in ("120", "90", "120"):
            await raw.boot()
            await configured(raw, {**GOOD, "ConnectionTimeOut": timeout})
            if timeout == "120":
                assert await changed(raw) == ("ConnectionTimeOut", "90")
            await house.eventually(Charger, lambda row: not row.set_up_due)


async def test_a_charger_that_goes_when_it_is_written_to_is_not_written_to_again(house: House) -> None:
    """Q10: it boots instead of answering, and has its old value."""
    for _ in range(2):
        async with house.charger() as raw:
            await raw.boot()
            await configured(raw, {**GOOD, "ConnectionTimeOut": "120", "HeartbeatInterval": "14400"})
            await raw.asked("ChangeConfiguration")
    async with house.charger() as raw:
        await raw.boot()
        await configured(raw, {**GOOD, "ConnectionTimeOut": "120", "HeartbeatInterval": "14400"})
        await raw.silent()
        await house.eventually(Charger, lambda row: not row.set_up_due)


async def test_a_value_that_was_lost_with_the_line_is_written_again_a_day_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house.charger() as raw:
        await raw.boot()
        await configured(raw, {**GOOD, "ConnectionTimeOut": "120"})
        await raw.asked("ChangeConfiguration")
    monkeypatch.setattr(set_ups, "PATIENCE", timedelta(0))
    async with house.charger() as raw:
        await raw.boot()
        await configured(raw, {**GOOD, "ConnectionTimeOut": "120"})
        assert await changed(raw) == ("ConnectionTimeOut", "90")
        await house.eventually(Charger, lambda row: not row.set_up_due)


@pytest.mark.parametrize("status", ["Accepted", "Rejected"])
async def test_no_samples_are_wanted_in_a_stop(house: House, status: str) -> None:
    """They came before, and those of a night are more than a frame may have; a charger that wants some keeps them."""
    async with house.charger() as raw:
        await raw.boot()
        await configured(raw, {**GOOD, "StopTxnSampledData": FULL, "StopTxnAlignedData": ENERGY})
        assert await changed(raw, status) == ("StopTxnSampledData", "")
        assert await changed(raw, status) == ("StopTxnAlignedData", "")
        await raw.silent()
        await house.eventually(Charger, lambda row: not row.set_up_due)


async def test_a_charger_that_refuses_to_tell_so_much_is_asked_for_all(house: House) -> None:
    async with house.charger() as raw:
        await raw.boot()
        id_, _ = await raw.asked("GetConfiguration")
        await raw.send([4, id_, "OccurenceConstraintViolation", "too many keys", {}])
        id_, payload = await raw.asked("GetConfiguration")
        assert payload == {}
        await raw.send([3, id_, {"configurationKey": [{"key": "ClockAlignedDataInterval", "value": "60"}, 5]}])
        assert await changed(raw) == ("ClockAlignedDataInterval", "0")


async def tells(raw: Raw, known: dict[str, str], unknown: tuple[str, ...] = ()) -> list[str]:
    """Answer a GetConfiguration with these and nothing about the others; gives what it asked for."""
    id_, payload = await raw.asked("GetConfiguration")
    items = [{"key": key, "value": value, "readonly": False} for key, value in known.items()]
    await raw.send([3, id_, {"configurationKey": items, "unknownKey": list(unknown)}])
    return list(payload["key"])


async def test_what_a_charger_left_out_is_asked_for_again_in_parts(house: House) -> None:
    """OCPP 1.6, 5.8: GetConfigurationMaxKeys limits an answer; some chargers cut it there and say nothing."""
    async with house.charger() as raw:
        await raw.boot()
        keys = list(GOOD)
        first, *others = [keys[i : i + 4] for i in range(0, len(keys), 4)]
        assert await tells(raw, {key: GOOD[key] for key in first[1:]}, unknown=(first[0],)) == keys
        for part in others:
            wrong = {"ConnectionTimeOut": "120"} if "ConnectionTimeOut" in part else {}
            assert await tells(raw, {**{key: GOOD[key] for key in part}, **wrong}) == part
        assert await changed(raw) == ("ConnectionTimeOut", "90")
        await raw.silent()
        await house.eventually(Charger, lambda row: not row.set_up_due)


async def test_what_a_charger_leaves_out_again_is_given_up(house: House) -> None:
    """It is asked once more for each key, and that was all; the log names what it never told."""
    async with house.charger() as raw:
        await raw.boot()
        first, *others = GOOD
        with capture_logs() as lines:
            await tells(raw, {first: GOOD[first], "GetConfigurationMaxKeys": "1"})
            for key in others[:-1]:
                assert await tells(raw, {}) == [key]
            id_, _ = await raw.asked("GetConfiguration")
            await raw.send([4, id_, "InternalError", "", {}])
            await raw.silent()
            await house.eventually(Charger, lambda row: not row.set_up_due)
        assert [line["keys"] for line in lines if line["event"] == "configuration left untold"] == [", ".join(others)]


async def test_a_charger_that_goes_by_no_names_is_asked_twice(house: House) -> None:
    """Solidstudio's virtual charge point answers every GetConfiguration with the same four keys, whatever is asked."""
    has = {"SupportedFeatureProfiles": "Core", "HeartbeatInterval": GOOD["HeartbeatInterval"]}
    async with house.charger() as raw:
        await raw.boot()
        assert await tells(raw, has) == list(GOOD)
        assert await tells(raw, has) == [next(iter(GOOD))]
        await raw.silent()
        await house.eventually(Charger, lambda row: not row.set_up_due)


async def test_a_charger_that_tells_no_configuration_is_asked_once(house: House) -> None:
    async with house.charger() as raw:
        await raw.boot()
        for _ in range(2):
            id_, _ = await raw.asked("GetConfiguration")
            await raw.send([4, id_, "NotImplemented", "", {}])
        await house.eventually(Charger, lambda row: not row.set_up_due)
