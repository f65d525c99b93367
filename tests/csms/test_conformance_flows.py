"""What happens between a charger and a central system, by the cases of the OCA's compliance tool (OCTT 1.6).

Written from the numbers and titles of the cases, not with the tool itself.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from domain import charging, dispatch, tokens
from domain.bus import CallRefused
from domain.charging import Refused
from domain.db import transact
from domain.events import Call
from domain.models import (
    ChargingSession,
    Reservation,
    SecurityEvent,
    SessionState,
    TokenStatus,
    now,
)
from domain.settings import settings
from tests.csms import test_handshake
from tests.csms.charger import SECONDS, Raw, metered, sampled, stamp
from tests.csms.conftest import House
from tests.csms.octt import CSR, NO, OK, PEM, TX_PROFILE, UNLOCK, Asked, change
from tests.csms.test_cards import authorize, begin, card_of, remote_stop
from tests.csms.test_charge import stop
from tests.csms.test_conformance_asked import ask
from tests.csms.test_reservations import reserve, reserved
from tests.money.house import driver, give

Flow = Callable[[House, Raw], Any]
FLOWS: dict[str, Flow] = {}


def case(*numbers: str) -> Callable[[Flow], Flow]:
    """The numbers that a flow stands for."""

    def kept(flow: Flow) -> Flow:
        FLOWS.update(dict.fromkeys(numbers, flow))
        return flow

    return kept


@contextmanager
def no_strangers() -> Iterator[None]:
    """A card that nobody added is Invalid meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings(), "ocpp_walk_ups", False)
        yield


async def says(raw: Raw, status: str, error: str = "NoError") -> None:
    await raw.call("StatusNotification", connectorId=1, errorCode=error, status=status)


async def ended(house: House, state: SessionState = SessionState.SETTLED) -> ChargingSession:
    session = await house.session()
    assert session.state == state
    return session


@case("TC_001")
async def cold_boot(house: House, raw: Raw) -> None:
    answer = await raw.boot()
    assert (answer["status"], answer["interval"] > 0) == ("Accepted", True)
    await raw.asked("GetConfiguration")
    for connector in (0, 1):
        await raw.available(connector)
    assert (await raw.call("Heartbeat"))["currentTime"].endswith("Z")


@case("TC_003")
async def plug_first(house: House, raw: Raw) -> None:
    await says(raw, "Preparing")
    await local_charge(house, raw)


@case("TC_007")
async def cached_id(house: House, raw: Raw) -> None:
    """The charger asks nobody; StartTransaction verifies the tag again (OCPP 1.6, 4.8)."""
    await transact(tokens.add, "CARD1")
    transaction, info = await begin(raw, "CARD1")
    assert info == OK
    await stop(raw, transaction, 1300, idTag="CARD1")
    await transact(tokens.set_status, "CARD1", TokenStatus.BLOCKED)
    _, info = await begin(raw, "CARD1", meter=1300)
    assert info == {"status": "Blocked"}


@case("TC_004_1")
async def local_charge(house: House, raw: Raw) -> None:
    await transact(tokens.add, "CARD1")
    assert await authorize(raw, "CARD1") == OK
    await says(raw, "Preparing")
    transaction, info = await begin(raw, "CARD1")
    assert info == OK
    await says(raw, "Charging")
    await stop(raw, transaction, 1300, idTag="CARD1", reason="Local")
    await says(raw, "Finishing")
    await raw.available()
    assert (await ended(house)).energy_wh == 300


@case("TC_004_2")
async def identified_and_never_plugged(house: House, raw: Raw) -> None:
    assert await authorize(raw, "CARD1") == OK
    await says(raw, "Preparing")
    await raw.available()
    assert await house.rows(ChargingSession) == []


@case("TC_005_1")
async def unplugged_at_the_car(house: House, raw: Raw) -> None:
    transaction, _ = await begin(raw, "CARD1")
    await says(raw, "Charging")
    await says(raw, "SuspendedEV")
    assert (await house.session()).suspended == "SuspendedEV"
    await stop(raw, transaction, 1300, reason="EVDisconnected")
    await says(raw, "Finishing")
    await raw.available()
    over = await ended(house)
    assert (over.stop_reason, over.energy_wh, over.suspended) == ("EVDisconnected", 300, "")
    assert (await house.connector()).status == "Available"


@case("TC_010", "TC_011_1", "TC_012")
async def remote_charge(house: House, raw: Raw) -> None:
    await remote_start(house, raw, OK)
    await says(raw, "Preparing")
    session = await house.session()
    transaction, info = await begin(raw, session.tag)
    assert info == OK
    await says(raw, "Charging")
    await transact(charging.request_stop, session.id or 0, "driver")
    asking = asyncio.create_task(charging_stop(house, session.id or 0))
    await remote_stop(raw, transaction)
    assert await asking == "accepted"
    await stop(raw, transaction, 1300, reason="Remote")
    assert (await ended(house)).stop_cause == "driver"


