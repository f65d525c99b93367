"""The forms by which people come in and go: what they answer, which cookies they set, and who a socket belongs to."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from domain import attempts, pins, sign_ins
from domain.db import Database, opened, read, transact
from domain.events import Event, SignedOut
from domain.models import SignIn
from domain.settings import settings
from evapp.web import auth, flash, language

ASHA = {"username": "asha", "phone": "98450 12345", "pin": "482913", "pin_again": "482913", "email": "", "keep": "yes"}
LOGIN = {"login": "asha", "pin": "482913"}
NEW_PIN = {"pin": "482913", "new_pin": "705318", "new_pin_again": "705318"}

Browse = Callable[..., httpx.AsyncClient]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "COST", 4)


@pytest.fixture
def heard() -> list[Event]:
    return []


@pytest.fixture
async def house(sqlite_template: Path, tmp_path: Path, heard: list[Event]) -> AsyncIterator[Database]:
    async def publish(*events: Event) -> None:
        heard.extend(events)

    async with opened(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}", publish) as database:
        yield database


@pytest.fixture
async def browse(house: Database) -> AsyncIterator[Browse]:
    """Browsers, each with its own cookies."""
    app, open_ones = Starlette(routes=auth.routes), []

    def browser(address: str = "203.0.113.7", **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, client=(address, 50_000))
        client = httpx.AsyncClient(
            transport=transport, base_url=settings().url, headers={"origin": settings().url, **headers}
        )
        open_ones.append(client)
        return client

    yield browser
    for client in open_ones:
        await client.aclose()


@pytest.fixture
async def asha(browse: Browse) -> httpx.AsyncClient:
    """A browser in which Asha has just registered."""
    client = browse(**{"user-agent": "Mozilla/5.0 (Linux; Android 15) Chrome/141"})
    answer = await client.post("/auth/register", data=ASHA)
    assert answer.headers["location"] == "/dashboard"
    return client


def left(client: httpx.AsyncClient, form: str) -> dict[str, Any]:
    """What the page of this form would read at its handshake."""
    return flash.read(client.cookies.get(flash.name()), form)


async def who(client: httpx.AsyncClient) -> str:
    """Whom the browser's cookie belongs to; empty for nobody."""
    token = client.cookies.get(auth.COOKIE)
    found = await read(sign_ins.who, sign_ins.hash_token(token)) if token else None
    return found[0].username if found else ""


async def test_registering_signs_in_with_a_cookie_no_script_can_read(browse: Browse) -> None:
    answer = await browse().post("/auth/register", data=ASHA)
    assert answer.status_code == 303
    cookies = {line.split("=")[0]: line for line in answer.headers.get_list("set-cookie")}
    assert set(cookies) == {auth.COOKIE, auth.DEVICE, flash.COOKIE, language.COOKIE}
    for line in cookies.values():
        assert "HttpOnly" in line
        assert "SameSite=lax" in line
        assert "Path=/" in line
        assert "Domain" not in line
    assert "Max-Age=2592000" in cookies[auth.COOKIE]


async def test_who_is_not_kept_signed_in_has_a_cookie_that_ends_with_the_browser(browse: Browse) -> None:
    client = browse()
    answer = await client.post("/auth/register", data={name: typed for name, typed in ASHA.items() if name != "keep"})
    [cookie] = [line for line in answer.headers.get_list("set-cookie") if line.startswith(auth.COOKIE)]
    assert "Max-Age" not in cookie
    assert "expires" not in cookie.lower()
    changed = await client.post("/auth/pin", data=NEW_PIN)
    [cookie] = [line for line in changed.headers.get_list("set-cookie") if line.startswith(auth.COOKIE)]
    assert "Max-Age" not in cookie, "a new PIN keeps nobody signed in who did not ask for it"


