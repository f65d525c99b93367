"""Fields of a form: label above, hint and error beside, tied together for screen readers."""

from collections.abc import Mapping
from typing import Any

import reflex as rx
from reflex.experimental.client_state import ClientStateVar
from reflex_base.event import EventChain
from reflex_base.vars.function import ArgsFunctionOperation, FunctionStringVar, FunctionVar

from evapp.components.buttons import button, icon, online
from evapp.components.native import NativeForm
from evapp.components.text import Text, given
from evapp.components.tokens import CHOICES
from evapp.texts import at, t

INPUT = (
    "w-full min-w-0 min-h-12 px-4 rounded-field border border-edge bg-surface text-body text-ink "
    "placeholder:text-ink-3 aria-[invalid=true]:border-vermilion aria-[invalid=true]:border-2 "
)


def field(
    name: str,
    label: Text,
    *,
    hint: Text = "",
    error: Text = "",
    before: str = "",
    after: rx.Component | None = None,
    class_name: str = "",
    custom_attrs: Mapping[str, Any] = {},
    **props: object,
) -> rx.Component:
    """One input with all that belongs to it.

    Args:
        name: of the input; also its id, so that a handler can `rx.set_focus(name)`.
        label: above the input.
        hint: what to write, shown from the start.
        error: what is wrong and what to do, in one sentence; shown and spoken as soon as there is one.
        before: a fixed beginning such as "+91".
        after: a button at the end of the input.
        class_name: more for the input, such as `uppercase`.
        custom_attrs: of the input, which Reflex does not know.
        props: of the input: `type`, `input_mode`, `auto_complete`, `default_value`, `on_blur`… Never `value`: it would
            take back each key until the server has answered. What the page puts there itself is a `default_value`
            with another `key`.
    """
    wrong = error != "" if isinstance(error, rx.Var) else bool(error)
    return rx.el.div(
        rx.el.label(label, html_for=name, class_name="block text-note font-medium text-ink-2 mb-1.5"),
        rx.el.div(
            rx.el.span(before, class_name="num absolute left-4 text-body text-ink-2", aria_hidden="true")
            if before
            else None,
            rx.el.input(
                id=name,
                name=name,
                aria_invalid=rx.cond(wrong, "true", "false"),
                aria_describedby=f"{name}-error {name}-hint" if given(hint) else f"{name}-error",
                spell_check=False,
                custom_attrs={"autoCorrect": "off", **custom_attrs},  # an iPhone would make words of names and IDs
                class_name=INPUT + _room(before) + ("pr-24 " if after else "") + class_name,
                **props,
            ),
            rx.el.span(after, class_name="absolute right-0.5") if after is not None else None,
            class_name="relative flex items-center",
        ),
        rx.el.p(
            rx.cond(wrong, rx.fragment(icon("circle-alert", 18), rx.el.span(error, on_mount=_into_sight(name))), ""),
            id=f"{name}-error",
            role="alert",
            class_name="peer flex gap-1.5 text-note font-medium text-vermilion mt-2 empty:hidden",
        ),
        # The error says what to do, too: it stands in the hint's place.
        rx.el.p(hint, id=f"{name}-hint", class_name="text-note text-ink-3 mt-1.5 peer-not-empty:hidden")
        if given(hint)
        else None,
    )


def _into_sight(name: str) -> Any:
    """Whoever is in the field sees what is wrong with it, which may have come up behind the bar for the thumb."""
    inside = rx.Var(f"document.activeElement?.id === '{name}'").to(bool)
    scroll: FunctionVar[Any] = FunctionStringVar.create(f"document.getElementById('{name}-error').scrollIntoView")
    return rx.run_script(rx.cond(inside, scroll.call({"block": "nearest"}), rx.Var("null")))


def _room(before: str) -> str:
    """For the padding, a fixed beginning and the gap after it."""
    return f"pl-[calc(1.5rem+{len(before)}ch)] " if before else ""


def area(
    name: str, label: Text, *, hint: Text = "", rows: str = "3", class_name: str = "", **props: object
) -> rx.Component:
    """Several lines of text."""
    return rx.el.div(
        rx.el.label(label, html_for=name, class_name="block text-note font-medium text-ink-2 mb-1.5"),
        rx.el.textarea(
            id=name, name=name, rows=rows, spell_check=False, class_name=f"{INPUT} py-2.5 block {class_name}", **props
        ),
        rx.el.p(hint, class_name="text-note text-ink-3 mt-1.5") if hint else None,
    )


def choice(label: Text, options: rx.Component, **props: object) -> rx.Component:
    """One of many, by the device's own list; `options` are `rx.el.option`s, or an `rx.foreach` of them."""
    return rx.el.label(
        rx.el.span(label, class_name="text-note font-medium text-ink-2"),
        rx.el.span(
            rx.el.select(options, class_name=f"{INPUT} appearance-none pr-11 truncate", **props),
            rx.el.span(icon("chevron-down"), class_name="absolute right-3.5 pointer-events-none text-ink-2"),
            class_name="relative flex items-center",
        ),
        class_name="grid gap-1.5",
    )


