"""A power curve as plain SVG; the server sends its points as one string, so no chart library is loaded."""

from collections.abc import Sequence

import reflex as rx

WIDTH, HEIGHT, EDGE = 3000, 800, 20
"""In whole units, which are short to write and to send; the curve keeps off the edges."""


def spark(points: rx.Var[str] | str, *, label: rx.Var[str] | str, height: str = "h-14") -> rx.Component:
    """The curve and the area under it; `label` says in a sentence what it shows."""
    return rx.el.svg(
        rx.el.svg.polygon(points=f"0,{HEIGHT} {points} {WIDTH},{HEIGHT}", fill="var(--marigold)", fill_opacity="0.28"),
        rx.el.svg.polyline(
            points=points,
            fill="none",
            stroke="var(--amber-text)",
            stroke_width="2.5",
            stroke_linejoin="round",
            custom_attrs={"vectorEffect": "non-scaling-stroke"},
        ),
        view_box=f"0 0 {WIDTH} {HEIGHT}",
        custom_attrs={"preserveAspectRatio": "none"},
        role="img",
        aria_label=label,
        class_name=f"block w-full {height}",
    )


def spark_points(watts: Sequence[int], highest_w: int) -> str:
    """Points of the curve from readings at equal intervals; `highest_w` touches the top."""
    if not watts:
        return ""
    readings = watts if len(watts) > 1 else (watts[0], watts[0])
    steps, top, room = len(readings) - 1, max(highest_w, 1), HEIGHT - 2 * EDGE
    return " ".join(
        f"{n * WIDTH // steps},{HEIGHT - EDGE - room * min(max(w, 0), top) // top}" for n, w in enumerate(readings)
    )
