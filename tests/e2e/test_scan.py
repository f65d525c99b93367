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
CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
LAMP = """
const { getCapabilities, getSettings } = MediaStreamTrack.prototype;
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
window.lamp = { lit: false, opened: 0 };
navigator.mediaDevices.getUserMedia = (wanted) => { lamp.opened += 1; lamp.lit = false; return open(wanted) };
Object.assign(MediaStreamTrack.prototype, {
  getCapabilities() { return { ...getCapabilities.call(this), torch: true } },
  getSettings() { return { ...getSettings.call(this), torch: lamp.lit } },
  async applyConstraints({ advanced }) { lamp.lit = advanced[0].torch },
});
"""
"""What a phone has and Chromium's camera lacks: a light beside the lens."""


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
        async with chromium_browser(*CAMERA, f"--use-file-for-fake-video-capture={code}") as browser:
            context = await browser.new_context(storage_state=await driver.phone.context.storage_state())
            page = await context.new_page()
            complaints: list[str] = []
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            await page.goto(f"{product.url}/charge")
            await page.get_by_role("link", name="Scan").click()
            await expect(page.get_by_role("heading", name=charger.identity)).to_be_visible()
            assert page.url == f"{product.url}/c/{charger.identity}"
            assert complaints == []


async def test_a_phone_lights_the_sticker_in_the_dark(driver: Driver, product: Product) -> None:
    async with chromium_browser(*CAMERA) as browser:
        context = await browser.new_context(
            storage_state=await driver.phone.context.storage_state(), viewport={"width": 390, "height": 844}
        )
        await context.add_init_script(LAMP)
        page = await context.new_page()
        await page.goto(f"{product.url}/scan")
        light = page.get_by_role("region", name="Camera").get_by_role("button")
        await expect(light).to_have_accessible_name("Light")
        box = await light.bounding_box()
        assert box is not None and box["width"] >= 44 and box["height"] >= 44
        await light.click()
        await expect(light).to_have_accessible_name("Light")
        await expect(light).to_have_attribute("aria-pressed", "true")
        assert await page.evaluate("lamp") == {"lit": True, "opened": 1}
        await light.click()
        await expect(light).to_have_attribute("aria-pressed", "false")
        assert await page.evaluate("lamp") == {"lit": False, "opened": 1}
        await page.goto(f"{product.url}/hi/scan")
        await expect(page.get_by_role("button", name="लाइट")).to_be_visible()


async def test_without_a_camera_there_is_the_way_by_hand(driver: Driver) -> None:
    await driver.phone.open("/scan")
    await expect(driver.page.get_by_text("This device has no camera.")).to_be_visible()
    await expect(driver.page.get_by_role("region", name="Camera")).to_have_count(0)
    await driver.page.get_by_role("link", name="Type the ID").click()
    await expect(driver.page.get_by_label("Charger ID")).to_be_visible()
    driver.phone.complaints.clear()  # the scanner says so on the console, too
