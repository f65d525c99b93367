"""The scanner in the app, with a camera that looks at a code all the time."""

from pathlib import Path

import pytest
import segno
from playwright.async_api import expect

from domain import stickers
from tests.e2e.browsers import chromium_browser
from tests.e2e.conftest import Driver, Street
from tests.e2e.running import Product

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDTH, HEIGHT = 640, 480


def film(path: Path, text: str) -> Path:
    """What a camera sees of a code: an uncompressed film of one picture (YUV4MPEG2)."""
    modules = [list(row) for row in segno.make(text, error="q").matrix_iter(scale=8, border=4)]
    top, left = (HEIGHT - len(modules)) // 2, (WIDTH - len(modules)) // 2
    white = b"\xeb"
    rows = [white * left + bytes(16 if dark else 235 for dark in row) + white * WIDTH for row in modules]
    picture = [white * WIDTH] * top + [row[:WIDTH] for row in rows] + [white * WIDTH] * HEIGHT
    grey = b"\x80" * (WIDTH * HEIGHT // 2)
    path.write_bytes(
        f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\nFRAME\n".encode() + b"".join(picture[:HEIGHT]) + grey
    )
    return path


async def test_the_camera_leads_to_the_charger(
    driver: Driver, street: Street, product: Product, tmp_path: Path
) -> None:
    async with street() as charger:
        code = film(tmp_path / "code.y4m", stickers.address(product.url, charger.identity))
        camera = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
        async with chromium_browser(*camera, f"--use-file-for-fake-video-capture={code}") as browser:
            context = await browser.new_context(storage_state=await driver.phone.context.storage_state())
            page = await context.new_page()
            complaints: list[str] = []
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            await page.goto(f"{product.url}/charge")
            await page.get_by_role("link", name="Scan").click()
            await expect(page.get_by_role("heading", name=charger.identity)).to_be_visible()
            assert page.url == f"{product.url}/c/{charger.identity}"
            assert complaints == []


async def test_without_a_camera_there_is_the_way_by_hand(driver: Driver) -> None:
    await driver.phone.open("/scan")
    await expect(driver.page.get_by_text("This device has no camera.")).to_be_visible()
    await expect(driver.page.get_by_role("region", name="Camera")).to_have_count(0)
    await driver.page.get_by_role("link", name="Type the ID").click()
    await expect(driver.page.get_by_label("Charger ID")).to_be_visible()
    driver.phone.complaints.clear()  # the scanner says so on the console, too
