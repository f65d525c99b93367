"""Things a driver must know: what happened, what it cost, what to do next; and the words for an empty list."""

import reflex as rx

from evapp.components.buttons import icon
from evapp.components.text import Content

PICTURES = {"info": "info", "good": "circle-check", "warn": "triangle-alert", "fault": "octagon-alert"}


def notice(
    kind: str, title: Content, *more: Content, action: rx.Component | None = None, within: bool = False
) -> rx.Component:
    """A message that stays; `kind` is `info`, `good`, `warn` or `fault`, `action` the next step.

    A fault is spoken at once by a screen reader, the others when it has finished its sentence. Many say nothing of what
    comes together with its live region: one that comes later is `within` a region that was there before.
    """
    return rx.el.div(
        icon(PICTURES[kind], 22),
        rx.el.div(
            rx.el.p(title, class_name="font-semibold text-ink"),
            *(rx.el.p(text, class_name="text-ink-2 mt-1") for text in more),
            rx.el.div(action, class_name="mt-3 empty:hidden") if action is not None else None,
            class_name="min-w-0",
        ),
        **({} if within else {"role": "alert" if kind == "fault" else "status"}),
        class_name="notice flex gap-3 rounded-field bg-surface px-4 py-3.5",
        custom_attrs={"data-kind": kind},
    )


def empty(words: Content, action: rx.Component | None = None) -> rx.Component:
    """What a list says while it has nothing."""
    return rx.el.div(
        rx.el.p(words, class_name="text-ink-2"),
        rx.el.div(action, class_name="mt-4") if action is not None else None,
        class_name="py-3.5",
    )
