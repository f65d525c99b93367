"""What every page must keep beside the audit: its words while it waits, and the phone without a network."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Route, WebSocketRoute, expect

from evapp.web.auth import COOKIE
from tests.e2e.browsers import QUIET
from tests.e2e.conftest import Phone
from tests.e2e.running import ROOT, Product

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_nothing_is_at_an_unknown_address(phone: Phone) -> None:
    answer = await phone.page.goto(f"{phone.url}/nowhere")
    assert answer is not None and answer.status == 404
    await expect(phone.page.get_by_role("heading", name="Nothing at this address.")).to_be_visible()
    await expect(phone.page).to_have_title("Nothing here · evapp")
    await phone.page.goto(f"{phone.url}/hi/nowhere")
    await expect(phone.page.get_by_role("heading", name="इस पते पर कुछ नहीं है।")).to_be_visible()
    await expect(phone.page).to_have_title("यहाँ कुछ नहीं है · evapp")
    assert [text for text in phone.complaints if "404" not in text] == []
    phone.complaints.clear()  # Chromium itself complains of the document's 404


async def test_the_app_can_be_installed(product: Product, chromium: Browser, tmp_path: Path) -> None:
    # Only a profile of its own on disk says so: Chromium refuses windows that forget everything.
    context = await chromium.browser_type.launch_persistent_context(
        tmp_path, executable_path=shutil.which("chromium"), args=[*QUIET]
    )
    page = context.pages[0]
    await page.goto(f"{product.url}/login")
    await worker_ready(page)
    tools = await context.new_cdp_session(page)
    assert await tools.send("Page.getInstallabilityErrors") == {"installabilityErrors": []}
    assert (await tools.send("Page.getAppManifest"))["errors"] == []
    await context.close()


NOTE_LISTENING = """const listen = navigator.serviceWorker.addEventListener;
navigator.serviceWorker.addEventListener = (...what) => {
    listen.apply(navigator.serviceWorker, what);
    window.listening = true;
}"""
"""A page lives some time after its words stand there, and until then it hears nothing."""


@pytest.mark.parametrize("visit", ["first", "later"])
async def test_a_new_version_is_said_above_the_page(phone: Phone, visit: str) -> None:
    """Also on a page that was opened before there was a worker, and stayed open."""
    await phone.page.add_init_script(NOTE_LISTENING)
    await phone.open("/help")
    await worker_ready(phone.page)
    if visit == "later":
        await phone.page.reload()  # its worker is there from the start now
    await until(phone.page, "!!window.listening")
    news = phone.page.get_by_text("A new version of evapp is here.")
    await expect(news).to_be_hidden()
    with deployed_anew():
        async with asyncio.timeout(15):
            while not await news.is_visible():  # a look of the browser's own may be under way, and find the old one
                await phone.page.evaluate("navigator.serviceWorker.getRegistration().then(one => one.update())")
        await phone.page.get_by_role("button", name="Reload").click()
        await expect(news).to_be_hidden()


async def test_a_page_that_is_new_itself_does_not_say_so(phone: Phone) -> None:
    """A page is never kept, so one that is opened after a new version is of it, whatever worker the phone has."""
    await phone.open("/help")
    await worker_ready(phone.page)
    await phone.page.goto("about:blank")
    with deployed_anew():
        await phone.open("/help")
        await until(phone.page, "fetch('/sw.js').then(one => one.text()).then(one => one.endsWith('newer'))")
        await phone.page.evaluate(TAKEN_OVER)
        await expect(phone.page.get_by_text("A new version of evapp is here.")).to_be_hidden()


TAKEN_OVER = """navigator.serviceWorker.getRegistration().then(one => one.update()).then(async one => {
    while (one.installing || one.waiting || one.active?.state !== "activated") await new Promise(setTimeout);
    await new Promise(done => setTimeout(done, 500));
})"""
"""Until the newest worker has the page, and the page has heard of it."""


@contextmanager
def deployed_anew() -> Iterator[None]:
    """Another build's service worker, in every form it is served in."""
    worker = ROOT / ".web" / "build" / "client" / "sw.js"
    packed = [file for suffix in (".br", ".gz") if (file := worker.with_name(worker.name + suffix)).exists()]
    before = {file: file.read_bytes() for file in (worker, *packed)}
    for file in packed:
        file.unlink()
    worker.write_bytes(before[worker] + b"// newer")
    try:
        yield
    finally:
        for file, content in before.items():
            file.write_bytes(content)


