"""Charges under way, those that wait for somebody, and any other by its name."""

import reflex as rx

from domain import charges
from evapp.components.buttons import text_link
from evapp.components.charges import charge
from evapp.components.ops import act, filters, form, listed, older, outcome, question, search, sum_and_reason, waiting
from evapp.components.rows import row, rows, section
from evapp.pages.ops import desk, opened
from evapp.state.ops_sessions import ORPHANS, OpsSessions, Orphan, Row
from evapp.texts import later, t

FILTERS = (
    (charges.RUNNING, later("Under way")),
    (charges.STUCK, later("Waiting for somebody")),
    (charges.EVERY, later("All")),
)
ORPHANS_AT = f"/ops/findings?kind={ORPHANS}"


def ops_sessions() -> rx.Component:
    """The page /ops/sessions."""
    return desk(
        "/ops/sessions",
        t("Charges"),
        question(OpsSessions),
        rx.el.div(
            search("charge", t("Reference, receipt, card, charger or driver"), OpsSessions.search, OpsSessions.typed),
            filters(OpsSessions, FILTERS),
            outcome(OpsSessions),
            listed(OpsSessions, one, t("No charge matches."), waiting(4)),
            older(OpsSessions),
            rx.cond(OpsSessions.orphans.length() > 0, orphans()),  # type: ignore[attr-defined]
            class_name="grid gap-5",
        ),
    )


def one(line: Row) -> rx.Component:
    """One charge, with what can be done about it."""
    return charge(
        line,
        opened(
            rx.cond(line.can_stop, act(t("Stop the charge"), OpsSessions.stop(line.ref))),  # type: ignore[operator]
            rx.cond(line.can_give, act(t("Give something back"), OpsSessions.open_bill(line.ref))),  # type: ignore[operator]
        ),
        below=rx.cond(OpsSessions.giving == line.ref, gift()),
    )


def gift() -> rx.Component:
    """Part of a bill, and why."""
    return form(OpsSessions.give_back, t("Give back…"), *sum_and_reason(), look="max-w-[28rem] py-3")


def orphans() -> rx.Component:
    """Stops that belong to no charge we know."""
    return section(
        t("Stops that belong to no charge"),
        rows(rx.foreach(OpsSessions.orphans, orphan)),
        rx.cond(OpsSessions.orphans_in_all != "", text_link(OpsSessions.orphans_in_all, ORPHANS_AT)),
    )


def orphan(found: Orphan) -> rx.Component:
    return row(found.detail, under=found.when, href=ORPHANS_AT)
