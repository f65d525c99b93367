"""What stands in for a figure until it has come, and what says that it is old."""

import reflex as rx

from evapp.components.text import Content


def bone(width: str, height: str = "1em") -> rx.Component:
    """A placeholder with the box of what replaces it, so that nothing moves."""
    return rx.el.span(class_name="bone", style={"width": width, "height": height}, aria_hidden="true")


def loaded(ready: rx.Var[bool] | bool, value: Content, width: str, height: str = ".8em") -> rx.Component:
    """The value once `ready`, its bone before: a prerendered page would otherwise flash ₹0.00."""
    return rx.cond(ready, value, bone(width, height))


def age(news: rx.Var[str] | rx.Var[int], fresh: Content, old: Content) -> rx.Component:
    """`fresh` words, which give way to `old` ones when `news` has not changed for 10 s."""
    return rx.el.span(
        rx.el.span(fresh, class_name="fresh"), rx.el.span(old, class_name="stale"), key=news, class_name="age"
    )


def stale(news: rx.Var[str] | rx.Var[int], words: str) -> rx.Component:
    """Words that appear when `news` (a time or a counter of the last reading) has not changed for 10 s."""
    return rx.el.span(words, key=news, class_name="stale")
