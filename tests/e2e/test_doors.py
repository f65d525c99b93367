"""What strangers and forgers get at the running product's doors: nothing, with the right headers."""

import json
from typing import Any

import httpx
import pytest
import reflex as rx
from playwright.async_api import expect
from websockets.exceptions import InvalidStatus

from domain import api_keys, chargers, charging, history, recharges, wallet
from domain.db import Database
from evapp.state.charger import ChargerPage
from evapp.state.effects import Effects
from evapp.state.history import History, Session
from evapp.state.live import Live
from evapp.state.recharge import Recharge
from evapp.state.wallet import Wallet
from tests.e2e.conftest import Driver, Phone, Street, register
from tests.e2e.running import ROOT, Product
from tests.e2e.wire import Wire

pytestmark = pytest.mark.asyncio(loop_scope="session")

BUILT = ROOT / ".web" / "build" / "client"

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 303),
        ("/login", 200),
        ("/dashboard", 200),
        ("/c/BLR-017", 200),
        ("/nothing-here", 404),
        ("/theme.css", 200),
        ("/manifest.webmanifest", 200),
        ("/auth/gate?next=/wallet", 303),
        ("/payments/return?order=RCH-none", 200),
        ("/payments/go/RCH-none", None),
        ("/health/live", 200),
        ("/health/ready", 200),
        ("/ping", 200),
    ],
)
async def test_headers_on_every_answer(product: Product, path: str, status: int | None) -> None:
    async with httpx.AsyncClient(base_url=product.url) as http:
        answer = await http.get(path)
    assert status in (None, answer.status_code)
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
    policy = answer.headers["content-security-policy"]
    script = next(part for part in policy.split(";") if part.strip().startswith("script-src "))
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in script
    assert "frame-ancestors 'none'" in policy


async def test_posts_from_elsewhere_are_refused(product: Product) -> None:
    async with httpx.AsyncClient(base_url=product.url, headers={"Origin": "https://evil.example"}) as http:
        for path in ("/auth/login", "/auth/register", "/auth/logout", "/auth/pin", "/auth/delete"):
            assert (await http.post(path, data={"login": "x", "pin": "1"})).status_code == 403, path


