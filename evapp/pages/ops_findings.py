"""What somebody must look at, and what came of it."""

import reflex as rx

from evapp.components.fields import area, choice
from evapp.components.notices import notice
from evapp.components.ops import act, filters, form, listed, older, waiting
from evapp.pages.ops import desk, opened
from evapp.state.ops_findings import FREE, MINE, OPEN, RESOLVED, OpsFindings, Row
from evapp.texts import at, later, t

FILTERS = (
    (OPEN, later("To look at")),
    (FREE, later("Nobody is at it")),
    (MINE, later("Mine")),
    (RESOLVED, later("Resolved")),
)


def ops_findings() -> rx.Component:
    """The page /ops/findings."""
    return desk(
        "/ops/findings",
        t("Findings"),
        rx.el.div(
            filters(OpsFindings, FILTERS),
            kinds(),
            rx.cond(OpsFindings.error != "", notice("fault", OpsFindings.error)),
            listed(OpsFindings, finding, nothing(), waiting(4)),
            older(OpsFindings),
            class_name="grid gap-5 max-w-[52rem]",
        ),
    )


def kinds() -> rx.Component:
    """Of which kind they shall be; how many of each wait."""
    options = rx.fragment(
        rx.el.option(t("All"), value=""),
        rx.foreach(OpsFindings.kinds, lambda one: rx.el.option(one.words, value=one.kind)),
    )
    return rx.el.div(
        choice(t("What happened"), options, value=OpsFindings.kind, on_change=OpsFindings.choose_kind),
        class_name="max-w-[28rem]",
    )


def nothing() -> rx.Var[str]:
    """There is none of this kind."""
    return rx.cond(OpsFindings.which == RESOLVED, t("Nothing was resolved yet."), t("Nothing to look at."))


def finding(one: Row) -> rx.Component:
    """What happened, about what, since when; and who looked."""
    return rx.el.li(
        rx.el.p(one.title, class_name="font-medium text-body text-ink"),
        rx.el.p(one.detail, class_name="text-ink-2 mt-0.5"),
        rx.cond(
            one.todo != "", rx.el.p(t("What to do: {advice}", advice=one.todo), class_name="text-note text-ink mt-1")
        ),
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
            rx.fragment(
                rx.cond(one.taken != "", rx.el.p(one.taken, class_name="num text-note font-medium text-ink mt-1")),
                rx.el.div(turn(one), opened(resolve(one)), class_name="flex flex-wrap gap-x-4"),
            ),
        ),
        rx.cond(OpsFindings.resolving == one.number, note()),
        class_name="py-4",
    )


def turn(one: Row) -> rx.Component:
    """Be at it, in somebody's place too; or leave it to whoever comes next."""
    takes = OpsFindings.take(one.number)  # type: ignore[operator]
    named = {"title": one.title, "ref": one.ref}
    return rx.cond(
        one.mine,
        act(
            t("Let it go"),
            OpsFindings.let_go(one.number),  # type: ignore[operator]
            aria_label=t("Let it go: {title}, {ref}", **named),
        ),
        rx.cond(
            one.taken != "",
            act(t("Take it over"), takes, aria_label=t("Take it over: {title}, {ref}", **named)),
            act(t("I am at it"), takes, aria_label=t("I am at it: {title}, {ref}", **named)),
        ),
    )


def resolve(one: Row) -> rx.Component:
    return act(
        t("Resolve"),
        OpsFindings.open(one.number),  # type: ignore[operator]
        aria_label=t("Resolve: {title}, {ref}", title=one.title, ref=one.ref),
    )


def note() -> rx.Component:
    """What came of it."""
    words = area("note", t("What came of it"), hint=t("It is kept with your name."), max_length=500)
    return form(OpsFindings.resolve, t("Resolve"), words, kind="primary")
