"""What a hostile charger, or somebody who plays one, tries at the socket; the rest is in test_limits.py."""

import json

import pytest
from sqlmodel import select

from domain import chargers, tokens
from domain.db import read, transact
from domain.models import OcppMessage, SessionState, User
from domain.settings import Settings
from tests.csms.charger import Raw, metered, sampled, stamp
from tests.csms.conftest import House, running
from tests.csms.test_handshake import TEXT_KEY, refused
from tests.csms.test_limits import another, frame

SQL = ("'; DROP TABLE users; --", "' OR '1'='1", "%", "_", '"', "\\", "RAW-1'--", "a;b", "{ts '0'}", "$1", ":x", "?")


async def told(raw: Raw, action: str, **payload: object) -> dict[str, object]:
    """Send a CALL, and give its answer, whatever else is asked meanwhile."""
    await raw.send([2, "told", action, payload])
    while (answer := await raw.receive())[:2] != [3, "told"]:
        assert answer[0] == 2
    return dict(answer[2])


@pytest.mark.parametrize("tag", SQL)
async def test_metacharacters_in_a_tag_are_its_letters(house: House, raw: Raw, tag: str) -> None:
    """Nobody's card, in the spelling of cards, on both databases."""
    answer = await told(raw, "StartTransaction", connectorId=1, idTag=tag, meterStart=0, timestamp=stamp())
    assert (await house.session()).tag == tokens.spelling(tag)
    assert answer["transactionId"]
    assert await read(lambda db: list(db.exec(select(User)))) == []


@pytest.mark.parametrize("text", [*SQL, "<script>alert(1)</script>", "\x1b[31mred\r\nlevel=info forged"])
async def test_what_a_charger_says_of_itself_is_text(house: House, text: str) -> None:
    async with house.charger() as raw:
        said = text[:20]
        await told(raw, "BootNotification", chargePointVendor=said, chargePointModel=said)
        await told(raw, "StatusNotification", connectorId=1, errorCode="OtherError", status="Faulted", info=text)
        charger, connector = await house.stored(), await house.connector()
    assert (charger.vendor, charger.model, connector.info) == (said, said, text)


async def test_a_second_socket_without_the_key_leaves_the_first_alone(database_url: str) -> None:
    """Refused before it could replace anybody; the charger's own second socket does."""
    async with running(database_url, chosen=Settings(ocpp_accept_unknown=False)) as house:
        await transact(chargers.add, "RAW-1")
        await transact(chargers.set_key, "RAW-1", TEXT_KEY)
        async with house.charger(login=("RAW-1", TEXT_KEY.encode())) as raw:
            await raw.boot()
            for login in (None, ("RAW-1", b"guess-guess-guess")):
                assert await refused(house, login=login) == 401
            await raw.send([3, (await raw.asked("GetConfiguration"))[0], {"configurationKey": []}])
            await raw.silent()
            assert (await house.stored()).online


@pytest.mark.parametrize("wh", [-1, -(2**40), 10**8, 2**40, 10**15, 2**62])
async def test_inflated_and_negative_meters_touch_nobody(house: House, raw: Raw, wh: int) -> None:
    """Whatever one charger's meter says, its own charge stays within what can be true, and others' are as they were."""
    began = await told(raw, "StartTransaction", connectorId=1, idTag="A", meterStart=0, timestamp=stamp())
    async with house.charger("/RAW-2") as other:
        victim = await told(other, "StartTransaction", connectorId=1, idTag="B", meterStart=0, timestamp=stamp())
        sample = metered(sampled(str(wh)))
        await told(raw, "MeterValues", connectorId=1, transactionId=victim["transactionId"], meterValue=sample)
        await told(raw, "StopTransaction", transactionId=began["transactionId"], meterStop=wh, timestamp=stamp(60))
        mine, theirs = [await house.session_of(int(str(one["transactionId"]))) for one in (began, victim)]
    assert mine.state == SessionState.SETTLED
    assert 0 <= mine.energy_wh < 10_000, "a minute of the strongest charger there is"
    assert (theirs.state, theirs.energy_wh) == (SessionState.CHARGING, 0)


async def test_text_that_is_no_utf_8_closes_its_own_socket(house: House, raw: Raw) -> None:
    """RFC 6455, 8.1: 1007."""
    async with another(house):
        raw.socket.transport.write(frame(1, b'[2,"\xff\xfe","Heartbeat",{}]'))
        assert await raw.gone() == 1007


async def test_a_binary_frame_of_noise_is_answered_or_ignored(house: House, raw: Raw) -> None:
    async with another(house):
        raw.socket.transport.write(frame(2, bytes(range(256)) * 4))
        await raw.silent()


async def test_a_key_on_its_way_to_a_charger_is_in_no_row(house: House, raw: Raw) -> None:
    """ChangeConfiguration to it, GetConfiguration from it, with the name spelt plainly and in escapes."""
    secret = "00112233445566778899aabbccddeeff"
    plain = json.dumps([2, "k1", "DataTransfer", {"vendorId": "x", "data": "y"}])
    await raw.ask(plain)
    for name in ("AuthorizationKey", "authorizationkey"):
        await raw.ask([2, f"k{name}", "DataTransfer", {"vendorId": "x", "key": name, "value": secret}])
    escaped = '[2,"k3","DataTransfer",{"vendorId":"x","key":"\\u0041uthorizationKey","value":"SECRET"}]'.replace(
        "SECRET", secret
    )
    await raw.ask(escaped)
    await house.eventually_journalled(lambda row: row.message_id == "k3")
    assert not [row for row in await house.rows(OcppMessage) if secret in repr(row)]
