"""An address at which there is nothing."""

import reflex as rx

from evapp.components.brand import window_title
from evapp.components.buttons import button_link
from evapp.components.shell import alone
from evapp.components.tongues import both, titled
from evapp.texts import later

TITLE = later("Nothing here")


def notfound() -> rx.Component:
    """Says so and leads home, by a full load, which knows the reader's language."""
    return alone(
        both(later("Nothing at this address.")),
        rx.el.p(both(later("A link may be old, or a letter is missing.")), class_name="text-ink-2 text-body mt-2"),
        button_link(both(later("Home")), "/dashboard", native=True, class_name="mt-6"),
        rx.el.span(on_mount=titled(lambda: window_title(TITLE)), hidden=True),
    )
