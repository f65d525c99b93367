"""A finished charge as a bill: units times price, when, why it ended, and what it left."""

from dataclasses import dataclass, field
from typing import Any

import reflex as rx

from evapp.components.buttons import button_link
from evapp.components.files import FILE
from evapp.components.meter import figure, panel
from evapp.components.notices import notice
from evapp.components.spark import spark
from evapp.components.status import status
from evapp.texts import t

RECEIPT = "receipt"
"""Id of the panel, where whoever followed the charge by keyboard or by ear goes on."""


@dataclass(frozen=True)
class BillLine:
    """What a line of a bill is for, and its sum; of a note, its number as an address writes it."""

    words: str
    value: str


@dataclass(frozen=True)
class Bill:
    """A charge of the past, ready to be shown; all text."""

    ref: str = ""
    state: str = ""
    """finished, estimated or cancelled."""
    estimate: str = ""
    """What becomes of its sum, where no final reading has come."""
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
    lines: list[BillLine] = field(default_factory=list)
    """How the cost came about, where it is more than units times price."""
    notes: list[BillLine] = field(default_factory=list)
    idle: str = ""
    """Until when the cable may stay in the car for nothing."""
    gst: str = ""
    left: str = ""
    """What it left in the wallet, in a sentence."""
    arrears: str = ""
    """What is owed of it still."""
    reason: str = ""
    fair: str = ""
    """What a fault means for the price."""
    number: str = ""
    buyer: str = ""
    """The firm that its receipt is made out to."""
    meter: str = ""
    by_readings: bool = False
    """Units are not simply the meter's difference."""


def receipt(bill: Bill, actions: rx.Component | None = None) -> rx.Component:
    """The panel of a finished charge: what was delivered, what it cost, and how the sum came about."""
    return rx.el.div(
        panel(
            status(
                "finished",
                rx.match(bill.state, ("estimated", t("Estimated")), ("cancelled", t("Not started")), t("Finished")),
            ),
            rx.el.div(figure(bill.cost, size="balance"), class_name="mt-4"),
            rx.cond(
                (bill.sum != "") & (bill.state != "cancelled"),
                rx.el.p(bill.sum, class_name="num text-body text-ink-2 mt-3"),
            ),
            rx.cond(bill.lines.length() > 0, _sums(bill.lines)),  # type: ignore[attr-defined]
            rx.cond(bill.left != "", rx.el.p(bill.left, class_name="num text-body text-ink-2 mt-1")),
            label=t("Receipt"),
            id=RECEIPT,
            tab_index=-1,
        ),
        rx.el.div(
            rx.cond(
                bill.estimate != "",
                notice("warn", t("This is an estimate from the last reading."), bill.estimate),
            ),
            rx.cond(bill.state == "cancelled", notice("info", bill.reason)),
            rx.cond(bill.fair != "", notice("info", bill.fair)),
            rx.cond(bill.idle != "", notice("warn", t("The cable is still in the car."), bill.idle)),
            rx.cond(
                bill.arrears != "",
                notice(
                    "warn",
                    t("Your wallet could not cover all of it."),
                    t("You owe {sum}. It is taken first when you add money.", sum=bill.arrears),
                ),
            ),
            class_name="grid gap-3 mt-4 empty:hidden",
        ),
        rx.el.dl(
            _line(t("Charger"), bill.charger),
            _given(t("Place"), bill.place),
            rx.cond(
                bill.state == "cancelled",
                _given(t("Asked for"), bill.started),
                rx.fragment(
                    _given(t("Started"), bill.started),
                    _given(t("Stopped"), bill.stopped),
                    _line(t("Time"), bill.time),
                    _line(t("Units"), bill.exact),
                    _given(t("Price"), bill.price),
                    _line(t("How it ended"), bill.reason),
                ),
            ),
            _given(t("Meter"), bill.meter),
            rx.cond(bill.by_readings, _line(t("Note"), t("Billed by the readings during the charge."))),
            _given(t("GST included"), bill.gst),
            _given(t("Receipt number"), bill.number),
            _given(t("Made out to"), bill.buyer),
            class_name="divide-y divide-line mt-4",
        ),
        rx.cond(
            bill.number != "",
            _paper(t("Receipt (PDF)"), f"/history/{bill.ref}/receipt.pdf", "mt-4"),
        ),
        rx.foreach(bill.notes, lambda note: _paper(note.words, f"/history/notes/{note.value}.pdf", "mt-3")),
        actions,
    )


def _sums(lines: list[BillLine]) -> rx.Component:
    return rx.el.dl(
        rx.foreach(lines, lambda line: _line(line.words, line.value)), class_name="divide-y divide-line mt-3"
    )


def _paper(words: str, path: str, class_name: str) -> rx.Component:
    return button_link(words, path, kind="quiet", picture="download", class_name=class_name, **FILE)


def _line(name: str, value: str) -> rx.Component:
    return rx.el.div(
        rx.el.dt(name, class_name="text-note text-ink-2 min-w-0"),
        rx.el.dd(value, class_name="num text-body text-ink text-right min-w-0 ml-auto"),
        class_name="flex flex-wrap items-baseline justify-between gap-x-6 py-2.5",
    )


def _given(name: str, value: str) -> rx.Component:
    return rx.cond(value != "", _line(name, value))


def power(of: Any) -> rx.Component:
    """The power curve of a charge that is over, as far as the charger reported it; `of` has it as `curve`."""
    return rx.cond(
        of.curve != "",
        rx.el.section(
            rx.el.h2(t("Power"), class_name="text-section font-semibold"),
            rx.el.p(of.curve_words, class_name="num text-note text-ink-2 mt-1 mb-3"),
            spark(of.curve, label=of.curve_words, height="h-32"),
        ),
    )
