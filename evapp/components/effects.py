"""The browser's side of evapp/state/effects.py, composed in Python: compiled functions need no eval."""

from typing import Any

import reflex as rx
from reflex.event import EventSpec
from reflex_base.vars.function import ArgsFunctionOperation, FunctionStringVar, FunctionVar
from reflex_components_sonner.toast import toast_ref

from evapp.components.arrival import lost
from evapp.components.notifying import notifying, subscribing
from evapp.components.receipt import RECEIPT
from evapp.components.tongues import of_address
from evapp.state.alerts import Alerts
from evapp.state.effects import Effects
from evapp.state.live import Live
from evapp.state.visit import Visit
from evapp.texts import language, t

assign: FunctionVar[Any] = FunctionStringVar.create("window.location.assign")
replace: FunctionVar[Any] = FunctionStringVar.create("window.location.replace")
assigned: FunctionVar[Any] = FunctionStringVar.create("Object.assign")
set_attribute: FunctionVar[Any] = FunctionStringVar.create("document.documentElement.setAttribute")
registered: FunctionVar[Any] = FunctionStringVar.create("navigator.serviceWorker?.register('/sw.js').then")
looked: FunctionVar[Any] = FunctionStringVar.create("known.update().then")
toasts: rx.Var[Any] = rx.Var("document.querySelector('section[aria-relevant]')")
to_receipt: FunctionVar[Any] = FunctionStringVar.create(f"document.getElementById('{RECEIPT}')?.focus")


document: rx.Var[Any] = rx.Var("document.documentElement")
marking: FunctionVar[Any] = FunctionStringVar.create("document.documentElement.setAttribute.bind")
workers: rx.Var[Any] = rx.Var("navigator.serviceWorker")
own: rx.Var[bool] = rx.Var("(known.installing || known.waiting || !navigator.serviceWorker.controller)").to(bool)
"""The worker that comes next is as new as the page: it was found when the page was."""
listen: FunctionVar[Any] = FunctionStringVar.create("navigator.serviceWorker.addEventListener")
listening: FunctionVar[Any] = FunctionStringVar.create("navigator.serviceWorker.addEventListener.bind")
clearing: FunctionVar[Any] = FunctionStringVar.create("document.documentElement.removeAttribute.bind")
hear: FunctionVar[Any] = FunctionStringVar.create("window.addEventListener")
OFFLINE = "data-offline"
"""Set on the document while the browser says that there is no network."""
CHANGE = "controllerchange"
RENEWED = "data-renewed"
"""Set on the document when another service worker has taken over its page: a newer version is here."""


def leave(path: rx.Var[str] | str) -> EventSpec:
    """Load a path in full, from an event trigger in a page. The gate takes the page's place: who goes back would come
    to a page that leads there again, and never get past it."""
    gate = rx.Var.create(path).to(str).contains("/auth/gate?")
    return rx.run_script(rx.cond(gate, replace.call(path), assign.call(path)))


# A key on an element with `on_mount` does not mount it anew, since its hooks live in a compiled wrapper;
# a key on a memo does.


@rx.memo
def departure(path: rx.Var[str], rest: rx.RestProp) -> rx.Component:
    """Leaves when it is mounted."""
    return rx.el.span(rest, on_mount=leave(path), hidden=True)


@rx.memo
def saying(text: rx.Var[str], tone: rx.Var[str], rest: rx.RestProp) -> rx.Component:
    """Speaks when it is mounted. `tone` is a level of sonner."""
    level: FunctionVar[Any] = toast_ref.to(dict)[tone].to(FunctionVar)
    return rx.el.span(rest, on_mount=rx.run_script(level.call(text)), hidden=True)


@rx.memo
def subscriber(wanted: rx.Var[str], rest: rx.RestProp) -> rx.Component:
    """Subscribes this browser when it is mounted."""
    return rx.el.span(rest, on_mount=subscribing(wanted, Alerts.subscribed), hidden=True)


@rx.memo
def going_on(rest: rx.RestProp) -> rx.Component:
    """Takes the focus to the receipt when it is mounted: with the meter went the button that had it."""
    return rx.el.span(rest, on_mount=rx.run_script(rx.cond(lost, to_receipt.call(), rx.Var("null"))), hidden=True)


def _document_speaks() -> EventSpec:
    """The document's language is its address's; a page that is not built ahead cannot say so by itself."""
    return rx.run_script(set_attribute.call("lang", of_address(lambda: language().tag)))


def _toasts_speak() -> EventSpec:
    """Sonner's region and the key that leads there are named by their library, in English alone."""
    return rx.run_script(assigned.call(toasts, {"ariaLabel": of_address(lambda: f"{t('Notifications')} alt+T")}))


def _when_renewed() -> EventSpec:
    """Marks the page when its worker is replaced by one that is newer than the page, which is never kept: so not by the
    one that it finds when it comes itself. Where no signal lets it look for one, it has none to tell of."""
    mark = marking.call(document, RENEWED, "")
    after_its_own = listening.call(workers, CHANGE, mark, False)
    listens = _function(listen.call(CHANGE, rx.cond(own, after_its_own, mark), {"once": True}))
    look = _function(looked.call(listens, listens), "known")
    return rx.run_script(registered.call(look, _function(rx.Var("null"))))


def _function(does: rx.Var[Any], takes: str = "") -> rx.Var[Any]:
    return ArgsFunctionOperation.create((takes,) if takes else (), does)


def _says_when_offline() -> list[EventSpec]:
    """Marks the page as soon as the phone has no signal: its socket is believed in for twenty seconds more."""
    mark, clear = marking.call(document, OFFLINE, ""), clearing.call(document, OFFLINE)
    return [rx.run_script(hear.call("offline", mark)), rx.run_script(hear.call("online", clear))]


def _woken() -> rx.Component:
    """A phone that slept believes in its socket for as long as its timers slept, too, and keeps a tap for the next one.
    A word of its own finds out at once that nobody hears it."""
    return rx.window_event_listener(on_visibility_change=Visit.woken)


def effects() -> rx.Component:
    """Mounted once, in the overlay of evapp.py."""
    return rx.fragment(
        rx.cond(Effects.leave_to != "", departure(path=Effects.leave_to, key=Effects.wish)),
        rx.cond(
            Effects.sentence != "",
            rx.fragment(
                rx.cond(
                    Effects.tone == "quiet",
                    going_on(key=Effects.wish),
                    saying(text=Effects.sentence, tone=Effects.tone, key=Effects.wish),
                ),
                rx.cond(Alerts.on != "", notifying(text=Effects.sentence, key=Effects.wish)),
            ),
        ),
        rx.cond((Live.low != "") & (Alerts.on != ""), notifying(text=Live.short, key=Live.low)),
        rx.cond(
            Alerts.on != "",
            rx.fragment(
                rx.el.span(on_mount=Alerts.wake, hidden=True),
                rx.cond(Alerts.key != "", subscriber(wanted=Alerts.key, key=Alerts.key)),
            ),
        ),
        rx.el.span(on_mount=_when_renewed(), hidden=True),
        rx.el.span(on_mount=_says_when_offline(), hidden=True),
        _woken(),
        rx.el.span(on_mount=[_document_speaks(), _toasts_speak()], hidden=True),
    )
