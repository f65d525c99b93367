"""What somebody must look at, and what came of it."""

import reflex as rx

from evapp.components.fields import area
from evapp.components.notices import notice
from evapp.components.ops import act, filters, form, listed, older, waiting
from evapp.pages.ops import desk, opened
from evapp.state.ops_findings import OPEN, RESOLVED, OpsFindings, Row
from evapp.texts import at, later, t

FILTERS = ((OPEN, later("To look at")), (RESOLVED, later("Resolved")))


def ops_findings() -> rx.Component:
    """The page /ops/findings."""
    return desk(
        "/ops/findings",
        t("Findings"),
        rx.el.div(
            filters(OpsFindings, FILTERS),
            rx.cond(OpsFindings.error != "", notice("fault", OpsFindings.error)),
            listed(OpsFindings, finding, nothing(), waiting(4)),
            older(OpsFindings),
            class_name="grid gap-5 max-w-[52rem]",
        ),
    )


def nothing() -> rx.Var[str]:
    """There is none of this kind."""
    return rx.cond(OpsFindings.which == OPEN, t("Nothing to look at."), t("Nothing was resolved yet."))


def finding(one: Row) -> rx.Component:
    """What happened, about what, since when; and who looked."""
    return rx.el.li(
        rx.el.p(one.title, class_name="font-medium text-body text-ink"),
        rx.el.p(one.detail, class_name="text-ink-2 mt-0.5"),
        rx.el.p(
            rx.cond(
                one.link != "",
                rx.el.a(one.ref, href=at(one.link), class_name="underline underline-offset-4 decoration-1"),
                one.ref,
            ),
            " · ",
            one.kind,
            " · ",
            one.since,
            class_name="num text-note text-ink-3 mt-0.5 wrap-anywhere",
        ),
        rx.cond(
            one.resolved != "",
            rx.el.p(
                rx.el.span(one.resolution, class_name="block text-ink"),
                rx.el.span(one.resolved, class_name="num text-note text-ink-3"),
                class_name="mt-2 pl-4 border-l-2 border-line",
            ),
            opened(
                act(
                    t("Resolve"),
                    OpsFindings.open(one.number),  # type: ignore[operator]
                    aria_label=t("Resolve: {title}, {ref}", title=one.title, ref=one.ref),
                )
            ),
        ),
        rx.cond(OpsFindings.resolving == one.number, note()),
        class_name="py-4",
    )


def note() -> rx.Component:
    """What came of it."""
    words = area("note", t("What came of it"), hint=t("It is kept with your name."), max_length=500)
    return form(OpsFindings.resolve, t("Resolve"), words, kind="primary")
