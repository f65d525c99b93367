"""The lines above every page: the connection is gone, a new version is here. They push it down and cover nothing."""

from typing import Any

import reflex as rx
from reflex_base.vars.function import FunctionStringVar, FunctionVar

from evapp.components.buttons import icon
from evapp.components.tongues import both
from evapp.texts import later

reload: FunctionVar[Any] = FunctionStringVar.create("window.location.reload")


def renewal() -> rx.Component:
    """The line that says a newer version waits; shown when evapp/components/effects.py has marked the document."""
    return rx.el.div(
        rx.el.p(both(later("A new version of evapp is here.")), role="status"),
        rx.el.button(
            both(later("Reload")),
            type="button",
            on_click=rx.run_script(reload.call()),
            class_name="min-h-11 px-3 font-semibold underline underline-offset-4 cursor-pointer",
        ),
        class_name="renewal sticky top-0 z-30 items-center justify-center gap-2.5 px-4 bg-ink text-paper text-strip",
    )


def lines(running: Any) -> rx.Component:
    """What is said of the connection, in a live region that is there before its words: others go unsaid. `running` is
    a Var: whether there is a charge to worry about."""
    return rx.el.div(_lost(running), _no_signal(running), id="lines", role="status", class_name="sticky top-0 z-30")


def _no_signal(running: Any) -> rx.Component:
    """The line of a phone without signal; shown when evapp/components/effects.py has marked the document, until the
    strip says the same of the connection."""
    return rx.el.p(
        icon("wifi-off", 18),
        rx.cond(
            running,
            both(later("No signal. Your charge goes on; the charger's own button stops it, too.")),
            both(later("No signal.")),
        ),
        class_name="offline items-center justify-center gap-2.5 px-4 py-2 bg-ink text-paper text-strip font-medium",
    )


def _lost(running: Any) -> rx.Component:
    """Replaces Reflex's message about websocket addresses."""
    return rx.connection_banner(
        rx.el.p(
            icon("wifi-off", 18),
            rx.el.span(
                rx.cond(
                    running,
                    both(later("Connection lost. Reconnecting. Your charge goes on.")),
                    both(later("Connection lost. Reconnecting.")),
                ),
                rx.el.span(both(later("Another network may help, such as mobile data.")), class_name="unhelped"),
            ),
            class_name="strip flex items-center justify-center gap-2.5 px-4 py-2 bg-ink text-paper text-strip "
            "font-medium",
        )
    )


def without_script() -> rx.Component:
    """Said by a browser that runs no scripts: without them a page's figures never come, and nothing else says why."""
    return rx.el.noscript(
        rx.el.p(
            both(later("evapp needs JavaScript. Allow it in this browser, or open evapp in another one.")),
            class_name="px-4 py-2 bg-ink text-paper text-strip font-medium",
        )
    )
