"""Reservations and local lists: kept when the charger takes them, respected until they end."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from domain import charging, findings, tokens, trail, wishes
from domain.bus import CallRefused
from domain.charging import Refused
from domain.db import read, transact
from domain.events import Call
from domain.models import ChargingSession, Finding, LocalList, Reservation, now
from domain.settings import settings
from tests.csms.charger import SECONDS, Raw, stamp
from tests.csms.conftest import House
from tests.csms.test_cards import begin, card_of, remote_stop
from tests.csms.test_charge import stop


async def ask(house: House, raw: Raw, action: str, payload: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Have the charger asked this, and answer so."""
    reply = asyncio.create_task(house.bus.call("RAW-1", Call(action, payload), SECONDS))
    id_, sent = await raw.asked(action)
    assert sent == payload
    await raw.send([3, id_, answer])
    return (await reply).payload


async def reserve(
    house: House, raw: Raw, tag: str, number: int = 7, *, connector: int = 1, seconds: float = 3600, **rest: str
) -> None:
    payload = {"connectorId": connector, "expiryDate": stamp(seconds), "idTag": tag, "reservationId": number, **rest}
    await ask(house, raw, "ReserveNow", payload, {"status": "Accepted"})


async def reserved(raw: Raw, connector: int = 1) -> None:
    await raw.call("StatusNotification", connectorId=connector, errorCode="NoError", status="Reserved")


async def states(house: House) -> list[str]:
    return [row.state for row in await house.rows(Reservation)]


async def test_what_the_charger_answers_is_kept(house: House, raw: Raw) -> None:
    """OCPP 1.6, 5.13 and 5.1: Accepted, Occupied, a CALLERROR; the same number again replaces; cancelled."""
    payload = {"connectorId": 1, "expiryDate": stamp(60), "idTag": "A", "reservationId": 1}
    await ask(house, raw, "ReserveNow", payload, {"status": "Occupied"})
    assert await states(house) == ["REFUSED"]
    await ask(house, raw, "ReserveNow", payload, {"status": "Accepted"})
    assert await states(house) == ["ACTIVE"]
    reply = asyncio.create_task(house.bus.call("RAW-1", Call("ReserveNow", {**payload, "reservationId": 2}), SECONDS))
    id_, _ = await raw.asked("ReserveNow")
    await raw.send([4, id_, "NotSupported", "", {}])
    with pytest.raises(CallRefused):
        await reply
    assert await states(house) == ["ACTIVE", "REFUSED"]
    await ask(house, raw, "CancelReservation", {"reservationId": 1}, {"status": "Accepted"})
    await ask(house, raw, "CancelReservation", {"reservationId": 2}, {"status": "Rejected"})
    assert await states(house) == ["CANCELLED", "REFUSED"]


async def test_another_driver_is_refused_until_it_expires(house: House, raw: Raw) -> None:
    other = await card_of(50_000, tag="OTHER", name="bela")
    await card_of(50_000, tag="MINE")
    await reserve(house, raw, "mine")
    with pytest.raises(Refused, match="reserved for somebody else"):
        await transact(charging.request_start, other, "RAW-1", 1)
    await reserved(raw)
    with pytest.raises(Refused, match="reserved for somebody else"):
        await transact(charging.request_start, other, "RAW-1", 1)
    await reserve(house, raw, "mine", seconds=-1)
    await raw.available()
    session = await transact(charging.request_start, other, "RAW-1", 1)
    assert session.state == "REQUESTED"


async def test_the_driver_starts_his_own_reservation_with_its_tag(house: House, raw: Raw) -> None:
    """OCPP 1.6, 5.13: the charger wants the idTag of the reservation; its StartTransaction ends it (4.8)."""
    user_id = await card_of(50_000, tag="MINE")
    await reserve(house, raw, "mine")
    await reserved(raw)
    session = await transact(charging.request_start, user_id, "RAW-1", 1)
    assert session.tag == "MINE"
    assert session.id is not None
    await transact(wishes.answered, session.id, "accepted")
    transaction, info = await begin(raw, "mine", reservationId=7)
    assert info == {"status": "Accepted"}
    assert await states(house) == ["USED"]
    (row,) = await house.rows(ChargingSession)
    assert (row.transaction_id, row.user_id) == (transaction, user_id)
    await stop(raw, transaction, 1200)
    _, info = await begin(raw, "MINE", meter=1200)
    assert info == {"status": "Accepted"}, "the card charges on without a reservation"


