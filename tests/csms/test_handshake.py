"""Who gets in, and how the door says no."""

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage, InvalidStatus

from csms.server import listening
from domain import chargers, quirks
from domain.bus import LocalBus
from domain.db import database, transact
from domain.events import NewsLost
from domain.models import Charger, now
from domain.settings import Settings, SettingsError, settings
from tests.csms.charger import SECONDS, Raw, connected
from tests.csms.conftest import House, running

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""One kind of database is enough here: no query differs."""


async def refused(house: House, path: str = "/ocpp/RAW-1", **options: object) -> int:
    """Knock; gives the HTTP status of the refusal."""
    with pytest.raises(InvalidStatus) as refusal:
        async with connected(house.port, path, **options):  # type: ignore[arg-type]
            pass
    return refusal.value.response.status_code


async def test_no_subprotocol_offered_is_1_6(house: House) -> None:
    """Q1."""
    async with house.charger(offers=None) as raw:
        assert raw.socket.subprotocol is None
        assert (await raw.boot())["status"] == "Accepted"


@pytest.mark.parametrize("offer", ["", " ", ","])
async def test_an_empty_offer_is_as_none(house: House, offer: str) -> None:
    """Q1: the library would answer 400, and nobody would know why the charger stays out."""
    named = {"additional_headers": {"Sec-WebSocket-Protocol": offer}, "proxy": None}
    async with connect(f"ws://127.0.0.1:{house.port}/RAW-1", **named) as socket:
        assert socket.subprotocol is None
        assert (await Raw(socket).boot())["status"] == "Accepted"
    await transact(quirks.require_subprotocol, "RAW-1", True)
    with pytest.raises(InvalidStatus):
        await connect(f"ws://127.0.0.1:{house.port}/RAW-1", **named)


async def test_an_empty_offer_beside_another_is_left_out(house: House) -> None:
    """Q1, Q2."""
    headers = {"additional_headers": {"Sec-WebSocket-Protocol": ""}, "subprotocols": ["OCPP1.6"]}
    async with connect(f"ws://127.0.0.1:{house.port}/RAW-1", proxy=None, **headers) as socket:
        assert socket.subprotocol == "OCPP1.6"
        await Raw(socket).boot()


async def test_a_charger_can_be_asked_to_name_its_version(house: House) -> None:
    """Q1: the switch of one charger; what it names is taken as before, and others need not."""
    async with house.charger(offers=None) as raw:
        await raw.boot()
        await transact(quirks.require_subprotocol, "RAW-1", True)
    with pytest.raises(InvalidStatus) as refused:
        async with house.charger(offers=None):
            pass
    assert refused.value.response.status_code == 400
    assert b"Sec-WebSocket-Protocol" in (refused.value.response.body or b"")
    async with house.charger() as raw:
        await raw.boot()
    async with house.charger("/RAW-2", offers=None) as raw:
        await raw.boot()


OFFERS = {
    ("ocpp1.6",): "ocpp1.6",
    ("OCPP1.6",): "OCPP1.6",
    ("ocpp2.0.1", "ocpp1.6"): "ocpp1.6",
    ("ocpp1.5", "Ocpp1.6", "ocpp2.0"): "Ocpp1.6",
}


async def test_the_subprotocol_is_found_in_any_case_and_list(house: House) -> None:
    """Q2: case-insensitive, and the client's spelling comes back."""
    for offers, chosen in OFFERS.items():
        async with house.charger(offers=offers) as raw:
            assert raw.socket.subprotocol == chosen
            await raw.boot()


async def test_a_version_not_spoken_here_is_closed_and_leaves_the_charger_alone(house: House) -> None:
    """Q2: a probe for 2.0.1 disturbs no 1.6 connection of the same charger (OCPP-J 1.6, 3.1.2)."""
    async with house.charger() as raw:
        await raw.boot()
        async with connect(
            f"ws://127.0.0.1:{house.port}/RAW-1",
            additional_headers={"Sec-WebSocket-Protocol": "ocpp2.0.1"},
            proxy=None,
        ) as probe:
            async with asyncio.timeout(SECONDS):
                await probe.wait_closed()
            assert probe.close_code == 1002
        assert (await raw.asked("GetConfiguration"))[0]
        await raw.silent()


