"""Where a charge ends by itself: none, rupees, kWh or time; four usual amounts of each, and room for another."""

from typing import Any

import reflex as rx

from evapp.components.buttons import button, icon
from evapp.components.fields import chip, chips, field
from evapp.components.text import Text
from evapp.components.tokens import CHOICES
from evapp.texts import t

KINDS = ("", "paise", "wh", "minutes")


def stop_at(state: Any, *, silent: bool = False) -> rx.Component:
    """The choice, `silent` under a heading that names it.

    `state` has `kind`, `typed`, `fills`, `usual`, `unit`, `error`, and `choose`, `write` and `take`.
    """
    return rx.el.div(
        chips(
            t("Stop at"),
            _kind(state, "", t("None")),
            _kind(state, "paise", "₹", t("Rupees")),
            _kind(state, "wh", "kWh"),
            _kind(state, "minutes", t("Time")),
            silent=silent,
        ),
        rx.cond(
            state.kind != "",
            rx.el.div(
                rx.el.div(
                    rx.foreach(state.usual, lambda one: _usual(state, one)),
                    role="radiogroup",
                    aria_label=t("Usual amounts"),
                    class_name=CHOICES,
                ),
                field(
                    "stop_at",
                    state.unit,
                    error=state.error,
                    input_mode="decimal",
                    auto_complete="off",
                    max_length=9,
                    default_value=state.typed,
                    key=state.fills,
                    on_change=state.write,
                    class_name="num",
                ),
                class_name="grid gap-4 mt-3",
            ),
        ),
    )


def stop_at_section(state: Any, goal_words: Text, no_limit_words: Text, outlook: Text) -> rx.Component:
    """The same while charging, folded under what is set now, or what ends the charge where nothing is."""
    return rx.el.details(
        rx.el.summary(
            rx.el.span(
                rx.el.span(t("Stop at"), class_name="text-section font-semibold block"),
                rx.el.span(
                    rx.cond(goal_words != "", goal_words, no_limit_words),
                    role="status",
                    class_name="num text-note text-ink-2 block mt-1",
                ),
            ),
            rx.el.span(
                t("Change"), icon("chevron-down"), class_name="inline-flex items-center gap-1 text-peacock font-medium"
            ),
            class_name="flex items-center justify-between gap-4 min-h-14 py-2",
        ),
        rx.el.form(
            stop_at(state, silent=True),
            rx.el.p(outlook, class_name="num text-note text-ink-2 min-h-6 mt-3"),
            button(t("Save limit"), type="submit", class_name="w-full mt-3"),
            on_submit=state.save,
            reset_on_submit=False,
            no_validate=True,
            class_name="pt-2 pb-4",
        ),
    )


def _kind(state: Any, value: str, face: str, name: str = "") -> rx.Component:
    """`name` says a face that is no word; any other name would not be found by who says what he sees (WCAG 2.5.3)."""
    named = {"aria_label": name} if name else {}
    return chip("stop_at_kind", value, face, checked=state.kind == value, on_change=state.choose(value), **named)


def _usual(state: Any, one: Any) -> rx.Component:
    return chip("stop_at_usual", one.value, one.face, checked=state.typed == one.value, on_change=state.take(one.value))
