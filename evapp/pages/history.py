"""Past charges: the list, twenty at a time, and one of them as its receipt."""

import reflex as rx

from evapp.components.addresses import shared
from evapp.components.bones import bone
from evapp.components.buttons import button_link, text_link
from evapp.components.fields import choice
from evapp.components.files import FILE
from evapp.components.notices import empty, notice
from evapp.components.receipt import power, receipt
from evapp.components.rows import longer, row, rows, section
from evapp.components.running import charge_bar, running_card
from evapp.components.shell import columns, shell
from evapp.state.history import ALL, History, Past, Session, Year
from evapp.state.live import Live
from evapp.texts import t


def history() -> rx.Component:
    """The page /history."""
    return shell(
        "/history",
        t("History"),
        rx.el.div(
            rx.cond(
                History.loaded,
                rx.fragment(rx.cond(Live.running, rx.el.div(running_card(Live), class_name="mb-4")), charges()),
                rows(
                    *(
                        row(bone("12ch"), under=bone("18ch"), aside=bone("6ch"), aside_under=bone("6ch"))
                        for _ in range(4)
                    )
                ),
            ),
            class_name="max-w-[44rem]",
        ),
    )


def charges() -> rx.Component:
    """The past ones, with what they may be filtered by."""
    return rx.cond(
        History.months.length() > 0,  # type: ignore[attr-defined]
        rx.el.div(
            rx.el.div(
                rx.cond(History.months.length() > 1, months()),  # type: ignore[attr-defined]
                rx.cond(History.chargers.length() > 1, chargers()),  # type: ignore[attr-defined]
                class_name="grid grid-cols-[repeat(auto-fit,minmax(min(100%,10rem),1fr))] gap-3 not-empty:mb-5",
            ),
            rx.cond(
                History.charges.length() > 0,  # type: ignore[attr-defined]
                rows(rx.foreach(History.charges, charge_row)),
                empty(t("No charges at this charger in this month.")),
            ),
            longer(History.charges, History.more, t("Show 20 more"), History.show_more),
            yearly(),
        ),
        rx.cond(Live.running, rx.fragment(), empty(t("No charges yet."), button_link(t("Start a charge"), "/charge"))),
    )


def yearly() -> rx.Component:
    """All receipts of a financial year with their taxes, for whoever does the driver's books."""
    return rx.cond(
        History.years.length() > 0,  # type: ignore[attr-defined]
        section(
            t("For your accountant"),
            rows(rx.foreach(History.years, year)),
            rx.el.p(
                t("All receipts and notes of a financial year with their taxes, as a table. A firm stands on those "
                  "that were given after you told it under You."),
                class_name="text-note text-ink-3 mt-2",
            ),
            class_name="mt-9",
        ),
    )  # fmt: skip


def year(one: Year) -> rx.Component:
    spoken = t("Receipts of {year}, CSV", year=one.words)
    link = text_link(t("CSV"), one.csv, aria_label=spoken, class_name="justify-end", **FILE)
    return row(one.words, aside=link)


def months() -> rx.Component:
    """The charges of one month, or of all."""
    return choice(
        t("Month"),
        rx.fragment(
            rx.el.option(t("All months"), value=ALL),
            rx.foreach(History.months, lambda one: rx.el.option(one.words, value=one.value)),
        ),
        value=History.month,
        on_change=History.choose_month,
    )


def chargers() -> rx.Component:
    """The charges of one charger, or of all."""
    return choice(
        t("Charger"),
        rx.fragment(
            rx.el.option(t("All chargers"), value=ALL),
            rx.foreach(History.chargers, lambda id: rx.el.option(id, value=id)),
        ),
        value=History.charger,
        on_change=History.choose,
    )


def charge_row(item: Past) -> rx.Component:
    """One charge, under the name and the sum of its month where that begins."""
    return rx.fragment(
        rx.cond(
            item.month != "",
            rx.el.li(
                rx.el.h2(item.month, class_name="text-section font-semibold"),
                rx.el.span(item.month_sum, class_name="num text-note text-ink-2"),
                class_name="flex flex-wrap items-baseline justify-between gap-x-4 pt-7 pb-2 first:pt-0",
            ),
        ),
        past(item),
    )


def past(item: Past) -> rx.Component:
    """One charge: where, when, units and money; or why it never began."""
    return row(
        item.place,
        under=rx.fragment(item.when, rx.cond(item.reason != "", rx.el.span(item.reason, class_name="block"))),
        aside=item.cost,
        aside_under=item.energy,
        href=f"/history/{item.ref}",
    )


def session() -> rx.Component:
    """The page /history/<session-id>."""
    return shell(
        "/history",
        rx.cond(
            Session.phase == "",
            bone("14ch"),
            rx.cond(Session.phase == "missing", t("No such charge"), Session.bill.title),
        ),
        rx.match(
            Session.phase,
            ("found", columns(receipt(Session.bill, helped()), power(Session))),
            (
                "running",
                notice(
                    "info",
                    t("This charge is still running."),
                    action=button_link(t("See your charge"), f"/c/{Session.bill.charger}"),
                ),
            ),
            (
                "missing",
                notice(
                    "info",
                    t("There is no such charge in your history."),
                    action=button_link(t("See all charges"), "/history"),
                ),
            ),
            rx.el.div(bone("100%", "12rem"), class_name="max-w-[40rem]"),
        ),
        bar=charge_bar(Live),
    )


def helped() -> rx.Component:
    """Help that already knows which charge it is about, and the way to tell others of it."""
    return rx.el.p(
        text_link(t("Get help with this charge"), f"/help?charge={Session.bill.ref}"),
        rx.cond(
            Session.bill.state != "cancelled",
            text_link(t("Share on WhatsApp"), shared(Session.shared), native=True, target="_blank", rel="noopener"),
        ),
        class_name="act flex flex-wrap gap-x-6 mt-4",
    )
