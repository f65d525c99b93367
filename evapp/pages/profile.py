"""You: what we call you, your PIN, your devices, how the app looks, and the ways out."""

import reflex as rx
from reflex.event import EventSpec

from domain.settings import settings
from evapp.components.bones import bone, loaded
from evapp.components.buttons import UNDERLINED, button
from evapp.components.fields import field, pin_field, posted_form
from evapp.components.native import NativeForm
from evapp.components.notices import notice
from evapp.components.rows import row, rows, section
from evapp.components.running import charge_bar
from evapp.components.shell import HELP, columns, shell
from evapp.components.text import Content
from evapp.components.theme import theme_choice
from evapp.components.tongues import language_choice
from evapp.state.live import Live
from evapp.state.notices import Notices, Waited
from evapp.state.profile import Device, Profile
from evapp.texts import Later, at, later, t

EDIT = (later("Edit"), later("Edit {field}"))
CHANGE = (later("Change"), later("Change {field}"))
"""The word on a button, and what a screen reader says of it."""


def profile() -> rx.Component:
    """The page /profile."""
    return shell(
        "/profile",
        t("You"),
        columns(
            rx.el.div(
                rx.cond(Profile.note != "", rx.el.div(notice("info", Profile.note), class_name="mb-6")),
                about(),
            ),
            rx.el.div(devices(), notifications(), look(), help_and_out(), class_name="grid gap-9"),
        ),
        bar=charge_bar(Live),
    )


def about() -> rx.Component:
    """Name, number, address and PIN: each a row that opens for a change."""
    return section(
        t("Your account"),
        rows(
            editable("username", t("Username"), Profile.username, username_form()),
            editable("phone", t("Mobile number"), Profile.phone, phone_form()),
            editable("email", t("E-mail"), rx.cond(Profile.email != "", Profile.email, t("None")), email_form()),
            editable("pin", t("PIN"), "•" * settings().pin_length, pin_form(), *CHANGE),
        ),
    )


def editable(
    name: str,
    label: str,
    value: rx.Var[str] | str,
    form: rx.Component,
    act: Later = EDIT[0],
    spoken: Later = EDIT[1],
) -> rx.Component:
    """A fact with its Edit button, or the form in its place."""
    return rx.el.li(
        rx.cond(
            Profile.editing == name,
            rx.el.div(complaint(), form, class_name="py-4"),
            rx.el.div(
                rx.el.div(
                    rx.el.p(label, class_name="text-note text-ink-2"),
                    rx.el.p(
                        loaded(Profile.loaded, value, "9ch"), class_name="num text-body text-ink break-words min-h-6"
                    ),
                    class_name="min-w-0",
                ),
                small_act(t(act), t(spoken, field=label), opens(name), id=f"edit-{name}"),
                class_name="flex items-center justify-between gap-4 py-3 min-h-16",
            ),
        )
    )


def small_act(label: str, spoken: str, on_click: EventSpec, **props: object) -> rx.Component:
    """An act at the end of a row; `spoken` says on which."""
    return rx.el.button(
        label,
        type="button",
        aria_label=spoken,
        on_click=on_click,
        class_name=f"shrink-0 min-h-11 min-w-11 px-2 -mr-2 cursor-pointer {UNDERLINED}",
        **props,
    )


def complaint() -> rx.Component:
    """What is wrong with the open form as a whole."""
    return rx.cond(Profile.error != "", rx.el.div(notice("fault", Profile.error), class_name="mb-4"))


def username_form() -> rx.Component:
    return saved_form(
        field(
            "username",
            t("New username"),
            hint=t("3 to 30 letters, digits or underscores. You can sign in with it."),
            error=error_of("username"),
            auto_complete="username",
            auto_capitalize="none",
            default_value=Profile.username,
        )
    )


def phone_form() -> rx.Component:
    return saved_form(
        field(
            "phone",
            t("New mobile number"),
            before="+91",
            error=error_of("phone"),
            type="tel",
            auto_complete="tel-national",
            default_value=Profile.phone_digits,
        ),
        pin_field("pin", t("Your PIN"), hint=t("You sign in with this number, so we ask."), error=error_of("pin")),
    )


def email_form() -> rx.Component:
    return saved_form(
        field(
            "email",
            t("New e-mail"),
            hint=t("Leave it empty to have none."),
            error=error_of("email"),
            type="email",
            auto_complete="email",
            auto_capitalize="none",
            default_value=Profile.email,
        )
    )


def saved_form(*fields: rx.Component) -> rx.Component:
    """A form kept by the page itself."""
    return rx.el.form(
        *fields,
        rx.el.div(
            button(t("Cancel"), kind="quiet", on_click=opens("")),
            button(t("Save"), type="submit"),
            class_name="grid grid-cols-2 gap-3",
        ),
        no_validate=True,
        on_submit=Profile.save,
        class_name="grid gap-5",
    )


