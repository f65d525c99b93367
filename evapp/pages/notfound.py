"""An address at which there is nothing."""

import reflex as rx

from evapp.components.buttons import button_link
from evapp.components.shell import plain
from evapp.texts import t


def notfound() -> rx.Component:
    """Says so and leads home."""
    return plain(
        t("Nothing at this address."),
        button_link(t("Home"), "/dashboard"),
        lead=t("A link may be old, or a letter is missing."),
    )
