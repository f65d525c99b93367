"""The camera at a sticker's code, for those who are in the app already."""

import reflex as rx

from evapp.components.buttons import button_link
from evapp.components.notices import notice
from evapp.components.running import charge_bar
from evapp.components.scanner import CAMERA, LIGHT, name_the_light, scanner
from evapp.components.shell import shell
from evapp.state.live import Live
from evapp.state.scan import Scan
from evapp.texts import t


def scan() -> rx.Component:
    """The page /scan; it is loaded and left in full, since only here the browser may run the decoder."""
    return shell(
        "/charge",
        t("Scan the code"),
        # Two parts, each with its key: nothing of the one moves to where the other has something.
        rx.cond(
            Scan.trouble != "",
            rx.el.div(
                notice("warn", Scan.trouble, action=button_link(t("Type the ID"), "/charge", native=True)),
                key="trouble",
                class_name="max-w-[28rem]",
            ),
            rx.el.div(viewfinder(), key="picture", class_name="max-w-[28rem]"),
        ),
        bar=charge_bar(Live),
    )


def viewfinder() -> rx.Component:
    """What the camera sees, what it wants to see, and the way without it."""
    return rx.fragment(
        rx.el.div(
            rx.cond(Scan.ready, scanner(Scan.seen, Scan.fail)),
            rx.el.div(class_name="aim", aria_hidden="true"),
            id=CAMERA,
            on_mount=name_the_light(),
            role="region",
            aria_label=t("Camera"),
            class_name="camera relative aspect-square w-full overflow-hidden rounded-panel bg-sunken",
        ),
        rx.el.span(t("Light"), id=LIGHT, hidden=True),
        rx.el.p(
            rx.cond(Scan.error != "", Scan.error, t("Hold the camera at the QR code on the charger.")),
            role="status",
            class_name="text-ink-2 mt-4 min-h-12",
        ),
        button_link(t("Type the ID instead"), "/charge", kind="quiet", native=True, class_name="w-full mt-2"),
    )