async def charging_stop(house: House, session_id: int) -> str:
    return await dispatch.stop(house.bus, session_id)


async def remote_start(house: House, raw: Raw, answer: dict[str, Any]) -> ChargingSession:
    """A driver's wish on its way to the charger, which answers so."""
    user_id = await transact(driver)
    await transact(give, user_id, 50_000)
    session = await transact(charging.request_start, user_id, "RAW-1", 1)
    asking = asyncio.create_task(dispatch.start(house.bus, session.id or 0))
    id_, payload = await raw.asked("RemoteStartTransaction")
    assert payload == {"connectorId": 1, "idTag": session.tag}
    await raw.send([3, id_, answer])
    await asking
    return session


@case("TC_011_2")
async def remote_start_and_never_plugged(house: House, raw: Raw) -> None:
    session = await remote_start(house, raw, OK)
    waiting = await house.session()
    assert waiting.due_at is not None
    await transact(charging.deadline, session.id or 0, waiting.due_at)
    assert (await ended(house, SessionState.CANCELLED)).stop_cause == "unplugged"


@case("TC_026")
async def remote_start_rejected(house: House, raw: Raw) -> None:
    await remote_start(house, raw, NO)
    assert (await ended(house, SessionState.CANCELLED)).stop_cause == "refused"


@case("TC_018_1")
async def unlocked_while_charging(house: House, raw: Raw) -> None:
    transaction, _ = await begin(raw, "CARD1")
    await ask(house, raw, Asked("UnlockConnector", UNLOCK, {"status": "Unlocked"}))
    await stop(raw, transaction, 1300, reason="UnlockCommand")
    assert (await ended(house)).stop_reason == "UnlockCommand"


@case("TC_023_1", "TC_023_2", "TC_023_3")
async def tags_that_may_not(house: House, raw: Raw) -> None:
    await transact(tokens.add, "B", expires_at=now() - timedelta(days=1))
    await transact(tokens.add, "C")
    await transact(tokens.set_status, "C", TokenStatus.BLOCKED)
    with no_strangers():
        assert [(await authorize(raw, tag))["status"] for tag in "ABC"] == ["Invalid", "Expired", "Blocked"]


@case("TC_024")
async def lock_failure(house: House, raw: Raw) -> None:
    assert await authorize(raw, "CARD1") == OK
    await says(raw, "Faulted", "ConnectorLockFailure")
    assert (await house.connector()).error_code == "ConnectorLockFailure"
    user_id = await card_of(50_000, tag="OTHER")
    with pytest.raises(Refused, match="out of order"):
        await transact(charging.request_start, user_id, "RAW-1", 1)


@case("TC_013", "TC_014")
async def reset_while_charging(house: House, raw: Raw) -> None:
    """OCPP 1.6, 5.14: soft tells of the end first, hard may tell it after the reboot; both are billed once."""
    for kind, first in (("Soft", True), ("Hard", False)):
        transaction, _ = await begin(raw, "CARD1")
        asked = Asked("Reset", {"type": kind}, OK)
        await ask(house, raw, asked)
        if first:
            await stop(raw, transaction, 1300, reason="SoftReset")
        await raw.boot()
        if first:
            await raw.send([3, (await raw.asked("GetConfiguration"))[0], {"configurationKey": []}])
        else:
            await stop(raw, transaction, 1300, reason="HardReset")
        session = await house.session_of(transaction)
        assert (session.state, session.energy_wh, session.stop_reason) == (SessionState.SETTLED, 300, f"{kind}Reset")


@case("TC_028")
async def remote_stop_rejected(house: House, raw: Raw) -> None:
    """Refused, the charge goes on, is metered, and is asked again; its end is the charger's (ocpp.md Q30)."""
    user_id = await card_of(50_000)
    transaction, _ = await begin(raw, "CARD1")
    session = await house.session()
    assert session.user_id == user_id
    await transact(charging.request_stop, session.id or 0, "driver")
    asking = asyncio.create_task(charging_stop(house, session.id or 0))
    id_, _ = await raw.asked("RemoteStopTransaction")
    await raw.send([3, id_, NO])
    assert await asking == "refused"
    values = metered(sampled("1200"))
    await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values)
    going = await house.session()
    assert (going.state, going.energy_wh, going.stop_tries) == (SessionState.STOPPING, 200, 1)
    await stop(raw, transaction, 1300)
    assert (await ended(house)).cost_paise == 540


@case("TC_032_1")
async def power_failure(house: House, raw: Raw) -> None:
    transaction, _ = await begin(raw, "CARD1")
    await raw.boot()
    await stop(raw, transaction, 1300, reason="PowerLoss")
    await raw.asked("GetConfiguration")
    assert (await ended(house)).stop_reason == "PowerLoss"


@case("TC_037_1", "TC_039")
async def offline_charge(house: House, raw: Raw) -> None:
    transaction, info = await begin(raw, "CARD1", timestamp=stamp(-3600))
    assert info == OK
    values = metered(sampled("1500"), at=stamp(-1800))
    await raw.call("MeterValues", connectorId=1, transactionId=transaction, meterValue=values)
    await stop(raw, transaction, 2000, timestamp=stamp(-600))
    assert (await ended(house)).energy_wh == 1000


