"""Home: money, what is charging now, and the way to the next charge."""

import reflex as rx

from evapp.components.bones import bone
from evapp.components.buttons import button, button_link
from evapp.components.cable import cable
from evapp.components.notices import notice
from evapp.components.notifying import iphone
from evapp.components.running import CARD, running_card
from evapp.components.shell import columns, shell
from evapp.pages.charge import known, search
from evapp.pages.wallet import purse
from evapp.state.dashboard import Dashboard
from evapp.state.install import Install
from evapp.state.live import Live
from evapp.state.notices import Freed, Notices
from evapp.texts import at, t


def dashboard() -> rx.Component:
    """The page /dashboard."""
    return shell(
        "/dashboard",
        rx.cond(Dashboard.greeting != "", Dashboard.greeting, bone("11ch")),
        columns(
            rx.el.div(
                purse(Dashboard, reach(), low(), size="balance"),
                rx.cond(
                    Dashboard.loaded,
                    rx.fragment(rx.cond(Live.running, charging(), ended()), rx.foreach(Notices.freed, freed)),
                ),
            ),
            # On a phone this lies under what is not known before: it comes when its place is certain.
            rx.cond(
                Dashboard.loaded,
                rx.el.div(start(), rx.el.hr(class_name="border-line my-7"), known(), install()),
                rx.el.div(bone("9ch", "1.5rem"), bone("100%", "12rem"), class_name="grid gap-3"),
            ),
            month(),
            key=rx.cond(Dashboard.loaded, "come", "coming"),
        ),
    )


def low() -> rx.Component:
    """That the balance does not reach for long."""
    return rx.cond(Dashboard.low != "", rx.el.p(Dashboard.low, class_name="num text-note text-amber-text mt-1"))


def charging() -> rx.Component:
    """The running charge, plugged into the wallet by the cable."""
    return rx.el.div(cable(Live.flowing, news=Live.news), running_card(Live))  # type: ignore[arg-type]


def ended() -> rx.Component:
    """The last charge, for who comes back to a car that charged without him: what it came to, and why it ended."""
    last = Dashboard.last
    return rx.cond(
        last.ref != "",
        rx.el.a(
            rx.el.div(
                rx.el.h2(t("Your last charge"), class_name="text-note font-medium text-ink-2"),
                rx.el.p(rx.cond(last.place != "", last.place, last.charger), class_name="font-medium text-ink"),
                class_name="flex-1 min-w-[min(100%,8rem)]",
            ),
            rx.el.div(
                rx.el.p(last.cost, class_name="font-medium text-ink"),
                rx.el.p(t("{energy} kWh", energy=last.energy), class_name="text-note text-ink-2"),
                class_name="num text-right ml-auto",
            ),
            rx.el.p(last.stopped, " · ", last.reason, class_name="num basis-full text-note text-ink-2"),
            href=at(f"/history/{last.ref}"),
            class_name=f"{CARD} flex flex-wrap gap-x-4 gap-y-0.5 mt-4 px-5 sm:px-7 py-4",
        ),
    )


def reach() -> rx.Var[str]:
    """How far the balance goes, or what a charge has of it."""
    return rx.cond(Live.short != "", Live.short, rx.cond(Dashboard.held != "", Dashboard.held, Dashboard.reach))


def freed(one: Freed) -> rx.Component:
    """A charger that became free while the driver waited for it."""
    return rx.el.div(
        notice(
            "info",
            one.sentence,
            action=rx.el.div(
                button_link(t("Go to {charger}", charger=one.charger_id), f"/c/{one.charger_id}", kind="quiet"),
                button(t("Done"), kind="quiet", on_click=Notices.dismiss(one.charger_id)),  # type: ignore[operator]
                class_name="flex flex-wrap gap-3",
            ),
        ),
        class_name="mt-4",
    )


def install() -> rx.Component:
    """How the app comes onto the phone's own screen; from there nobody is told (assets/theme.css)."""
    return rx.cond(
        Dashboard.loaded & Install.due & (Install.done == ""),
        rx.el.div(
            notice(
                "info",
                t("Keep evapp on your home screen"),
                rx.cond(
                    iphone,
                    t("Tap Share, then “Add to Home Screen”. An iPhone lets evapp notify you from there alone."),
                    t("Open your browser's menu and choose “Install app” or “Add to home screen”."),
                ),
                action=button(t("Done"), kind="quiet", on_click=Install.put_away),
            ),
            class_name="in-browser mt-7",
        ),
    )


def month() -> rx.Component:
    """What this month came to, in one line."""
    return rx.cond(
        Dashboard.month_sum != "",
        rx.el.p(
            rx.el.span(Dashboard.month, class_name="text-ink-2"),
            rx.el.span(Dashboard.month_sum, class_name="num font-medium"),
            class_name="flex flex-wrap justify-between gap-x-4 mt-7 pt-4 border-t border-line text-note",
        ),
    )


def start() -> rx.Component:
    """The way in by the charger's ID."""
    return rx.el.section(rx.el.h2(t("Start a charge"), class_name="text-section font-semibold mb-3"), search())
