"""What operators did."""

import reflex as rx

from evapp.components.addresses import encoded
from evapp.components.buttons import text_link
from evapp.components.ops import listed, older, search, waiting
from evapp.pages.ops import desk
from evapp.state.ops_trail import OpsTrail, Row
from evapp.texts import at, t


def ops_trail() -> rx.Component:
    """The page /ops/trail."""
    return desk(
        "/ops/trail",
        t("Trail"),
        rx.el.div(
            search("about", t("Done to, like user:7 or charger:DEMO-1"), OpsTrail.search, OpsTrail.about),
            rx.cond(
                OpsTrail.by != "",
                rx.el.p(
                    t("Only what {name} did.", name=OpsTrail.by_name),
                    text_link(t("Everybody"), "/ops/trail"),
                    class_name="flex flex-wrap items-center gap-x-4 text-note text-ink-2",
                ),
            ),
            listed(OpsTrail, entry, t("Nothing was done yet."), waiting(5)),
            older(OpsTrail),
            class_name="grid gap-5 max-w-[52rem]",
        ),
        lead=t("Lines are added here, never changed or removed."),
        changes=False,
    )


def entry(one: Row) -> rx.Component:
    """Who did what to whom, when and why."""
    return rx.el.li(
        rx.el.p(
            rx.el.span(one.action, class_name="font-medium mr-3"),
            rx.cond(
                one.link != "",
                rx.el.a(one.subject, href=at(one.link), class_name="underline underline-offset-4 decoration-1"),
                rx.el.span(one.subject),
            ),
            class_name="num wrap-anywhere",
        ),
        rx.el.p(one.detail, class_name="text-note text-ink-2 break-words empty:hidden"),
        rx.el.p(
            rx.el.a(
                one.who,
                href=at(f"/ops/trail?by={encoded(one.by)}"),
                class_name="underline underline-offset-4 decoration-1",
            ),
            " · ",
            one.when,
            class_name="num text-note text-ink-3",
        ),
        class_name="py-3",
    )
