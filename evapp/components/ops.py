"""What the operators' pages share: navigation, what a PIN opens, the question before a deed. They know no state."""

from collections.abc import Callable, Sequence
from typing import Any

import reflex as rx
from reflex_components_radix.primitives.dialog import dialog

from evapp.components.bones import bone
from evapp.components.buttons import at_once, button, icon, text_link
from evapp.components.dialog import SHEET, VEIL
from evapp.components.fields import field
from evapp.components.notices import empty, notice
from evapp.components.rows import longer, row, rows, section
from evapp.components.shell import destination, navigating
from evapp.components.text import Content, Text
from evapp.texts import Later, at, later, t

PLACES = (
    (later("Chargers"), "plug-zap", "/ops"),
    (later("Charges"), "battery-charging", "/ops/sessions"),
    (later("Findings"), "triangle-alert", "/ops/findings"),
    (later("Users"), "circle-user-round", "/ops/users"),
)
"""Word, picture and address of what is looked at most."""
MORE = (
    (later("Tariffs"), "indian-rupee", "/ops/tariffs"),
    (later("Payments"), "wallet", "/ops/refunds"),
    (later("Trail"), "history", "/ops/trail"),
)
"""The others: under More on a phone."""
HOME = "/dashboard"


def operators_navigation(current: str) -> rx.Component:
    """Four places and More for the thumb, seven beside the page from 1024 px."""
    return navigating(
        t("Operator"),
        None,
        *(destination(t(word), picture, path, current) for word, picture, path in PLACES),
        *(destination(t(word), picture, path, current, "hidden lg:block") for word, picture, path in MORE),
        _more(current),
        below=text_link(t("Back to the app"), HOME),
    )


def _more(current: str) -> rx.Component:
    inside = any(path == current for _, _, path in MORE)
    look = "bg-peacock text-on-peacock" if inside else ""
    return rx.el.li(
        rx.el.details(
            rx.el.summary(
                rx.el.span(icon("ellipsis", 22), class_name=f"grid place-items-center w-14 h-8 rounded-full {look}"),
                t("More"),
                class_name="flex flex-col items-center gap-0.5 pt-px min-h-14 text-thumb "
                + ("text-ink font-semibold" if inside else "text-ink-2"),
            ),
            rx.el.ul(
                *(_place(t(word), picture, path, current) for word, picture, path in MORE),
                _place(t("Back to the app"), "house", HOME, current),
                class_name="absolute inset-x-0 bottom-full bg-surface border-t border-line px-4 divide-y divide-line",
            ),
        ),
        class_name="lg:hidden",
    )


def _place(word: str, picture: str, path: str, current: str) -> rx.Component:
    here = path == current
    return rx.el.li(
        rx.el.a(
            icon(picture),
            word,
            href=at(path),
            **({"aria_current": "page"} if here else {}),
            class_name="flex items-center gap-3 min-h-14 text-body "
            + ("text-ink font-semibold" if here else "text-ink-2"),
        )
    )


def gate(until: Any, pin_at: Any) -> rx.Component:
    """Whether changes are open, and the way to open them."""
    return rx.cond(
        until != "",
        _gate(icon("lock-open", 18), t("Changes are open until {time}.", time=until)),
        rx.el.div(
            _gate(icon("lock", 18), t("Changes need your PIN.")),
            text_link(t("Enter PIN"), pin_at),
            class_name="flex flex-wrap items-center gap-x-4",
        ),
    )


def _gate(lock: rx.Component, words: Text) -> rx.Component:
    return rx.el.p(lock, words, class_name="num flex items-center gap-2 text-note text-ink-2 min-h-11")


def question(page: Any) -> rx.Component:
    """The sheet that asks before a deed is done; `page` has the fields of `Deeds`."""
    return dialog.root(
        dialog.portal(
            dialog.overlay(class_name=VEIL),
            dialog.content(
                dialog.title(page.go, class_name="text-reading font-semibold text-ink"),
                dialog.description(page.question, class_name="text-ink-2 mt-2 break-words whitespace-pre-wrap"),
                rx.el.div(
                    button(t("Cancel"), kind="quiet", on_click=page.cancel, class_name="w-full"),
                    rx.cond(page.calm, _yes(page, "primary"), _yes(page, "stop")),
                    class_name="grid gap-3 mt-6 sm:grid-cols-2",
                ),
                role="alertdialog",
                class_name=SHEET,
            ),
        ),
        open=page.question != "",
        on_open_change=page.cancel,
    )


def _yes(page: Any, kind: str) -> rx.Component:
    return button(page.go, kind=kind, on_click=at_once(page.do), class_name="w-full")


