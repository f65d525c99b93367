"""Which language a request, an event and a push are in, and how a driver chooses his."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import reflex as rx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from domain import pins
from domain.db import opened, read
from domain.models import User
from domain.settings import settings
from evapp.state.dashboard import Dashboard
from evapp.texts import language, t
from evapp.texts.languages import ENGLISH, HINDI, at, bare, moved, of_path
from evapp.web import auth
from evapp.web import language as languages

HTML = {"accept": "text/html"}
ASHA = {"username": "asha", "phone": "98450 12345", "pin": "482913", "pin_again": "482913", "email": ""}


async def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.url.path} {language().code}")


@pytest.fixture
async def browser(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser before the doors and the pages behind them."""
    monkeypatch.setattr(pins, "COST", 4)

    async def nobody(*events: object) -> None:
        """Hears what happens."""

    app = Starlette(routes=languages.in_each(auth.routes))
    app.mount("", languages.ToTheReader(Starlette(routes=[Route("/{path:path}", _page)])))
    transport = httpx.ASGITransport(languages.OfRequests(app))
    headers = {"origin": settings().url, **HTML}
    async with (
        opened(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}", nobody),
        httpx.AsyncClient(transport=transport, base_url=settings().url, headers=headers) as client,
    ):
        yield client


def _asha(db: Any) -> User:
    user: User = db.get_one(User, 1)
    return user


@pytest.mark.parametrize(
    ("path", "in_hindi"),
    [
        ("/wallet", "/hi/wallet"),
        ("/c/BLR-017?x=1", "/hi/c/BLR-017?x=1"),
        ("", ""),
        ("#main", "#main"),
        ("https://wa.me/91", "https://wa.me/91"),
    ],
)
def test_a_path_of_ours_has_an_address_in_each_language(path: str, in_hindi: str) -> None:
    assert at(path, HINDI) == in_hindi
    assert at(path, ENGLISH) == path


@pytest.mark.parametrize(
    ("path", "spoken", "without"),
    [
        ("/wallet", ENGLISH, "/wallet"),
        ("/hi/wallet", HINDI, "/wallet"),
        ("/hi", HINDI, "/"),
        ("/history", ENGLISH, "/history"),
        ("/hindi", ENGLISH, "/hindi"),
    ],
)
def test_an_address_says_its_language(path: str, spoken: object, without: str) -> None:
    assert of_path(path) is spoken
    assert bare(path) == without
    assert moved(path, HINDI) in ("/hi" + without, "/hi/")


