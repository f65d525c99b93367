"""A tap that a charger answers: the page shows at once that it was felt, and says so when no answer comes."""

from typing import Any

import reflex as rx
from reflex.experimental.client_state import ClientStateVar

from evapp.components.buttons import at_once
from evapp.components.text import Text

asked = ClientStateVar.create("asked", default=False)
"""From the tap until the server has answered it, or another socket has brought the page anew."""


def asking(act: Any) -> Any:
    """The same as `at_once`, for what makes the page wait for its answer."""
    return at_once(act, then=asked.set_value(True))


@rx.memo
def _answered(rest: rx.RestProp) -> rx.Component:
    return rx.el.span(rest, on_mount=asked.set_value(False), hidden=True)


def answered(answers: Any) -> rx.Component:
    """Ends the wait with each new number of answers; once on a page that asks."""
    return _answered(key=answers)


def unanswered(words: Text) -> rx.Component:
    """What to know when no answer comes; it shows after some seconds of waiting (theme.css)."""
    return rx.cond(asked.value, rx.el.p(words, class_name="late bg-paper text-note text-ink-2"))
