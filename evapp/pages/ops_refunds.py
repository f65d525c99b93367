"""Recharges and refunds, and the way back for money."""

import reflex as rx

from evapp.components.fields import field
from evapp.components.ops import act, filters, form, listed, older, outcome, question, reason, search, waiting
from evapp.pages.ops import desk, opened
from evapp.state.ops_refunds import RECHARGES, REFUNDS, OpsRefunds, Row
from evapp.texts import at, later, t

FILTERS = ((RECHARGES, later("Recharges")), (REFUNDS, later("Refunds")))


def ops_refunds() -> rx.Component:
    """The page /ops/refunds."""
    return desk(
        "/ops/refunds",
        t("Payments"),
        question(OpsRefunds),
        rx.el.div(
            search("payment", t("Number at PhonePe or the bank, order or driver"), OpsRefunds.search, OpsRefunds.typed),
            filters(OpsRefunds, FILTERS),
            outcome(OpsRefunds),
            listed(OpsRefunds, payment, nothing(), waiting(4)),
            older(OpsRefunds),
            class_name="grid gap-5 max-w-[52rem]",
        ),
    )


def nothing() -> rx.Var[str]:
    """There is none, or none that is sought."""
    return rx.cond(OpsRefunds.typed == "", t("Nothing yet."), t("No payment matches."))


def payment(one: Row) -> rx.Component:
    """One recharge or refund, and the way back for its money."""
    return rx.el.li(
        rx.el.div(
            rx.el.div(
                rx.el.p(one.state, class_name="font-medium text-body text-ink"),
                rx.el.p(
                    rx.el.a(one.who, href=at(one.who_link), class_name="underline underline-offset-4 decoration-1"),
                    rx.el.span(" · ", one.when, class_name="num"),
                    class_name="text-note text-ink-2",
                ),
                rx.el.p(one.name, class_name="num text-note text-ink-3 break-all"),
                rx.el.p(one.about, class_name="num text-note text-ink-3 break-all empty:hidden"),
                class_name="min-w-0",
            ),
            rx.el.p(one.amount, class_name="num font-medium text-ink shrink-0"),
            class_name="flex items-start justify-between gap-4",
        ),
        rx.cond(one.can_ask, act(t("Ask PhonePe"), OpsRefunds.ask(one.name))),  # type: ignore[operator]
        opened(rx.cond(one.can_refund, act(t("Send back"), OpsRefunds.open(one.name)))),  # type: ignore[operator]
        rx.cond(OpsRefunds.refunding == one.name, way_back()),
        class_name="py-3.5",
    )


def way_back() -> rx.Component:
    """How much, and why."""
    return form(
        OpsRefunds.request,
        t("Go on…"),
        field(
            "rupees",
            t("Rupees"),
            hint=t("No more than is left of it and available in the wallet."),
            before="₹",
            input_mode="decimal",
            auto_complete="off",
        ),
        reason(),
        look="max-w-[28rem] py-3",
    )
