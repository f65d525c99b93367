"""Shown under an address that is not built ahead until its scripts have come, which takes half a minute on 2G."""

import reflex as rx

from evapp.components.bones import bone
from evapp.components.shell import alone
from evapp.components.tongues import each
from evapp.texts import later


def coming() -> rx.Component:
    """Nobody knows the reader's language yet, so it says its word in each."""
    words = (rx.el.span(words, lang=tag, class_name="block") for tag, words in each(later("Loading…")))
    return rx.fragment(
        rx.el.title("evapp"),
        alone(rx.fragment(*words), rx.el.div(bone("100%", "12rem"), class_name="mt-6")),
    )
