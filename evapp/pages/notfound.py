"""An address at which there is nothing."""

import reflex as rx

from evapp.components.buttons import button_link
from evapp.components.shell import alone
from evapp.components.tongues import both
from evapp.texts import later


def notfound() -> rx.Component:
    """Says so and leads home, by a full load, which knows the reader's language."""
    return alone(
        both(later("Nothing at this address.")),
        rx.el.p(both(later("A link may be old, or a letter is missing.")), class_name="text-ink-2 text-body mt-2"),
        button_link(both(later("Home")), "/dashboard", native=True, class_name="mt-6"),
    )
