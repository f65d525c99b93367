"""The cable from the wallet to the charger to the car: it moves while energy moves, and nothing else does."""

import reflex as rx


def cable(live: rx.Var[bool] | bool = True, *, news: rx.Var[str] | rx.Var[int] | None = None) -> rx.Component:
    """Joins the block above to the block below.

    With `news`, the time or number of the last reading, it stands still when the next two are late.
    """
    return rx.el.div(
        rx.el.i(),
        rx.el.i(),
        rx.el.i(),
        class_name="cable" if news is None else "cable mortal",
        custom_attrs={"data-live": live},
        aria_hidden="true",
        **({} if news is None else {"key": news}),
    )
