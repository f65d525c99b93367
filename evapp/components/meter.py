"""The meter: a dark panel with one large figure, its scale and a few readings. Dark in both themes."""

from typing import Any

import reflex as rx

from evapp.components.text import Content, given
from evapp.components.tokens import SHORT

INTERVALS = 20
"""Ticks of the scale; every fifth is long and carries a mark."""

SCALES_WH = (4_000, 8_000, 12_000, 20_000, 40_000, 60_000, 80_000, 120_000, 200_000, 400_000)
"""Full scales, in Wh, whose quarters are whole kWh."""
STEP_WH = 4_000
"""Every multiple of it is such a scale."""


def panel(*children: rx.Component, label: Content, **props: object) -> rx.Component:
    """The instrument's face. Inside it every colour name means the panel's own."""
    return rx.el.section(*children, aria_label=label, class_name="meter rounded-panel p-5 sm:p-7", **props)


def figure(value: Content, unit: Content = "", *, size: str = "dial") -> rx.Component:
    """The one large figure; `size` is `dial`, `balance` or `card`."""
    return rx.el.p(
        value,
        rx.el.span(unit, class_name="text-reading font-normal text-ink-2 ml-2 tracking-normal whitespace-nowrap")
        if given(unit)
        else None,
        class_name=f"num text-{size} leading-none font-semibold text-ink",
    )


def reading(label: Content, value: Content, unit: Content = "") -> rx.Component:
    """A labelled figure."""
    return rx.el.div(
        rx.el.dt(label, class_name="text-small text-ink-2"),
        rx.el.dd(
            value,
            rx.el.span(unit, class_name="text-note font-normal text-ink-2 ml-1") if given(unit) else None,
            class_name="num text-reading leading-7 font-semibold text-ink whitespace-nowrap",
        ),
    )


def readings(*items: rx.Component) -> rx.Component:
    """Up to four readings under a hairline."""
    return rx.el.dl(
        *items,
        class_name="grid grid-cols-[repeat(auto-fit,minmax(min(100%,8rem),1fr))] sm:grid-cols-4 gap-x-6 gap-y-4 mt-7 "
        "pt-5 border-t border-line max-[22rem]:grid-cols-[repeat(auto-fit,minmax(min(100%,7rem),1fr))] "
        f"max-[22rem]:gap-x-4 {SHORT}mt-3 {SHORT}pt-3 {SHORT}gap-y-1",
    )


def rail(
    fill: rx.Var[str] | str,
    marks: Any,
    *,
    label: rx.Var[str] | str,
    goal: rx.Var[str] | str = "",
    goal_words: Content = "",
) -> rx.Component:
    """How much of a scale is filled, with the place where it stops.

    Args:
        fill: where the bar ends, as `along` gives it ("37.25%").
        marks: a list, or a Var of a list, of the five numbers under the long ticks, as `marks` gives them.
        label: the whole of it in one sentence, for those who do not see it.
        goal: where charging stops, as `along` gives it; empty for nowhere.
        goal_words: what stands under the goal ("Stops at 15").
    """
    return rx.el.div(
        rx.el.svg(
            *(_tick(n) for n in range(INTERVALS + 1)),
            rx.el.svg.rect(x="0", y="26", width="100%", height="14", rx="7", class_name="bed"),
            rx.el.svg.rect(x="0", y="26", width=fill, height="14", rx="7", class_name="fill"),
            rx.cond(goal != "", rx.el.svg.line(x1=goal, x2=goal, y1="4", y2="44", class_name="goal")),
            role="img",
            aria_label=label,
            height="48",
            width="100%",
            overflow="visible",
            class_name="block",
        ),
        rx.el.div(
            *(_mark(marks[n], n) for n in range(5)),
            class_name="num relative h-6 text-small text-ink-2",
            aria_hidden="true",
        ),
        rx.cond(goal_words != "", rx.el.p(goal_words, class_name="num text-small font-semibold text-ink mt-1")),
        class_name=f"rail mt-6 {SHORT}mt-3",
    )


def full_scale(highest_wh: int, goal_wh: int = 0) -> int:
    """The scale, in Wh, that shows `highest_wh` with some room.

    With a goal it ends there, or at the first place after it whose quarters are whole kWh: the bar is full when the car
    is. A charger that gives a little more than was asked of it changes no scale.
    """
    if goal_wh:
        return STEP_WH * -(-max(goal_wh, highest_wh - highest_wh // 20) // STEP_WH)
    return next((wh for wh in SCALES_WH if highest_wh <= wh * 0.95), SCALES_WH[-1])


def marks(scale_wh: int) -> list[str]:
    """The five numbers, in kWh, under the long ticks of a scale."""
    return [f"{scale_wh * n // 4 // 1000}" for n in range(5)]


def along(wh: int, scale_wh: int) -> str:
    """Where an energy lies on a scale, from the left: "37.25%"."""
    return f"{min(10_000, max(0, wh * 10_000 // scale_wh)) / 100:.2f}%"


def _tick(n: int) -> rx.Component:
    x = f"{n * 100 / INTERVALS}%"
    long = n % 5 == 0
    return rx.el.svg.line(x1=x, x2=x, y1="2" if long else "12", y2="22", class_name="tick long" if long else "tick")


PLACES = ("left-0", "left-1/4 -translate-x-1/2", "left-1/2 -translate-x-1/2", "left-3/4 -translate-x-1/2", "right-0")


def _mark(word: rx.Var[str] | str, n: int) -> rx.Component:
    return rx.el.span(word, class_name=f"absolute {PLACES[n]}")
