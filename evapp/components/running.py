"""The charge under way: the whole meter on its charger's page, a card at home, a line on every other page."""

from typing import Any

import reflex as rx
from reflex_base.vars.function import FunctionStringVar, FunctionVar

from evapp.components.asking import STOP, asking, unanswered, waits
from evapp.components.bones import stale
from evapp.components.buttons import button, icon
from evapp.components.cable import cable
from evapp.components.dialog import confirm
from evapp.components.meter import figure, panel, rail, reading, readings
from evapp.components.notices import notice
from evapp.components.spark import spark
from evapp.components.status import status, word
from evapp.components.tokens import FLAT, SHORT
from evapp.texts import at, t

CARD = "bg-surface border border-line rounded-card hover:border-edge"
"""The look of what stands out from a page and leads to more of it."""

quietly: rx.Var[Any] = rx.Var("console.debug")
screen: FunctionVar[Any] = FunctionStringVar.create("navigator.wakeLock?.request('screen').catch")


def age(as_of: Any, news: Any) -> rx.Component:
    """How old the figures are; two readings late it says so by itself, also on a dead link."""
    return rx.el.p(
        as_of,
        rx.cond(
            news != "",
            rx.el.span(stale(news, t("no news for a while")), class_name="absolute right-0 top-full whitespace-nowrap"),
        ),
        class_name="num relative text-small text-ink-2 text-right",
    )


def live_meter(live: Any) -> rx.Component:
    """The instrument: one number, one scale, its readings."""
    return panel(
        rx.el.div(
            status(live.shown, news=live.news),
            age(live.as_of, live.news),
            class_name="flex flex-wrap justify-between items-center gap-x-4",
        ),
        rx.el.div(figure(live.energy, "kWh"), class_name=f"mt-5 {SHORT}mt-2"),
        rail(
            live.fill,
            live.scale,
            label=t("{energy} kWh delivered so far", energy=live.energy),
            goal=live.goal,
            goal_words=live.goal_words,
        ),
        readings(
            reading(t("Cost so far"), live.cost),
            reading(t("Power"), live.power, live.power_unit),
            reading(t("Time"), rx.cond(live.time != "", live.time, "–")),
            reading(t("Price"), live.rate, "/kWh"),
            rx.cond(live.ready != "", reading(t("Ready about"), live.ready)),
            rx.cond(live.battery != "", reading(t("Battery"), live.battery, "%")),
        ),
        label=t("Live meter"),
    )


def waiting_panel(live: Any) -> rx.Component:
    """Before energy flows: what the charger waits for."""
    return panel(
        status(live.shown),
        rx.el.p(live.sentence, class_name="text-page leading-8 font-semibold text-ink mt-5"),
        rx.el.p(t("Nothing is charged until energy flows."), class_name="text-body text-ink-2 mt-2"),
        label=t("Start of your charge"),
    )


def spoken(live: Any) -> rx.Var[str]:
    """What is said to who does not see the charge; empty while a notice on the page says it."""
    words: rx.Var[str] = rx.cond(_before(live) | (live.state == "charging"), live.spoken, "")
    return words


def _before(live: Any) -> rx.Var[bool]:
    """No energy has flowed yet."""
    asked: rx.Var[bool] = (live.state == "starting") | (live.state == "waiting")
    return asked


def charge_panel(live: Any) -> rx.Component:
    """All of the running charge: meter, what the driver must know, the way to stop, the curve."""
    before = _before(live)
    return rx.el.div(
        rx.cond(before, waiting_panel(live), rx.fragment(live_meter(live), awake())),
        cable(live.flowing, news=live.news),
        rx.el.div(
            rx.cond(before, _cancel(live), _stop(live)),
            unanswered(STOP, t("No answer yet. The charger's own button stops it, too.")),
            class_name=f"sticky bottom-[5.5rem] {SHORT}bottom-[4.75rem] z-10 mt-1.75 {FLAT}w-fit {FLAT}ml-auto "
            "lg:static",
        ),
        rx.el.div(
            rx.cond(live.idle != "", notice("warn", t("Your car takes no energy now."), live.idle, within=True)),
            rx.cond(live.short != "", notice("warn", live.short, within=True)),
            rx.cond((live.sentence != "") & ~before, notice("info", live.sentence, within=True)),
            role="status",
            aria_atomic="false",
            class_name="grid gap-3 not-empty:mt-4",
        ),
    )