IDENTITIES = {
    "/RAW-1": "RAW-1",
    "/ocpp/RAW-2/": "RAW-2",
    "//any//prefix//RAW-3//": "RAW-3",
    "/steve/websocket/CentralSystemService/RAW-4": "RAW-4",
    "/ocpp/IN*BLR%2A017%3A2": "IN*BLR*017:2",
    "/ocpp/RAW-5?token=x/y": "RAW-5",
    "/ocpp/" + "A" * 48: "A" * 48,
}


async def test_the_identity_is_the_last_segment(house: House) -> None:
    """Q4: any prefix, empty segments, percent-decoded once."""
    for path in IDENTITIES:
        async with house.charger(path) as raw:
            await raw.boot()
    assert {row.id for row in await house.rows(Charger)} == set(IDENTITIES.values())


NO_IDENTITIES = (
    *("/", "//", "/ocpp/" + "A" * 49, "/ocpp/" + "A" * 5000, "/ocpp/..", "/ocpp/..%2F..%2Fetc", "/ocpp/A%00B"),
    *("/ocpp/A%0AB", "/ocpp/%2541", "/ocpp/A%20B", "/ocpp/%FF%FE", "/ocpp/%E0%A4%95", "/ocpp/A'%3B--", "/ocpp/A%0A"),
)


async def test_what_is_no_identity_is_refused(house: House) -> None:
    """Q4: at most 48 characters, none of them control characters; nothing is stored."""
    for path in NO_IDENTITIES:
        assert await refused(house, path) == 404, path
    assert await house.rows(Charger) == []


async def test_unknown_chargers_are_refused_where_settings_say_so(database_url: str) -> None:
    async with running(database_url, chosen=Settings(ocpp_accept_unknown=False)) as house:
        assert await refused(house) == 404
        assert await house.rows(Charger) == []
        await transact(chargers.add, "RAW-1")
        async with house.charger() as raw:
            await raw.boot()


