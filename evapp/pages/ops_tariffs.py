"""What a kWh costs, now and later, and a new price."""

import reflex as rx

from evapp.components.fields import area, choice, field
from evapp.components.ops import act, form, listed, older, outcome, question, reason, search, waiting
from evapp.components.rows import row, section
from evapp.components.shell import columns
from evapp.pages.ops import desk, opened
from evapp.state.ops_tariffs import OpsTariffs, Row
from evapp.texts import t


def ops_tariffs() -> rx.Component:
    """The page /ops/tariffs."""
    return desk(
        "/ops/tariffs",
        t("Tariffs"),
        question(OpsTariffs),
        outcome(OpsTariffs),
        columns(standing(), rx.el.div(opened(new()))),
        lead=t("Charges that run keep the price they began with."),
    )


def standing() -> rx.Component:
    """What holds and what is to come."""
    only = t("Only the price of the settings: {price}.", price=OpsTariffs.default)
    nothing = rx.cond(OpsTariffs.typed != "", t("No price matches."), only)
    return section(
        t("Now and later"),
        search("where", t("Charger ID or group"), OpsTariffs.search, OpsTariffs.typed),
        listed(OpsTariffs, price, nothing, waiting(3)),
        older(OpsTariffs),
    )


def price(one: Row) -> rx.Component:
    """One price: where, since when, and each of its parts."""
    under = rx.fragment(
        rx.el.span(one.since, class_name=rx.cond(one.now, "num block", "num block font-medium text-ink")),
        rx.foreach(one.lines, lambda line: rx.el.span(line, class_name="num block")),
        rx.cond(one.until != "", rx.el.span(one.until, class_name="num block font-medium text-ink")),
        opened(
            rx.cond(
                one.now,
                rx.cond(one.can_end, ending(one)),
                act(t("Take it back"), OpsTariffs.withdraw(one.number)),  # type: ignore[operator]
            )
        ),
    )
    return row(one.where, under=under, aside=one.rate)


def ending(one: Row) -> rx.Component:
    """The end of a price of one's own, now, or none after all."""
    return rx.fragment(
        act(t("End it"), OpsTariffs.end(one.number), aria_label=t("End it: {where}", where=one.where)),  # type: ignore[operator]
        rx.cond(one.until != "", act(t("Let it go on"), OpsTariffs.go_on(one.number))),  # type: ignore[operator]
    )


def new() -> rx.Component:
    """A price, part by part; what drivers will read is asked about before it holds."""
    scope = OpsTariffs.scope
    return section(
        t("A new price"),
        form(
            OpsTariffs.set_price,
            t("Read it first…"),
            choice(
                t("For"),
                rx.fragment(
                    rx.el.option(t("All chargers without a price of their own"), value="all"),
                    rx.el.option(t("A group"), value="group"),
                    rx.el.option(t("One charger"), value="charger"),
                ),
                name="scope",
                value=scope,
                on_change=OpsTariffs.choose,
            ),
            rx.cond(scope == "group", field("group", t("Group"), max_length=40)),
            rx.cond(scope == "charger", field("charger", t("Charger ID"), max_length=48, auto_capitalize="none")),
            field("rupees", t("Rupees for a kWh, GST included"), before="₹", input_mode="decimal", auto_complete="off"),
            field("begins", t("From, Indian time"), hint=t("Empty: from now on."), type="datetime-local"),
            area(
                "bands", t("Other hours, other prices"), hint=t("Like 22:00-06:00=12.50, one a line."), class_name="num"
            ),
            field("start", t("Rupees for a start"), input_mode="decimal", auto_complete="off"),
            field("minute", t("Rupees for a minute of charging"), input_mode="decimal", auto_complete="off"),
            field(
                "idle_after", t("Free minutes of the cable after charging"), input_mode="numeric", auto_complete="off"
            ),
            field("idle", t("Rupees for each minute after that"), input_mode="decimal", auto_complete="off"),
            reason(),
            kind="primary",
            look="",
        ),
    )
