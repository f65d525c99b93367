"""Floods, guesses and slow ones at the chargers' port: held back, and felt by nobody else."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs
from websockets.datastructures import Headers

from csms.limits import Attempts, Crowd, Limits, knocker
from csms.server import LARGEST_FRAME
from domain import chargers
from domain.bus import CallRefused
from domain.db import transact
from domain.events import Call
from domain.settings import Settings, SettingsError
from tests.csms.charger import SECONDS, Raw
from tests.csms.conftest import House, running
from tests.csms.test_handshake import TEXT_KEY, refused

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

HEAD = (
    "GET /ocpp/{name} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{extra}"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def frame(opcode: int, payload: bytes, *, last: bool = True) -> bytes:
    """One frame of a client, masked with zeros."""
    size = bytes((0x80 | len(payload),)) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return bytes((0x80 * last | opcode,)) + size + b"\0\0\0\0" + payload


async def knock(port: int, name: str, extra: str = "") -> bytes:
    """A handshake by hand; gives the first line of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD.format(name=name, extra=extra).encode())
    async with asyncio.timeout(SECONDS):
        line = await reader.readline()
    writer.close()
    return line


def with_key(name: str, key: bytes) -> str:
    return "Authorization: Basic " + base64.b64encode(name.encode() + b":" + key).decode() + "\r\n"


@asynccontextmanager
async def another(house: House) -> AsyncIterator[Raw]:
    """A charger that is served well as long as this lasts, and soon after it."""
    async with house.charger("/WELL") as raw:
        await raw.boot()
        await raw.send([3, (await raw.asked("GetConfiguration"))[0], {"configurationKey": []}])
        yield raw
        began = time.perf_counter()
        await raw.silent()
        assert time.perf_counter() - began < 5