@case("TC_037_3")
async def offline_start_of_an_invalid_tag(house: House, raw: Raw) -> None:
    with no_strangers():
        transaction, info = await begin(raw, "BAD", timestamp=stamp(-600))
    assert (transaction > 0, info) == (True, {"status": "Invalid"})
    await remote_stop(raw, transaction)
    await stop(raw, transaction, 1100, reason="DeAuthorized")
    assert (await ended(house)).stop_reason == "DeAuthorized"


@case("TC_042_1")
async def local_lists_not_supported(house: House, raw: Raw) -> None:
    reply = asyncio.create_task(house.bus.call("RAW-1", Call("GetLocalListVersion"), SECONDS))
    id_, _ = await raw.asked("GetLocalListVersion")
    await raw.send([4, id_, "NotSupported", "", {}])
    with pytest.raises(CallRefused, match="NotSupported"):
        await reply


@case("TC_046", "TC_049")
async def reserved_and_used(house: House, raw: Raw) -> None:
    for number, connector in ((1, 1), (2, 0)):
        await reserve(house, raw, "CARD1", number, connector=connector)
        await reserved(raw, connector)
        transaction, info = await begin(raw, "CARD1", meter=1000 + number, reservationId=number)
        assert info == OK
        assert (await house.rows(Reservation))[-1].state == "USED"
        await stop(raw, transaction, 1300)


@case("TC_047")
async def reserved_and_expired(house: House, raw: Raw) -> None:
    user_id = await card_of(50_000, tag="OTHER")
    await reserve(house, raw, "CARD1", seconds=-1)
    await raw.available()
    assert (await transact(charging.request_start, user_id, "RAW-1", 1)).state == SessionState.REQUESTED


@case("TC_051")
async def reserved_and_cancelled(house: House, raw: Raw) -> None:
    user_id = await card_of(50_000, tag="OTHER")
    await reserve(house, raw, "CARD1", 1)
    with pytest.raises(Refused):
        await transact(charging.request_start, user_id, "RAW-1", 1)
    await ask(house, raw, Asked("CancelReservation", {"reservationId": 1}, OK))
    await raw.available()
    assert (await transact(charging.request_start, user_id, "RAW-1", 1)).state == SessionState.REQUESTED


@case("TC_053")
async def reserved_for_a_group(house: House, raw: Raw) -> None:
    await transact(tokens.add, "KID", parent="FAMILY")
    await reserve(house, raw, "DAD", 1, parentIdTag="FAMILY")
    assert (await authorize(raw, "KID"))["parentIdTag"] == "FAMILY"
    _, info = await begin(raw, "KID", reservationId=1)
    assert info == {"status": "Accepted", "parentIdTag": "FAMILY"}


@case("TC_057")
async def profile_of_a_charge(house: House, raw: Raw) -> None:
    transaction, _ = await begin(raw, "CARD1")
    profile = {**TX_PROFILE, "transactionId": transaction}
    await ask(house, raw, Asked("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile}, OK))


@case("TC_064")
async def data_transfer(house: House, raw: Raw) -> None:
    assert await raw.call("DataTransfer", vendorId="com.acme") == {"status": "UnknownVendorId"}


@case("TC_074")
async def certificate_renewed(house: House, raw: Raw) -> None:
    wanted = (("SignCertificate", {"csr": CSR}),)
    trigger = {"requestedMessage": "SignChargePointCertificate"}
    await ask(house, raw, Asked("ExtendedTriggerMessage", trigger, OK, wanted))
    await ask(house, raw, Asked("CertificateSigned", {"certificateChain": PEM}, OK))


@case("TC_083")
async def profile_upgraded(house: House, raw: Raw) -> None:
    """From none to Basic authentication: key, profile, reset; then it is let in only with the key."""
    key = test_handshake.TEXT_KEY
    for asked in (change("AuthorizationKey", key, "Accepted"), change("SecurityProfile", "1", "Accepted")):
        await ask(house, raw, asked)
    await ask(house, raw, Asked("Reset", {"type": "Hard"}, OK))
    await raw.socket.close()
    async with house.charger(login=("RAW-1", key.encode())) as back:
        await back.boot()
    assert await test_handshake.refused(house) == 401


@case("TC_077", "TC_078")
async def invalid_certificates(house: House, raw: Raw) -> None:
    kinds = ["InvalidChargePointCertificate", "InvalidCentralSystemCertificate"]
    for kind in kinds:
        assert await raw.call("SecurityEventNotification", type=kind, timestamp=stamp()) == {}
    assert [row.kind for row in await house.rows(SecurityEvent)] == kinds


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("number", FLOWS)
async def test_what_happens_between_both(house: House, raw: Raw, number: str) -> None:
    await FLOWS[number](house, raw)
