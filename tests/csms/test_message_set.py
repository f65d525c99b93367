"""All of OCPP 1.6 with its security extension: what a charger may say is served, what we may ask goes out and back."""

import asyncio
import json
from typing import Any

import pytest

from csms.v16 import V16
from csms.v16.schemas import _FILES, CALLABLE, flaw, schema
from domain import chargers
from domain.bus import CallRefused
from domain.db import transact
from domain.events import Call
from domain.models import Finding, SecurityEvent
from tests.csms.charger import SECONDS, Raw, stamp
from tests.csms.conftest import House
from tests.csms.test_handshake import TEXT_KEY, refused
from tests.unit.csms.test_repairs import VALID

SAMPLES: dict[str, Any] = {"string": "x", "integer": 1, "boolean": True, "number": 1.0}
WORDS = {"date-time": "2026-01-01T00:00:00Z", "uri": "ftp://files/one"}


def example(part: dict[str, Any], *, whole: bool) -> Any:
    """A value that a schema allows: everything in it, or only what it must have."""
    if "enum" in part:
        return part["enum"][0]
    match part["type"]:
        case "object":
            names = part.get("properties", {}) if whole else part.get("required", ())
            return {name: example(part["properties"][name], whole=whole) for name in names}
        case "array":
            return [example(part["items"], whole=whole)]
        case kind:
            return WORDS.get(part.get("format", ""), SAMPLES[kind])


ACTIONS = frozenset(VALID)
"""What a charger may say (OCPP 1.6, 4; white paper)."""


def test_every_schema_of_the_package_is_ours_to_serve_or_to_ask() -> None:
    requests = {name for name in _FILES if not name.endswith("Response")}
    assert requests == set(V16.handlers) | CALLABLE
    assert set(V16.handlers) == ACTIONS
    assert {name.removesuffix("Response") for name in _FILES if name.endswith("Response")} == requests


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_whatever_a_charger_may_say_is_answered(house: House, raw: Raw) -> None:
    """The least and the most that each schema allows; the answer fits its own schema."""
    for action in sorted(ACTIONS - {"BootNotification"}):
        for whole in (False, True):
            payload = example(schema(action), whole=whole)
            assert flaw(action, payload) == "", action
            answer = await raw.call(action, **payload)
            assert flaw(f"{action}Response", answer) == "", action
        assert flaw(action, VALID[action]) == ""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_whatever_we_may_ask_goes_out_and_its_answer_comes_back(house: House, raw: Raw) -> None:
    """Every request with the least and the most it may carry, over the bus; one field too many is never sent."""
    for action in sorted(CALLABLE):
        for whole in (False, True):
            payload = example(schema(action), whole=whole)
            reply = asyncio.create_task(house.bus.call("RAW-1", Call(action, payload), SECONDS))
            id_, sent = await raw.asked(action)
            assert sent == payload
            answer = example(schema(f"{action}Response"), whole=whole)
            await raw.send([3, id_, answer])
            assert (await reply).payload == answer
            assert (await reply).status == answer.get("status", "")
        with pytest.raises(CallRefused):
            await house.bus.call("RAW-1", Call(action, {**payload, "surplus": 1}), SECONDS)
        if required := schema(action).get("required"):
            with pytest.raises(CallRefused, match=required[0]):
                await house.bus.call("RAW-1", Call(action), SECONDS)
    for said_by_chargers in sorted(ACTIONS - {"DataTransfer"}):
        with pytest.raises(CallRefused):
            await house.bus.call("RAW-1", Call(said_by_chargers, VALID[said_by_chargers]), SECONDS)
    await raw.silent()


async def test_security_events_are_kept_and_alarming_ones_found(house: House, raw: Raw) -> None:
    """payments.md 4.2: stored; queued ones keep their own time."""
    at = stamp(-7200)
    assert await raw.call("SecurityEventNotification", type="StartupOfTheDevice", timestamp=at, techInfo="cold") == {}
    assert await raw.call("SecurityEventNotification", type="TamperDetectionActivated", timestamp=stamp()) == {}
    assert await raw.call("SecurityEventNotification", type="Odd" * 30, timestamp="soon", techInfo=7) == {}
    first, second, third = await house.rows(SecurityEvent)
    assert (first.charger_id, first.kind, first.detail) == ("RAW-1", "StartupOfTheDevice", "cold")
    assert 7100 < (first.received_at - first.at).total_seconds() < 7300
    assert second.kind == "TamperDetectionActivated"
    assert (len(third.kind), third.detail, third.at) == (50, "7", third.received_at)
    assert [finding.kind for finding in await house.rows(Finding)] == ["security"]


