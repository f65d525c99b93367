"""Sign in with a username or phone number and a PIN."""

import reflex as rx

from evapp.components.addresses import returning
from evapp.components.buttons import text_link
from evapp.components.fields import field, hidden, pin_field, posted_form, tick
from evapp.components.notices import notice
from evapp.components.shell import HELP, SLOGAN, plain
from evapp.components.tongues import other_language
from evapp.state.sign_in import SignIn
from evapp.texts import t
from evapp.web.forms import KEEP


def login() -> rx.Component:
    """A form that the browser posts; what was wrong stands beside its field when it comes back."""
    return plain(
        t("Sign in"),
        reasons(),
        posted_form(
            field(
                "login",
                t("Username or phone number"),
                error=error_of("login"),
                auto_complete="username",
                auto_capitalize="none",
                default_value=SignIn.flash_login,
            ),
            pin_field("pin", t("PIN"), error=error_of("pin")),
            keep(),
            hidden("next", SignIn.next_path),
            action="/auth/login",
            label=t("Sign in"),
            busy_label=t("Signing in…"),
        ),
        lead=note(),
        foot=rx.el.div(
            rx.el.p(text_link(t("I forgot my PIN"), "/help?about=pin")),
            ways(t("New here?"), t("Create an account"), "/register", here="/login"),
        ),
    )


def keep() -> rx.Component:
    """Whether this device stays signed in; it is asked, since phones are lent and shared."""
    return tick(
        "keep",
        KEEP,
        t("Keep me signed in on this device"),
        hint=t("For 30 days, or 7 without use. Otherwise until the browser is closed."),
        default_checked=SignIn.keep,
    )


def note() -> rx.Component:
    """Why the driver is here, else what the app is about; in one place, so that nothing moves when it is known."""
    return rx.el.span(
        rx.cond(
            SignIn.note != "",
            rx.el.span(SignIn.note, class_name="font-medium text-ink"),
            rx.el.span(t(SLOGAN), class_name="lg:invisible"),
        ),
        role="status",
    )


def reasons() -> rx.Component:
    """What went wrong with the last try, when it belongs to no field."""
    return rx.el.div(
        rx.cond(SignIn.error != "", notice("fault", SignIn.error)),
        class_name="grid gap-3 mb-6 empty:hidden",
    )


def error_of(name: str) -> rx.Var[str] | str:
    """The sentence, when it belongs to this field."""
    return SignIn.errors.get(name, "")


def ways(asked: str, other: str, path: str, *, here: str) -> rx.Component:
    """To the other form, which leads to the same place, to help, and to this page in the other language."""
    to_other = text_link(other, returning(f"/auth/to{path}", SignIn.next_path), native=True)
    return rx.el.div(
        rx.el.p(asked, " ", to_other, class_name="text-ink-2"),
        rx.el.p(
            text_link(t("Help"), HELP),
            other_language(returning(here, SignIn.next_path)),
            class_name="flex gap-6",
        ),
    )