async def test_without_a_network_the_phone_says_so_and_comes_back(phone: Phone) -> None:
    await _settled(phone, "/help")
    await worker_ready(phone.page)
    await phone.context.set_offline(True)
    await phone.open("/register")
    await expect(phone.page.get_by_role("heading", name="No connection")).to_be_visible()
    await expect(phone.page.get_by_text("If you have just paid, the money comes into your wallet")).to_be_visible()
    assert await phone.page.evaluate("document.fonts.check('16px Anek', 'No connection')")
    assert [text for text in phone.complaints if "ERR_INTERNET_DISCONNECTED" not in text] == []
    phone.complaints.clear()
    await phone.context.set_offline(False)
    await phone.page.get_by_role("link", name="Try again").click()
    await expect(phone.page.get_by_role("heading", name="Create an account")).to_be_visible()


async def test_a_lost_connection_is_said_above_the_page(phone: Phone) -> None:
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    await phone.page.route_web_socket("**/_event/**", through)
    await _settled(phone, "/help")
    heading = phone.page.get_by_role("heading", name="Help", exact=True)
    before = await heading.bounding_box()
    # Words that come together with their live region go unsaid (WCAG technique ARIA22).
    await phone.page.locator("#lines").evaluate("one => one.dataset.kept = ''")
    await phone.context.set_offline(True)  # no new connection, and the one there is ends
    await sockets[0].close()
    strip = phone.page.get_by_text("Connection lost. Reconnecting.")
    await expect(strip).to_be_visible()
    after, line = await heading.bounding_box(), await phone.page.locator(".strip").bounding_box()
    assert before and after and line
    assert line["y"] == 0
    await expect(phone.page.get_by_role("status").filter(has=strip)).to_have_attribute("data-kept", "")
    assert after["y"] == before["y"] + line["height"]
    await phone.context.set_offline(False)
    await expect(strip).to_be_hidden()
    assert [text for text in phone.complaints if "WebSocket" not in text] == []
    phone.complaints.clear()


async def test_a_connection_that_does_not_come_back_says_what_may_help(phone: Phone) -> None:
    """As in the network of a company that lets no websocket through: it would say for ever that it reconnects."""
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    await phone.page.route_web_socket("**/_event/**", through)
    await _settled(phone, "/help")
    await phone.context.set_offline(True)
    await sockets[0].close()
    await expect(phone.page.get_by_text("Connection lost. Reconnecting.")).to_be_visible()
    helps = phone.page.get_by_text("Another network may help, such as mobile data.")
    await expect(helps).to_be_hidden()
    waits = "document.querySelector('.unhelped').getAnimations()[0]"
    assert await phone.page.evaluate(f"{waits}.effect.getComputedTiming().delay") == 20_000
    await phone.page.evaluate(f"{waits}.finish()")
    await expect(helps).to_be_visible()
    assert [text for text in phone.complaints if "WebSocket" not in text] == []
    phone.complaints.clear()


@pytest.mark.parametrize("path", ["/help", "/hi/help", "/c/BLR-017"])
async def test_without_scripts_a_page_says_what_it_needs(product: Product, path: str) -> None:
    """Its figures never come then; the page of a charger said for ever that it was loading. Chromium under a test shows
    no `noscript`, even without scripts, so this reads the document."""
    async with httpx.AsyncClient(base_url=product.url) as http:
        said = (await http.get(path)).text
    needed, _, _ = said.partition("<noscript>")[2].partition("</noscript>")
    assert "evapp needs JavaScript." in needed
    assert "evapp को JavaScript चाहिए।" in needed


