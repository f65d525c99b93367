"""A browser window that takes pictures for docs/shots."""

from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page, expect

from tests.e2e.browsers import PIN

SHOTS = Path(__file__).parents[2] / "docs" / "shots"
STILL = """() => Promise.all(document.getAnimations()
    .filter(one => one.effect.getComputedTiming().endTime < 2000).map(one => one.finished.catch(() => null)))"""
"""What a page still moves has come to rest; what moves for ever, or waits to say that news is old, goes on."""


@dataclass
class Camera:
    """One browser window, and where its pictures go."""

    page: Page
    url: str
    suffix: str
    only: str
    number: int

    async def open(self, path: str, shows: str) -> None:
        """Load a page and wait until it says what it should."""
        await self.page.goto(self.url + path)
        await expect(self.page.get_by_text(shows).first).to_be_visible(timeout=15_000)

    async def shoot(self, name: str) -> None:
        """Take the picture of what the window shows, once every figure has come."""
        if self.only in name:
            await expect(self.page.locator(".bone").locator("visible=true")).to_have_count(0, timeout=15_000)
            await self.page.evaluate(STILL)
            await self.page.screenshot(path=SHOTS / f"{name}-{self.suffix}.png", caret="hide")

    async def picture(self, name: str, path: str, shows: str) -> None:
        await self.open(path, shows)
        await self.shoot(name)


async def register(camera: Camera, username: str, phone: str) -> None:
    page = camera.page
    await camera.open("/register", "Create an account")
    for label, text in (("Username", username), ("Mobile number", phone), ("PIN again", PIN)):
        await page.get_by_label(label, exact=True).fill(text)
    await page.get_by_label("PIN", exact=True).fill(PIN)
    await page.get_by_role("button", name="Create account").click()
    await page.wait_for_url("**/dashboard")
