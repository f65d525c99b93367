"""Notices of the device itself, of a page in the background or of the server; composed in Python, without eval."""

import inspect
from collections.abc import Callable
from typing import Any

import reflex as rx
from reflex.event import EventSpec, call_function, server_side
from reflex_base.utils.format import format_queue_events
from reflex_base.vars.function import ArgsFunctionOperation, FunctionStringVar, FunctionVar

said: rx.Var[str] = rx.Var("globalThis.Notification?.permission").to(str)
permission = rx.cond(said, said, "none")
"""granted, denied or default; none where the browser has no notices."""
iphone: rx.Var[bool] = rx.Var("('standalone' in navigator)").to(bool)
"""Only the browsers of iPhones and iPads know the word; they have no menu that installs, and no notices in a tab."""
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
has_workers: rx.Var[bool] = rx.Var("('serviceWorker' in navigator)").to(bool)
subscribe: FunctionVar[Any] = FunctionStringVar.create("worker.pushManager.subscribe")
subscribed_before: FunctionVar[Any] = FunctionStringVar.create("worker.pushManager.getSubscription")
end: FunctionVar[Any] = FunctionStringVar.create("before.unsubscribe")
written: rx.Var[Any] = rx.Var("JSON.stringify")
show_here: FunctionVar[Any] = FunctionStringVar.create("self.registration.showNotification")
shown_here: FunctionVar[Any] = FunctionStringVar.create("self.registration.getNotifications")
told: rx.Var[Any] = rx.Var("event.data.json()")


def asking(answered: Any) -> EventSpec:
    """Ask for the permission; `answered` is a handler that takes what was said.

    Reflex's own callback is a string that would have to be evaluated, which our policy forbids; this one is compiled.
    """
    return _calling(ask.call(), answered)


def subscribing(key: rx.Var[str], answered: Any) -> EventSpec:
    """Have the browser's push service take what our server tells this device, sealed for it (RFC 8292: `key` is ours).

    `answered` is a handler that takes the subscription as JSON, or "" from a browser that has no such service. One that
    was made for another key is ended for a new one.
    """
    ours = subscribe.call({"userVisibleOnly": True, "applicationServerKey": key})
    ended = _then(subscribed_before.call(), "before", end.call())
    anew = _after(ours, "catch")(_function(_then(ended, "", ours)))
    taken = with_worker.call(_function(_after(anew, "then")(written), "worker"))
    return _calling(
        rx.cond(has_workers, _after(taken, "catch")(_function(rx.Var.create(""))), rx.Var.create("")), answered
    )


def _calling(what: rx.Var[Any], answered: Any) -> EventSpec:
    return server_side(
        "_call_function",
        inspect.signature(call_function),
        function=_function(what),
        callback=format_queue_events(answered, args_spec=lambda result: [result]),
    )


def _function(does: rx.Var[Any], takes: str = "") -> rx.Var[Any]:
    return ArgsFunctionOperation.create((takes,) if takes else (), does)


def _after(promise: rx.Var[Any], how: str) -> Callable[[rx.Var[Any]], rx.Var[Any]]:
    return FunctionStringVar.create(f"{promise!s}.{how}").call


def _then(promise: rx.Var[Any], takes: str, does: rx.Var[Any]) -> rx.Var[Any]:
    return _after(promise, "then")(_function(does, takes))


def _notice(text: rx.Var[str]) -> rx.Var[Any]:
    """One of the same words takes the place of the one before, so two open tabs do not say it twice."""
    about = {"body": text, "tag": text, "icon": "/icons/icon-192.png", "badge": "/icons/favicon-48.png"}
    one = show.call("evapp", {**about, "data": address})
    return with_worker.call(_function(one, "worker"))


def when_pressed() -> rx.Var[Any]:
    """For the service worker, to which a notice belongs: a press leads back to the page that is open, or to its
    address."""
    open_already = rx.Var("all.length").to(int) > 0
    page = rx.cond(open_already, FunctionStringVar.create("all[0].focus").call(), open_window.call(of_notice))
    there = _function(page, "all")
    done = every.call([_after(_windows(), "then")(there), close.call()])
    return listen.call("notificationclick", _function(wait_until.call(done), "event"))


def when_pushed() -> rx.Var[Any]:
    """For the service worker: what our server tells is shown, and put away again where the page is in sight and says it
    itself. Showing nothing would lose the subscription on an iPhone, the third time."""
    seen = (
        FunctionStringVar.create("all.some")
        .call(_function(rx.Var("one.visibilityState === 'visible'"), "one"))
        .to(bool)
    )
    put_away = FunctionStringVar.create("shown.forEach").call(
        _function(FunctionStringVar.create("one.close").call(), "one")
    )
    away = _then(shown_here.call({"tag": rx.Var("event.data.json().tag")}), "shown", put_away)
    shown = _then(show_here.call("evapp", told), "", _windows())
    done = _then(shown, "all", rx.cond(seen, away, rx.Var("null")))
    return listen.call("push", _function(wait_until.call(done), "event"))


def _windows() -> rx.Var[Any]:
    return windows.call({"type": "window"})


@rx.memo
def notifying(text: rx.Var[str], rest: rx.RestProp) -> rx.Component:
    """Shows its text when it is mounted, if nobody looks at the page."""
    return rx.el.span(rest, on_mount=rx.run_script(rx.cond(allowed, _notice(text), rx.Var("null"))), hidden=True)