async def test_a_reservation_is_used_by_its_card_or_group_and_no_other(house: House, raw: Raw) -> None:
    """A charger that lets a stranger start on a reserved connector is told Invalid, and to stop."""
    await transact(tokens.add, "KID", parent="FAMILY")
    await reserve(house, raw, "DAD", parentIdTag="FAMILY")
    transaction, info = await begin(raw, "STRANGER")
    assert info == {"status": "Invalid"}
    await remote_stop(raw, transaction)
    assert await states(house) == ["ACTIVE"]
    await stop(raw, transaction, 1000)
    transaction, info = await begin(raw, "kid", reservationId=7)
    assert info["status"] == "Accepted"
    assert await states(house) == ["USED"]


@pytest.mark.parametrize("number", [2**32 - 1, 2**31, -(2**31) - 1])
async def test_a_start_with_a_number_that_no_reservation_has_is_taken(house: House, raw: Raw, number: int) -> None:
    """What the charger began must be billed and can be stopped; the reservation is found as without a number."""
    await card_of(50_000, tag="MINE")
    await reserve(house, raw, "MINE")
    transaction, info = await begin(raw, "MINE", reservationId=number)
    assert info == {"status": "Accepted"}
    assert (await house.session()).transaction_id == transaction
    assert await states(house) == ["USED"]


@pytest.mark.parametrize(
    ("action", "wrong"),
    [
        ("ReserveNow", {"reservationId": 2**31}),
        ("ReserveNow", {"connectorId": 2**31}),
        ("SendLocalList", {"listVersion": 2**31}),
        ("SendLocalList", {"listVersion": 10**30}),
    ],
)
async def test_what_cannot_be_kept_is_not_asked(house: House, raw: Raw, action: str, wrong: dict[str, int]) -> None:
    """The charger would keep a connector or a list that nobody knows of."""
    right = {
        "ReserveNow": {"connectorId": 1, "expiryDate": stamp(60), "idTag": "A", "reservationId": 1},
        "SendLocalList": {"listVersion": 1, "updateType": "Full", "localAuthorizationList": LIST},
    }
    with pytest.raises(CallRefused, match="cannot be kept"):
        await house.bus.call("RAW-1", Call(action, right[action] | wrong), SECONDS)
    await raw.silent()
    assert (await house.rows(Reservation), await house.rows(LocalList)) == ([], [])


async def test_a_number_that_no_reservation_has_ends_none(house: House, raw: Raw) -> None:
    await reserve(house, raw, "MINE")
    await ask(house, raw, "CancelReservation", {"reservationId": 2**31}, {"status": "Rejected"})
    assert await states(house) == ["ACTIVE"]


