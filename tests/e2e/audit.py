"""What a page is held to, and the measuring of it: access, width, weight, calm, and room for a thumb."""

from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import ConsoleMessage, Page, expect

KIB = 1024
SHIFT = 0.01
"""The most a page may move while it comes, as Cumulative Layout Shift."""

THUMB_PX = 44
NARROW, WIDE = {"width": 360, "height": 740}, {"width": 1280, "height": 860}
ZOOMED = {"width": 320, "height": 256}
"""A desk of 1280 x 1024 at 400 % (WCAG 1.4.10)."""

WATCH_SHIFTS = """() => {
    window.shifts = 0;
    window.moved = [];
    new PerformanceObserver(list => list.getEntries().filter(one => !one.hadRecentInput).forEach(one => {
        window.shifts += one.value;
        window.moved.push(...one.sources.map(({node, previousRect: was, currentRect: is}) =>
            `${node?.textContent.slice(0, 40)} ${was.x},${was.y},${was.height} to ${is.x},${is.y},${is.height}`));
    })).observe({type: "layout-shift", buffered: true});
}"""

AXE = """options => axe.run({...options, resultTypes: ["violations"]}).then(found => found.violations.flatMap(
    rule => rule.nodes.map(node => `${rule.id}: ${node.target.join(" ")}: ${node.any[0]?.message ?? rule.help}`)))"""

THEMES: dict[str, dict[str, Any]] = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
"""The dark page is the light one in other colours, so there axe need only judge those."""

SMALL = """least => [...document.querySelectorAll("a, button, input, select, textarea, summary")].filter(one => {
    const box = (one.closest("label") ?? one).getBoundingClientRect(), seen = one.checkVisibility();
    const sentence = one.matches("p a") && getComputedStyle(one).display === "inline";
    const pressed = !one.matches("[aria-hidden=true][tabindex='-1']");
    return seen && pressed && !sentence && box.right > 0 && box.width > 0 && (box.width < least || box.height < least);
}).map(one => `${one.innerText || one.name} ${one.getBoundingClientRect().width.toFixed()}`
    + ` x ${one.getBoundingClientRect().height.toFixed()} px`)"""
"""What is to be pressed and too small for it; a link within a sentence is as high as its line (WCAG 2.5.8), and a
name that only password managers read is not pressed."""

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CRAMPED = """[...document.querySelectorAll(".chip, button")].filter(one => one.scrollWidth > one.clientWidth)
    .map(one => `${one.innerText} is wider than its face`)"""


@dataclass(frozen=True)
class Most:
    """How heavy a page may be on the way, compressed, in KiB."""

    scripts: int = 165
    all: int = 220


LIGHT, WITH_DIALOG, WITH_DECODER = Most(), Most(180, 235), Most(230, 760)


@dataclass
class Found:
    """One line of the table: a page or a state of it, and what is wrong there."""

    name: str
    most: Most = LIGHT
    scripts: float | None = None
    all: float | None = None
    shift: float = 0.0
    moved: list[str] = field(default_factory=list)
    axe: list[str] = field(default_factory=list)
    sideways: list[str] = field(default_factory=list)
    small: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """Every fault in a sentence; none is what a page must have."""
        return [
            *(f"axe: {one}" for one in self.axe),
            *(f"sideways: {one}" for one in self.sideways),
            *(f"small: {one}" for one in self.small),
            *(f"console: {one}" for one in self.console),
            *([f"shift: {self.shift:.3f} of {self.moved}"] if self.shift > SHIFT else []),
            *([f"scripts: {self.scripts:.0f} KiB"] if (self.scripts or 0) > self.most.scripts else []),
            *([f"weight: {self.all:.0f} KiB"] if (self.all or 0) > self.most.all else []),
        ]


async def watched(page: Page) -> tuple[Page, list[str]]:
    """A page that adds up how much it moves, and what its console complains about."""
    complaints: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.add_init_script(f"({WATCH_SHIFTS})()")
    return page, complaints


async def first_visit(page: Page, url: str) -> None:
    """Load a page into a tab that the server has not seen before, and so remembers nothing of."""
    if page.url.startswith("http"):
        await page.evaluate("sessionStorage.clear()")
    await page.goto(url)


async def weigh(page: Page, url: str) -> tuple[float, float]:
    """Load it as on a first visit, with nothing kept; scripts and everything in KiB."""
    network = await page.context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    weights: dict[str, int] = {}
    network.on("Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]}))
    network.on(
        "Network.loadingFinished", lambda event: weights.update({event["requestId"]: event["encodedDataLength"]})
    )
    await network.send("Network.enable")
    await network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await network.send("Network.setBypassServiceWorker", {"bypass": True})
    await first_visit(page, url)
    await page.wait_for_load_state("networkidle")
    await network.detach()
    scripts = sum(weight for request, weight in weights.items() if kinds.get(request) == "Script")
    assert scripts, "nothing was weighed"
    return scripts / KIB, sum(weights.values()) / KIB


async def look(page: Page, found: Found) -> None:
    """Everything that can be seen of a page as it stands, in both themes; adds to `found`."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    for theme, options in THEMES.items():
        await page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        if page.url.endswith("/offline"):
            await page.reload()  # it chooses its theme when it is loaded
        await expect(page.locator("html")).to_have_class(theme)
        if not await page.evaluate("'axe' in window"):
            await page.evaluate(AXE_SCRIPT)
        found.axe += [f"{theme} {width}: {one}" for one in await page.evaluate(AXE, options)]
    found.small += [f"{width}: {one}" for one in await page.evaluate(SMALL, THUMB_PX)]
    await _fits(page, found)
    if width == NARROW["width"]:
        await page.set_viewport_size(ZOOMED)  # type: ignore[arg-type]
        await _fits(page, found)
        await page.set_viewport_size(NARROW)  # type: ignore[arg-type]


async def _fits(page: Page, found: Found) -> None:
    over: Any = await page.evaluate(SIDEWAYS)
    if over > 0:
        found.sideways.append(f"{over} px at {page.viewport_size}")
    found.sideways += [f"{one} at {page.viewport_size}" for one in await page.evaluate(CRAMPED)]


def table(every: list[Found]) -> str:
    """For people: a line for each page and state."""
    head = f"{'page':28}{'JS KiB':>8}{'KiB':>8}{'CLS':>8}{'axe':>6}{'wide':>6}{'small':>7}{'console':>9}"
    lines = [
        f"{one.name:28}{_kib(one.scripts):>8}{_kib(one.all):>8}{one.shift:>8.3f}"
        f"{len(one.axe):>6}{len(one.sideways):>6}{len(one.small):>7}{len(one.console):>9}"
        for one in every
    ]
    faults = [f"{one.name}: {fault}" for one in every for fault in one.faults]
    return "\n".join(["", head, "-" * len(head), *lines, "", *(faults or ["Nothing to mend."]), ""])


def _kib(weight: float | None) -> str:
    return "" if weight is None else f"{weight:.1f}"
