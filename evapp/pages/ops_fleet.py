"""The fleet, as it is now."""

import reflex as rx

from domain import fleet
from evapp.components.bones import bone, loaded
from evapp.components.ops import act, filters, listed, older, search
from evapp.components.rows import rows
from evapp.components.status import status
from evapp.pages.ops import desk
from evapp.state.ops_fleet import Fleet, Row
from evapp.texts import at, later, t

FILTERS = (
    (fleet.EVERY, later("All")),
    (fleet.CHARGING, later("Charging")),
    (fleet.FAULT, later("Out of order")),
    (fleet.SILENT, later("No contact")),
    (fleet.FLAGGED, later("To look at")),
    (fleet.RETIRED, later("Retired")),
)
LOOK = "grid gap-x-4 gap-y-0.5 py-3 min-h-16 sm:grid-cols-[10rem_minmax(0,1fr)_11rem] content-center items-baseline"


def ops_fleet() -> rx.Component:
    """The page /ops."""
    return desk(
        "/ops",
        t("Chargers"),
        rx.el.div(
            counts(),
            search("charger", t("ID, name or place"), Fleet.search, Fleet.typed),
            filters(Fleet, FILTERS),
            rx.cond(Fleet.after != "", behind()),
            listed(Fleet, charger, t("No charger matches."), rows(*(bones() for _ in range(6)))),
            older(Fleet),
            class_name="grid gap-5",
        ),
        changes=False,
    )


def counts() -> rx.Component:
    """How many there are of each kind."""
    return rx.el.p(
        loaded(Fleet.loaded, rx.foreach(Fleet.counts, lambda one: rx.el.span(one)), "24ch"),
        class_name="num flex flex-wrap gap-x-4 text-body text-ink-2 min-h-12 sm:min-h-6",
    )


def behind() -> rx.Component:
    """Where a long list goes on, and the way back to its beginning."""
    return rx.el.p(
        t("After {charger}", charger=Fleet.after),
        act(t("From the beginning"), Fleet.go_back),
        class_name="num flex flex-wrap items-center gap-x-4 text-note text-ink-2",
    )


def charger(one: Row) -> rx.Component:
    """One charger; the whole row leads to it."""
    return rx.el.li(
        rx.el.a(
            status(one.shown, one.words),
            rx.el.div(
                rx.el.p(
                    one.id,
                    rx.el.span(one.name, class_name="font-normal text-ink-2 ml-2"),
                    class_name="num font-medium group-hover:text-peacock",
                ),
                rx.el.p(one.plugs, class_name="num text-note text-ink-2 empty:hidden"),
                rx.cond(one.flags != "", rx.el.p(one.flags, class_name="text-note font-medium text-vermilion")),
                class_name="min-w-0",
            ),
            rx.el.p(one.heard, class_name="num text-note text-ink-3 sm:text-right"),
            href=at(f"/ops/c/{one.id}"),
            class_name=f"group {LOOK}",
        )
    )


def bones() -> rx.Component:
    return rx.el.li(bone("8ch"), rx.el.div(bone("14ch"), bone("9ch")), bone("9ch"), class_name=LOOK)
