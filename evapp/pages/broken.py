"""Takes the place of a page whose script failed."""

import reflex as rx

from evapp.components.buttons import button_link
from evapp.components.shell import alone
from evapp.components.tongues import both
from evapp.texts import later


def broken() -> rx.Component:
    """Without the error's own words: those are in the server's log."""
    return alone(
        both(later("This page stopped working.")),
        rx.el.p(
            both(later("If your car is charging, it keeps charging. You pay only for what it takes.")),
            class_name="text-ink-2 text-body mt-2",
        ),
        button_link(both(later("Load it again")), "", native=True, class_name="mt-6"),
    )
