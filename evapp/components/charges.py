"""Charges as operators see them: a line each, with its figures and what can be done about it."""

from typing import Any

import reflex as rx

from evapp.components.status import status
from evapp.texts import at


def charge(one: Any, *acts: rx.Component, below: rx.Component | None = None) -> rx.Component:
    """One charge: what it does, where and whose it is, its figures; `acts` in a line, `below` a form that is open."""
    return rx.el.li(
        rx.el.div(
            status(one.shown, one.words),
            rx.el.div(
                rx.el.p(
                    rx.el.a(
                        one.where, href=at(one.link), class_name="font-medium underline underline-offset-4 decoration-1"
                    ),
                    class_name="num",
                ),
                rx.cond(
                    one.who_link != "",
                    rx.el.p(
                        rx.el.a(one.who, href=at(one.who_link), class_name="underline underline-offset-4 decoration-1"),
                        class_name="text-note text-ink-2",
                    ),
                    rx.el.p(one.who, class_name="text-note text-ink-2"),
                ),
                rx.el.p(
                    rx.el.span(one.since),
                    rx.el.span(one.ref),
                    class_name="num flex flex-wrap gap-x-3 text-note text-ink-3",
                ),
                rx.cond(one.review != "", rx.el.p(one.review, class_name="text-note font-medium text-vermilion")),
                class_name="min-w-0",
            ),
            rx.el.div(
                rx.el.p(one.energy, class_name="num font-medium text-ink"),
                rx.el.p(one.cost, class_name="num font-medium text-ink"),
                rx.el.p(one.power, class_name="num text-note text-ink-2"),
                class_name="flex flex-wrap gap-x-4 sm:block sm:text-right",
            ),
            class_name="grid items-baseline gap-x-4 gap-y-1 sm:grid-cols-[10rem_minmax(0,1fr)_6.5rem]",
        ),
        rx.el.div(*acts, class_name="flex flex-wrap gap-x-5 empty:hidden"),
        below,
        class_name="py-3.5",
    )
