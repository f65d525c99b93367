"""Light, dark, or as the phone has it."""

from typing import Literal

import reflex as rx
from reflex.style import color_mode, set_color_mode

from evapp.texts import Later, later, t

CHOICES: tuple[tuple[Literal["system", "light", "dark"], Later], ...] = (
    ("system", later("Automatic")),
    ("light", later("Light")),
    ("dark", later("Dark")),
)


def theme_choice() -> rx.Component:
    """Three buttons, one pressed; the choice stays on this device."""
    return rx.el.div(
        *(
            rx.el.button(
                t(word),
                type="button",
                on_click=set_color_mode(mode),
                aria_pressed=rx.cond(color_mode == mode, "true", "false"),
                class_name="min-h-11 rounded-field px-2 text-note text-ink-2 border border-transparent cursor-pointer "
                "aria-pressed:bg-surface aria-pressed:text-ink aria-pressed:font-semibold aria-pressed:border-edge",
            )
            for mode, word in CHOICES
        ),
        role="group",
        aria_label=t("Theme"),
        class_name="grid grid-cols-3 gap-1 p-1 bg-sunken rounded-field",
    )
