"""The story in Hindi: chosen once, it is spoken by every page, by what is pushed to it, and after signing in again."""

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from domain.db import Database
from domain.models import User
from tests.e2e.browsers import PIN
from tests.e2e.conftest import Driver, Phone, Street

pytestmark = pytest.mark.asyncio(loop_scope="session")

LATIN = re.compile(r"[A-Za-z]{2,}")
NAMES = {
    "evapp", "PhonePe", "WhatsApp", "kWh", "kW", "PIN", "QR", "ID", "GST", "PDF", "CSV",
    "English", "Chrome", "Linux", "am", "pm",
}  # fmt: skip
"""What stays as it is written."""

ASTRAY = """() => [...document.querySelectorAll("a[href^='/'], form[action^='/']")]
    .map(one => one.getAttribute("href") ?? one.getAttribute("action"))
    .filter(path => !path.startsWith("/hi/") && !path.startsWith("/auth/language"))"""


async def test_a_driver_who_chose_hindi_reads_nothing_else(
    driver_with_600: Driver, street: Street, database: Database
) -> None:
    page, phone = driver_with_600.page, driver_with_600.phone
    await phone.open("/profile")
    await page.get_by_role("button", name="हिन्दी").click()
    await page.wait_for_url("**/hi/profile")
    await _reads(page, "यह डिवाइस", driver_with_600)
    await expect(page.get_by_label("नोटिफ़िकेशन alt+T")).to_be_attached()
    async with street() as charger:
        for word, path, shows in PLACES:
            await page.get_by_role("link", name=word, exact=True).first.click()
            await page.wait_for_url(f"**/hi{path}")
            await _reads(page, shows, driver_with_600)
        await phone.open(f"/c/{charger.identity}")  # the sticker knows no language
        await page.wait_for_url(f"**/hi/c/{charger.identity}")
        await _reads(page, "प्लग लगाएँ, फिर शुरू करें।", driver_with_600)
        await page.get_by_role("button", name="चार्जिंग शुरू करें").click()
        await expect(page.get_by_text("प्लग पूरा अंदर लगाएँ।").last).to_be_visible()
        charger.plug()
        await _reads(page, "अब तक का ख़र्च", driver_with_600)
        await page.get_by_role("button", name="चार्जिंग रोकें").click()
        await expect(page.get_by_role("alertdialog")).to_contain_text("बाक़ी पैसे वॉलेट में रहेंगे।")
        await page.get_by_role("button", name="रोकें और पैसे दें").click()
        await _reads(page, "सभी चार्जिंग देखें", driver_with_600)

    await phone.open("/profile")
    await page.get_by_role("button", name="लॉग आउट करें").last.click()
    await page.wait_for_url("**/hi/login")
    await _reads(page, "आप लॉग आउट हो गए।", driver_with_600)
    await phone.context.clear_cookies()
    await phone.open("/login")
    await page.get_by_label("Username or phone number").fill(driver_with_600.username)
    await page.get_by_label("PIN", exact=True).fill(PIN)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/hi/dashboard")
    assert (await database.read(_user, driver_with_600.id)).language == "hi"


async def test_the_sign_in_page_has_a_way_to_hindi_and_back(driver: Driver) -> None:
    page, phone = driver.page, driver.phone
    await phone.context.clear_cookies()
    await phone.open("/login?next=/c/BLR-017")
    await page.get_by_role("link", name="हिन्दी").click()
    await page.wait_for_url("**/hi/login?next=*")
    await expect(page.get_by_text("BLR-017 पर चार्ज करने के लिए लॉग इन करें")).to_be_visible()
    await page.get_by_role("button", name="लॉग इन करें").click()
    await expect(page.get_by_text("अपना PIN डालें।")).to_be_visible()
    await page.get_by_role("link", name="English").click()
    await page.wait_for_url("**/login?next=*")
    await expect(page.get_by_text("Sign in to charge at BLR-017")).to_be_visible()


async def test_the_ways_from_a_form_keep_the_errand_before_the_page_comes_alive(
    phones: Callable[..., Awaitable[Phone]],
) -> None:
    asleep = await phones(java_script_enabled=False)
    await asleep.open("/login?next=/c/BLR-017")
    await asleep.page.get_by_role("link", name="Create an account").click()
    await asleep.page.wait_for_url("**/register?next=%2Fc%2FBLR-017")
    await asleep.page.get_by_role("link", name="हिन्दी").click()
    await asleep.page.wait_for_url("**/hi/register?next=%2Fc%2FBLR-017")


PLACES = (
    ("होम", "/dashboard", "वॉलेट बैलेंस"),
    ("चार्ज", "/charge", "चार्जर ID"),
    ("हिस्ट्री", "/history", "अभी तक कोई चार्जिंग नहीं हुई।"),
    ("वॉलेट", "/wallet", "लेन-देन"),
)
"""Word in the navigation, its address and a sentence that stands there."""


async def _reads(page: Page, shows: str, driver: Driver) -> None:
    """The page has come, is marked as Hindi, has no other word, and leads to no other tree."""
    await expect(page.get_by_text(shows).locator("visible=true").first).to_be_visible()
    await expect(page.locator("html")).to_have_attribute("lang", "hi-IN")
    await expect(page.locator(".bone").locator("visible=true")).to_have_count(0)
    text = (await page.inner_text("body")).replace(driver.username, "").replace("Test Street", "")
    words = set(LATIN.findall(re.sub(r"\b(?:E2E|DEMO|BLR)-\d+|\+91|For the test|[\w/-]*\d[\w/-]*", "", text)))
    assert words <= NAMES, f"{page.url}: {words - NAMES}"
    assert await page.evaluate(ASTRAY) == []
    title = await page.title()
    assert set(LATIN.findall(title)) <= NAMES, title


def _user(db: object, user_id: int) -> User:
    user: User = db.get_one(User, user_id)  # type: ignore[attr-defined]
    return user
