"""What a posted form must be, what it leaves behind for its page, and that `next` never leads away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import quote

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from evapp.texts.languages import LANGUAGES, moved
from evapp.web import auth, flash, forms
from tests.unit.evapp.web.test_auth import LOGIN, Browse, asha, browse, heard, house, quick, who

__all__ = ["asha", "browse", "heard", "house", "quick"]

Door = Callable[[Request], Awaitable[Response]]


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/x\r\nSet-Cookie: a=b",
        " /wallet",
        "/auth/logout",
        "/hi//evil.example",
        "/hi///evil.example/login",
        "/hi/auth/logout",
        "",
        "x",
        "/" + "x" * 600,
    ],
)
async def test_next_never_leads_away(asha: httpx.AsyncClient, path: str) -> None:
    for answer in (
        await asha.get(f"/auth/gate?next={quote(path)}"),
        await asha.post("/auth/login", data=LOGIN | {"next": path}),
        await asha.get(f"/auth/language?to=en&next={quote(path)}"),
    ):
        assert answer.headers["location"] == "/dashboard"


@given(
    st.tuples(st.sampled_from(["", "/", "//", "/\\", "https://", "/hi/", "/hi/hi/", "/hi//"]), st.text()).map("".join)
)
@example("//evil.example/")
@example("/hi//evil.example/")
@example("/hi/hi//evil.example/")
def test_whatever_next_is_it_stays_here(path: str) -> None:
    """In each language, too: who changes it, or comes in with another one, is sent to the page without its prefix."""
    for page in (forms.local(path), *(moved(forms.local(path), one) for one in LANGUAGES.values())):
        where = httpx.URL("https://ev.example/auth/gate").join(quote(page, safe="/?&=#%:@!$'()*+,;"))
        assert where.host == "ev.example"


@pytest.mark.parametrize("path", ["/auth/register", "/auth/login", "/auth/pin", "/auth/delete", "/auth/logout"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:3001"},
        {"origin": "", "sec-fetch-site": "cross-site"},
        {"origin": "", "sec-fetch-site": "same-site"},
    ],
)
async def test_another_site_cannot_post(asha: httpx.AsyncClient, path: str, headers: dict[str, str]) -> None:
    answer = await asha.post(path, data=LOGIN, headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.text
    assert "set-cookie" not in answer.headers
    assert await who(asha) == "asha"


async def test_no_state_changes_by_get(asha: httpx.AsyncClient) -> None:
    for path in ("/auth/register", "/auth/login", "/auth/pin", "/auth/delete", "/auth/logout"):
        assert (await asha.get(path)).status_code == 405
    assert await who(asha) == "asha"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"login=" + b"a" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"f%d=1" % n for n in range(30)), "application/x-www-form-urlencoded", 400),
        (b'{"login": "asha"}', "application/json", 415),
        (b"", "multipart/form-data; boundary=x", 415),
        (b"login=\xff\xfe%ff%00&pin=%00", "application/x-www-form-urlencoded", 303),
        (b"login=asha&login=ravi&pin[]=1", "application/x-www-form-urlencoded; charset=utf-8", 303),
    ],
)
async def test_a_body_that_is_no_form_of_ours_gets_a_sentence(
    browse: Browse, content: bytes, kind: str, status: int
) -> None:
    answer = await browse().post("/auth/login", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert "Traceback" not in answer.text


async def test_a_body_without_a_length_is_read_no_further_than_its_limit(browse: Browse) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1024
            yield b"a" * 1024

    kind = {"content-type": "application/x-www-form-urlencoded"}
    answer = await browse().post("/auth/login", content=endless(), headers=kind)
    assert answer.status_code == 413
    assert sent <= 65_536 + 2048


async def test_a_body_that_does_not_come_is_not_waited_for(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its socket and its task stayed for as long as a stranger liked."""
    monkeypatch.setattr(forms, "PATIENCE_S", 0.01)

    async def dripping() -> AsyncIterator[bytes]:
        yield b"login="
        await asyncio.sleep(60)

    kind = {"content-type": "application/x-www-form-urlencoded"}
    async with asyncio.timeout(5):
        answer = await browse().post("/auth/login", content=dripping(), headers=kind)
    assert answer.status_code == 408


@pytest.mark.parametrize("door", [auth.login, auth.choose_language])
async def test_a_body_that_breaks_off_is_no_mistake_of_ours(door: Door) -> None:
    """Each left a trace in the log, and counted as an answer 500, of which somebody is woken."""
    scope = {"type": "http", "method": "POST", "path": "/auth/login", "headers": [], "query_string": b""}

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    assert (await door(Request(scope, receive))).status_code == 400


@given(st.dictionaries(st.sampled_from(flash.KEPT), st.text(max_size=300)))
def test_a_flash_always_fits_into_a_cookie(typed: dict[str, str]) -> None:
    response = Response()
    errors = {name: "A sentence of the usual length." for name in typed}
    flash.leave(response, "register", typed=typed, errors=errors)
    cookie = response.headers["set-cookie"]
    assert len(cookie) < 4096
    assert flash.read(cookie.partition("=")[2].partition(";")[0], "register")["errors"] == errors


async def test_a_flash_is_believed_for_a_minute_and_only_unchanged(
    browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browse()
    await client.post("/auth/login", data={"login": "asha"})
    cookie = client.cookies[flash.name()]
    assert flash.read(cookie, "login")
    assert flash.read(cookie[:-2] + ("AA" if cookie[-2:] != "AA" else "BB"), "login") == {}
    assert flash.read(None, "login") == {}
    monkeypatch.setattr(flash, "SECONDS", -1)
    assert flash.read(cookie, "login") == {}
