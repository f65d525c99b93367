"""Says which page has come where the browser does not: within the app pages take each other's place without a load."""

from typing import Any

import reflex as rx
from reflex_base.vars.function import FunctionStringVar, FunctionVar

ARRIVAL = "arrival"
"""Where the title of a page that came without a load is said."""
LOADED = "data-loaded"
"""Set on the document by the first page of a load, of which the browser has said the title itself."""

loaded: rx.Var[bool] = rx.Var(f"document.documentElement.hasAttribute('{LOADED}')").to(bool)
lost: rx.Var[bool] = rx.Var("['BODY', 'MAIN'].includes(document.activeElement?.tagName)").to(bool)
"""Nothing has the focus but the page as a whole: what had it is gone, or nothing did."""
mark: FunctionVar[Any] = FunctionStringVar.create("document.documentElement.setAttribute")
assign: FunctionVar[Any] = FunctionStringVar.create("Object.assign")
focus: FunctionVar[Any] = FunctionStringVar.create("document.getElementById('main')?.focus")


PLACE = "data-place"
"""Set on the document by a page of which there are many, such as a charger's: the one that is shown."""
placed: rx.Var[bool] = rx.Var(f"document.documentElement.hasAttribute('{PLACE}')").to(bool)
unmark: FunctionVar[Any] = FunctionStringVar.create("document.documentElement.removeAttribute")


def announcer() -> rx.Component:
    """Empty until there is something to say; mounted once, in the overlay of evapp.py."""
    return rx.el.p(id=ARRIVAL, role="status", class_name="sr-only")


def arriving() -> rx.Component:
    """On every page: the first of a load is marked; of each after it the title is said, and the keyboard goes on in it
    when the link that led there is gone."""
    come = rx.cond(loaded, _said(rx.Var("document.title")), mark.call(LOADED, ""))
    return rx.el.span(on_mount=[rx.run_script(unmark.call(PLACE)), rx.run_script(come)], hidden=True)


@rx.memo
def standing(name: rx.Var[str], words: rx.Var[str], rest: rx.RestProp) -> rx.Component:
    """On a page of which there are many, with the name as its key: from one to the next the page itself stays, and
    the title, so the name and its words are said, and the keyboard goes on in it."""
    come = rx.cond(placed, _said(words), rx.Var("null"))
    # After a load the tab's own state still names the one before, until the server has answered.
    here = rx.Var("window.location.pathname").to(str).contains(name.to(str))
    stands = rx.cond(here, mark.call(PLACE, name), rx.Var("null"))
    return rx.el.span(rest, on_mount=[rx.run_script(come), rx.run_script(stands)], hidden=True)


def _said(words: rx.Var[Any]) -> rx.Var[Any]:
    said = assign.call(rx.Var(f"document.getElementById('{ARRIVAL}')"), {"textContent": words})
    taken = rx.cond(lost, focus.call({"preventScroll": True}), rx.Var("null"))
    return rx.Var.create([said, taken])
