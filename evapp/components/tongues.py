"""What is said to readers of every language at once, and the ways from one language to another."""

from collections.abc import Callable, Iterator
from typing import Any

import reflex as rx
from reflex.event import EventSpec
from reflex_base.vars.function import FunctionStringVar, FunctionVar

from evapp.components.addresses import encoded
from evapp.components.buttons import UNDERLINED
from evapp.components.native import NativeForm, NativeLink
from evapp.components.text import Text
from evapp.texts import Later, language, speaking, t
from evapp.texts.languages import ENGLISH, LANGUAGES

assign: FunctionVar[Any] = FunctionStringVar.create("Object.assign")


def both(sentence: Later) -> rx.Component:
    """A sentence where no page says whose language it is: each is there, assets/theme.css shows the document's."""
    return rx.fragment(*(rx.el.span(words, lang=tag, class_name="tongue") for tag, words in each(sentence)))


def each(sentence: Later) -> Iterator[tuple[str, str]]:
    """The sentence in each language, after the language's tag."""
    for one in LANGUAGES.values():
        with speaking(one):
            yield one.tag, t(sentence)


def of_address(said: Callable[[], str]) -> rx.Var[str]:
    """What is said in the language of the address, where one page is at the addresses of every language."""
    path = rx.Var("window.location.pathname").to(str) + "/"
    with speaking(ENGLISH):
        words = rx.Var.create(said())
    for one in LANGUAGES.values():
        if one.prefix:
            with speaking(one):
                words = rx.cond(path.startswith(f"{one.prefix}/"), said(), words)
    return words


def titled(said: Callable[[], str]) -> EventSpec:
    """The window's title in the language of the address; the document itself comes with one title for all."""
    return rx.run_script(assign.call(rx.Var("document"), {"title": of_address(said)}))


def other_language(page: Text) -> rx.Component:
    """A link to this page in the other language, in that language; the browser remembers it."""
    return rx.fragment(
        *(
            NativeLink.create(
                one.name,
                href=f"/auth/language?to={one.code}&next={encoded(page)}",
                custom_attrs={"lang": one.tag, "hrefLang": one.tag},
                class_name=f"inline-flex items-center min-h-11 min-w-11 {UNDERLINED}",
            )
            for one in LANGUAGES.values()
            if one is not language()
        )
    )


def language_choice(page: str) -> rx.Component:
    """The languages side by side, one pressed; the choice goes with the driver to every device."""
    return NativeForm.create(
        rx.el.input(type="hidden", name="next", value=page),
        *(
            rx.el.button(
                one.name,
                type="submit",
                name="to",
                value=one.code,
                lang=one.tag,
                aria_pressed="true" if one is language() else "false",
                class_name="min-h-11 rounded-field px-2 text-note text-ink-2 border border-transparent cursor-pointer "
                "aria-pressed:bg-surface aria-pressed:text-ink aria-pressed:font-semibold aria-pressed:border-edge",
            )
            for one in LANGUAGES.values()
        ),
        action="/auth/language",
        method="post",
        role="group",
        aria_label=t("Language"),
        class_name="grid grid-cols-2 gap-1 p-1 bg-sunken rounded-field",
    )
