"""The form in which a driver says what is wrong with a charger."""

from typing import Any

import reflex as rx

from domain.faults import LONGEST, REASONS
from evapp.components.buttons import button, icon
from evapp.components.fields import INPUT
from evapp.components.notices import notice
from evapp.texts import t


def fault_form(state: Any) -> rx.Component:
    """Folded away until somebody needs it; `state` has `sent`, `error` and `send`."""
    return rx.el.details(
        rx.el.summary(
            rx.el.span(t("Report a fault"), class_name="font-medium text-body text-ink"),
            rx.el.span(icon("chevron-down"), class_name="turn text-ink-3"),
            class_name="flex items-center justify-between gap-4 min-h-14 py-2 border-t border-line",
        ),
        rx.cond(
            state.sent,
            notice("good", t("Thank you. The operator has your report.")),
            rx.el.form(
                rx.el.fieldset(
                    rx.el.legend(t("What is wrong?"), class_name="text-note text-ink-2 mb-2"),
                    *(_reason(code, words) for code, words in REASONS.items()),
                ),
                rx.el.label(t("In your words"), html_for="words", class_name="block text-note text-ink-2 mt-4 mb-1.5"),
                rx.el.textarea(
                    id="words", name="words", max_length=LONGEST, rows="3", class_name=f"{INPUT} py-2.5 block"
                ),
                rx.el.p(t("Optional. Please no names and no numbers."), class_name="text-note text-ink-3 mt-1.5"),
                rx.el.p(
                    state.error, role="alert", class_name="text-note font-medium text-vermilion mt-1.5 empty:hidden"
                ),
                button(t("Send to the operator"), type="submit", kind="quiet", class_name="w-full mt-4"),
                on_submit=state.send,
                reset_on_submit=False,
                class_name="pb-4",
            ),
        ),
    )


def _reason(code: str, words: str) -> rx.Component:
    return rx.el.label(
        rx.el.input(type="radio", name="reason", value=code, class_name="size-5 shrink-0 accent-(--peacock)"),
        t(words),
        class_name="flex items-center gap-3 min-h-11 text-body text-ink cursor-pointer",
    )
