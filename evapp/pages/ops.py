"""The frame of every page of the operators; for everybody else it says that there is nothing."""

import reflex as rx

from evapp.components.ops import gate, operators_navigation
from evapp.components.shell import framed
from evapp.components.text import Content
from evapp.pages.notfound import notfound
from evapp.state.ops import NOTHING, Ops


def desk(current: str, title: Content, *children: rx.Component, changes: bool = True, **frame: object) -> rx.Component:
    """A page with the operators' navigation; with `changes` it says whether the PIN has opened them."""
    # A line of its own on a phone: beside the title it would wrap there for some words and not for others.
    beside = rx.el.div(gate(Ops.until, Ops.pin_at), class_name="basis-full lg:basis-auto -my-1.5") if changes else None
    return rx.cond(
        Ops.here == NOTHING,
        notfound(),
        framed(operators_navigation(current), title, *children, aside=beside, **frame),  # type: ignore[arg-type]
    )


def opened(*forms: rx.Component) -> rx.Component:
    """What only a fresh PIN shows."""
    return rx.cond(Ops.until != "", rx.fragment(*forms))