def pin_field(name: str, label: Text, *, hint: Text = "", error: Text = "", chosen: Text = "") -> rx.Component:
    """A PIN: one input that takes a paste and a password manager (WCAG 3.3.8), shown on request.

    `chosen` is how many digits it has, where it is chosen and not asked for: an iPhone would offer a password of twenty
    letters.
    """
    asked = {"auto_complete": "new-password", "custom_attrs": {"passwordrules": _digits(chosen)}}
    shown = ClientStateVar.create(f"{name}_shown", default=False)
    return rx.fragment(
        shown,
        field(
            name,
            label,
            hint=hint,
            error=error,
            type=rx.cond(shown.value, "text", "password"),
            input_mode="numeric",
            **(asked if given(chosen) else {"auto_complete": "current-password"}),
            class_name="num",
            after=rx.el.button(
                rx.cond(shown.value, t("Hide"), t("Show")),
                type="button",
                on_click=shown.set_value(~shown.value),
                aria_label=rx.cond(
                    shown.value,
                    t("Hide what I type in {field}", field=label),
                    t("Show what I type in {field}", field=label),
                ),
                class_name="min-h-11 px-4 text-note font-medium text-peacock cursor-pointer",
            ),
        ),
    )


def _digits(count: Text) -> rx.Var[str]:
    """Apple's rules for a password that the device makes up."""
    return rx.Var.create(f"minlength: {count}; maxlength: {count}; required: digit;")


def whose(username: Text) -> rx.Component:
    """Whose PIN a form asks for or changes: a password manager looks for a name before it fills in or keeps."""
    return rx.el.input(
        type="text",
        auto_complete="username",
        default_value=username,
        read_only=True,
        tab_index=-1,
        aria_hidden="true",
        class_name="sr-only",
    )


def posted_form(*children: rx.Component, action: str, label: Text, busy_label: Text) -> rx.Component:
    """A form that the browser posts to a server route; its button says so while the answer is on its way."""
    busy = ClientStateVar.create(f"posting{action.replace('/', '_').replace('-', '_')}", default=False)
    return NativeForm.create(
        busy,
        *children,
        button(label, type="submit", busy=busy.value, busy_label=busy_label, class_name="w-full mt-2"),
        rx.window_event_listener(on_visibility_change=busy.set_value(False)),
        action=at(action),
        method="post",
        no_validate=True,
        on_submit=_unless_offline(busy.set_value(True)),
        class_name="grid gap-5",
    )


def _unless_offline(posting: Any) -> Any:
    """Without signal nothing is posted: the browser's own page of an error would take what was typed."""
    stay: FunctionVar[Any] = FunctionStringVar.create("submitting.preventDefault")
    post = rx.cond(online, posting.to(FunctionVar).call(), stay.call())
    return ArgsFunctionOperation.create(("submitting",), post).to(FunctionVar, EventChain)


def hidden(name: str, value: Text) -> rx.Component:
    """A value the form carries along."""
    return rx.el.input(type="hidden", name=name, value=value)


def tick(name: str, value: str, label: Text, *, hint: Text = "", **props: object) -> rx.Component:
    """A box to tick; it sends `value` while it is."""
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            name=name,
            value=value,
            aria_label=label,
            aria_describedby=f"{name}-hint",
            class_name="size-5 mt-0.5 shrink-0 accent-(--peacock)",
            **props,
        ),
        rx.el.span(
            rx.el.span(label, class_name="block text-body text-ink"),
            rx.el.span(hint, id=f"{name}-hint", class_name="block text-note text-ink-3") if hint else None,
        ),
        class_name="flex gap-3 py-2 min-h-11 cursor-pointer",
    )


def chip(name: str, value: str, label: Text, **props: object) -> rx.Component:
    """One of several choices: a real radio button under a large face."""
    return rx.el.label(
        rx.el.input(type="radio", name=name, value=value, **props),
        label,
        class_name="chip num relative grid place-items-center min-h-12 px-1 max-[22rem]:px-0 rounded-field border "
        "border-edge font-semibold max-[22rem]:text-note text-ink text-center cursor-pointer",
    )


def chips(legend: Text, *items: rx.Component, silent: bool = False) -> rx.Component:
    """Up to four choices in a row under their common name, which is only read aloud where it is `silent`."""
    return rx.el.fieldset(
        rx.el.legend(legend, class_name="sr-only" if silent else "text-note text-ink-2 mb-2"),
        rx.el.div(*items, class_name=CHOICES),
        class_name="min-w-0",
    )
