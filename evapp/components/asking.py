"""A tap that a charger answers: the page shows at once that it was felt, and says so when no answer comes."""

from typing import Any

import reflex as rx
from reflex.experimental.client_state import ClientStateVar

from evapp.components.buttons import at_once
from evapp.components.text import Text

START, STOP = "start", "stop"
"""What a charger is asked for."""

asked = ClientStateVar.create("asked", default="")
"""What was, from the tap until the server has answered it, or another socket has brought the page anew."""


def asking(act: Any, what: str) -> Any:
    """The same as `at_once`, for what makes the page wait for its answer."""
    return at_once(act, then=asked.set_value(what))


def waits(what: str) -> rx.Var[bool]:
    """Whether the page waits for that. The answer to a start brings the button of its end, which waits for nothing."""
    return asked.value == what


@rx.memo
def _answered(rest: rx.RestProp) -> rx.Component:
    return rx.el.span(rest, on_mount=asked.set_value(""), hidden=True)


def answered(answers: Any) -> rx.Component:
    """Ends the wait with each new number of answers; once on a page that asks."""
    return _answered(key=answers)


def unanswered(what: str, words: Text) -> rx.Component:
    """What to know when no answer comes; it shows after some seconds of waiting (theme.css)."""
    return rx.cond(waits(what), rx.el.p(words, class_name="late bg-paper text-note text-ink-2"))
