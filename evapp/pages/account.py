"""The account on the page You: each fact in a row that opens for a change."""

from typing import Any

import reflex as rx
from reflex.event import EventSpec

from evapp.components.bones import loaded
from evapp.components.buttons import UNDERLINED, button
from evapp.components.fields import field, pin_field, posted_form, whose
from evapp.components.notices import notice
from evapp.components.rows import rows, section
from evapp.state.profile import UNDONE, Profile
from evapp.texts import Later, later, t

EDIT = (later("Edit"), later("Edit {field}"))
CHANGE = (later("Change"), later("Change {field}"))
"""The word on a button, and what a screen reader says of it."""


def about() -> rx.Component:
    """Name, number, address and PIN: each a row that opens for a change."""
    return section(
        t("Your account"),
        rows(
            editable("username", t("Username"), Profile.username, username_form()),
            editable("phone", t("Mobile number"), rx.cond(Profile.phone != "", Profile.phone, t("None")), phone_form()),
            editable("email", t("E-mail"), rx.cond(Profile.email != "", Profile.email, t("None")), email_form()),
            editable("vehicle", t("Your car"), rx.cond(Profile.vehicle != "", Profile.vehicle, t("None")), car_form()),
            editable("firm", t("Firm on invoices"), rx.cond(Profile.firm != "", Profile.firm, t("None")), firm_form()),
            editable("pin", t("PIN"), Profile.pin, pin_form(), *CHANGE),
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
                    kept(name),
                    class_name="min-w-0",
                ),
                small_act(t(act), t(spoken, field=label), opens(name), id=f"edit-{name}"),
                class_name="flex items-center justify-between gap-4 py-3 min-h-16",
            ),
        )
    )


def kept(name: str) -> rx.Component:
    """That a change is kept, with the way back where there is one."""
    return rx.el.p(
        rx.cond(
            Profile.saved == name,
            rx.fragment(
                t("Saved."),
                rx.el.button(
                    t("Undo"),
                    type="button",
                    on_click=Profile.undo,
                    class_name=f"min-h-11 min-w-11 px-2 cursor-pointer {UNDERLINED}",
                )
                if name in UNDONE
                else None,
            ),
        ),
        role="status",
        class_name="text-note text-ink-2",
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
        whose(Profile.username),
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


def car_form() -> rx.Component:
    """All of it is optional: what is there makes an estimate better."""
    return saved_form(
        field(
            "name",
            t("What you call it"),
            auto_complete="off",
            max_length=40,
            default_value=Profile.vehicle_typed["name"],
        ),
        size_of("battery", t("Battery in kWh"), t("With it we can say what a full charge costs and when it is done.")),
        size_of("ac", t("Most power at AC, in kW"), t("Slow charging, often 3.3, 7.2 or 11.")),
        size_of("dc", t("Most power at DC, in kW"), t("Fast charging with a thick cable, often 25 to 100.")),
    )


def size_of(name: str, label: str, hint: str) -> rx.Component:
    """A number about the car."""
    return field(
        name,
        label,
        hint=hint,
        error=error_of(name),
        input_mode="decimal",
        auto_complete="off",
        max_length=6,
        default_value=Profile.vehicle_typed[name],
        class_name="num",
    )


def firm_form() -> rx.Component:
    """All of it or nothing: who claims input tax credit needs invoices that name the firm with its GSTIN."""
    return saved_form(
        rx.el.p(
            t(
                "For a firm that is registered for GST. Invoices from now on are made out to it; those that you have "
                "stay as they are. Leave all three empty to have none."
            ),
            class_name="text-note text-ink-2",
        ),
        firm_field(
            "gstin", t("GSTIN"), 20, auto_capitalize="characters", auto_complete="off", class_name="num uppercase"
        ),
        firm_field("name", t("Name of the firm"), 100, t("As on its GST registration."), auto_complete="organization"),
        firm_field("address", t("Its address"), 200, auto_complete="street-address"),
    )


def firm_field(name: str, label: str, most: int, hint: str = "", **props: Any) -> rx.Component:
    return field(
        name,
        label,
        hint=hint,
        error=error_of(name),
        max_length=most,
        default_value=Profile.firm_typed[name],
        **props,
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
    return rx.el.div(
        posted_form(
            whose(Profile.username),
            pin_field("pin", t("Your PIN now"), error=error_of("pin")),
            pin_field(
                "new_pin",
                t("New PIN"),
                hint=t("{count} digits that are not easy to guess.", count=Profile.digits),
                error=error_of("new_pin"),
                chosen=Profile.digits,
            ),
            pin_field("new_pin_again", t("New PIN again"), error=error_of("new_pin_again"), chosen=Profile.digits),
            rx.el.p(t("Your other devices are signed out then."), class_name="text-note text-ink-2"),
            action="/auth/pin",
            label=t("Change PIN"),
            busy_label=t("Changing…"),
        ),
        button(t("Keep my PIN"), kind="quiet", on_click=opens(""), class_name="w-full mt-3"),
    )


def opens(editor: str) -> EventSpec:
    """Open one editor, which closes the others."""
    return Profile.edit(editor)  # type: ignore[operator]


def error_of(name: str) -> rx.Var[str] | str:
    """The sentence, when it belongs to this field."""
    return Profile.errors.get(name, "")