async def test_guessed_keys_are_throttled_before_the_database(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """After twenty wrong keys a minute in its name nothing is looked up; the charger itself comes in all the while."""
    await transact(chargers.add, "RAW-1")
    await transact(chargers.set_key, "RAW-1", TEXT_KEY)
    right = bytes.fromhex(TEXT_KEY)
    async with house.charger(login=("RAW-1", right)) as raw:
        await raw.boot()
    looked, admit = 0, chargers.admit

    def counted(*given: object, **told: object) -> None:
        nonlocal looked
        looked += 1
        admit(*given, **told)  # type: ignore[arg-type]

    monkeypatch.setattr(chargers, "admit", counted)
    lines = [await knock(house.port, "RAW-1", with_key("RAW-1", b"guess %d" % number)) for number in range(200)]
    assert [b" 401 " in line for line in lines] == [True] * 20 + [False] * 180
    assert all(b" 429 " in line for line in lines[20:])
    assert looked == 20
    async with house.charger(login=("RAW-1", right)) as raw, another(house):
        await raw.boot()
    assert await refused(house, login=("RAW-1", b"wrong")) == 429


async def test_an_address_that_guesses_names_is_throttled(house: House) -> None:
    """Sixty a minute; a proxy on this machine says whom it asks for, and its other askers are let in."""
    await transact(chargers.add, "SHUT")
    await transact(chargers.set_key, "SHUT", TEXT_KEY)
    there = "X-Forwarded-For: 198.51.100.7\r\n"
    for number in range(60):
        assert b" 404 " in await knock(house.port, f"NO%20NAME{number}", there)
    assert b" 429 " in await knock(house.port, "NEW-1", there)
    assert b" 101 " in await knock(house.port, "NEW-1", "X-Forwarded-For: 198.51.100.8\r\n")
    assert b" 101 " in await knock(house.port, "NEW-1")


async def test_a_foreign_user_in_the_header_is_throttled_and_fills_nobodys_name(house: House) -> None:
    """Sixty a minute from an address, told in few lines; the charger whose name it was knocks with its key and is in,
    though nobody knows it yet."""
    await transact(chargers.add, "RAW-1")
    await transact(chargers.set_key, "RAW-1", TEXT_KEY)
    there = "X-Forwarded-For: 198.51.100.7\r\n"
    with capture_logs() as lines:
        answers = [await knock(house.port, "RAW-1", with_key("ANOTHER", b"key") + there) for _ in range(70)]
    assert [b" 401 " in line for line in answers] == [True] * 60 + [False] * 10
    assert all(b" 429 " in line for line in answers[60:])
    assert len([line for line in lines if line["event"] == "charger refused"]) == 30
    async with house.charger(login=("RAW-1", bytes.fromhex(TEXT_KEY))) as raw:
        await raw.boot()


def test_a_full_name_lets_who_comes_from_elsewhere_try_a_key(database_url: str) -> None:
    """As after a restart, when no right key is known yet: an address that was refused nothing is looked at, and a
    thousand addresses come to an end, too."""
    attempts = Attempts(Limits())
    for _ in range(20):
        attempts.refused("203.0.113.9", "RAW-1")
    assert not attempts.allowed("203.0.113.9", "RAW-1", b"guess")
    assert attempts.allowed("198.51.100.1", "RAW-1", b"right")
    looked = 0
    for number in range(1_000):
        if attempts.allowed(f"2001:db8:0:{number:x}::/64", "RAW-1", b"guess"):
            looked += 1
            attempts.refused(f"2001:db8:0:{number:x}::/64", "RAW-1")
    assert looked == Limits().strangers_of_charger


def test_ten_thousand_guesses_cost_nothing(database_url: str) -> None:
    """In memory alone, however many names and addresses; and the list of them has an end."""
    moment = [0.0]
    attempts = Attempts(Limits(), lambda: moment[0])
    began = time.process_time()
    allowed = 0
    for number in range(10_000):
        if attempts.allowed("203.0.113.9", "RAW-1", b"guess %d" % number):
            allowed += 1
            attempts.refused("203.0.113.9", "RAW-1")
    assert allowed == 20
    assert time.process_time() - began < 1
    moment[0] = 61.0
    assert attempts.allowed("203.0.113.9", "RAW-1", b"again")


def test_whom_a_handshake_belongs_to(database_url: str) -> None:
    forged = Headers([("X-Forwarded-For", "10.0.0.1, 203.0.113.9")])
    assert knocker(("198.51.100.7", 5), forged) == "198.51.100.7"
    assert knocker(("127.0.0.1", 5), forged) == "203.0.113.9"
    with_ports = Headers([("X-Forwarded-For", "10.0.0.1:5"), ("X-Forwarded-For", "203.0.113.9:51234")])
    assert knocker(("127.0.0.1", 5), with_ports) == "203.0.113.9"


def test_a_proxy_on_another_machine_is_believed_when_it_is_named(database_url: str) -> None:
    proxies = Settings(ocpp_proxies="198.51.100.0/24, 2001:db8::7").proxies
    told = Headers([("X-Forwarded-For", "10.0.0.1, 203.0.113.9")])
    for proxy in (("198.51.100.7", 5), ("::ffff:198.51.100.7", 5, 0, 0), ("2001:db8::7", 5, 0, 0)):
        assert knocker(proxy, told, proxies) == "203.0.113.9"
    assert knocker(("192.0.2.1", 5), told, proxies) == "192.0.2.1"
    with pytest.raises(SettingsError, match="EVAPP_OCPP_PROXIES"):
        Settings(ocpp_proxies="the proxy").check()


def test_a_crowd_of_one_address_keeps_nobody_else_out(database_url: str) -> None:
    crowd = Crowd(Limits(total=5, of_address=3))
    assert [crowd.enter("a") for _ in range(4)] == [True] * 3 + [False]
    assert [crowd.enter("") for _ in range(3)] == [True, True, False]
    crowd.leave("a")
    assert crowd.enter("b")


async def test_sockets_have_an_end(database_url: str) -> None:
    """Beyond the total a socket is closed before it says anything; one that goes makes room."""
    async with running(database_url, limits=Limits(total=3)) as house, house.charger() as raw:
        await raw.boot()
        idle = [await asyncio.open_connection("127.0.0.1", house.port) for _ in range(2)]
        assert await knock(house.port, "MORE") == b""
        idle[0][1].close()
        async with asyncio.timeout(SECONDS):
            while not await knock(house.port, "MORE"):
                await asyncio.sleep(0.01)
        idle[1][1].close()
        await raw.asked("GetConfiguration")
        await raw.silent()


async def test_a_slow_handshake_is_given_up(database_url: str) -> None:
    """A head that never ends, one byte at a time."""
    async with running(database_url, limits=Limits(handshake_s=3.0)) as house, another(house):
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(b"GET /ocpp/SLOW HTTP/1.1\r\nHost: ")
        async with asyncio.timeout(SECONDS):
            await reader.read()
        writer.close()


async def test_fragments_without_end_are_closed(database_url: str) -> None:
    """1009, though they add up to nothing; so is a message that grows beyond the largest."""
    async with running(database_url, limits=Limits(fragments=1_000)) as house:
        await _fragments_without_end(house)


async def _fragments_without_end(house: House) -> None:
    async with house.charger() as raw, another(house):
        raw.socket.transport.write(frame(1, b"", last=False) + frame(0, b"", last=False) * 1_500)
        assert await raw.gone() == 1009
    async with house.charger() as raw, another(house):
        part = frame(0, b"x" * 4096, last=False)
        raw.socket.transport.write(frame(1, b"[", last=False) + part * (LARGEST_FRAME // 4096 + 1))
        assert await raw.gone() == 1009


async def test_a_message_of_many_fragments_is_one(house: House, raw: Raw) -> None:
    """Pings may stand between them (RFC 6455, 5.4)."""
    text = json.dumps([2, "many", "Heartbeat", {}]).encode()
    parts = [frame(1, text[:1], last=False), *(frame(0, text[at : at + 1], last=False) for at in range(1, len(text)))]
    raw.socket.transport.write(frame(9, b"?").join(parts) + frame(0, b""))
    assert (await raw.receive())[1] == "many"


async def test_a_flood_is_read_slowly_and_whole(database_url: str) -> None:
    """Six times the burst: every message is answered, the next one is read three seconds later; others feel nothing."""
    narrow = Limits(rate=300, burst=200)
    async with running(database_url, limits=narrow) as house, another(house) as well, house.charger() as raw:
        await raw.boot()
        await raw.send([3, (await raw.asked("GetConfiguration"))[0], {"configurationKey": []}])
        began = time.perf_counter()
        raw.socket.transport.write(b"".join(frame(1, b'[2,"%d","Heartbeat",{}]' % n) for n in range(1_200)))
        for number in range(1_200):
            assert (await raw.receive())[1] == str(number)
        slowly = asyncio.create_task(raw.silent())
        await well.silent()
        assert not slowly.done(), "somebody else is read at once"
        await slowly
        assert time.perf_counter() - began > 0.5, "the bucket filled a little while the charger booted, too"


async def test_no_message_lowers_a_security_profile(house: House) -> None:
    """From 1, a key, to 0, none: never sent. Who has a key is let in only with it."""
    await transact(chargers.add, "RAW-1")
    await transact(chargers.set_key, "RAW-1", TEXT_KEY)
    async with house.charger(login=("RAW-1", TEXT_KEY.encode())) as raw:
        await raw.boot()
        await raw.send([3, (await raw.asked("GetConfiguration"))[0], {"configurationKey": []}])
        for key in ("SecurityProfile", "securityprofile"):
            with pytest.raises(CallRefused, match="security profile 1"):
                await house.bus.call("RAW-1", Call("ChangeConfiguration", {"key": key, "value": "0"}), SECONDS)
        await raw.silent()
    assert await refused(house) == 401
