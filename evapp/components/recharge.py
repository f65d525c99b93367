"""Adding money: four amounts, room for another, and one button that says what it will do."""

from typing import Any

import reflex as rx
from reflex.experimental.client_state import ClientStateVar

from evapp.components.buttons import UNDERLINED, button, text_link
from evapp.components.fields import chip, chips, field
from evapp.components.money import whole_rupees
from evapp.components.text import Text
from evapp.texts import t

AMOUNTS_PAISE = (50_000, 100_000, 200_000, 500_000)
"""What most drivers add."""


def recharge(
    *,
    chosen: Text,
    typed: Text,
    fills: Any,
    label: Text,
    error: Text,
    least: Text,
    alive: Any,
    leaving: Any,
    on_choose: Any,
    on_type: Any,
    on_pay: Any,
) -> rx.Component:
    """The form; it lives on the meter panel.

    Args:
        chosen: the chip's value, rupees as digits; empty when an amount is typed.
        typed: what stands in the field `other`.
        fills: names the last text that was put there by the page, as `field` takes it.
        label: of the button, with the amount it adds.
        error: one sentence beside the field.
        least: the least amount, as people write it; empty while it is not known.
        alive: a Var, whether the server's word has come.
        leaving: a Var, whether the browser is on its way to the gateway.
        on_choose: takes a chip's value.
        on_type: takes what is typed there.
        on_pay: takes the form's `amount` and `other`.
    """
    unfolded = ClientStateVar.create("other_amount", default=False)
    minimum = rx.cond(least != "", t("{least} minimum", least=least), "")
    return rx.el.form(
        unfolded,
        rx.cond(unfolded.value, rx.el.span(on_mount=rx.set_focus("other"), hidden=True)),
        chips(t("Add money"), *(_amount(paise, chosen, on_choose) for paise in AMOUNTS_PAISE)),
        rx.cond(
            unfolded.value | (typed != "") | (error != ""),
            field(
                "other",
                t("Other amount"),
                hint=minimum,
                error=error,
                before="₹",
                input_mode="decimal",
                auto_complete="off",
                max_length=12,
                default_value=typed,
                key=fills,
                on_change=on_type,
                class_name="num",
            ),
            rx.el.p(
                rx.el.button(
                    t("Other amount"),
                    type="button",
                    on_click=unfolded.set_value(True),
                    class_name=f"min-h-11 cursor-pointer {UNDERLINED}",
                ),
                rx.el.span(minimum, class_name="num text-note text-ink-2"),
                class_name="flex flex-wrap items-center justify-between gap-x-4",
            ),
        ),
        button(
            label,
            kind="money",
            picture="plus",
            type="submit",
            busy=leaving,
            busy_label=t("Opening PhonePe…"),
            class_name="w-full",
        ),
        on_submit=on_pay,
        reset_on_submit=False,
        no_validate=True,
        # What is typed before the server's word comes would be emptied by it, and the amount beside it be paid.
        custom_attrs={"inert": ~alive},
        class_name="grid grid-cols-1 gap-3 mt-6",
    )


def _amount(paise: int, chosen: Text, on_choose: Any) -> rx.Component:
    value = str(paise // 100)
    return chip("amount", value, whole_rupees(paise), checked=chosen == value, on_change=on_choose(value))


def on_its_way(orders: Any) -> rx.Component:
    """Payments that the gateway has not confirmed, each with the way back to its page while it is open.

    `orders` is a Var of a sequence of things with a `sentence`, a `link` and a `help`, which may be empty.
    """
    return rx.el.ul(
        rx.foreach(orders, _waiting),
        aria_label=t("Payments on their way"),
        class_name="grid gap-2 mt-4 empty:hidden",
    )


def _waiting(order: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(order.sentence, class_name="num text-note text-ink"),
        rx.cond(order.link != "", text_link(t("Open PhonePe again"), order.link, native=True, class_name="text-note")),
        rx.cond(order.help != "", text_link(t("Get help"), order.help, class_name="text-note")),
        class_name="flex flex-wrap items-center justify-between gap-x-4 border-t border-line pt-2",
    )
