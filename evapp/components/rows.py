"""Lists: rows that are links as a whole, and facts with their names."""

from typing import Any

import reflex as rx

from evapp.components.buttons import LOOKS, SHAPE, icon
from evapp.components.text import Content, Text, given
from evapp.texts import at, t

LONG = 20
"""Lines that come at once, at least; a list that has more of them was made longer by its reader."""


def section(title: Content, *children: rx.Component, **props: object) -> rx.Component:
    """A part of a page under its heading."""
    return rx.el.section(rx.el.h2(title, class_name="text-section font-semibold mb-2"), *children, **props)


def rows(*items: rx.Component) -> rx.Component:
    """Rows under each other, parted by hairlines; an item may be an `rx.foreach`."""
    return rx.el.ul(*items, class_name="divide-y divide-line")


def row(
    title: Content, *, under: Content = "", aside: Content = "", aside_under: Content = "", href: Text = ""
) -> rx.Component:
    """One thing: what it is on the left, its figures on the right; with `href`, a path without a language,
    the whole row leads there."""
    look = "flex flex-wrap items-baseline content-center justify-between gap-x-4 py-3.5 min-h-16"
    parts = (
        rx.el.div(
            rx.el.div(title, class_name="font-medium text-body text-ink group-hover:text-peacock"),
            rx.el.div(under, class_name="text-note text-ink-2") if given(under) else None,
            class_name="flex-1 min-w-[min(100%,8rem)]",
        ),
        rx.el.div(
            rx.el.div(
                rx.el.div(aside, class_name="num font-medium text-ink") if given(aside) else None,
                rx.el.div(aside_under, class_name="num text-note text-ink-3") if given(aside_under) else None,
                class_name="text-right",
            ),
            rx.el.span(icon("chevron-right"), class_name="text-ink-3 group-hover:text-peacock")
            if given(href)
            else None,
            class_name="flex items-center gap-2 shrink-0 ml-auto",
        ),
    )
    if given(href):
        return rx.el.li(rx.el.a(*parts, href=at(href), class_name=f"group {look}"))
    return rx.el.li(*parts, class_name=look)


def longer(lines: Any, more: Any, label: Text, on_click: Any) -> rx.Component:
    """The way to what is below the last of `lines`, while there is `more`. At the end of a long list it says so where
    it stood, for a button that goes takes the focus with it."""
    look = rx.cond(more, f"{SHAPE}{LOOKS['quiet']}", "min-h-12 rounded-field text-note text-ink-2")
    return rx.cond(
        more | (lines.length() > LONG),
        rx.el.button(
            rx.cond(more, label, t("The list ends here.")),
            type="button",
            on_click=on_click,
            aria_disabled=rx.cond(more, "false", "true"),
            class_name=f"w-full mt-4 {look}",
        ),
    )


def facts(*items: rx.Component) -> rx.Component:
    """Names and what they stand for, as on a receipt or a profile."""
    return rx.el.dl(*items, class_name="divide-y divide-line")


def fact(name: Content, value: Content, action: rx.Component | None = None) -> rx.Component:
    """One name and its value, with what can be done about it."""
    return rx.el.div(
        rx.el.dt(name, class_name="text-note text-ink-2"),
        rx.el.dd(value, class_name="num text-body text-ink min-w-0"),
        rx.el.dd(action, class_name="col-start-2 row-start-1 row-span-2") if action is not None else None,
        class_name="grid grid-cols-[minmax(min-content,1fr)_minmax(0,auto)] content-center items-center gap-x-4 py-2.5 "
        "min-h-12",
    )


def question(asked: Content, *answer: Content) -> rx.Component:
    """A question that opens to its answer, without a script."""
    return rx.el.details(
        rx.el.summary(
            rx.el.span(asked, class_name="font-medium text-body text-ink"),
            rx.el.span(icon("chevron-down"), class_name="turn text-ink-3"),
            class_name="flex items-center justify-between gap-4 min-h-14 py-2",
        ),
        *(rx.el.p(text, class_name="text-ink-2 pb-4 pr-9 max-w-[65ch]") for text in answer),
        class_name="border-b border-line",
    )
