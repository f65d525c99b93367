"""The mark and the name: an e drawn as a cable, its plug where the bar begins."""

import math

import reflex as rx

from evapp.texts import Later, t

GROUND, CABLE, PLUG = "#12241F", "#FFB938", "#FFF9EA"
"""The same on every ground, in both themes: `--meter`, `--marigold` and `--ink` of the meter."""

_END = math.radians(42)
E = f"M33 32H49A17 17 0 1 0 {32 + 17 * math.cos(_END):.2f} {32 + 17 * math.sin(_END):.2f}"
"""The cable, in a box of 64."""

PINS = "M22.5 28.6H27M22.5 35.4H27"
BODY = {"x": "27", "y": "25.2", "width": "7.4", "height": "13.6", "rx": "2.8"}


def mark(size: int = 30) -> rx.Component:
    """The sign of the app; assets/icons are drawn from the same lines by scripts/icons.py."""
    return rx.el.svg(
        rx.el.svg.rect(width="64", height="64", rx="15", fill=GROUND),
        rx.el.svg.path(
            d=E, fill="none", stroke=CABLE, stroke_width="6", stroke_linecap="round", stroke_linejoin="round"
        ),
        rx.el.svg.path(d=PINS, stroke=PLUG, stroke_width="2.8", stroke_linecap="round"),
        rx.el.svg.rect(**BODY, fill=PLUG),
        view_box="0 0 64 64",
        width=str(size),
        height=str(size),
        aria_hidden="true",
        class_name="shrink-0",
    )


def brand() -> rx.Component:
    """Sign and name."""
    return rx.el.p(
        mark(),
        rx.el.span("evapp", class_name="text-reading font-semibold tracking-tight leading-none"),
        class_name="flex items-center gap-2.5 text-ink",
    )


def window_title(title: Later) -> str:
    """A page's title, as the window and its tab have it."""
    return f"{t(title)} · evapp"
