"""The product behind the Caddyfile: the same headers as without it, TLS, websockets, and where people come from."""

import asyncio
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect
from sqlmodel import Session, select
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from domain import chargers
from domain.db import Database
from domain.models import SignIn, User
from tests.csms.charger import Raw
from tests.deploy.conftest import CHARGERS, DRIVERS, Behind
from tests.e2e.browsers import PIN, chromium_browser

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("deploy"),
    pytest.mark.timeout(300),
]

OF_A_SERVER = {
    *("server", "date", "etag", "last-modified", "vary", "alt-svc", "connection", "accept-ranges", "via"),
    *("content-length", "transfer-encoding", "x-request-id"),
}
"""What differs between two servers of one file, and says nothing to a page."""
OF_THE_CERTIFICATE = ("ServiceWorker", "An SSL certificate error occurred")
"""Chromium fetches no worker's script by an authority that it does not know, whatever it is told to ignore."""
FORM = {"username": "asha_behind", "phone": "9845077777", "pin": PIN, "pin_again": PIN}


def address(file: Path, build: Path) -> str:
    """Where a built file is asked for."""
    return "/" + file.relative_to(build).as_posix().removesuffix("/index.html")


async def test_every_answer_has_the_headers_it_has_without_caddy(behind: Behind) -> None:
    """Pages, scripts, fonts, pictures, the worker, what is not there, compressed and not."""
    files = {address(file, behind.build) for file in behind.build.rglob("*") if file.suffix not in (".br", ".gz", "")}
    paths = sorted({*files, "/c/BLR-017", "/hi/c/BLR-017", "/nope", "/assets/nope.js", "/health/live", "/auth/gate"})
    assert len(paths) > 100
    async with (
        behind.client() as edge,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{behind.web}") as alone,
    ):
        for path in paths:
            for encoding in ("br", "gzip", "identity"):
                asked = {"Accept-Encoding": encoding}
                through, direct = await edge.get(path, headers=asked), await alone.get(path, headers=asked)
                assert through.status_code == direct.status_code, path
                assert through.content == direct.content, path
                assert said(through) == said(direct), path


def said(answer: httpx.Response) -> dict[str, str]:
    headers = {name: value for name, value in answer.headers.items() if name not in OF_A_SERVER}
    return headers | {"content-type": headers.get("content-type", "").removesuffix("; charset=utf-8")}


async def test_built_files_are_kept_for_ever_and_come_compressed_without_the_app(behind: Behind) -> None:
    script = next(behind.build.glob("assets/entry.client-*.js"))
    async with behind.client() as edge:
        answer = await edge.get(f"/assets/{script.name}", headers={"Accept-Encoding": "gzip, br"})
        page = await edge.get("/login")
    assert answer.headers["server"] == "Caddy"
    assert answer.headers["content-encoding"] == "br"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["strict-transport-security"] == "max-age=31536000"
    assert f"wss://{DRIVERS}" in page.headers["content-security-policy"]


async def test_figures_for_the_machine_itself_are_not_shown(behind: Behind) -> None:
    async with behind.client() as edge:
        assert [(await edge.get(path)).status_code for path in ("/metrics", "/metrics/x", "/_health")] == [404] * 3


async def test_nobody_says_for_himself_where_he_comes_from(behind: Behind) -> None:
    """The sign-in keeps the address that Caddy saw."""
    async with behind.client(Origin=f"https://{DRIVERS}") as edge:
        answer = await edge.post("/auth/register", data=FORM, headers={"X-Forwarded-For": "203.0.113.9"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
        assert "__Host-evapp_sign_in" in answer.headers["set-cookie"]
    database = Database(behind.database)
    [sign_in] = await database.read(_sign_ins)
    database.close()
    assert sign_in.address == "127.0.0.1"


def _sign_ins(db: Session) -> list[SignIn]:
    """Of whoever registered here: others come by the same edge."""
    return list(db.exec(select(SignIn).join(User).where(User.username == FORM["username"])))


async def test_a_browser_comes_in_over_tls_and_its_page_lives(behind: Behind) -> None:
    """As on port 443: the one build serves any name. The page is filled over the websocket."""
    complaints: list[str] = []
    resolver = f"--host-resolver-rules=MAP {DRIVERS}:443 127.0.0.1:{behind.edge}"
    async with chromium_browser(resolver) as browser:
        context = await browser.new_context(ignore_https_errors=True, viewport={"width": 390, "height": 844})
        page = await context.new_page()
        page.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
        await page.goto(f"https://{DRIVERS}/register")
        await page.get_by_label("Username", exact=True).fill("ravi_behind")
        await page.get_by_label("Mobile number").fill("9845088888")
        await page.get_by_label("PIN", exact=True).fill(PIN)
        await page.get_by_label("PIN again", exact=True).fill(PIN)
        await page.get_by_role("button", name="Create account").click()
        await page.wait_for_url(f"https://{DRIVERS}/dashboard")
        await expect(page.get_by_text("₹0.00").first).to_be_visible(timeout=15_000)
        await context.close()
    assert [complaint for complaint in complaints if not any(word in complaint for word in OF_THE_CERTIFICATE)] == []


async def test_a_charger_comes_in_over_tls_by_its_own_name(behind: Behind) -> None:
    database = Database(behind.database)
    await database.transact(chargers.add, "EDGE-1")
    database.close()
    async with _charger(behind, "/ocpp/EDGE-1") as socket:
        assert (await Raw(socket).boot())["status"] == "Accepted"
    with pytest.raises(InvalidStatus) as refusal:
        async with _charger(behind, "/dashboard"):
            pass
    assert refusal.value.response.status_code == 404


async def test_nobody_guesses_in_anothers_name(behind: Behind) -> None:
    """A forged X-Forwarded-For locks nobody out: what Caddy saw is told, and nothing else (csms/limits.py)."""

    async def guess(number: int) -> int:
        forged = {"X-Forwarded-For": "203.0.113.9"}
        with pytest.raises(InvalidStatus) as refusal:
            async with _charger(behind, f"/ocpp/no such charger {number}", additional_headers=forged):
                pass
        status: int = refusal.value.response.status_code
        return status

    assert set(await asyncio.gather(*(guess(number) for number in range(80)))) == {404}


def _charger(behind: Behind, path: str, **options: object) -> connect:
    return connect(
        f"wss://{CHARGERS}{path.replace(' ', '%20')}",
        host="127.0.0.1",
        port=behind.edge,
        ssl=behind.tls,
        subprotocols=[Subprotocol("ocpp1.6")],
        compression=None,
        proxy=None,
        **options,  # type: ignore[arg-type]
    )
