"""Things to press: 48 px tall, always with a word, one look for each kind of act."""

from typing import Any

import reflex as rx
from reflex_base.event import EventChain, no_args_event_spec
from reflex_base.vars.function import ArgsFunctionOperation, FunctionVar
from reflex_components_sonner.toast import toast_ref

from evapp.components.native import NativeLink
from evapp.components.text import Content
from evapp.texts import at, t

LOOKS = {
    "primary": "bg-peacock text-on-peacock not-disabled:hover:brightness-110",
    "money": "bg-marigold text-on-marigold not-disabled:hover:brightness-105",
    "stop": "bg-stop text-on-stop not-disabled:hover:brightness-110",
    "quiet": "bg-transparent text-ink border border-edge not-disabled:hover:border-ink",
}
"""What it does → how it looks. `money` is for energy and money that comes in, `stop` for what ends something."""

NEEDS_LINE = ("money", "stop")
"""Looks of what rests while the connection is lost (theme.css)."""
SHAPE = (
    "act inline-flex items-center justify-center gap-2 min-h-12 px-5 py-2 rounded-field font-semibold text-body "
    "text-center no-underline cursor-pointer active:scale-[.985] transition-transform "
    "disabled:opacity-60 disabled:cursor-not-allowed "
)

UNDERLINED = "underline underline-offset-4 decoration-1 font-medium text-peacock"


def icon(name: str, size: int = 20) -> rx.Component:
    """A picture beside a word; readers who do not see it miss nothing."""
    return rx.icon(name, size=size, aria_hidden="true", class_name="shrink-0")


def button(
    label: Content,
    *,
    kind: str = "primary",
    picture: str = "",
    busy: rx.Var[bool] | None = None,
    busy_label: Content = "",
    class_name: str = "",
    **props: object,
) -> rx.Component:
    """An act on this page. While `busy` it is disabled, says `busy_label` and keeps its width.

    What one of NEEDS_LINE does is `at_once`.
    """
    words: list[Content] = [icon(picture), label] if picture else [label]
    if busy is not None:
        words = [
            rx.el.span(
                rx.el.span(*words),
                rx.el.span(busy_label),
                class_name="swap",
                custom_attrs={"data-busy": busy},
            )
        ]
        props |= {"disabled": busy, "aria_busy": busy}
    look = f"{SHAPE}{LOOKS[kind]} {'needs-line ' if kind in NEEDS_LINE else ''}{class_name}"
    return rx.el.button(*words, **{"type": "button", **props}, class_name=look)


online: rx.Var[bool] = rx.Var("navigator.onLine").to(bool)


def at_once(act: Any, args_spec: Any = no_args_event_spec, *, then: Any = None) -> Any:
    """An event that is done now or not at all: Reflex keeps a tap on a dead link, and does it on whatever page is open
    when the link is back. Who taps in vain is told so, and the link is made anew.

    `args_spec` is Reflex's of the trigger, where the event takes what that gives; `then` is called in the browser when
    the event was sent.
    """
    sent = _chain([act.temporal], args_spec).call(rx.Var("...args")).is_not_none()
    felt = then.to(FunctionVar).call() if then is not None else rx.Var("null")
    tap = ArgsFunctionOperation.create(("...args",), rx.cond(online & sent, felt, _unheard()))
    return tap.to(FunctionVar, EventChain)


def _unheard() -> rx.Var[Any]:
    words = t("No connection just now. Nothing was done; please try again.")
    say: FunctionVar[Any] = toast_ref.to(dict)["message"].to(FunctionVar)
    connect = _chain([], no_args_event_spec)  # Reflex looks after its socket with each event, and with none
    return rx.Var.create([say.call(words, {"id": "unheard"}), connect.call()])


def _chain(events: list[Any], args_spec: Any) -> FunctionVar[Any]:
    return rx.Var.create(EventChain.create(events, args_spec)).to(FunctionVar)


def button_link(
    label: Content,
    href: rx.Var[str] | str,
    *,
    kind: str = "primary",
    picture: str = "",
    native: bool = False,
    class_name: str = "",
    **props: object,
) -> rx.Component:
    """A way to another page that looks like an act; `native` for what is not one of our pages.

    A path is given without a language; it leads to the page in the reader's.
    """
    words = [icon(picture)] if picture else []
    link = NativeLink.create if native else rx.el.a
    return link(*words, label, href=at(href), class_name=f"{SHAPE}{LOOKS[kind]} {class_name}", **props)


def text_link(
    label: Content, href: rx.Var[str] | str, *, native: bool = False, class_name: str = "", **props: object
) -> rx.Component:
    """A link in or under a text, tall enough for a thumb; a path is given without a language."""
    link = NativeLink.create if native else rx.el.a
    look = f"inline-flex items-center min-h-11 min-w-11 {UNDERLINED} {class_name}"
    return link(label, href=at(href), class_name=look, **props)
