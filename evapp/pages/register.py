"""Create an account: a name, a phone number and a PIN."""

import reflex as rx

from evapp.components.buttons import text_link
from evapp.components.fields import field, hidden, pin_field, posted_form
from evapp.components.shell import HELP, plain
from evapp.pages.login import error_of, keep, note, reasons, ways
from evapp.state.sign_in import SignIn
from evapp.texts import t


def register() -> rx.Component:
    """A form that the browser posts; what was wrong stands beside its field when it comes back."""
    return plain(
        t("Create an account"),
        reasons(),
        posted_form(
            field(
                "username",
                t("Username"),
                hint=t("3 to 30 letters, digits or underscores. You can sign in with it."),
                error=error_of("username"),
                on_blur=lambda typed: SignIn.check("username", typed),  # type: ignore[operator]
                auto_complete="username",
                auto_capitalize="none",
                default_value=SignIn.flash_username,
            ),
            field(
                "phone",
                t("Mobile number"),
                before="+91",
                error=error_of("phone"),
                on_blur=lambda typed: SignIn.check("phone", typed),  # type: ignore[operator]
                type="tel",
                auto_complete="tel-national",
                default_value=SignIn.flash_phone,
            ),
            field(
                "email",
                t("E-mail (optional)"),
                error=error_of("email"),
                on_blur=lambda typed: SignIn.check("email", typed),  # type: ignore[operator]
                type="email",
                auto_complete="email",
                auto_capitalize="none",
                default_value=SignIn.flash_email,
            ),
            pin_field(
                "pin",
                t("PIN"),
                hint=rx.cond(
                    SignIn.digits != "",
                    t("{count} digits that are not easy to guess.", count=SignIn.digits),
                    "\u00a0",
                ),
                error=error_of("pin"),
                chosen=SignIn.digits,
            ),
            pin_field("pin_again", t("PIN again"), error=error_of("pin_again"), chosen=SignIn.digits),
            keep(),
            rx.el.p(
                t("What we keep about you, for what and how long:"),
                " ",
                text_link(t("Your data"), f"{HELP}#data"),
                class_name="text-note text-ink-2",
            ),
            hidden("next", SignIn.next_path),
            action="/auth/register",
            label=t("Create account"),
            busy_label=t("Creating…"),
        ),
        lead=note(),
        foot=ways(t("Already have an account?"), t("Sign in"), "/login", here="/register"),
    )
