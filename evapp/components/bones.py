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


def as_of(time: rx.Var[str] | str) -> rx.Component:
    """When a figure was the newest; to be seen while nothing newer can come."""
    return rx.el.span(t("as of {time}", time=time), class_name="as-of num text-note text-ink-2")


def stale(news: rx.Var[str] | rx.Var[int], words: str) -> rx.Component:
    """Words that appear when `news` (a time or a counter of the last reading) has not changed for two readings."""
    return rx.el.span(words, key=news, class_name="stale")
