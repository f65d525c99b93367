"""Find a charger: by the ID on its sticker, or among those used before."""

import reflex as rx

from evapp.components.bones import bone
from evapp.components.buttons import button, button_link
from evapp.components.fields import field
from evapp.components.notices import empty
from evapp.components.rows import row, rows, section
from evapp.components.running import charge_bar
from evapp.components.shell import columns, shell
from evapp.pages.charger import charger_row, suggestions
from evapp.state.find import Find
from evapp.state.live import Live
from evapp.texts import Later, later, t

PRINTED = later("Printed under the QR code on the charger. Or open your phone's camera and point it at the code.")


def charge() -> rx.Component:
    """The page /charge."""
    return shell(
        "/charge",
        t("Start a charge"),
        columns(search(PRINTED), known()),
        bar=charge_bar(Live),
    )


def search(hint: Later | None = None) -> rx.Component:
    """The ID as it is printed, however it is typed."""
    return rx.el.div(
        rx.el.form(
            field(
                "charger",
                t("Charger ID or place"),
                hint=t(hint) if hint is not None else "",
                error=Find.error,
                type="text",
                placeholder="DEMO-1",
                auto_complete="off",
                auto_capitalize="characters",
                enter_key_hint="go",
                class_name="num uppercase placeholder:normal-case",
            ),
            rx.el.div(
                button(t("Find"), type="submit", picture="search"),
                button_link(t("Scan"), "/scan", kind="quiet", picture="scan-line", native=True),
                class_name="grid grid-cols-2 gap-3 mt-4",
            ),
            on_submit=Find.find,
        ),
        rx.cond(Find.suggestions.length() > 0, suggestions(Find.suggestions)),  # type: ignore[attr-defined]
        # The list comes without the focus, and says of itself nothing to who does not see it.
        rx.el.p(_for_place(), role="status", class_name="sr-only"),
        rx.cond(
            Find.place != "",
            section(
                _for_place(),
                rows(rx.foreach(Find.there, charger_row)),
                class_name="mt-7",
            ),
        ),
    )


def _for_place() -> rx.Var[str]:
    words: rx.Var[str] = rx.cond(Find.place != "", t("Chargers for “{place}”", place=Find.place), "")
    return words


def known() -> rx.Component:
    """The favourites, and the chargers used last."""
    return rx.el.div(
        rx.cond(
            Find.favourites.length() > 0,  # type: ignore[attr-defined]
            section(t("Favourites"), rows(rx.foreach(Find.favourites, charger_row)), class_name="mb-7"),
        ),
        recent(),
    )


def recent() -> rx.Component:
    """Chargers used before."""
    return section(
        t("Your chargers"),
        rx.cond(
            Find.loaded,
            rx.cond(
                Find.known.length() > 0,  # type: ignore[attr-defined]
                rows(rx.foreach(Find.known, charger_row)),
                empty(t("Chargers you use will appear here.")),
            ),
            rows(*(row(bone("12ch"), under=bone("8ch"), aside=bone("5ch")) for _ in range(2))),
        ),
    )
