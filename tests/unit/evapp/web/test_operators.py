"""At the operators' addresses there is nothing for anybody else, and nothing to look further with."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from domain import operators, sign_ins, trail
from domain.db import opened, transact
from domain.models import User
from domain.settings import settings
from domain.sign_ins import Browser, hash_token
from evapp.texts import speaking
from evapp.texts.languages import HINDI
from evapp.web import auth
from evapp.web.operators import OperatorsOnly
from tests.money import house

SCRIPTS = '<script>theme()</script><script src="/assets/app.js"></script>'
BUILT = f'<html lang="en-IN"><head><title>Nothing here · evapp</title></head><body>{SCRIPTS}Nothing</body></html>'


async def pages(scope: object, receive: object, send: object) -> None:
    await PlainTextResponse(f"page {Request(scope).url.path}")(scope, receive, send)  # type: ignore[arg-type]


@pytest.fixture
async def door(
    sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "build/client").mkdir(parents=True)
    (tmp_path / "build/client/nothing.html").write_text(BUILT)
    monkeypatch.setattr("evapp.web.operators.get_web_dir", lambda: tmp_path)

    def join(db: Session) -> None:
        for name in ("asha", "ravi"):
            user_id = house.driver(db, name)
            if name == "ravi":
                operators.appoint(db, user_id, trail.shell())
            sign_ins.start(db, db.get_one(User, user_id), Browser(hash_token(name), "", ""))

    async with opened(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}"):
        await transact(join)
        transport = httpx.ASGITransport(OperatorsOnly(pages))
        async with httpx.AsyncClient(transport=transport, base_url=settings().url) as client:
            yield client


PATHS = ("/ops", "/ops/", "/ops/users/7", "/hi/ops", "/hi/ops/trail")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("who", ["", "asha", "nobody's"])
async def test_nothing_is_there_for_others(door: httpx.AsyncClient, path: str, who: str) -> None:
    answer = await door.get(path, headers={"cookie": f"{auth.COOKIE}={who}"} if who else {})
    assert answer.status_code == 404
    assert "Nothing" in answer.text
    assert "theme()" in answer.text
    assert "app.js" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        *("/ops.html", "/ops.html/", "/ops/index.html", "/ops.html.br", "/ops/users.html.gz", "/hi/ops.html"),
        *("//ops/", "//ops", "/ops//users", "/./ops/", "/x/../ops/", "/hi//ops/", "/hi/./ops", "/login.html", "/x/.."),
    ],
)
@pytest.mark.parametrize("who", ["", "ravi"])
async def test_no_page_has_a_second_address(door: httpx.AsyncClient, path: str, who: str) -> None:
    """The file server finds them by those, too; nobody needs them. (httpx would tidy them up.)"""
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    cookies = [(b"cookie", f"{auth.COOKIE}={who}".encode())] if who else []
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": cookies}
    await OperatorsOnly(pages)(scope, None, send)  # type: ignore[arg-type]
    assert (said[0]["status"], b"Nothing" in said[1]["body"]) == (404, True)


async def test_it_says_so_in_the_language_of_the_address(door: httpx.AsyncClient) -> None:
    with speaking(HINDI):
        page = (await door.get("/hi/ops")).text
    assert '<html lang="hi-IN">' in page
    assert "<title>यहाँ कुछ नहीं है · evapp</title>" in page
    assert "<title>Nothing here · evapp</title>" in (await door.get("/ops")).text


@pytest.mark.parametrize("path", PATHS)
async def test_an_operator_gets_the_page(door: httpx.AsyncClient, path: str) -> None:
    answer = await door.get(path, headers={"cookie": f"{auth.COOKIE}=ravi"})
    assert (answer.status_code, answer.text) == (200, f"page {path}")


@pytest.mark.parametrize("path", ["/", "/opsimath", "/c/ops", "/hi/wallet", "/assets/ops.js", "/offline.html"])
async def test_other_addresses_are_nobodys_business_here(door: httpx.AsyncClient, path: str) -> None:
    assert (await door.get(path)).text == f"page {path}"
