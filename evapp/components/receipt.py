"""A finished charge as a bill: units times price, when, why it ended, and what it left."""

from dataclasses import dataclass

import reflex as rx

from evapp.components.buttons import button_link
from evapp.components.meter import figure, panel
from evapp.components.notices import notice
from evapp.components.status import status
from evapp.texts import t


@dataclass(frozen=True)
class Bill:
    """A charge of the past, ready to be shown; all text."""

    ref: str = ""
    state: str = ""
    """finished, estimated or cancelled."""
    title: str = ""
    charger: str = ""
    place: str = ""
    day: str = ""
    started: str = ""
    stopped: str = ""
    time: str = ""
    energy: str = ""
    exact: str = ""
    price: str = ""
    cost: str = ""
    sum: str = ""
    gst: str = ""
    arrears: str = ""
    reason: str = ""
    fair: str = ""
    """What a fault means for the price."""
    number: str = ""
    meter: str = ""


def receipt(bill: Bill, actions: rx.Component | None = None) -> rx.Component:
    """The panel of a finished charge: what was delivered, what it cost, and how the sum came about."""
    return rx.el.div(
        panel(
            status(
                "finished",
                rx.match(bill.state, ("estimated", t("Estimated")), ("cancelled", t("Not started")), t("Finished")),
            ),
            rx.el.div(figure(bill.cost, size="balance"), class_name="mt-4"),
            rx.el.p(bill.sum, class_name="num text-body text-ink-2 mt-3"),
            label=t("Receipt"),
        ),
        rx.el.div(
            rx.cond(
                bill.state == "estimated",
                notice(
                    "warn",
                    t("This is an estimate from the last reading."),
                    t("The charger's final reading corrects it, once. Until then the sum stays set aside."),
                ),
            ),
            rx.cond(bill.state == "cancelled", notice("info", bill.reason)),
            rx.cond(bill.fair != "", notice("info", bill.fair)),
            rx.cond(
                bill.arrears != "",
                notice(
                    "warn",
                    t("Your wallet could not cover all of it."),
                    t("{sum} is owed; your next recharge pays it first.", sum=bill.arrears),
                ),
            ),
            class_name="grid gap-3 mt-4 empty:hidden",
        ),
        rx.el.dl(
            _line(t("Charger"), bill.charger),
            _given(t("Place"), bill.place),
            _given(t("Started"), bill.started),
            _given(t("Stopped"), bill.stopped),
            rx.cond(
                bill.state != "cancelled",
                rx.fragment(
                    _line(t("Time"), bill.time),
                    _line(t("Units"), bill.exact),
                    _line(t("Price"), bill.price),
                    _line(t("How it ended"), bill.reason),
                ),
            ),
            _given(t("Meter"), bill.meter),
            _given(t("GST included"), bill.gst),
            _given(t("Receipt number"), bill.number),
            class_name="divide-y divide-line mt-4",
        ),
        rx.cond(
            bill.number != "",
            button_link(
                t("Receipt (PDF)"),
                f"/history/{bill.ref}/receipt.pdf",
                kind="quiet",
                picture="download",
                native=True,
                class_name="mt-4",
            ),
        ),
        actions,
    )


def _line(name: str, value: str) -> rx.Component:
    return rx.el.div(
        rx.el.dt(name, class_name="text-note text-ink-2 shrink-0"),
        rx.el.dd(value, class_name="num text-body text-ink text-right"),
        class_name="flex items-baseline justify-between gap-6 py-2.5",
    )


def _given(name: str, value: str) -> rx.Component:
    return rx.cond(value != "", _line(name, value))