async def test_a_browser_stores_no_charger(house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(b"GET /ocpp/BROWSER HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(SECONDS):
        assert b"426" in await reader.readline()
    writer.close()
    assert await house.rows(Charger) == []


TEXT_KEY = "0011223344556677889900AABBCCDDEEFF001122"


async def test_a_key_may_come_as_hex_or_as_raw_bytes(house: House) -> None:
    """Q8: bytes that are no UTF-8 are a key like any other."""
    await transact(chargers.add, "RAW-1")
    await transact(chargers.set_key, "RAW-1", TEXT_KEY)
    for given in (TEXT_KEY.encode(), bytes.fromhex(TEXT_KEY)):
        async with house.charger(login=("RAW-1", given)) as raw:
            await raw.boot()


@pytest.mark.row("C35")
async def test_a_wrong_key_is_refused_before_the_upgrade(house: House) -> None:
    """Q8: 401, also when the user is not the identity; whoever is connected stays so."""
    await transact(chargers.add, "RAW-1")
    await transact(chargers.set_key, "RAW-1", TEXT_KEY)
    good = TEXT_KEY.encode()
    async with house.charger(login=("RAW-1", good)) as raw:
        await raw.boot()
        assert await refused(house, login=None) == 401
        for login in (("RAW-1", b"wrong"), ("RAW-1", b""), ("RAW-2", good), ("", good), ("raw-1", good)):
            assert await refused(house, login=login) == 401, login
        await raw.asked("GetConfiguration")
        await raw.silent()


async def test_credentials_that_cannot_be_read_are_refused(house: House) -> None:
    for header in ("Basic !!!", "Bearer abc", "Basic", "Basic UkFXLTE="):
        with pytest.raises(InvalidStatus) as refusal:
            await connect(
                f"ws://127.0.0.1:{house.port}/RAW-1", additional_headers={"Authorization": header}, proxy=None
            )
        assert refusal.value.response.status_code == 401, header
        assert refusal.value.response.headers["WWW-Authenticate"].startswith("Basic")


async def test_a_retired_charger_leaves_and_stays_out(house: House) -> None:
    async with house.charger() as raw:
        await raw.boot()
        await raw.asked("GetConfiguration")
        await transact(chargers.retire, "RAW-1")
        assert await raw.gone() == 1000
    assert await refused(house) == 403


async def test_a_new_key_makes_the_charger_sign_in_again(house: House) -> None:
    async with house.charger() as raw:
        await raw.boot()
        await raw.asked("GetConfiguration")
        await transact(chargers.set_key, "RAW-1", TEXT_KEY)
        assert await raw.gone() == 1000
    assert await refused(house) == 401


@pytest.mark.parametrize("change", [{"key_hash": "of another"}, {"retired_at": now()}])
async def test_what_was_told_while_nobody_heard_it_is_found_afterwards(house: House, change: dict[str, Any]) -> None:
    """As when Redis was away: a key that somebody else knows opens nothing any longer."""

    def quietly(db: Session) -> None:
        for name, value in change.items():
            setattr(chargers.info(db, "RAW-1"), name, value)

    async with house.charger() as raw:
        await raw.boot()
        await raw.asked("GetConfiguration")
        await transact(quietly)
        await house.bus.publish(NewsLost())
        assert await raw.gone() == 1000
    assert await refused(house) in (401, 403)


async def test_no_compression_is_agreed(house: House) -> None:
    """Q7: OCPP-J 1.6, 5.1."""
    async with house.charger(compression="deflate") as raw:
        assert raw.socket.response is not None
        assert "Sec-WebSocket-Extensions" not in raw.socket.response.headers
        await raw.boot()


async def test_a_port_that_is_taken_raises(house: House) -> None:
    """And the chargers of whoever has it stay online."""
    async with house.charger() as raw:
        await raw.boot()
        with pytest.raises(SettingsError, match=f"Cannot listen on 127.0.0.1:{house.port}: "):
            async with listening(host="127.0.0.1", port=house.port, bus=LocalBus(), settings=settings()):
                pass
        assert (await house.stored()).online


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost that signed itself; its key lies beside it."""
    return self_signed(tmp_path, "localhost", "DNS:localhost,IP:127.0.0.1")


ECDSA = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def self_signed(folder: Path, name: str, alternative: str, key: tuple[str, ...] = ECDSA) -> Path:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is needed to make a certificate")
    made = ["req", "-x509", "-newkey", *key, "-nodes", "-days", "2"]
    named = ["-subj", f"/O=evapp/CN={name}", "-addext", f"subjectAltName={alternative}"]
    files = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")]
    subprocess.run([openssl, *made, *named, *files], check=True, capture_output=True)
    return folder / f"{name}.pem"


async def test_tls_and_client_certificates(database_url: str, certificate: Path) -> None:
    """Security profiles 2 and 3: encrypted, and closed to whoever shows no certificate where one is demanded."""
    key = certificate.with_suffix(".key")
    chosen = Settings(ocpp_tls_cert=str(certificate), ocpp_tls_key=str(key))
    client = ssl.create_default_context(cafile=str(certificate))
    async with (
        running(database_url, chosen=chosen) as house,
        connect(f"wss://127.0.0.1:{house.port}/RAW-1", ssl=client, proxy=None) as socket,
    ):
        await Raw(socket).boot()
    own = self_signed(certificate.parent, "RAW-1", "DNS:anything.example.org")
    chosen = Settings(ocpp_tls_cert=str(certificate), ocpp_tls_key=str(key), ocpp_tls_client_ca=str(own))
    async with running(database_url, chosen=chosen) as house:
        with pytest.raises((OSError, InvalidMessage)):
            await connect(f"wss://127.0.0.1:{house.port}/RAW-1", ssl=client, proxy=None)
        client.load_cert_chain(own, own.with_suffix(".key"))
        async with connect(f"wss://127.0.0.1:{house.port}/RAW-1", ssl=client, proxy=None) as socket:
            await Raw(socket).boot()


PAIRS = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": "localhost",
    "ECDHE-ECDSA-AES256-GCM-SHA384": "localhost",
    "AES128-GCM-SHA256": "rsa.localhost",
    "AES256-GCM-SHA384": "rsa.localhost",
    "AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256": "rsa.localhost",
}
"""The four that a central system must speak (white paper, A00.FR.317), and one who prefers the wrong one; with whose
certificate. A charger need have only the first two or only the next two (A00.FR.318)."""


async def test_a_charger_with_either_pair_of_ciphers_gets_in(database_url: str, certificate: Path) -> None:
    """With an ECDSA and an RSA certificate; without forward secrecy only who can do no better."""
    rsa = self_signed(certificate.parent, "rsa.localhost", "IP:127.0.0.1", ("rsa:2048",))
    both = (certificate, rsa)
    keys = ", ".join(str(path.with_suffix(".key")) for path in both)
    chosen = Settings(ocpp_tls_cert=", ".join(map(str, both)), ocpp_tls_key=keys)
    async with running(database_url, chosen=chosen) as house:
        for offered, named in PAIRS.items():
            client = ssl.create_default_context(cadata="".join(path.read_text() for path in both))
            client.maximum_version = ssl.TLSVersion.TLSv1_2
            client.set_ciphers(offered)
            async with connect(f"wss://127.0.0.1:{house.port}/RAW-1", ssl=client, proxy=None) as socket:
                tls = socket.transport.get_extra_info("ssl_object")
                assert tls.cipher()[0] == offered.rpartition(":")[2]
                assert tls.getpeercert()["subject"][1] == (("commonName", named),)


async def test_one_rsa_certificate_serves_chargers_without_ecdhe(database_url: str, certificate: Path) -> None:
    """White paper, A00.FR.317: the two of TLS_RSA need no second certificate."""
    rsa = self_signed(certificate.parent, "rsa.localhost", "IP:127.0.0.1", ("rsa:2048",))
    chosen = Settings(ocpp_tls_cert=str(rsa), ocpp_tls_key=str(rsa.with_suffix(".key")))
    async with running(database_url, chosen=chosen) as house:
        client = ssl.create_default_context(cafile=str(rsa))
        client.maximum_version = ssl.TLSVersion.TLSv1_2
        client.set_ciphers("AES128-GCM-SHA256")
        async with connect(f"wss://127.0.0.1:{house.port}/RAW-1", ssl=client, proxy=None) as socket:
            await Raw(socket).boot()


async def test_a_certificate_lets_in_its_own_charger_alone(database_url: str, certificate: Path) -> None:
    """Security profile 3: its common name, or one of its DNS names, is the identity or the serial number that the
    charger told when it booted (white paper, A00.FR.511)."""
    folder, serial = certificate.parent, "SN-4711"
    certificates = {
        "RAW-1": self_signed(folder, "RAW-1", "DNS:one.example.org"),
        "RAW-2": self_signed(folder, "somebody", "DNS:else.example.org,DNS:RAW-2"),
        "RAW-3": self_signed(folder, serial, "DNS:three.example.org"),
    }
    trusted = folder / "trusted.pem"
    trusted.write_text("".join(path.read_text() for path in certificates.values()))
    key = certificate.with_suffix(".key")
    chosen = Settings(ocpp_tls_cert=str(certificate), ocpp_tls_key=str(key), ocpp_tls_client_ca=str(trusted))
    came = {}
    async with running(database_url, chosen=chosen) as house:
        await transact(chargers.add, "RAW-3")
        await transact(lambda db: setattr(chargers.info(db, "RAW-3"), "serial", serial))
        with capture_logs() as lines:
            for whose, path in certificates.items():
                client = ssl.create_default_context(cafile=str(certificate))
                client.load_cert_chain(path, path.with_suffix(".key"))
                for name in certificates:
                    came[whose, name] = await knocks(f"wss://127.0.0.1:{house.port}/{name}", client)
        assert came == {(whose, name): 101 if whose == name else 401 for whose in certificates for name in certificates}
        refused = [line for line in lines if line["event"] == "charger refused"]
        assert {line["reason"] for line in refused} == {"The certificate is for another charger."}
        assert len(refused) == 6


async def knocks(address: str, client: ssl.SSLContext) -> int:
    """The HTTP status of a handshake."""
    try:
        async with connect(address, ssl=client, proxy=None) as socket:
            await Raw(socket).boot()
            return 101
    except InvalidStatus as error:
        return error.response.status_code


async def test_the_port_says_whether_chargers_may_be_sent_here(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A balancer asks over plain HTTP; a database that is gone is not found out by chargers first."""
    monkeypatch.setattr("domain.db.ANSWERS_S", SECONDS)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{house.port}") as http:
        assert (await http.get("/health/ready")).status_code == 200
        assert (await http.get("/ocpp/RAW-1")).status_code == 426
        monkeypatch.setattr(database().engine, "connect", _gone)
        assert (await http.get("/health/ready")).status_code == 503
        assert (await http.get("/health/live")).status_code == 200, "a new process would not find the database either"


def _gone(*_: object) -> None:
    raise OperationalError("connect", None, Exception("the database is gone"))
