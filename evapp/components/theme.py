"""Light, dark, or as the phone has it."""

from typing import Any, Literal

import reflex as rx
from reflex.style import color_mode, resolved_color_mode, set_color_mode
from reflex_base.vars.function import ArgsFunctionOperation, FunctionStringVar, FunctionVar

from evapp.texts import Later, later, t

CHOICES: tuple[tuple[Literal["system", "light", "dark"], Later], ...] = (
    ("system", later("Automatic")),
    ("light", later("Light")),
    ("dark", later("Dark")),
)

PAPER = {"light": "#FAF6EE", "dark": "#0C1412"}
"""Of a page, and of the browser's own bar above it."""

bars: FunctionVar[Any] = FunctionStringVar.create("document.querySelectorAll('meta[name=theme-color]').forEach")
paint: FunctionVar[Any] = FunctionStringVar.create("bar.setAttribute")


def papers() -> list[rx.Component]:
    """The colours of the browser's bar as the phone has it, until the page knows what was chosen in the app."""
    # Reflex takes `media` for a style.
    return [
        rx.el.meta(name="theme-color", content=paper, custom_attrs={"media": f"(prefers-color-scheme: {theme})"})
        for theme, paper in PAPER.items()
    ]


@rx.memo
def papering(paper: rx.Var[str], rest: rx.RestProp) -> rx.Component:
    """Gives the browser's bar this colour when it is mounted, whatever the phone itself has."""
    painted = ArgsFunctionOperation.create(("bar",), paint.call("content", paper))
    return rx.el.span(rest, on_mount=rx.run_script(bars.call(painted)), hidden=True)


def repapered() -> rx.Component:
    """The browser's bar follows the theme of the page; mounted once, in the overlay of evapp.py."""
    paper = rx.cond(resolved_color_mode == "dark", PAPER["dark"], PAPER["light"])
    return papering(paper=paper, key=resolved_color_mode)


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