def outcome(page: Any, secret_words: Text = "") -> rx.Component:
    """What was refused, and a PIN or key that is shown once."""
    return rx.fragment(
        rx.cond(page.error != "", rx.el.div(notice("fault", page.error), class_name="mb-4")),
        rx.cond(
            page.secret != "",
            rx.el.div(
                notice(
                    "warn",
                    secret_words,
                    rx.el.span(page.secret, class_name="num text-reading font-semibold text-ink break-all select-all"),
                    t("It is shown only now."),
                ),
                class_name="mb-4",
            ),
        )
        if secret_words
        else None,
    )


def search(name: str, label: Text, on_submit: Any, value: Any) -> rx.Component:
    """A field to look something up."""
    return rx.el.form(
        field(
            name,
            label,
            default_value=value,
            type="search",
            auto_complete="off",
            auto_capitalize="none",
            after=rx.el.button(
                t("Find"),
                type="submit",
                class_name="min-h-11 px-4 text-note font-medium text-peacock cursor-pointer",
            ),
        ),
        on_submit=on_submit,
        reset_on_submit=False,
        role="search",
        class_name="max-w-[28rem]",
    )


def filters(page: Any, kinds: Sequence[tuple[str, Later]]) -> rx.Component:
    """Which of the page's rows are shown: a value and a word for each kind; `page` has `which` and `choose`."""
    return rx.el.fieldset(
        rx.el.legend(t("Show"), class_name="sr-only"),
        rx.el.div(*(_kind(page, value, t(word)) for value, word in kinds), class_name="flex flex-wrap gap-2"),
    )


def _kind(page: Any, value: str, label: Text) -> rx.Component:
    """A real radio button under a face."""
    return rx.el.label(
        rx.el.input(type="radio", name="which", value=value, checked=page.which == value, on_change=page.choose(value)),
        label,
        class_name="chip relative grid place-items-center min-h-11 px-4 rounded-full border border-edge text-note "
        "font-medium text-ink cursor-pointer",
    )


def act(label: Text, on_click: Any, **props: object) -> rx.Component:
    """A small act at the end of a row."""
    return rx.el.button(
        label,
        type="button",
        on_click=on_click,
        class_name="min-h-11 min-w-11 text-note font-medium text-peacock underline underline-offset-4 decoration-1 "
        "cursor-pointer",
        **props,
    )


def reason(hint: Text = "") -> rx.Component:
    """Why something is done."""
    return field("reason", t("Why"), hint=hint, max_length=200, auto_complete="off")


def form(on_submit: Any, label: Text, *fields: rx.Component, kind: str = "quiet", look: str = "py-3") -> rx.Component:
    """A form that keeps what was typed; what it would do is asked about before the deed."""
    return rx.el.form(
        *fields,
        button(label, type="submit", kind=kind),
        on_submit=on_submit,
        reset_on_submit=False,
        class_name=f"grid gap-4 {look}",
    )


def why(on_submit: Any, label: Text) -> rx.Component:
    """A form of which only the reason is asked."""
    return form(on_submit, label, reason())


def listed(page: Any, line: Callable[[Any], rx.Component], nothing: Content, bones: rx.Component) -> rx.Component:
    """The page's `rows` once it is `loaded`, words where there are none, and until then bones."""
    lines = rx.cond(page.rows.length() > 0, rows(rx.foreach(page.rows, line)), empty(nothing))
    return rx.cond(page.loaded, lines, bones)


def older(page: Any) -> rx.Component:
    """The way to what is below the last of the page's rows."""
    return longer(page.rows, page.more, t("Show more"), page.show_more)


def waiting(count: int) -> rx.Component:
    """The bones of a list."""
    line = row(bone("12ch"), under=bone("20ch"), aside=bone("6ch"), aside_under=bone("6ch"))
    return rows(*(line for _ in range(count)))


def part(title: Content, items: Any, line: Callable[[Any], rx.Component], nothing: Content) -> rx.Component:
    """A part of a page with a few lines, or words where there are none."""
    return section(title, rx.cond(items.length() > 0, rows(rx.foreach(items, line)), empty(nothing)))


def sum_and_reason() -> tuple[rx.Component, rx.Component]:
    """How much money goes, and why: the driver reads it in the wallet."""
    return (
        field("rupees", t("Rupees"), before="₹", input_mode="decimal", auto_complete="off"),
        reason(t("The driver reads it.")),
    )


def trail_link(subject: Text) -> rx.Component:
    """What was done to it before."""
    return text_link(t("What was done to it"), f"/ops/trail?about={subject}")
