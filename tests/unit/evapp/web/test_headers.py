"""Every answer carries the security headers; pages open at the address the driver typed."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from domain.settings import Settings
from evapp.web import headers

HASHES = {"/login": ["sha256-LOGIN="], "/": ["sha256-HOME="], "/offline.html": ["sha256-OFF="], "*": ["sha256-OTHER="]}


async def _echo(request: Request) -> PlainTextResponse:
    own = {"cache-control": "private, max-age=5"} if request.url.path == "/own" else {}
    return PlainTextResponse(request.url.path, status_code=404 if "missing" in request.url.path else 200, headers=own)


@pytest.fixture
def public_url() -> str:
    return "http://localhost:3000"


@pytest.fixture
async def browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, public_url: str) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / headers.HASHES).write_text(json.dumps(HASHES))
    monkeypatch.setattr(headers, "get_backend_dir", lambda: tmp_path)
    monkeypatch.setattr(headers, "settings", lambda: Settings(public_url=public_url))
    app = headers.Headers(Starlette(routes=[Route("/{path:path}", _echo)]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:3000") as client:
        yield client


@pytest.mark.parametrize("path", ["/login", "/c/BLR-017", "/assets/a.js", "/auth/login", "/missing", "/sw.js"])
async def test_every_answer_carries_them(browser: httpx.AsyncClient, path: str) -> None:
    got = (await browser.get(path)).headers
    assert got["x-content-type-options"] == "nosniff"
    assert got["referrer-policy"] == "strict-origin-when-cross-origin"
    assert got["x-frame-options"] == "DENY"
    policy = got["content-security-policy"]
    assert "default-src 'self'" in policy and "object-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self' 'unsafe-inline'" not in policy


@pytest.mark.parametrize(
    ("path", "scripts"),
    [
        ("/login", "'self' 'sha256-LOGIN='"),
        ("/login/", "'self' 'sha256-LOGIN='"),
        ("/", "'self' 'sha256-HOME='"),
        ("/c/BLR.017", "'self' 'sha256-OTHER='"),
        ("/offline.html", "'self' 'sha256-OFF='"),
        ("/scan", "'self' 'sha256-OTHER=' 'wasm-unsafe-eval'"),
        ("/hi/scan/", "'self' 'sha256-OTHER=' 'wasm-unsafe-eval'"),
        ("/scanner", "'self' 'sha256-OTHER='"),
        ("/assets/a.js", "'self'"),
    ],
)
async def test_a_page_may_run_its_own_scripts_alone(browser: httpx.AsyncClient, path: str, scripts: str) -> None:
    policy = (await browser.get(path)).headers["content-security-policy"]
    assert f"script-src {scripts};" in policy


@pytest.mark.parametrize(
    ("path", "cache"),
    [
        ("/assets/a.js", "public, max-age=31536000, immutable"),
        ("/fonts/a.woff2", "public, max-age=31536000, immutable"),
        ("/assets/missing.js", "no-cache"),
        ("/theme.css", "no-cache"),
        ("/icons/icon-192.png", "no-cache"),
        ("/sw.js", "no-cache"),
        ("/offline.html", "no-cache"),
        ("/login", "no-store"),
        ("/help", "no-store"),
        ("/hi/charge", "no-store"),
        ("/dashboard", "no-store"),
        ("/wallet", "no-store"),
        ("/history/17", "no-store"),
        ("/profile/", "no-store"),
        ("/c/BLR-017", "no-store"),
        ("/c/BLR.017", "no-store"),
        ("/hi/c/BLR.017", "no-store"),
        ("/auth/login", "no-store"),
        ("/own", "private, max-age=5"),
    ],
)
async def test_what_a_cache_may_keep(browser: httpx.AsyncClient, path: str, cache: str) -> None:
    assert (await browser.get(path)).headers["cache-control"] == cache


@pytest.mark.parametrize(
    ("path", "served"),
    [("/login", "/login/"), ("/login/", "/login/"), ("/", "/"), ("/offline.html", "/offline.html"), ("/x", "/x")],
)
async def test_a_built_page_is_served_from_its_folder(browser: httpx.AsyncClient, path: str, served: str) -> None:
    assert (await browser.get(path)).text == served


async def test_plain_http_is_not_told_to_stay_https(browser: httpx.AsyncClient) -> None:
    assert "strict-transport-security" not in (await browser.get("/login")).headers


@pytest.mark.parametrize("public_url", ["https://ev.example.org"])
async def test_https_stays_https(browser: httpx.AsyncClient) -> None:
    got = (await browser.get("/login")).headers
    assert got["strict-transport-security"] == "max-age=31536000"
    assert "connect-src 'self' wss://ev.example.org;" in got["content-security-policy"]