def pin_form() -> rx.Component:
    """Posted by the browser: the answer carries a new cookie."""
    new = "new-password"
    return rx.el.div(
        posted_form(
            pin_field("pin", t("Your PIN now"), error=error_of("pin")),
            pin_field(
                "new_pin",
                t("New PIN"),
                hint=t("{count} digits that are not easy to guess.", count=settings().pin_length),
                error=error_of("new_pin"),
                auto_complete=new,
            ),
            pin_field("new_pin_again", t("New PIN again"), error=error_of("new_pin_again"), auto_complete=new),
            rx.el.p(t("Your other devices are signed out then."), class_name="text-note text-ink-2"),
            action="/auth/pin",
            label=t("Change PIN"),
            busy_label=t("Changing…"),
        ),
        button(t("Keep my PIN"), kind="quiet", on_click=opens(""), class_name="w-full mt-3"),
    )


def devices() -> rx.Component:
    """Where this driver is signed in."""
    return section(
        t("Signed in on"),
        rows(
            rx.cond(
                Profile.loaded,
                rx.foreach(Profile.devices, device),
                device_row(bone("15ch"), bone("8ch"), None),
            )
        ),
        rx.cond(
            Profile.devices.length() > 1,  # type: ignore[attr-defined]
            button(
                t("Sign out all other devices"), kind="quiet", on_click=Profile.revoke_others, class_name="w-full mt-2"
            ),
        ),
    )


def notifications() -> rx.Component:
    """What this driver asked to be told."""
    return section(
        t("Notifications"),
        rx.cond(
            Notices.waiting.length() > 0,  # type: ignore[attr-defined]
            rows(rx.foreach(Notices.waiting, waited)),
            rx.el.p(
                t("On the page of a charger in use, choose “Tell me when it is free”, and the app tells you."),
                class_name="text-note text-ink-2",
            ),
        ),
    )


def waited(one: Waited) -> rx.Component:
    return device_row(
        one.charger_id,
        one.until,
        small_act(
            t("Cancel"),
            t("Do not tell me of {charger}", charger=one.charger_id),
            Notices.dismiss(one.charger_id),  # type: ignore[operator]
        ),
    )


def device(one: Device) -> rx.Component:
    return device_row(
        one.name,
        one.used,
        rx.cond(
            one.here,
            None,
            small_act(
                t("Sign out"),
                t("Sign out {device}", device=one.name),
                Profile.revoke(one.number),  # type: ignore[operator]
            ),
        ),
    )


def device_row(name: Content, used: Content, act: rx.Component | None) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.p(name, class_name="font-medium text-body text-ink"),
            rx.el.p(used, class_name="num text-note text-ink-2"),
            class_name="min-w-0",
        ),
        act,
        class_name="flex items-center justify-between gap-4 py-3 min-h-16",
    )


def look() -> rx.Component:
    """Light or dark, and in which language."""
    return rx.el.div(
        section(
            t("Language"),
            language_choice("/profile"),
            rx.el.p(t("Receipts and statements are in English."), class_name="text-note text-ink-3 mt-2"),
        ),
        section(t("Theme"), theme_choice()),
        class_name="grid gap-9",
    )


def help_and_out() -> rx.Component:
    """Help, out of this device, and out for good."""
    return rx.el.div(
        rows(
            rx.cond(Profile.operator, row(t("Operator"), under=t("Chargers, charges, users and money"), href="/ops")),
            row(t("Help"), under=t("WhatsApp, e-mail and the questions drivers ask"), href=HELP),
        ),
        NativeForm.create(
            button(t("Log out"), kind="quiet", type="submit", picture="log-out", class_name="w-full"),
            rx.cond(Live.running, rx.el.p(t("Your charge goes on."), class_name="text-note text-ink-2 mt-2")),
            action=at("/auth/logout"),
            method="post",
            class_name="mt-5",
        ),
        rx.el.div(rx.cond(Profile.editing == "delete", farewell(), delete_button()), class_name="mt-9"),
    )


def delete_button() -> rx.Component:
    return rx.el.button(
        t("Delete my account"),
        type="button",
        id="edit-delete",
        on_click=opens("delete"),
        class_name="min-h-11 text-note font-medium text-vermilion underline underline-offset-4 cursor-pointer",
    )


def farewell() -> rx.Component:
    """What deleting means; the safe answer first, and the PIN before the other."""
    return section(
        t("Delete your account?"),
        rx.el.p(
            t(
                "We remove your name, phone number and e-mail, and sign you out everywhere. "
                "Your past charges stay in our books without them. This cannot be undone."
            ),
            class_name="text-ink-2 mb-4",
        ),
        complaint(),
        NativeForm.create(
            pin_field("pin", t("Your PIN"), error=error_of("pin")),
            button(t("Keep my account"), kind="quiet", on_click=opens(""), class_name="w-full"),
            button(t("Delete my account"), kind="stop", type="submit", class_name="w-full"),
            action=at("/auth/delete"),
            method="post",
            no_validate=True,
            class_name="grid gap-3",
        ),
    )


def opens(editor: str) -> EventSpec:
    """Open one editor, which closes the others."""
    return Profile.edit(editor)  # type: ignore[operator]


def error_of(name: str) -> rx.Var[str] | str:
    """The sentence, when it belongs to this field."""
    return Profile.errors.get(name, "")
