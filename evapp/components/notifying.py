"""Notices of the device itself, shown while the page lies in the background; composed in Python, without eval."""

import inspect
from typing import Any

import reflex as rx
from reflex.event import EventSpec, call_function, server_side
from reflex_base.utils.format import format_queue_events
from reflex_base.vars.function import ArgsFunctionOperation, FunctionStringVar, FunctionVar

said: rx.Var[str] = rx.Var("globalThis.Notification?.permission").to(str)
permission = rx.cond(said, said, "none")
"""granted, denied or default; none where the browser has no notices."""
allowed: rx.Var[bool] = rx.Var("document.hidden").to(bool) & (said == "granted")
ask: FunctionVar[Any] = FunctionStringVar.create("globalThis.Notification.requestPermission")
with_worker: FunctionVar[Any] = FunctionStringVar.create("navigator.serviceWorker?.ready.then")
show: FunctionVar[Any] = FunctionStringVar.create("worker.showNotification")
listen: FunctionVar[Any] = FunctionStringVar.create("self.addEventListener")
wait_until: FunctionVar[Any] = FunctionStringVar.create("event.waitUntil")
close: FunctionVar[Any] = FunctionStringVar.create("event.notification.close")
windows: FunctionVar[Any] = FunctionStringVar.create("self.clients.matchAll")
open_window: FunctionVar[Any] = FunctionStringVar.create("self.clients.openWindow")
every: FunctionVar[Any] = FunctionStringVar.create("self.Promise.all")
of_notice: rx.Var[str] = rx.Var("event.notification.data").to(str)
address: rx.Var[str] = rx.Var("window.location.href").to(str)


def asking(answered: Any) -> EventSpec:
    """Ask for the permission; `answered` is a handler that takes what was said.

    Reflex's own callback is a string that would have to be evaluated, which our policy forbids; this one is compiled.
    """
    return server_side(
        "_call_function",
        inspect.signature(call_function),
        function=ArgsFunctionOperation.create((), ask.call()),
        callback=format_queue_events(answered, args_spec=lambda result: [result]),
    )


def _notice(text: rx.Var[str]) -> rx.Var[Any]:
    """One of the same words takes the place of the one before, so two open tabs do not say it twice."""
    about = {"body": text, "tag": text, "icon": "/icons/icon-192.png", "badge": "/icons/favicon-48.png"}
    one = show.call("evapp", {**about, "data": address})
    return with_worker.call(ArgsFunctionOperation.create(("worker",), one))


def when_pressed() -> rx.Var[Any]:
    """For the service worker, to which a notice belongs: a press leads back to the page that is open, or to its
    address."""
    open_already = rx.Var("all.length").to(int) > 0
    page = rx.cond(open_already, FunctionStringVar.create("all[0].focus").call(), open_window.call(of_notice))
    there = ArgsFunctionOperation.create(("all",), page)
    done = every.call([FunctionStringVar.create(f"{windows.call({'type': 'window'})}.then").call(there), close.call()])
    return listen.call("notificationclick", ArgsFunctionOperation.create(("event",), wait_until.call(done)))


@rx.memo
def notifying(text: rx.Var[str], rest: rx.RestProp) -> rx.Component:
    """Shows its text when it is mounted, if nobody looks at the page."""
    return rx.el.span(rest, on_mount=rx.run_script(rx.cond(allowed, _notice(text), rx.Var("null"))), hidden=True)
