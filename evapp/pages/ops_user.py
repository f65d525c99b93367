"""One user: money, charges, sign-ins, and what can be done about each."""

from typing import Any

import reflex as rx

from evapp.components.addresses import encoded
from evapp.components.bones import bone
from evapp.components.buttons import button_link, text_link
from evapp.components.charges import charge
from evapp.components.fields import choice
from evapp.components.meter import figure, panel
from evapp.components.notices import notice
from evapp.components.ops import act, form, outcome, part, question, sum_and_reason, trail_link, why
from evapp.components.rows import longer, row, rows, section
from evapp.components.shell import columns
from evapp.pages.ops import desk, opened
from evapp.state.ops_refunds import Row as Payment
from evapp.state.ops_sessions import Row as Charge
from evapp.state.ops_user import Card, Device, Movement, OpsUser
from evapp.texts import t


def ops_user() -> rx.Component:
    """The page /ops/users/<number>."""
    return desk(
        "/ops/users",
        rx.cond(OpsUser.username != "", OpsUser.username, bone("8ch")),
        question(OpsUser),
        rx.match(
            OpsUser.phase,
            ("shown", found()),
            ("missing", notice("info", t("There is no such user."), action=button_link(t("All users"), "/ops/users"))),
            rx.el.div(bone("100%", "14rem"), class_name="max-w-[40rem]"),
        ),
    )


def found() -> rx.Component:
    """Who it is, then money and charges, which need the wider column, with what can be done about them on top."""
    return rx.el.div(
        rx.el.p(rx.foreach(OpsUser.about, rx.el.span), class_name="num flex flex-wrap gap-x-4 text-ink-2"),
        rx.cond(OpsUser.standing != "", rx.el.p(OpsUser.standing, class_name="font-medium text-vermilion")),
        rx.el.div(outcome(OpsUser, t("The new PIN")), class_name="mt-4"),
        columns(
            rx.el.div(
                money(),
                rx.cond(OpsUser.gone, None, deeds()),
                movements(),
                charged(),
                class_name="grid gap-7 content-start min-w-0",
            ),
            rx.el.div(
                paid(),
                cards(),
                devices(),
                rx.el.div(
                    trail_link(f"user:{OpsUser.number}"),
                    rx.cond(
                        OpsUser.operator,
                        text_link(t("What this operator did"), f"/ops/trail?by=user:{OpsUser.number}"),
                    ),
                    class_name="flex flex-wrap gap-x-5",
                ),
                class_name="grid gap-9 content-start",
            ),
        ),
    )


def money() -> rx.Component:
    """What there is, what is set aside, what is owed."""
    return panel(
        rx.el.h2(t("Wallet balance"), class_name="text-note text-ink-2 font-medium"),
        rx.el.div(figure(OpsUser.balance, size="card"), class_name="mt-1"),
        rx.el.p(OpsUser.held, class_name="num text-note text-ink-2 mt-2 empty:hidden"),
        rx.el.p(OpsUser.owed, class_name="num text-note text-ink mt-2 empty:hidden"),
        label=t("Wallet"),
    )


def movements() -> rx.Component:
    return rx.el.div(
        part(t("Movements"), OpsUser.lines, movement, t("Nothing moved yet.")),
        older("lines", OpsUser.lines),
    )


def older(name: str, lines: Any) -> rx.Component:
    """The way to what is below the last of a part's lines."""
    return longer(lines, OpsUser.more[name], t("Show more"), OpsUser.show_more(name))  # type: ignore[operator]


def paid() -> rx.Component:
    """What became of the wishes to add money."""
    return rx.el.div(
        part(t("Recharges"), OpsUser.payments, payment, t("Nothing yet.")),
        rx.cond(
            OpsUser.payments.length() > 0,  # type: ignore[attr-defined]
            text_link(t("All payments and refunds"), f"/ops/refunds?find={encoded(OpsUser.find)}"),
        ),
    )


def payment(one: Payment) -> rx.Component:
    under = rx.fragment(
        rx.el.span(one.about, class_name="block wrap-anywhere empty:hidden"),
        rx.el.span(one.when, class_name="num text-small text-ink-3"),
    )
    return row(one.state, under=under, aside=one.amount)


def movement(line: Movement) -> rx.Component:
    under = rx.fragment(
        rx.el.span(line.what, class_name="block"), rx.el.span(line.when, class_name="num text-small text-ink-3")
    )
    return row(line.word, under=under, aside=line.amount, aside_under=line.after)


def deeds() -> rx.Component:
    """Money, block and PIN: each opens its form."""
    return opened(
        section(
            t("What can be done"),
            rx.el.div(
                act(t("Adjust the wallet"), OpsUser.edit("adjust")),  # type: ignore[operator]
                act(
                    rx.cond(OpsUser.blocked, t("Unblock"), t("Block")),
                    OpsUser.edit("block"),  # type: ignore[operator]
                ),
                act(t("New PIN"), OpsUser.edit("pin")),  # type: ignore[operator]
                class_name="flex flex-wrap gap-x-5",
            ),
            rx.match(
                OpsUser.editing,
                ("adjust", adjustment()),
                ("block", why(OpsUser.block, t("Go on…"))),
                ("pin", why(OpsUser.reset_pin, t("Make a new PIN…"))),
                rx.fragment(),
            ),
        )
    )


def adjustment() -> rx.Component:
    """How much, which way, and why the driver reads it in the wallet."""
    return form(
        OpsUser.adjust,
        t("Go on…"),
        choice(
            t("Which way"),
            rx.fragment(
                rx.el.option(t("Give to the driver"), value="give"),
                rx.el.option(t("Take from the driver"), value="take"),
            ),
            name="way",
        ),
        *sum_and_reason(),
    )


def charged() -> rx.Component:
    return rx.el.div(
        part(t("Charges"), OpsUser.charges, one_charge, t("No charges yet.")),
        older("charges", OpsUser.charges),
    )


def one_charge(line: Charge) -> rx.Component:
    return charge(line)


def cards() -> rx.Component:
    return rx.cond(
        OpsUser.cards.length() > 0,  # type: ignore[attr-defined]
        section(t("Cards"), rows(rx.foreach(OpsUser.cards, card))),
    )


def card(one: Card) -> rx.Component:
    """What it may, the charges it began, and a way to stop it when it is lost."""
    turn = act(rx.cond(one.blocked, t("Unblock"), t("Block")), OpsUser.turn_card(one.tag))  # type: ignore[operator]
    found = text_link(t("Its charges"), f"/ops/sessions?find={encoded(one.tag)}")
    return row(
        rx.el.span(one.tag, class_name="num"),
        under=one.state,
        aside=rx.el.span(found, opened(turn), class_name="flex gap-x-5"),
    )


def devices() -> rx.Component:
    return part(t("Signed in on"), OpsUser.devices, device, t("Nowhere."))


def device(one: Device) -> rx.Component:
    return row(rx.el.span(one.agent, class_name="break-words"), under=one.used)
