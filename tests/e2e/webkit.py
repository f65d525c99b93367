"""The WebKit of Debian, which is Safari's: a window as wide as a phone, driven by its own WebDriver over plain HTTP."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests import processes
from tests.e2e.running import free_port

DRIVER, SCREEN = "WebKitWebDriver", "Xvfb"
WINDOWS = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
PHONE = (390, 844)
PATIENCE_S = 30.0
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The standard's own name of a reference to an element."""

SMALL = "* { min-width: 0; min-height: 0; padding: 0; margin: 0; border-width: 0; font-size: 1px }"
"""For the window's own buttons, else no page of it is as narrow as a phone's."""

MIDDLE = "arguments[0].scrollIntoView({block: 'center'})"
"""The driver itself scrolls until an element lies under the bar for the thumb."""


class Unready(Exception):
    """What the driver refused, in its words: the page has moved on, or something lies over it."""


class WebKit:
    """One window; what it is asked to press or find is waited for."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def command(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.http.request(method, path, json=body)
        value = answer.json()["value"]
        if isinstance(value, dict) and "error" in value:
            raise Unready(f"{path}: {value['error']}: {value.get('message', '')}")
        return value

    async def open(self, url: str) -> None:
        await self.command("POST", "/url", {"url": url})

    async def url(self) -> str:
        return str(await self.command("GET", "/url"))

    async def run(self, script: str, *arguments: Any) -> Any:
        return await self.command("POST", "/execute/sync", {"script": script, "args": arguments})

    async def press(self, words: str) -> None:
        """The button or link that has these words."""
        holds = f"contains(normalize-space(.), {json.dumps(words, ensure_ascii=False)})"

        async def pressed() -> bool:
            element = await self._seen(f"//*[self::a or self::button][{holds}]")
            await self.run(MIDDLE, {ELEMENT: element})
            await self.command("POST", f"/element/{element}/click", {})
            return True

        await self._until(pressed, f"press {words!r}")

    async def write(self, name: str, text: str) -> None:
        """Into the field of this name."""

        async def written() -> bool:
            element = await self._seen(f"//input[@name='{name}'][not(@type='radio')]")
            await self.command("POST", f"/element/{element}/clear", {})
            await self.command("POST", f"/element/{element}/value", {"text": text})
            return True

        await self._until(written, f"write into {name!r}")

    async def shows(self, words: str) -> None:
        """Wait for words on the page, in the letters that are seen."""

        async def shown() -> bool:
            return words in await self.run("return document.body.innerText")

        await self._until(shown, f"see {words!r}")

    async def _seen(self, path: str) -> str:
        for found in await self.command("POST", "/elements", {"using": "xpath", "value": path}):
            element = str(found[ELEMENT])
            if await self.command("GET", f"/element/{element}/displayed"):
                return element
        raise Unready(f"nothing at {path}")

    async def _until(self, done: Any, what: str) -> None:
        last: Exception | None = None
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    try:
                        if await done():
                            return
                    except Unready as error:
                        last = error
                    await asyncio.sleep(0.1)
        raise AssertionError(f"Waited in vain to {what} at {await self.url()}: {last}")


def missing() -> str:
    """What this machine lacks for it; empty where it is all there."""
    lacks = [name for name in (DRIVER, SCREEN) if shutil.which(name) is None]
    lacks += [] if WINDOWS else ["MiniBrowser"]
    return f"no {' and no '.join(lacks)}: on Debian `make browser` as root brings them" if lacks else ""


@asynccontextmanager
async def webkit_browser(folder: Path) -> AsyncIterator[WebKit]:
    """A window of a phone's size on a screen that nobody sees; `folder` is its home."""
    (folder / "gtk-3.0").mkdir(parents=True)
    (folder / "gtk-3.0" / "gtk.css").write_text(SMALL)
    reading, writing = os.pipe()
    screen = processes.start(
        [SCREEN, "-displayfd", str(writing), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"], pass_fds=[writing]
    )
    os.close(writing)
    with os.fdopen(reading) as said:
        display = (await asyncio.to_thread(said.readline)).strip()
    own = {
        "DISPLAY": f":{display}",
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
        "GIO_USE_NETWORK_MONITOR": "base",  # else a machine without a way out is a phone without signal
    }
    port = free_port()
    driver = processes.start([DRIVER, f"--port={port}"], env={**os.environ, **own}, cwd=folder)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as http:
            await _listening(http)
            asked = {"webkitgtk:browserOptions": {"binary": str(WINDOWS[-1]), "args": ["--automation"]}}
            began = await http.post("/session", json={"capabilities": {"alwaysMatch": asked}})
            http.base_url = http.base_url.join(f"/session/{began.json()['value']['sessionId']}")
            window = WebKit(http)
            await _as_a_phone(window)
            yield window
            await window.command("DELETE", "")
    finally:
        for process in (driver, screen):
            await asyncio.to_thread(processes.kill, process)


async def _listening(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(httpx.TransportError):
                await http.get("/status")
                return
            await asyncio.sleep(0.05)


async def _as_a_phone(window: WebKit) -> None:
    """The window's frame takes some of what it is given."""
    width, height = PHONE
    for _ in range(3):
        await window.command("POST", "/window/rect", {"width": width, "height": height})
        inner = await window.run("return [innerWidth, innerHeight]")
        width, height = width + PHONE[0] - inner[0], height + PHONE[1] - inner[1]