async def test_pages_stay_at_the_addresses_they_had(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/wallet")).text == "/wallet en"
    assert (await browser.get("/hi/wallet")).text == "/hi/wallet hi"


async def test_a_link_chooses_a_language_for_this_browser(browser: httpx.AsyncClient) -> None:
    chosen = await browser.get("/auth/language", params={"to": "hi", "next": "/login?next=%2Fc%2FBLR-017"})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/hi/login?next=%2Fc%2FBLR-017")
    assert "HttpOnly" in chosen.headers["set-cookie"]
    led = await browser.get("/c/BLR-017?x=1")
    assert (led.status_code, led.headers["location"]) == (303, "/hi/c/BLR-017?x=1")
    back = await browser.get("/auth/language", params={"to": "en", "next": "/hi/login"})
    assert back.headers["location"] == "/login"
    assert (await browser.get("/login")).text == "/login en"


async def test_a_link_followed_before_its_page_came_alive_keeps_the_errand(browser: httpx.AsyncClient) -> None:
    page = {"referer": "https://ev.example/login?next=%2Fc%2FBLR-017"}
    chosen = await browser.get("/auth/language", params={"to": "hi", "next": "/login"}, headers=page)
    assert chosen.headers["location"] == "/hi/login?next=%2Fc%2FBLR-017"
    alive = await browser.get("/auth/language", params={"to": "hi", "next": "/login?next=%2Fwallet"}, headers=page)
    assert alive.headers["location"] == "/hi/login?next=%2Fwallet"


@pytest.mark.parametrize("path", ["/assets/a.js", "/_event", "/sw.js"])
async def test_only_pages_are_led_elsewhere(browser: httpx.AsyncClient, path: str) -> None:
    await browser.get("/auth/language", params={"to": "hi"})
    assert (await browser.get(path)).text.startswith(path)
    assert (await browser.get("/wallet", headers={"accept": "*/*"})).text == "/wallet hi"


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/hi/auth/logout", "/\\evil.example"])
async def test_a_choice_leads_nowhere_else(browser: httpx.AsyncClient, elsewhere: str) -> None:
    chosen = await browser.get("/auth/language", params={"to": "hi", "next": elsewhere})
    assert chosen.headers["location"] == "/hi/dashboard"


async def test_a_language_nobody_speaks_changes_nothing(browser: httpx.AsyncClient) -> None:
    chosen = await browser.get("/auth/language", params={"to": "xx", "next": "/help"})
    assert chosen.headers["location"] == "/help"


async def test_who_registers_in_hindi_is_spoken_to_in_hindi_everywhere(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/hi/auth/register", data=ASHA | {"next": "/c/BLR-017"})
    assert answer.headers["location"] == "/hi/c/BLR-017"
    assert (await read(_asha)).language == "hi"
    await browser.post("/hi/auth/logout")
    browser.cookies.clear()
    answer = await browser.post("/auth/login", data={"login": "asha", "pin": "482913"})
    assert answer.headers["location"] == "/hi/dashboard"
    assert (await browser.get("/wallet")).headers["location"] == "/hi/wallet"


async def test_a_refused_form_goes_back_to_its_own_page(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/hi/auth/login", data={"login": "asha", "pin": "", "next": "/hi/wallet"})
    assert answer.headers["location"] == "/hi/login?next=%2Fhi%2Fwallet"


async def test_a_signed_out_page_comes_back_by_the_login_of_its_language(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/hi/auth/gate?next=%2Fhi%2Fwallet")
    assert answer.headers["location"] == "/hi/login?next=%2Fhi%2Fwallet"


async def test_the_form_of_you_keeps_the_choice_with_the_driver(browser: httpx.AsyncClient) -> None:
    await browser.post("/auth/register", data=ASHA)
    chosen = await browser.post("/auth/language", data={"to": "hi", "next": "/profile"})
    assert chosen.headers["location"] == "/hi/profile"
    assert (await read(_asha)).language == "hi"


async def test_another_site_cannot_choose_for_the_driver(browser: httpx.AsyncClient) -> None:
    await browser.post("/auth/register", data=ASHA)
    foreign = {"origin": "https://evil.example"}
    refused = await browser.post("/auth/language", data={"to": "hi", "next": "/profile"}, headers=foreign)
    assert refused.status_code == 403
    assert (await read(_asha)).language == "en"


def opened_at(root: rx.State, path: str) -> None:
    root.router = root.router.__class__.from_router_data({"pathname": path, "asPath": path})


async def test_an_event_is_in_the_language_of_its_page() -> None:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    for path, code in (("/hi/c/BLR-017", "hi"), ("/c/BLR-017", "en")):
        opened_at(root, path)
        await languages.OfEvents().preprocess(None, root, None)  # type: ignore[arg-type]
        assert language().code == code


async def test_a_tab_that_changes_its_language_forgets_the_old_words() -> None:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    home = await root.get_state(Dashboard)
    for path, left in (("/dashboard", "Good day"), ("/wallet", "Good day"), ("/hi/dashboard", "")):
        opened_at(root, path)
        await languages.OfEvents().preprocess(None, root, None)  # type: ignore[arg-type]
        if path == "/dashboard":
            home.greeting = "Good day"
        assert home.greeting == left


async def test_nothing_of_it_is_left_for_the_next_reader(browser: httpx.AsyncClient) -> None:
    await browser.get("/hi/wallet")
    assert language() is ENGLISH
    assert t("Wallet") == "Wallet"
