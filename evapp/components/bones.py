"""What stands in for a figure until it has come, and what says that it is old."""

import reflex as rx

from evapp.components.text import Content
from evapp.texts import t


def bone(width: str, height: str = "1em") -> rx.Component:
    """A placeholder with the box of what replaces it, so that nothing moves."""
    return rx.el.span(class_name="bone", style={"width": width, "height": height}, aria_hidden="true")


def loaded(ready: rx.Var[bool] | bool, value: Content, width: str, height: str = ".8em") -> rx.Component:
    """The value once `ready`, its bone before: a prerendered page would otherwise flash ₹0.00."""
    return rx.cond(ready, value, bone(width, height))


def remembered(
    known: rx.Var[bool] | bool, current: rx.Var[bool] | bool, value: Content, width: str, height: str
) -> rx.Component:
    """A value that is read anew on each visit: its bone until it is `current`, but where nothing newer can come, the
    one that is `known` from before (assets/theme.css); `as_of` says how old it is."""
    waiting = bone(width, height)
    old = rx.fragment(rx.el.span(value, class_name="known-last"), waiting)
    return rx.cond(known, rx.cond(current, value, old), waiting)


def as_of(time: rx.Var[str] | str) -> rx.Component:
    """When a figure was the newest; to be seen while nothing newer can come."""
    return rx.el.span(t("as of {time}", time=time), class_name="as-of num text-note text-ink-2")


def stale(news: rx.Var[str] | rx.Var[int], words: str) -> rx.Component:
    """Words that appear when `news` (a time or a counter of the last reading) has not changed for two readings."""
    return rx.el.span(words, key=news, class_name="stale")
