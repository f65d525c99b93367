"""A power curve as plain SVG; the server sends its points as one string, so no chart library is loaded."""

from collections.abc import Sequence

import reflex as rx

WIDTH, HEIGHT = 300, 80


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
    step, top = WIDTH / (len(readings) - 1), max(highest_w, 1)
    return " ".join(f"{n * step:.1f},{_y(w, top):.1f}" for n, w in enumerate(readings))


def _y(watts: int, top: int) -> float:
    return HEIGHT - 2 - (HEIGHT - 4) * min(max(watts, 0), top) / top
