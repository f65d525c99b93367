"""Finding people."""

import reflex as rx

from evapp.components.notices import empty
from evapp.components.ops import search
from evapp.components.rows import row, rows, section
from evapp.pages.ops import desk
from evapp.state.ops_users import OpsUsers, Person
from evapp.texts import t


def ops_users() -> rx.Component:
    """The page /ops/users."""
    return desk(
        "/ops/users",
        t("Users"),
        rx.el.div(
            search("who", t("Number, phone, username or e-mail"), OpsUsers.find, OpsUsers.typed),
            rx.cond(
                OpsUsers.sought,
                rx.cond(
                    OpsUsers.people.length() > 0,  # type: ignore[attr-defined]
                    rows(rx.foreach(OpsUsers.people, person)),
                    empty(t("Nobody matches.")),
                ),
                rx.fragment(
                    rx.el.p(t("A part of a username or e-mail is enough."), class_name="text-note text-ink-2"),
                    section(t("Operators"), rows(rx.foreach(OpsUsers.people, person))),
                ),
            ),
            rx.cond(
                OpsUsers.more,
                rx.el.p(t("There are more: say more of whom you mean."), class_name="text-note text-ink-2"),
            ),
            class_name="grid gap-5 max-w-[44rem]",
        ),
        changes=False,
    )


def person(one: Person) -> rx.Component:
    """Who it is, and the money; the whole row leads there."""
    return row(
        one.username,
        under=rx.fragment(
            rx.el.span(one.phone, class_name="num block"),
            rx.cond(one.state != "", rx.el.span(one.state, class_name="font-medium text-vermilion")),
        ),
        aside=one.balance,
        aside_under=one.owed,
        href=f"/ops/users/{one.id}",
    )
