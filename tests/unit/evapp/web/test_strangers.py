"""Who is led to the form before any page comes."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from evapp.texts import speaking
from evapp.texts.languages import HINDI
from evapp.web import auth, strangers

DOCUMENT = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def browser() -> httpx.AsyncClient:
    async def page(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("the page")

    app = strangers.ToTheForm(Starlette(routes=[Route("/{path:path}", page)]))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:3000", headers=DOCUMENT)


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/c/BLR-017", "/login?next=%2Fc%2FBLR-017"),
        ("/c/a%20b", "/login?next=%2Fc%2Fa%2520b"),
        ("/charge?charger=BLR-017", "/login?next=%2Fcharge%3Fcharger%3DBLR-017"),
        ("/wallet?paid=RCH-1", "/login?next=%2Fwallet%3Fpaid%3DRCH-1"),
        ("/dashboard/", "/login?next=%2Fdashboard%2F"),
    ],
)
async def test_a_private_page_is_the_form_to_who_has_no_cookie(
    browser: httpx.AsyncClient, asked: str, led: str
) -> None:
    answer = await browser.get(asked)
    assert (answer.status_code, answer.headers["location"]) == (303, led)


async def test_the_form_is_in_the_readers_language(browser: httpx.AsyncClient) -> None:
    with speaking(HINDI):
        answer = await browser.get("/hi/c/BLR-017")
    assert answer.headers["location"] == "/hi/login?next=%2Fhi%2Fc%2FBLR-017"


@pytest.mark.parametrize("path", ["/login", "/register?next=/c/BLR-017", "/help", "/ops", "/offline.html", "/", "/hi"])
async def test_other_pages_are_for_everybody(browser: httpx.AsyncClient, path: str) -> None:
    assert (await browser.get(path)).text == "the page"


async def test_who_has_a_cookie_is_judged_by_the_page(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/c/BLR-017", headers={"cookie": f"{auth.COOKIE}=ended"})).text == "the page"


async def test_what_is_no_document_is_left_alone(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/c/BLR-017", headers={"accept": "*/*"})).text == "the page"
    assert (await browser.head("/wallet")).status_code == 200
