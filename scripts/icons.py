"""Draws assets/icons from the mark of evapp/components/brand.py; run it when the mark changes.

    python scripts/icons.py [path of a Chromium]

The maskable icon keeps the mark inside the circle of 80 % that every phone leaves visible.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from evapp.components.brand import BODY, CABLE, GROUND, PINS, PLUG, E

ICONS = Path(__file__).parents[1] / "assets" / "icons"

DRAWN = (
    # file, size, radius of the corners, scale of the mark
    ("icon-192.png", 192, 15, 1.15),
    ("icon-512.png", 512, 15, 1.15),
    ("maskable-512.png", 512, 0, 1.08),
    ("apple-touch-180.png", 180, 0, 1.08),
    ("favicon-48.png", 48, 15, 1.25),
)


def svg(corner: int, scale: float) -> str:
    body = " ".join(f'{name}="{value}"' for name, value in BODY.items())
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
        f'<rect width="64" height="64" rx="{corner}" fill="{GROUND}"/>'
        f'<g transform="translate(32 32) scale({scale}) translate(-32 -32)" fill="none" stroke-linecap="round">'
        f'<path d="{E}" stroke="{CABLE}" stroke-width="6" stroke-linejoin="round"/>'
        f'<path d="{PINS}" stroke="{PLUG}" stroke-width="2.8"/><rect {body} fill="{PLUG}"/></g></svg>'
    )


def draw(chromium: str | None) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for file, size, corner, scale in DRAWN:
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(f"<style>body{{margin:0}}svg{{display:block}}</style>{svg(corner, scale)}")
            page.screenshot(path=ICONS / file, omit_background=True)
            page.close()
        browser.close()
    (ICONS / "favicon.svg").write_text(svg(15, 1.25) + "\n")


if __name__ == "__main__":
    draw(*sys.argv[1:2] or [None])
