"""The line that says the connection is gone; it pushes the page down and covers nothing."""

import reflex as rx

from evapp.components.buttons import icon
from evapp.components.tongues import both
from evapp.texts import later


def strip() -> rx.Component:
    """Mounted once in the overlay; replaces Reflex's message about websocket addresses."""
    return rx.connection_banner(
        rx.el.p(
            icon("wifi-off", 18),
            both(later("Connection lost. Reconnecting. Your charge goes on.")),
            role="status",
            class_name="strip sticky top-0 z-30 flex items-center justify-center gap-2.5 px-4 py-2 bg-ink text-paper "
            "text-note font-medium",
        )
    )
