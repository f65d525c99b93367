"""The Chromium that tests and pictures use."""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

PIN = "274918"
"""Of everybody in the tests."""

QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""For root in a container, and without calls to anybody's servers."""


@asynccontextmanager
async def chromium_browser(*ways: str, without: Sequence[str] = ()) -> AsyncIterator[Browser]:
    """Debian's Chromium where it is installed, else Playwright's own; `ways` are more of its switches, and `without`
    those of Playwright that it does not get."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*QUIET, *ways], ignore_default_args=list(without)
        )
        yield browser
        await browser.close()