async def test_a_reserved_tag_is_welcome_where_strangers_are_not(
    house: House, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVAPP_OCPP_WALK_UPS", "false")
    settings.cache_clear()
    await reserve(house, raw, "GUEST")
    assert await raw.call("Authorize", idTag="guest") == {"idTagInfo": {"status": "Accepted"}}
    _, info = await begin(raw, "GUEST")
    assert info == {"status": "Accepted"}
    assert await states(house) == ["USED"], "also without its number"


async def test_a_reservation_of_any_connector_keeps_the_last_one_free(house: House, raw: Raw) -> None:
    user_id = await card_of(50_000, tag="OTHER", name="bela")
    await raw.available(2)
    await reserve(house, raw, "MINE", connector=0)
    first, info = await begin(raw, "WALKER", 1)
    assert info == {"status": "Accepted"}
    with pytest.raises(Refused, match="reserved"):
        await transact(charging.request_start, user_id, "RAW-1", 2)
    await stop(raw, first, 1000)
    await raw.available(1)
    assert (await transact(charging.request_start, user_id, "RAW-1", 2)).state == "REQUESTED"


@pytest.mark.parametrize("status", ["Faulted", "Unavailable", "Finishing"])
async def test_a_connector_that_nobody_can_use_is_not_one_that_is_left(house: House, raw: Raw, status: str) -> None:
    """OCPP 1.6, 5.13: a stranger at the only other one would leave nothing to the driver of the reservation."""
    user_id = await card_of(50_000, tag="OTHER", name="bela")
    await raw.call("StatusNotification", connectorId=2, errorCode="NoError", status=status)
    await reserve(house, raw, "MINE", connector=0)
    with pytest.raises(Refused, match="reserved"):
        await transact(charging.request_start, user_id, "RAW-1", 1)
    await raw.available(2)
    assert (await transact(charging.request_start, user_id, "RAW-1", 1)).state == "REQUESTED"


LIST = [{"idTag": "one", "idTagInfo": {"status": "Accepted"}}, {"idTag": "TWO", "idTagInfo": {"status": "Blocked"}}]


async def test_local_lists_are_kept_as_the_charger_took_them(house: House, raw: Raw) -> None:
    """OCPP 1.6, 5.15: full, differential, refused."""
    full = {"listVersion": 3, "updateType": "Full", "localAuthorizationList": LIST}
    await ask(house, raw, "SendLocalList", full, {"status": "Failed"})
    assert await house.rows(LocalList) == []
    await ask(house, raw, "SendLocalList", full, {"status": "Accepted"})
    changes = [{"idTag": "ONE"}, {"idTag": "three", "idTagInfo": {"status": "Accepted", "parentIdTag": "P"}}]
    differential = {"listVersion": 4, "updateType": "Differential", "localAuthorizationList": changes}
    await ask(house, raw, "SendLocalList", differential, {"status": "VersionMismatch"})
    assert (await house.rows(LocalList))[0].version == 3
    await ask(house, raw, "SendLocalList", differential, {"status": "Accepted"})
    (row,) = await house.rows(LocalList)
    assert row.version == 4
    assert json.loads(row.entries) == {
        "TWO": {"status": "Blocked"},
        "THREE": {"status": "Accepted", "parentIdTag": "P"},
    }


async def test_a_charger_that_lost_its_list_gets_it_again(house: House, raw: Raw) -> None:
    """GetLocalListVersion reconciles: another version than ours is a finding, and the whole list is sent once more."""
    full = {"listVersion": 3, "updateType": "Full", "localAuthorizationList": LIST}
    await ask(house, raw, "SendLocalList", full, {"status": "Accepted"})
    for same in (3, -1):
        await ask(house, raw, "GetLocalListVersion", {}, {"listVersion": same})
    await raw.silent()
    await ask(house, raw, "GetLocalListVersion", {}, {"listVersion": 0})
    await takes(raw, None)
    id_, again = await raw.asked("SendLocalList")
    assert (again["listVersion"], again["updateType"]) == (3, "Full")
    assert [entry["idTag"] for entry in again["localAuthorizationList"]] == ["ONE", "TWO"]
    await raw.send([3, id_, {"status": "Accepted"}])
    await house.eventually(LocalList, lambda row: row.reported_version == 3 and row.updated_at > now() - timedelta(1))
    (finding,) = await house.rows(Finding)
    assert finding.kind == "local-list"
    assert finding.id is not None
    await transact(findings.resolve, finding.id, trail.shell())
    await ask(house, raw, "GetLocalListVersion", {}, {"listVersion": 0})
    await takes(raw, None)
    await raw.asked("SendLocalList")
    assert await read(findings.unresolved), "it was lost once more"


async def takes(raw: Raw, most: str | None) -> None:
    """Say how many cards a SendLocalList may have; None: it refuses to tell."""
    id_, payload = await raw.asked("GetConfiguration")
    assert payload == {"key": ["SendLocalListMaxLength"]}
    known = {"configurationKey": [{"key": "SendLocalListMaxLength", "readonly": True, "value": most}]}
    await raw.send([3, id_, known] if most else [4, id_, "NotSupported", "", {}])


async def part(raw: Raw, answer: str = "Accepted") -> tuple[int, str, list[str]]:
    """Answer one SendLocalList; gives its version, its kind and its cards."""
    id_, payload = await raw.asked("SendLocalList")
    await raw.send([3, id_, {"status": answer}])
    tags = [entry["idTag"] for entry in payload["localAuthorizationList"]]
    return payload["listVersion"], payload["updateType"], tags


async def given_in_chunks(house: House, raw: Raw) -> None:
    for version, tags in ((1, "AB"), (2, "CD"), (3, "E")):
        cards = [{"idTag": tag, "idTagInfo": {"status": "Accepted"}} for tag in tags]
        kind = "Full" if version == 1 else "Differential"
        update = {"listVersion": version, "updateType": kind, "localAuthorizationList": cards}
        await ask(house, raw, "SendLocalList", update, {"status": "Accepted"})


async def test_a_list_that_is_too_long_for_one_message_comes_again_in_parts(house: House, raw: Raw) -> None:
    """OCPP 1.6, 9.3, SendLocalListMaxLength: the operator gave it in parts, and a charger takes no more at once now."""
    await given_in_chunks(house, raw)
    await ask(house, raw, "GetLocalListVersion", {}, {"listVersion": 0})
    await takes(raw, "2")
    assert await part(raw) == (1, "Full", ["A", "B"])
    assert await part(raw) == (2, "Differential", ["C", "D"])
    assert await part(raw) == (3, "Differential", ["E"])
    await ask(house, raw, "GetLocalListVersion", {}, {"listVersion": 3})
    await raw.silent()
    (row,) = await house.rows(LocalList)
    assert (row.version, row.reported_version, list(json.loads(row.entries))) == (3, 3, ["A", "B", "C", "D", "E"])


async def test_a_list_of_which_a_part_was_refused_is_not_forgotten(house: House, raw: Raw) -> None:
    """What was given stays what the charger should have, and the next question finds that it has not."""
    await given_in_chunks(house, raw)
    for refused in (2, 1):
        await ask(house, raw, "GetLocalListVersion", {}, {"listVersion": 0})
        await takes(raw, "2")
        for _ in range(refused - 1):
            await part(raw)
        await part(raw, "Failed")
        await raw.silent()
    await ask(house, raw, "GetLocalListVersion", {}, {"listVersion": 1})
    (row,) = await house.rows(LocalList)
    assert (row.version, row.reported_version, list(json.loads(row.entries))) == (3, 1, ["A", "B", "C", "D", "E"])


@pytest.mark.parametrize("most", ["0", "-1", "many", "9" * 5_000])
async def test_a_length_that_none_can_have_limits_nothing(house: House, raw: Raw, most: str) -> None:
    await given_in_chunks(house, raw)
    await ask(house, raw, "GetLocalListVersion", {}, {"listVersion": 0})
    await takes(raw, most)
    assert await part(raw) == (3, "Full", ["A", "B", "C", "D", "E"])


@pytest.mark.parametrize("version", [10**30, 2**31, -(2**31) - 1])
async def test_a_version_that_no_list_has_is_not_believed(house: House, raw: Raw, version: int) -> None:
    """The operator gets the charger's answer; what is known of its list stays."""
    full = {"listVersion": 3, "updateType": "Full", "localAuthorizationList": LIST}
    await ask(house, raw, "SendLocalList", full, {"status": "Accepted"})
    told = {"listVersion": version}
    assert await ask(house, raw, "GetLocalListVersion", {}, told) == told
    await raw.silent()
    (row,) = await house.rows(LocalList)
    assert row.reported_version == 3
    assert await house.rows(Finding) == []