async def test_the_browsers_own_bar_has_the_colour_of_the_theme(phone: Phone) -> None:
    await phone.open("/login")
    colours = phone.page.locator("meta[name=theme-color]")
    await expect(colours).to_have_count(2)
    for one, theme in zip(await colours.all(), ("light", "dark"), strict=True):
        await expect(one).to_have_attribute("media", f"(prefers-color-scheme: {theme})")


async def test_the_page_behind_a_sticker_is_not_blank_while_its_scripts_are_on_their_way(phone: Phone) -> None:
    """It is not built ahead, and its scripts take half a minute on 2G."""
    come = asyncio.Event()

    async def hold(route: Route) -> None:
        await come.wait()
        await route.continue_()

    await phone.page.route("**/assets/*.js", hold)
    # Whose sign-in has ended: who has none is led to the form before any page comes.
    await phone.context.add_cookies([{"name": COOKIE, "value": "ended", "url": phone.url}])
    await phone.page.goto(f"{phone.url}/c/BLR-017", wait_until="commit")
    loading = phone.page.get_by_text("Loading…")
    await expect(loading).to_be_visible()
    await expect(phone.page).to_have_title("evapp")
    come.set()
    await phone.page.wait_for_url("**/login?next=**")
    await expect(loading).to_have_count(0)


async def test_a_posted_form_says_that_it_is_on_its_way_once(phone: Phone) -> None:
    await _settled(phone, "/login")
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await phone.page.route("**/auth/login", hold)
    # Playwright waits for the navigation that a click begins; what the page shows meanwhile it must note by itself.
    await phone.page.evaluate(
        """() => {
            const button = document.querySelector("button[type=submit]"), width = button.offsetWidth;
            new MutationObserver(() => { if (button.disabled) sessionStorage.seen = JSON.stringify(
                [button.innerText, button.offsetWidth === width]
            ) }).observe(button, {attributes: true});
            setTimeout(() => { button.click(); button.click() }, 50);
        }"""
    )
    async with asyncio.timeout(15):
        while not held:
            await asyncio.sleep(0.05)
    await held[0].fulfill(status=303, headers={"location": "/help"})
    await phone.page.wait_for_url("**/help")
    assert json.loads(await phone.page.evaluate("sessionStorage.seen")) == ["Signing in…", True]
    assert len(held) == 1


async def test_a_pin_is_shown_on_request_alone(phone: Phone) -> None:
    await _settled(phone, "/login")
    pin = phone.page.get_by_label("PIN", exact=True)
    await pin.fill("482913")
    assert await pin.get_attribute("type") == "password"
    await phone.page.get_by_role("button", name="Show what I type in PIN").click()
    await expect(pin).to_have_attribute("type", "text")
    assert await pin.input_value() == "482913"
    await phone.page.get_by_role("button", name="Hide what I type in PIN").click()
    await expect(pin).to_have_attribute("type", "password")


async def test_the_keyboard_reaches_the_content_first(phone: Phone) -> None:
    await _settled(phone, "/help")
    await phone.page.keyboard.press("Tab")
    await expect(phone.page.get_by_role("link", name="Skip to content")).to_be_focused()
    await phone.page.keyboard.press("Enter")
    await phone.page.keyboard.press("Tab")
    await expect(phone.page.get_by_role("link", name="Write to us on WhatsApp")).to_be_focused()


async def _settled(phone: Phone, path: str) -> None:
    """Open a page and wait until everything has come."""
    await phone.open(path)
    await phone.page.wait_for_load_state("networkidle")
    await expect(phone.page.locator("h1")).to_have_count(1)


async def worker_ready(page: Any) -> None:
    """Wait until the service worker stands between the page and the network."""
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    await until(page, "!!navigator.serviceWorker.controller")


async def until(page: Any, so: str) -> None:
    """As Playwright's `wait_for_function`, which needs the eval that our pages forbid."""
    async with asyncio.timeout(15):
        while not await page.evaluate(so):
            await asyncio.sleep(0.05)
