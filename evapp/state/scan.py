"""What the camera saw: the way to the charger, or a sentence."""

from urllib.parse import quote

import reflex as rx
import structlog

from domain import stickers
from domain.settings import settings
from evapp.state.effects import Effects
from evapp.state.visit import arrive
from evapp.texts import at, later, t
from evapp.web import auth

log = structlog.get_logger()

TROUBLES = {
    "permission-denied": later("The camera is not allowed here. Allow it in your browser's settings, or type the ID."),
    "no-camera": later("This device has no camera. Type the ID that is printed under the code."),
    "in-use": later("Another app uses the camera. Close it and load this page again, or type the ID."),
    "insecure-context": later("The camera works over https only. Type the ID that is printed under the code."),
}
"""What keeps the camera from working, as the scanner calls it."""

PASSING = ("aborted",)
"""A start of the camera that another start of it overtook."""

OTHER_TROUBLE = later("The camera does not start. Type the ID that is printed under the code.")
LONGEST = 300
"""Characters of a code that are worth reading."""


class Scan(rx.State):
    """The page /scan."""

    ready: bool = False
    error: str = ""
    """What is wrong with the code."""
    trouble: str = ""
    """What is wrong with the camera."""

    @rx.event
    async def load(self) -> None:
        """Show the page, and the camera to who is signed in."""
        self.reset()  # type: ignore[no-untyped-call]
        self.ready = await arrive(self, Scan) is not None

    @rx.event
    async def seen(self, text: str) -> None:
        """Go to the charger that the code names."""
        if await auth.guard(self) is None or not isinstance(text, str):
            return
        try:
            charger_id = stickers.scanned(settings().url, text[:LONGEST])
        except stickers.NotOurs as error:
            self.error = t(error.args[0])
            return
        self.error = ""
        (await self.get_state(Effects))._leave(at(f"/c/{quote(charger_id)}"))

    @rx.event
    async def fail(self, kind: str) -> None:
        """Say why there is no picture, and what to do; where it may yet come, the camera stays."""
        if await auth.guard(self) is None or not isinstance(kind, str):
            return
        log.info("scanner failed", kind=kind[:20])
        if kind in TROUBLES:
            self.trouble = t(TROUBLES[kind])
        elif kind not in PASSING:
            self.error = t(OTHER_TROUBLE)

    async def _refresh(self, user_id: int) -> None:
        """Nothing of it changes by itself."""
