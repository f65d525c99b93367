"""Shown by the service worker, under the address the driver wanted, while the phone has no network."""

import reflex as rx

from evapp.components.brand import brand
from evapp.components.buttons import button_link
from evapp.texts import t


def offline() -> rx.Component:
    """Needs no script and no server (evapp/web/pwa.py strips it)."""
    return rx.el.div(
        rx.el.header(brand(), class_name="py-6 sm:pt-14"),
        rx.el.main(
            rx.el.h1(t("No connection"), class_name="text-page leading-8 font-semibold tracking-tight"),
            rx.el.p(
                t("If your car is charging, it keeps charging. The charger stops at your limit, "
                  "and you pay only for the units it delivers."),
                class_name="text-ink-2 text-body mt-2",
            ),
            rx.el.p(
                t("To stop now, press the charger’s own stop button or end the charge in your car."),
                class_name="text-ink-2 text-body mt-3",
            ),
            # An empty address is the page that was asked for.
            button_link(t("Try again"), "", native=True, class_name="mt-6"),
            id="main",
            class_name="pt-4",
        ),
        class_name="w-full max-w-[28rem] mx-auto px-4 sm:px-6 pb-10",
    )  # fmt: skip