async def test_a_wish_for_a_certificate_reaches_the_operator(house: House, raw: Raw) -> None:
    """White paper, A02: the answer says whether it is passed on; the certificate comes with CertificateSigned."""
    csr = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----"
    for _ in range(2):
        assert await raw.call("SignCertificate", csr=csr) == {"status": "Accepted"}
    assert await raw.call("SignCertificate", csr="please") == {"status": "Rejected"}
    (finding,) = await house.rows(Finding)
    assert finding.kind == "certificate-wanted"
    chain = {"certificateChain": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"}
    reply = asyncio.create_task(house.bus.call("RAW-1", Call("CertificateSigned", chain), SECONDS))
    id_, sent = await raw.asked("CertificateSigned")
    assert sent == chain
    await raw.send([3, id_, {"status": "Accepted"}])
    assert (await reply).accepted


async def test_a_request_in_the_older_spelling_of_pem_is_one(house: House, raw: Raw) -> None:
    """RFC 7468, section 7: Java's keytool, and chargers with old libraries, write NEW."""
    csr = "-----BEGIN NEW CERTIFICATE REQUEST-----\nMIIB\n-----END NEW CERTIFICATE REQUEST-----"
    assert await raw.call("SignCertificate", csr=csr) == {"status": "Accepted"}
    assert [finding.kind for finding in await house.rows(Finding)] == ["certificate-wanted"]


NEW_KEY = "FFEEDDCCBBAA00998877665544332211FFEEDDCC"


@pytest.mark.parametrize("status", ["Accepted", "RebootRequired", "Rejected"])
async def test_a_new_key_is_handed_over(house: House, status: str) -> None:
    """Q8: the old key is good until the charger has accepted the new one; refused, it stays (OCPP-J 1.6, 6.2.2)."""
    await transact(chargers.add, "RAW-1")
    await transact(chargers.set_key, "RAW-1", TEXT_KEY)
    old, new = ("RAW-1", bytes.fromhex(TEXT_KEY)), ("RAW-1", NEW_KEY.encode())
    async with house.charger(login=old) as raw:
        await raw.boot()
        await raw.send([3, (await raw.asked("GetConfiguration"))[0], {"configurationKey": []}])
        change = {"key": "AuthorizationKey", "value": NEW_KEY}
        reply = asyncio.create_task(house.bus.call("RAW-1", Call("ChangeConfiguration", change), SECONDS))
        id_, sent = await raw.asked("ChangeConfiguration")
        assert sent == change
        stored = await house.stored()
        assert stored.next_key_hash, "both open the door while nobody knows which it uses"
        await raw.send([3, id_, {"status": status}])
        assert (await reply).status == status
    if status in ("Accepted", "RebootRequired"):
        if status == "RebootRequired":
            async with house.charger(login=old):
                pass
        async with house.charger(login=new) as raw:
            await raw.boot()
        assert await refused(house, login=old) == 401
    else:
        assert await refused(house, login=new) == 401
        async with house.charger(login=old) as raw:
            await raw.boot()
    assert NEW_KEY not in json.dumps([line.frame for line in await house.eventually_journalled(lambda row: True)])


@pytest.mark.parametrize("value", ["", "too short", "A" * 41, "a key with blanks in it", "0123456789abcdé0"])
async def test_what_is_no_key_is_not_handed_over(house: House, raw: Raw, value: str) -> None:
    """OCPP-J 1.6, 6.2.2: 16 to 40 visible characters, as `charger set-key` has it; none would open the door to all."""
    change = {"key": "AuthorizationKey", "value": value}
    with pytest.raises(CallRefused, match="16 to 40 visible characters"):
        await house.bus.call("RAW-1", Call("ChangeConfiguration", change), SECONDS)
    await raw.silent()
    assert (await house.stored()).next_key_hash is None


async def test_a_new_key_whose_answer_was_lost_is_good_and_so_is_the_old_one(house: House) -> None:
    """Q8: the socket went before the answer; whichever key it comes with next is let in, the new one for good."""
    await transact(chargers.add, "RAW-1")
    await transact(chargers.set_key, "RAW-1", TEXT_KEY)
    old, new = ("RAW-1", TEXT_KEY.encode()), ("RAW-1", bytes.fromhex(NEW_KEY))
    async with house.charger(login=old) as raw:
        await raw.boot()
        await raw.send([3, (await raw.asked("GetConfiguration"))[0], {"configurationKey": []}])
        change = {"key": "authorizationKey", "value": NEW_KEY}
        reply = asyncio.create_task(house.bus.call("RAW-1", Call("ChangeConfiguration", change), SECONDS))
        await raw.asked("ChangeConfiguration")
        raw.socket.transport.abort()
        assert isinstance((await asyncio.gather(reply, return_exceptions=True))[0], Exception)
    for login in (old, new, new):
        async with house.charger(login=login) as raw:
            await raw.boot()
    assert await refused(house, login=old) == 401
