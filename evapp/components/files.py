"""Links to files that a driver keeps: the browser fetches them beside the page, which stays."""

from typing import Any

from evapp.state.visit import Visit

FILE: dict[str, Any] = {"native": True, "download": "", "on_click": Visit.fetches}
"""What such a link has. Without `download` Reflex believes that the page is left, and ends its socket. A file that is
refused is refused without a word by the browser, so the page itself sees who asks."""
