"""The PIN once more, before anything that touches money, keys, people or chargers."""

import reflex as rx

from evapp.components.fields import hidden, pin_field, posted_form
from evapp.components.notices import notice
from evapp.pages.ops import desk
from evapp.state.ops_pin import OpsPin
from evapp.texts import t


def ops_pin() -> rx.Component:
    """The page /ops/pin."""
    return desk(
        "",
        t("Enter your PIN"),
        rx.el.div(
            rx.el.p(t("It opens changes for 10 minutes on this device."), class_name="text-ink-2 mb-5"),
            rx.cond(OpsPin.error != "", rx.el.div(notice("fault", OpsPin.error), class_name="mb-4")),
            posted_form(
                hidden("next", OpsPin.next_path),
                pin_field("pin", t("Your PIN"), error=OpsPin.wrong),
                action="/auth/step-up",
                label=t("Open changes"),
                busy_label=t("Opening…"),
            ),
            class_name="max-w-[28rem]",
        ),
        changes=False,
    )
