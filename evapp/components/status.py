"""The state of a charger or a charge: always a dot and a word, never colour alone."""

import reflex as rx

from evapp.texts import later, t

STATES = {
    "free": later("Free"),
    "in_use": later("In use"),
    "starting": later("Starting…"),
    "waiting": later("Waiting for your car"),
    "charging": later("Charging"),
    "paused": later("Paused"),
    "stopping": later("Stopping…"),
    "finished": later("Finished"),
    "faulted": later("Out of order"),
    "silent": later("No contact"),
}
"""Every state and its word; assets/theme.css gives each its dot."""

LOOK = "status inline-flex items-center gap-2 font-medium text-note"


def status(
    state: rx.Var[str] | str,
    words: rx.Var[str] | str | rx.Component | None = None,
    *,
    news: rx.Var[str] | rx.Var[int] | None = None,
) -> rx.Component:
    """A dot and a word; `words` says more than the state's own word ("Charging · 1 h 04 m").

    With `news`, the time or number of the last reading, the dot stops beating when the next two are late.
    """
    return rx.el.span(
        word(state) if words is None else words,
        class_name=LOOK if news is None else f"{LOOK} mortal",
        custom_attrs={"data-state": state},
        **({} if news is None else {"key": news}),
    )


def word(state: rx.Var[str] | str) -> rx.Var[str] | str:
    """The state's own word."""
    if isinstance(state, rx.Var):
        return rx.match(state, *((name, t(word)) for name, word in STATES.items()), state)
    return t(STATES[state])
