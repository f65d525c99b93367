"""The sheet that asks before something ends: what happens, what it costs, and the safe way out first."""

from typing import Any

import reflex as rx
from reflex_base.vars.function import ArgsFunctionOperation, FunctionStringVar, FunctionVar
from reflex_components_radix.primitives.dialog import dialog

from evapp.components.buttons import button
from evapp.components.text import Text

SHEET = (
    "sheet fixed z-40 inset-x-0 bottom-0 max-h-dvh overflow-y-auto bg-surface rounded-t-panel p-6 "
    "pb-[max(1.5rem,env(safe-area-inset-bottom))] "
    "sm:inset-auto sm:left-1/2 sm:top-1/2 sm:-translate-1/2 sm:w-[28rem] sm:rounded-panel"
)
"""From below on a phone, in the middle from 640 px."""
VEIL = "veil fixed inset-0 z-30 bg-[rgb(8_14_12/.6)]"
"""What lies behind a sheet, and for a moment after it: the second of two quick taps must not meet the page."""

WATCHED = "evappSheet"
"""On the window: what hears the phone's way back while a sheet is open."""

watcher: rx.Var[Any] = rx.Var("globalThis.CloseWatcher")
watches: rx.Var[bool] = rx.Var("('CloseWatcher' in globalThis)").to(bool)
assign: FunctionVar[Any] = FunctionStringVar.create("Object.assign")
construct: FunctionVar[Any] = FunctionStringVar.create("Reflect.construct")
unwatch: FunctionVar[Any] = FunctionStringVar.create(f"window.{WATCHED}?.destroy")
keep_it: FunctionVar[Any] = FunctionStringVar.create("document.querySelector('[role=alertdialog] button')?.click")
"""Presses the safe answer, which stands first."""


@rx.memo
def way_back(rest: rx.RestProp) -> rx.Component:
    """While it is mounted, a phone's own way back closes the sheet, where the browser can tell (HTML, CloseWatcher),
    instead of leaving the page under it."""
    answer = ArgsFunctionOperation.create((), keep_it.call())
    watching = assign.call(construct.call(watcher, rx.Var.create([])), {"onclose": answer})
    kept = assign.call(rx.Var("window"), {WATCHED: watching})
    return rx.el.span(
        rest,
        on_mount=rx.run_script(rx.cond(watches, kept, rx.Var("null"))),
        on_unmount=rx.run_script(unwatch.call()),
        hidden=True,
    )


def confirm(
    trigger: rx.Component,
    *,
    title: Text,
    sentence: Text,
    keep: Text,
    go: Text,
    on_go: Any,
    **root: object,
) -> rx.Component:
    """A question with two answers; it opens from `trigger`, closes on either and gives the focus back.

    Args:
        trigger: the button that opens it.
        title: the question.
        sentence: what the answer means, with sums.
        keep: the safe answer; it stands first and has the focus.
        go: the answer that ends something.
        on_go: what `go` does.
        root: `open` and `on_open_change`, when a state must open or close it.
    """
    return dialog.root(
        dialog.trigger(trigger, as_child=True),
        dialog.portal(
            dialog.overlay(class_name=VEIL),
            dialog.content(
                way_back(),
                dialog.title(title, class_name="text-reading font-semibold text-ink"),
                dialog.description(sentence, class_name="text-ink-2 mt-2"),
                rx.el.div(
                    dialog.close(button(keep, kind="quiet", class_name="w-full"), as_child=True),
                    dialog.close(button(go, kind="stop", on_click=on_go, class_name="w-full"), as_child=True),
                    class_name="grid gap-3 mt-6 sm:grid-cols-2",
                ),
                role="alertdialog",
                class_name=SHEET,
            ),
        ),
        **root,
    )
