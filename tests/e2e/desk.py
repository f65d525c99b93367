"""Somebody at the operators' desk, for browser tests."""

from dataclasses import dataclass

from playwright.async_api import Page, expect

from domain import operators, trail
from domain.db import Database
from tests.e2e.browsers import PIN
from tests.e2e.conftest import Driver, Phone, register


@dataclass
class Operator(Driver):
    """A user whom the shell made an operator, signed in on a phone."""

    async def give_pin(self) -> None:
        """On the page that is open, as the page asks for it."""
        await self.page.get_by_role("link", name="Enter PIN").click()
        await self.page.get_by_label("Your PIN", exact=True).fill(PIN)
        await self.page.get_by_role("button", name="Open changes").click()
        await expect(self.page.get_by_text("Changes are open until")).to_be_visible()


async def operator(phone: Phone, database: Database) -> Operator:
    """Somebody new, made an operator at the shell, who signs in again and finds the way there from You."""
    driver = await register(phone, database)
    # The page that is open leaves by the gate when its sign-in ends, perhaps while the next one is being opened.
    await phone.page.goto("about:blank")
    await database.transact(operators.appoint, driver.id, trail.shell())
    await sign_in(phone.page, phone.url, driver.username, "/profile")
    await phone.page.get_by_role("link", name="Operator").click()
    # The heading is prerendered; with the counts the page has asked who looks.
    await expect(phone.page.get_by_text(" in all")).to_be_visible()
    return Operator(driver.id, driver.username, phone)


async def sign_in(page: Page, url: str, username: str, onward: str) -> None:
    """By the form, since every sign-in ended."""
    await page.goto(f"{url}/login?next={onward}")
    await page.get_by_label("Username or phone number").fill(username)
    await page.get_by_label("PIN", exact=True).fill(PIN)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(f"**{onward}")