def awake() -> rx.Component:
    """Keeps the phone from sleeping while it shows the meter, also after another app was before it, which ends that; a
    browser that will not is left alone."""
    stay = rx.run_script(screen.call(quietly))
    return rx.fragment(rx.el.span(on_mount=stay, hidden=True), rx.window_event_listener(on_visibility_change=stay))


def curve_section(live: Any) -> rx.Component:
    """Power since the start."""
    return rx.el.section(
        rx.el.h2(t("Power"), class_name="text-section font-semibold"),
        rx.el.p(t("Now {power} kW.", power=live.power), class_name="num text-note text-ink-2 mt-1 mb-3"),
        spark(
            live.curve,
            label=t("Charging power over the last readings, now {power} kW", power=live.power),
            height="h-32",
        ),
    )


def opening(live: Any) -> rx.Component:
    """Where a link leads, before the figures on it: as its name it would take their place for who does not see them."""
    return rx.el.span(t("Open your charge at {charger}", charger=live.charger_id), class_name="sr-only")


def running_card(live: Any) -> rx.Component:
    """The charge on Home and above the past ones. Its figures grow without moving what is below them."""
    return rx.el.a(
        opening(live),
        rx.el.div(
            status(
                live.shown,
                rx.fragment(word(live.shown), rx.cond(live.time != "", f" · {live.time}", "")),
                news=live.news,
            ),
            rx.el.span(icon("chevron-right"), class_name="text-ink-3"),
            class_name="flex items-center justify-between",
        ),
        rx.el.div(
            figure(live.energy, "kWh", size="card"),
            rx.el.div(
                spark(live.curve, label=t("Power over the last readings"), height="h-11"),
                class_name="w-[38%] max-w-44 min-w-0",
            ),
            class_name="flex flex-wrap items-end justify-between gap-4 mt-3",
        ),
        rx.el.p(
            t("{cost} so far · {power} kW", cost=live.cost, power=live.power),
            class_name="num text-body text-ink-2 mt-2",
        ),
        rx.el.p(
            live.charger_id,
            rx.cond(live.place != "", f" · {live.place}", ""),
            class_name="text-note text-ink-3 mt-3",
        ),
        rx.el.p(
            live.as_of,
            " ",
            stale(live.news, f"· {t('no news for a while')}"),
            class_name="num text-note text-ink-3",
        ),
        href=at(f"/c/{live.charger_id}"),
        class_name=f"{CARD} relative block p-5 sm:px-7",
    )


def charge_bar(live: Any) -> rx.Component:
    """One line above the navigation while a charge runs, under it in the side rail: it moves neither.

    Each figure has its place, with room for "100.00 kWh" and "₹2,000.00".
    """
    return rx.cond(
        live.running,
        rx.el.a(
            opening(live),
            status(live.shown, news=live.news),
            rx.el.span(
                rx.el.span(t("{energy} kWh", energy=live.energy), class_name="min-w-[9ch]"),
                rx.el.span(live.cost, class_name="min-w-[8ch]"),
                class_name="num flex flex-wrap gap-x-3 font-medium text-ink whitespace-nowrap",
            ),
            href=at(f"/c/{live.charger_id}"),
            class_name="flex flex-wrap items-center justify-between gap-x-3 min-h-11 px-4 border-line text-note "
            "absolute inset-x-0 bottom-full bg-surface border-y "
            "lg:static lg:order-1 lg:mx-3 lg:mt-4 lg:border lg:rounded-field lg:py-2",
        ),
    )


def _stop(live: Any) -> rx.Component:
    return confirm(
        button(
            t("Stop charging"),
            kind="stop",
            picture="square",
            busy=~live.can_stop | waits(STOP),
            busy_label=t("Stopping…"),
            class_name="w-full",
        ),
        title=t("Stop charging now?"),
        sentence=live.stop_question,
        keep=t("Keep charging"),
        go=t("Stop and pay"),
        on_go=asking(live.stop, STOP),
    )


def _cancel(live: Any) -> rx.Component:
    return button(
        t("Cancel"),
        kind="quiet",
        busy=waits(STOP),
        busy_label=t("Cancelling…"),
        on_click=asking(live.stop, STOP),
        class_name="needs-line w-full bg-paper",
    )
