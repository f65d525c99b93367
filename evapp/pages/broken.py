"""Takes the place of a page whose script failed."""

import reflex as rx

from evapp.components.buttons import button_link
from evapp.components.shell import plain
from evapp.texts import t


def broken() -> rx.Component:
    """Without the error's own words: those are in the server's log."""
    return plain(
        t("This page stopped working."),
        button_link(t("Load it again"), "", native=True),
        lead=t("If your car is charging, it keeps charging. You pay only for the units it delivers."),
    )