async def test_over_https_cookies_are_bound_to_the_host(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVAPP_PUBLIC_URL", "https://ev.example")
    settings.cache_clear()
    try:
        answer = await browse().post("/auth/register", data=ASHA)
        for line in answer.headers.get_list("set-cookie"):
            assert line.startswith("__Host-")
            assert "Secure" in line
    finally:
        settings.cache_clear()


@pytest.mark.parametrize("login", ["asha", "ASHA", "9845012345", "+91 98450 12345"])
async def test_signing_in_by_name_or_number_leads_where_one_was_going(
    asha: httpx.AsyncClient, browse: Browse, login: str
) -> None:
    client = browse()
    answer = await client.post("/auth/login", data=LOGIN | {"login": login, "next": "/c/BLR-017?x=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/c/BLR-017?x=1")
    assert await who(client) == "asha"


async def test_a_form_sent_before_its_page_came_alive_leads_there_too(asha: httpx.AsyncClient, browse: Browse) -> None:
    client = browse(referer=f"{settings().url}/login?next=%2Fc%2FBLR-017#main")
    wrong = await client.post("/auth/login", data=LOGIN | {"pin": "918273", "next": ""})
    assert wrong.headers["location"] == "/login?next=%2Fc%2FBLR-017"
    right = await client.post("/auth/login", data=LOGIN | {"next": ""})
    assert right.headers["location"] == "/c/BLR-017"


async def test_the_page_knows_better_than_its_form_where_one_was_going(asha: httpx.AsyncClient, browse: Browse) -> None:
    """Until the server's word comes, the form holds what the tab's page before was for."""
    client = browse(referer=f"{settings().url}/login?next=%2Fops")
    answer = await client.post("/auth/login", data=LOGIN | {"next": "/c/BLR-017"})
    assert answer.headers["location"] == "/ops"


@pytest.mark.parametrize("page", ["/login", "/register"])
async def test_one_form_leads_to_the_other_on_the_same_errand(browse: Browse, page: str) -> None:
    door = f"/auth/to{page}"
    assert (await browse().get(door)).headers["location"] == page
    assert (await browse().get(f"{door}?next=/c/BLR-017")).headers["location"] == f"{page}?next=%2Fc%2FBLR-017"
    asleep = browse(referer=f"{settings().url}/login?next=%2Fc%2FBLR-017")
    assert (await asleep.get(door)).headers["location"] == f"{page}?next=%2Fc%2FBLR-017"
    astray = browse(referer=f"{settings().url}/login?next=https%3A%2F%2Fevil.example")
    assert (await astray.get(door)).headers["location"] == f"{page}?next=%2Fdashboard"


async def test_a_wrong_pin_keeps_the_name_and_the_way_but_not_the_pin(asha: httpx.AsyncClient, browse: Browse) -> None:
    client = browse()
    answer = await client.post("/auth/login", data=LOGIN | {"pin": "918273", "next": "/c/BLR-017"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fc%2FBLR-017")
    flash = left(client, "login")
    assert flash["fields"] == {"login": "asha"}
    assert flash["errors"] == {"": "That username or phone and PIN do not match."}
    assert "918273" not in repr(flash)
    assert left(client, "register") == {}
    assert await who(client) == ""


async def test_an_empty_field_is_no_guess(asha: httpx.AsyncClient, browse: Browse) -> None:
    client = browse()
    for _ in range(10):
        await client.post("/auth/login", data={"login": "asha"})
    assert left(client, "login")["errors"] == {"pin": "Enter your PIN."}
    assert (await client.post("/auth/login", data=LOGIN)).headers["location"] == "/dashboard"


async def test_after_five_wrong_pins_the_right_one_waits(asha: httpx.AsyncClient, browse: Browse) -> None:
    client = browse()
    for _ in range(5):
        await client.post("/auth/login", data=LOGIN | {"pin": "918273"})
    await client.post("/auth/login", data=LOGIN)
    assert left(client, "login")["errors"][""].startswith("Too many tries. Try again ")
    assert await who(client) == ""
    assert (await asha.post("/auth/login", data=LOGIN)).headers["location"] == "/dashboard", "her own phone is known"


async def test_every_field_of_a_registration_has_its_sentence(browse: Browse) -> None:
    client = browse()
    answer = await client.post("/auth/register", data=ASHA | {"phone": "12", "pin": "123456", "next": "/wallet"})
    assert answer.headers["location"] == "/register?next=%2Fwallet"
    flash = left(client, "register")
    assert set(flash["errors"]) == {"phone", "pin"}
    assert flash["fields"] == {"username": "asha", "phone": "12", "email": "", "keep": "yes"}


async def test_a_taken_name_is_said(asha: httpx.AsyncClient, browse: Browse) -> None:
    client = browse()
    await client.post("/auth/register", data=ASHA | {"phone": "9845099999"})
    assert left(client, "register")["errors"] == {"username": "This username is taken. Choose another."}


async def test_signing_in_again_gives_a_new_token(asha: httpx.AsyncClient, heard: list[Event]) -> None:
    old = asha.cookies[auth.COOKIE]
    await asha.post("/auth/login", data=LOGIN)
    assert asha.cookies[auth.COOKIE] != old
    assert await read(sign_ins.who, sign_ins.hash_token(old)) is None
    assert SignedOut((sign_ins.hash_token(old),)) in heard


async def test_a_planted_token_is_never_taken_over(asha: httpx.AsyncClient, browse: Browse) -> None:
    client = browse()
    answer = await client.post("/auth/login", data=LOGIN, headers={"cookie": f"{auth.COOKIE}=planted"})
    assert "planted" not in repr(answer.headers)
    assert await who(client) == "asha"
    assert await read(sign_ins.who, sign_ins.hash_token("planted")) is None


async def test_logging_out_ends_the_sign_in_for_good(asha: httpx.AsyncClient, heard: list[Event]) -> None:
    token = asha.cookies[auth.COOKIE]
    answer = await asha.post("/auth/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert auth.COOKIE not in asha.cookies
    assert left(asha, "login")["note"] == "You are signed out."
    assert heard[-1] == SignedOut((sign_ins.hash_token(token),))
    again = await asha.get("/auth/gate?next=/wallet", headers={"cookie": f"{auth.COOKIE}={token}"})
    assert again.headers["location"] == "/login?next=%2Fwallet"


async def test_a_new_pin_rotates_this_browser_and_ends_the_others(
    asha: httpx.AsyncClient, browse: Browse, heard: list[Event]
) -> None:
    desk = browse()
    await desk.post("/auth/login", data=LOGIN)
    old = asha.cookies[auth.COOKIE]
    answer = await asha.post("/auth/pin", data=NEW_PIN)
    assert answer.headers["location"] == "/profile"
    assert left(asha, "pin")["note"] == "Your PIN is changed. Your other devices are signed out."
    assert asha.cookies[auth.COOKIE] != old
    assert (await who(asha), await who(desk)) == ("asha", "")
    assert await read(sign_ins.who, sign_ins.hash_token(old)) is None
    await desk.post("/auth/login", data=LOGIN)
    assert await who(desk) == ""
    await desk.post("/auth/login", data=LOGIN | {"pin": "705318"})
    assert await who(desk) == "asha"


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"pin": ""}, {"pin": "Enter your PIN."}),
        ({"pin": "918273"}, {"pin": "This is not your PIN."}),
        ({"new_pin": "123456"}, {"new_pin"}),
        ({"new_pin": "012345", "new_pin_again": "012345"}, {"new_pin"}),
        ({"new_pin_again": "705319"}, {"new_pin_again": "The two PINs are not the same."}),
    ],
)
async def test_a_new_pin_needs_the_old_one_and_must_be_good(
    asha: httpx.AsyncClient, change: dict[str, str], errors: Any
) -> None:
    answer = await asha.post("/auth/pin", data=NEW_PIN | change)
    assert answer.headers["location"] == "/profile"
    found = left(asha, "pin")["errors"]
    assert found == errors if isinstance(errors, dict) else set(found) == errors
    assert (await asha.post("/auth/login", data=LOGIN)).headers["location"] == "/dashboard"


async def test_the_pin_one_has_is_no_new_one_and_signs_nobody_out(
    asha: httpx.AsyncClient, browse: Browse, heard: list[Event]
) -> None:
    desk = browse()
    await desk.post("/auth/login", data=LOGIN)
    cookie = asha.cookies[auth.COOKIE]
    heard.clear()
    for _ in range(6):  # more often than a wrong PIN may be tried
        await asha.post("/auth/pin", data=NEW_PIN | {"new_pin": "482913", "new_pin_again": "482913"})
        assert left(asha, "pin")["errors"] == {"new_pin": "This is your PIN already. Choose another one."}
    assert (await who(asha), await who(desk), asha.cookies[auth.COOKIE]) == ("asha", "asha", cookie)
    assert heard == []
    assert (await browse().post("/auth/login", data=LOGIN)).headers["location"] == "/dashboard"


async def test_a_wrong_pin_that_is_also_the_new_one_is_wrong(asha: httpx.AsyncClient) -> None:
    """Only whoever gave the right PIN reads that it is his."""
    await asha.post("/auth/pin", data=NEW_PIN | {"pin": "705318"})
    assert left(asha, "pin")["errors"] == {"pin": "This is not your PIN."}


async def test_a_stolen_browser_has_five_guesses_at_the_pin(asha: httpx.AsyncClient) -> None:
    for _ in range(5):
        await asha.post("/auth/pin", data=NEW_PIN | {"pin": "918273"})
    await asha.post("/auth/pin", data=NEW_PIN)
    assert left(asha, "pin")["errors"][""].startswith("Too many tries.")


PROXY, STRANGER = "127.0.0.1", "203.0.113.7"


@pytest.mark.parametrize(
    ("hops", "peer", "forwarded", "address"),
    [
        (0, PROXY, ["1.1.1.1"], PROXY),
        (1, PROXY, ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        (2, PROXY, ["6.6.6.6, 1.1.1.1, 2.2.2.2"], "1.1.1.1"),
        (2, PROXY, ["1.1.1.1"], PROXY),
        (1, PROXY, [""], PROXY),
        (1, PROXY, ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
        (1, PROXY, ["1.1.1.1:51234"], "1.1.1.1"),
        (1, PROXY, ["[2001:db8::7]:51234"], "2001:db8::7"),
        (1, "10.0.0.2", ["1.1.1.1"], "1.1.1.1"),
        (1, STRANGER, ["1.1.1.1"], STRANGER),
    ],
)
def test_an_address_is_believed_only_from_a_trusted_proxy(
    hops: int, peer: str, forwarded: list[str], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = auth.get_config()
    monkeypatch.setattr(config, "trusted_proxy_hops", hops)
    monkeypatch.setattr(settings(), "ocpp_proxies", "10.0.0.2")
    headers = [(b"x-forwarded-for", one.encode()) for one in forwarded]
    assert auth.address_of(HTTPConnection({"type": "http", "headers": headers, "client": (peer, 1)})) == address


async def test_a_device_cookie_cannot_be_made_at_home(asha: httpx.AsyncClient) -> None:
    mine = asha.cookies[auth.DEVICE]
    known = device(mine)
    assert known and known.user_id == 1
    body, signature = mine.rsplit(".", 1)
    for forged in ("x", "WzEsImFhIl0", body, f"{body}.{signature[::-1]}", f"WzIsImFhIl0.{signature}"):
        assert device(forged) is None
    for short in ((1, "a" * 32), [1], "x", 5, {"user_id": 1, "number": "a", "pin": "b"}, (1, 2, 3)):
        assert device(str(auth._devices().dumps(short))) is None


async def test_a_new_pin_ends_the_cookies_of_all_other_devices(asha: httpx.AsyncClient, browse: Browse) -> None:
    """Whoever knew the PIN once had guesses at the next ones on every cookie that he had collected."""
    other = browse()
    await other.post("/auth/login", data=LOGIN)
    assert await counter(other) != ""
    await asha.post("/auth/pin", data=NEW_PIN)
    assert await counter(asha) != ""
    assert await counter(other) == ""


def device(cookie: str) -> attempts.Device | None:
    header = (b"cookie", f"{auth.DEVICE}={cookie}".encode())
    return auth.device_of(HTTPConnection({"type": "http", "headers": [header]}))


async def counter(client: httpx.AsyncClient) -> str:
    """Where a guess on this browser would be counted; empty: as a stranger's, on the account."""
    known = device(client.cookies[auth.DEVICE])
    tried = await transact(attempts.attempt, "login", login="asha", address="198.51.100.9", device=known)
    return tried.counter


async def test_what_is_kept_of_a_browser_lets_its_owner_recognise_it(asha: httpx.AsyncClient) -> None:
    (row,) = await read(lambda db: db.exec(select(SignIn)).all())
    assert (row.address, row.user_agent) == ("203.0.113.7", "Mozilla/5.0 (Linux; Android 15) Chrome/141")


async def test_who_has_no_tries_left_keeps_no_place_from_others(
    browse: Browse, asha: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One address that was refused anyhow kept everybody out, who read that many people sign in just now."""
    monkeypatch.setattr(pins, "WAITING", 1)
    guesser, owner = browse("198.51.100.9"), browse("203.0.113.8")
    for number in range(attempts.LIMITS["login"][0].tries):
        await guesser.post("/auth/login", data={"login": f"nobody{number}", "pin": "482914"})
    guesses = (guesser.post("/auth/login", data={"login": "nobody", "pin": "482914"}) for _ in range(30))
    *_, came = await asyncio.gather(*guesses, owner.post("/auth/login", data=LOGIN))
    assert came.headers["location"] == "/dashboard"
    assert "Too many" in left(guesser, "login")["errors"][""]