async def test_a_websocket_from_elsewhere_is_refused(product: Product) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with Wire(product.url, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_events_of_nobody_do_nothing_and_lead_to_the_gate(product: Product, database: Database) -> None:
    async with Wire(product.url) as wire:
        for state, handler, payload in (
            (ChargerPage, "start", {}),
            (Live, "stop", {}),
            (Recharge, "pay", {"form": {}}),
            (History, "load", {}),
            (History, "show_more", {}),
            (Session, "load", {}),
        ):
            await wire.event(state, handler, path="/wallet", **payload)
        assert wire.var(Effects, "leave_to") == "/auth/gate?next=%2Fwallet"
        assert not wire.var(History, "charges")


async def test_another_drivers_charge_is_not_found(
    driver_with_600: Driver, phones: object, street: Street, database: Database
) -> None:
    stranger: Phone = await phones()  # type: ignore[operator]
    thief = await register(stranger, database)
    async with street() as charger:
        charger.plug()
        session = await database.transact(charging.request_start, driver_with_600.id, charger.identity, 1)
        async with Wire(driver_with_600.phone.url, cookie=await _cookie(thief)) as wire:
            await wire.event(Session, "load", path=f"/history/{session.ref}")
            assert wire.var(Session, "phase") == "missing"
            await wire.event(Live, "stop", path=f"/c/{charger.identity}")
    assert session.id is not None
    assert (await database.read(history.current, driver_with_600.id)) is not None
    await database.transact(charging.request_stop, session.id, "driver")
    assert await database.read(wallet.balance, driver_with_600.id) == wallet.Balance(60_000, 0, 0)


async def test_hidden_values_cannot_be_set(driver: Driver, database: Database) -> None:
    async with Wire(driver.phone.url, cookie=await _cookie(driver)) as wire:
        await wire.send(Live, "setvar", name="_held_paise", value=10**9)
        await wire.send(Recharge, "setvar", name="amount", value="1")
        await wire.send(ChargerPage, "choose", number="1; DROP TABLE users")
        await wire.send(ChargerPage, "choose", number=10**12)
        await wire.worked_off()
    assert await database.read(wallet.balance, driver.id) == wallet.Balance(0, 0, 0)


FORGED: tuple[tuple[type[rx.State], str, dict[str, Any]], ...] = (
    (Recharge, "_pay", {}),
    (Effects, "_say", {"sentence": "evil"}),
    (Live, "_refresh", {"user_id": 1}),
    (Wallet, "_refresh", {"user_id": 1}),
    (Live, "set_state", {"value": "charging"}),
    (Wallet, "set_balance", {"value": "₹9,999.00"}),
    (rx.State, "setvar", {"var_name": "is_hydrated", "value": "x"}),
    (rx.State, "update_vars_internal", {"vars": {f"{Wallet.get_full_name()}.balance": "₹9,999.00"}}),
    (Live, "stop", {"user_id": 1}),
    (Live, "stop", {"session_id": [1]}),
    (History, "show_more", {"before": {"$gt": 0}}),
    (Recharge, "choose", {"value": -1}),
    (Recharge, "choose", {"value": ["500"]}),
    (Recharge, "write", {"typed": "१०००"}),
    (Recharge, "write", {"typed": {"a": 1}}),
    *((Recharge, "pay", {"form": {"other": typed}}) for typed in ("१०००", "499.99", "-500", "1e9", "NaN", "500,00")),
    (Recharge, "pay", {"form": [1], "amount_paise": 1}),
    (rx.State, "no_such_handler", {}),
)
"""Forged events (reflex.md section 3): helpers, setters, hidden values, foreign ids, wrong types."""


async def test_forged_events_change_nothing(driver_with_600: Driver, database: Database) -> None:
    async with Wire(driver_with_600.phone.url, cookie=await _cookie(driver_with_600)) as wire:
        for state, handler, payload in FORGED:
            await wire.send(state, handler, path="/wallet", **payload)
        await wire.worked_off()
        assert "9,999" not in json.dumps(wire.state, ensure_ascii=False)
        assert wire.var(Live, "state") == ""
        assert "evil" not in str(wire.state)
    assert await database.read(wallet.balance, driver_with_600.id) == wallet.Balance(60_000, 0, 0)
    assert await database.read(recharges.of_user, driver_with_600.id) == []


async def test_an_event_of_a_megabyte_ends_its_own_socket_alone(driver: Driver, product: Product) -> None:
    async with Wire(product.url) as other:
        async with Wire(product.url) as wire:
            await wire.send(Recharge, "write", path="/wallet", typed="9" * 1_200_000)
            await wire.ended()
        await other.event(Effects, "failed")


async def test_a_signed_out_tab_hears_no_more(
    driver_with_600: Driver, street: Street, database: Database, product: Product
) -> None:
    async with street() as charger, Wire(product.url, cookie=await _cookie(driver_with_600)) as wire:
        await wire.event(ChargerPage, "load", path=f"/c/{charger.identity}")
        assert wire.var(ChargerPage, "phase") == "free"
        await driver_with_600.phone.open("/profile")
        await driver_with_600.page.get_by_role("button", name="Sign out").first.click()
        await driver_with_600.page.wait_for_url("**/login*")
        charger.fault()
        await charger.answered("StatusNotification", status="Faulted")
        await wire.event(Effects, "failed")
        assert wire.var(ChargerPage, "phase") == "free"


async def _cookie(driver: Driver) -> str:
    return "; ".join(f"{c['name']}={c['value']}" for c in await driver.phone.context.cookies())


async def test_the_token_of_a_tab_that_left_opens_nothing(driver_with_600: Driver, product: Product) -> None:
    page = driver_with_600.page
    await driver_with_600.phone.open("/wallet")
    await expect(page.get_by_text("₹600.00").first).to_be_visible()
    token = await page.evaluate("sessionStorage.getItem('token')")
    await page.goto("about:blank")
    async with Wire(product.url, token=token) as wire:
        await wire.event(rx.State, "hydrate_and_load", path="/wallet")
        await wire.until(Effects, "leave_to", "/auth/gate?next=%2Fwallet")
        told = json.dumps(wire.state)
    assert wire.renamed is False
    assert "600.00" not in told
    assert driver_with_600.username not in told


async def test_the_operators_api_reaches_a_charger_and_nobody_else_reaches_it(
    product: Product, database: Database, street: Street
) -> None:
    _, key = await database.transact(api_keys.create, "e2e", ["chargers:read", "chargers:call"])
    with_key = {"Authorization": f"Bearer {key}", "Origin": "https://evil.example"}
    async with street() as charger, httpx.AsyncClient(base_url=f"{product.url}/api/v1") as http:
        refused = await http.get("/chargers")
        assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
        told = await http.get(f"/chargers/{charger.identity}/connectors", headers=with_key)
        assert [plug["status"] for plug in told.json()["items"] if plug["number"] == 1] == ["Available"]
        asked = await http.post(
            f"/chargers/{charger.identity}/call",
            headers={**with_key, "Idempotency-Key": "e2e-1"},
            json={"action": "TriggerMessage", "payload": {"requestedMessage": "StatusNotification"}},
        )
        assert (asked.status_code, asked.json()["status"]) == (200, "Accepted")
        lost = await http.get("/docs", headers=with_key)
        for answer in (refused, told, asked, lost):
            assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE
            assert answer.headers["cache-control"] == "no-store"
            assert "access-control-allow-origin" not in answer.headers
        assert (lost.status_code, lost.json()["type"]) == (404, "urn:evapp:problem:no-such-address")


async def test_markup_in_a_chargers_name_is_text(driver: Driver, street: Street, database: Database) -> None:
    """Whatever an operator or a charger calls it."""
    name = "<img src=/x onerror=document.title='owned'> & <b>bold</b>"
    async with street() as charger:
        await database.transact(chargers.add, charger.identity, name=name, place=name)
        await driver.phone.open(f"/c/{charger.identity}")
        await expect(driver.page.locator("header p").first).to_contain_text(name)
        assert await driver.page.locator("header img, header b, main img").count() == 0
        assert await driver.page.title() != "owned"


async def test_a_webhook_from_another_site_is_refused(product: Product) -> None:
    """A browser cannot add the credentials without asking first, and is told no."""
    evil = {"Origin": "https://evil.example"}
    async with httpx.AsyncClient(base_url=product.url, headers=evil) as http:
        assert (await http.post("/payments/phonepe/webhook", content=b"{}")).status_code == 401
        asked = await http.options(
            "/payments/phonepe/webhook",
            headers={"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"},
        )
    assert asked.status_code >= 400
    assert asked.headers.get("access-control-allow-origin") not in ("*", "https://evil.example")


ABSENT = (
    *("/docs", "/redoc", "/openapi.json", "/_upload", "/_all_routes", "/auth-codespace", "/metrics", "/debug"),
    *("/evapp.db", "/var/evapp.db", "/var/secret_key", "/.env", "/.git/config", "/rxconfig.py", "/csp.json"),
    *("/assets/../evapp.db", "/assets/..%2f..%2fevapp.db", "/..%2f..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd"),
    *("/package.json", "/bun.lock", "/reflex.lock/bun.lock", "/node_modules/react/package.json", "/.web/reflex.json"),
)
"""What nobody needs (security.md, rule 9)."""


@pytest.mark.parametrize("path", ABSENT)
async def test_what_nobody_needs_is_not_there(product: Product, path: str) -> None:
    async with httpx.AsyncClient(base_url=product.url) as http:
        for method in ("GET", "POST", "PUT"):
            answer = await http.request(method, httpx.URL(product.url).copy_with(raw_path=path.encode()))
            assert answer.status_code in (301, 303, 307, 308, 400, 403, 404, 405), (method, path, answer.status_code)
            assert "Traceback" not in answer.text
            assert b"SQLite format" not in answer.content
            assert "root:" not in answer.text


async def test_everything_that_is_served_has_its_headers_and_no_secrets(product: Product) -> None:
    """Every file of the build and every door, errors too: a policy, no source map, no trace, no name of ours inside."""
    served = sorted(path for path in BUILT.rglob("*") if path.is_file() and path.suffix not in (".br", ".gz"))
    assert len(served) > 50
    async with httpx.AsyncClient(base_url=product.url) as http:
        for file in served:
            path = "/" + file.relative_to(BUILT).as_posix()
            answer = await http.get(path)
            guarded(answer, path)
            assert not path.endswith(".map"), path
            if file.suffix in (".js", ".css", ".html"):
                assert "sourceMappingURL" not in answer.text, path
                for ours in (str(ROOT), "secret_key", "sandbox-secret", "hook12345"):
                    assert ours not in answer.text, (path, ours)
        for method, path in ODD:
            guarded(await http.request(method, path), f"{method} {path}")


ODD = (
    *(("OPTIONS", path) for path in ("/", "/auth/login", "/wallet", "/_event/")),
    *(
        ("GET", path)
        for path in ("/auth/login", "/payments/phonepe/webhook", "/history/AB/receipt.pdf", "/_event/?EIO=4")
    ),
    *(("DELETE", "/wallet"), ("TRACE", "/"), ("POST", "/nothing"), ("GET", "/%00"), ("GET", "/c/%F0%9F%94%8C")),
    *(("POST", "/auth/login"), ("GET", "/hi/wallet"), ("GET", "/hi/nothing"), ("HEAD", "/wallet")),
)


def guarded(answer: httpx.Response, what: str) -> None:
    """The headers of every answer, and nothing of the inside."""
    assert {name: answer.headers.get(name) for name in EVERYWHERE} == EVERYWHERE, what
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy, what
    assert "object-src 'none'" in policy, what
    assert "unsafe-eval" not in policy.replace("wasm-unsafe-eval", ""), what
    assert answer.headers.get("access-control-allow-origin") in (
        None,
        answer.request.url.copy_with(raw_path=b"").__str__().rstrip("/"),
    ), what
    assert "Traceback" not in answer.text, what
    assert answer.headers.get("server", "").lower() in ("", "granian"), what
    assert answer.headers.get("x-powered-by") is None, what
