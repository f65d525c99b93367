"""Shown by the service worker, under the address the driver wanted, while the phone has no network."""

import reflex as rx

from evapp.components.buttons import button_link
from evapp.components.shell import alone
from evapp.components.tongues import each
from evapp.texts import Later, later


def offline() -> rx.Component:
    """Needs no script and no server (evapp/web/pwa.py strips it), so it says everything in each language."""
    return alone(
        rx.fragment(*_each(later("No connection"), "block")),
        *(
            rx.el.p(one, class_name="text-ink-2 text-body mt-3")
            for sentence in (
                later("If your car is charging, it keeps charging. The charger stops at your limit, "
                      "and you pay only for what your car takes."),
                later("To stop now, press the charger's own stop button or end the charge in your car."),
                later("If you have just paid, the money comes into your wallet by itself as soon as PhonePe "
                      "confirms it."),
            )
            for one in _each(sentence)
        ),
        # An empty address is the page that was asked for.
        button_link(rx.fragment(*_each(later("Try again"))), "", native=True, class_name="mt-6"),
    )  # fmt: skip


def _each(sentence: Later, look: str = "") -> list[rx.Component]:
    return [rx.el.span(words, lang=tag, class_name=look) for tag, words in each(sentence)]
