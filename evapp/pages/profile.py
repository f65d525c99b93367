"""You: your account, your devices, what you are told, how the app looks, and the ways out."""

import reflex as rx

from evapp.components.bones import bone
from evapp.components.buttons import at_once, button
from evapp.components.fields import pin_field, tick, whose
from evapp.components.native import NativeForm
from evapp.components.notices import notice
from evapp.components.notifying import asking, iphone, permission
from evapp.components.rows import row, rows, section
from evapp.components.running import charge_bar
from evapp.components.shell import HELP, columns, shell
from evapp.components.text import Content
from evapp.components.theme import theme_choice
from evapp.components.tongues import language_choice
from evapp.pages.account import about, complaint, error_of, opens, small_act
from evapp.state.alerts import Alerts
from evapp.state.cards import Card, Cards
from evapp.state.live import Live
from evapp.state.notices import Notices, Waited
from evapp.state.profile import Device, Profile
from evapp.texts import at, t


def profile() -> rx.Component:
    """The page /profile."""
    return shell(
        "/profile",
        t("You"),
        columns(
            rx.el.div(
                rx.el.div(
                    rx.cond(Profile.note != "", notice("info", Profile.note, within=True)),
                    role="status",
                    class_name="not-empty:mb-6",
                ),
                rx.el.div(about(), devices(), cards(), class_name="grid gap-9"),
            ),
            rx.el.div(notifications(), look(), help_and_out(), class_name="grid gap-9"),
        ),
        bar=charge_bar(Live),
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


def cards() -> rx.Component:
    """The cards whose charges this driver pays; who has none reads nothing of them."""
    return rx.cond(
        Cards.own.length() > 0,  # type: ignore[attr-defined]
        section(rx.el.span(t("Your cards"), id="cards", tab_index=-1), rows(rx.foreach(Cards.own, card))),
    )


def card(one: Card) -> rx.Component:
    block = small_act(t("Block"), t("Block card {card}", card=one.tag), Cards.ask(one.tag))  # type: ignore[operator]
    return rx.cond(Cards.asked == one.tag, lost(one), device_row(one.tag, one.state, rx.cond(one.good, block)))


def lost(one: Card) -> rx.Component:
    """The question before it is blocked, which cannot be undone here; the safe answer first."""
    return rx.el.li(
        rx.el.p(t("Block card {card}?", card=one.tag), class_name="font-medium text-body text-ink"),
        rx.el.p(
            t(
                "Nobody can begin a charge with it from then on. One that runs goes on until it is stopped. "
                "Only we can let the card charge again: write to us if you find it."
            ),
            class_name="text-ink-2 mt-1 mb-4",
        ),
        rx.el.div(
            button(t("Keep it"), id="keep-card", kind="quiet", on_click=Cards.ask("")),  # type: ignore[operator]
            button(t("Block the card"), kind="stop", on_click=at_once(Cards.block(one.tag))),  # type: ignore[operator]
            class_name="grid grid-cols-2 gap-3",
        ),
        class_name="py-4",
    )


def notifications() -> rx.Component:
    """What this driver asked to be told."""
    return section(
        t("Notifications"),
        rx.el.div(alerts(), on_mount=Alerts.seen(permission), class_name="mb-3"),  # type: ignore[operator]
        rx.cond(
            Notices.waiting.length() > 0,  # type: ignore[attr-defined]
            rows(rx.foreach(Notices.waiting, waited)),
            rx.el.p(
                t("On the page of a charger in use, choose “Tell me when it is free”, and the app tells you."),
                class_name="text-note text-ink-2",
            ),
        ),
    )


def alerts() -> rx.Component:
    """Whether this device speaks up while evapp is in the background; asked for only on a tap."""
    told = t(
        "A charge that ended, a cable that is about to cost, money that runs low, a payment that arrived, "
        "a charger that became free."
    )
    return rx.match(
        Alerts.permission,
        (
            "none",
            rx.el.p(
                rx.cond(
                    iphone,
                    t("On an iPhone, tap Share, then “Add to Home Screen”, and open evapp from there."),
                    t("This browser shows no notifications."),
                ),
                class_name="text-note text-ink-2",
            ),
        ),
        (
            "denied",
            rx.el.p(
                t("Your browser does not let evapp notify you. Allow it in the browser's settings for this site."),
                class_name="text-note text-ink-2",
            ),
        ),
        rx.fragment(
            rx.el.p(told, class_name="text-note text-ink-2 mb-2"),
            rx.cond(
                Alerts.on != "",
                rx.fragment(
                    rx.el.p(
                        rx.cond(
                            Alerts.closed,
                            t("This device tells you, even while evapp is closed."),
                            rx.cond(
                                Alerts.why != "",
                                Alerts.why,
                                t("This device tells you, as long as evapp is open in the background."),
                            ),
                        ),
                        role="status",
                        class_name="text-note font-medium text-ink mb-2",
                    ),
                    button(t("Stop telling me"), kind="quiet", on_click=Alerts.turn_off, class_name="w-full"),
                ),
                button(
                    t("Tell me on this device"),
                    kind="quiet",
                    picture="bell",
                    on_click=asking(Alerts.answered),
                    class_name="w-full",
                ),
            ),
        ),
    )


def waited(one: Waited) -> rx.Component:
    return device_row(
        one.charger_id,
        one.until,
        small_act(
            t("Cancel"),
            t("Cancel, and do not tell me of {charger}", charger=one.charger_id),
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
            row(t("Your data"), under=t("What we keep about you, for what and how long"), href=f"{HELP}#data"),
        ),
        rx.el.div(rx.cond(Live.running, goodbye(), log_out()), class_name="mt-5"),
        rx.el.div(rx.cond(Profile.editing == "delete", farewell(), delete_button()), class_name="mt-9"),
    )


def log_out() -> rx.Component:
    """Out of this device, with one tap."""
    return NativeForm.create(
        button(t("Sign out"), kind="quiet", type="submit", picture="log-out", class_name="w-full"),
        action=at("/auth/logout"),
        method="post",
    )


def goodbye() -> rx.Component:
    """The same while a car charges: whoever leaves is told that it goes on."""
    return rx.cond(
        Profile.editing == "logout",
        section(
            t("Sign out while your car charges?"),
            rx.el.p(
                t("Your charge goes on. To stop it, sign in again, or press the charger's own stop button."),
                class_name="text-ink-2 mb-4",
            ),
            rx.el.div(
                button(t("Stay signed in"), id="stay", kind="quiet", on_click=opens(""), class_name="w-full"),
                log_out(),
                class_name="grid gap-3",
            ),
        ),
        button(
            t("Sign out"),
            id="edit-logout",
            kind="quiet",
            picture="log-out",
            on_click=opens("logout"),
            class_name="w-full",
        ),
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
                "We remove your name, phone number, e-mail, car and firm, and sign you out everywhere. Your past "
                "charges, payments and receipts stay in our books without them, as tax law asks; only a firm stays on "
                "invoices that were made out to it. This cannot be undone."
            ),
            class_name="text-ink-2 mb-4",
        ),
        complaint(),
        NativeForm.create(
            rx.cond(
                Profile.waivable != "",
                tick(
                    "waive",
                    Profile.waivable_paise,
                    t("Give up the {sum} that are left in my wallet", sum=Profile.waivable),
                    hint=t("It cannot be paid back: it is less than ₹1, or it was given to you."),
                ),
            ),
            whose(Profile.username),
            pin_field("pin", t("Your PIN"), error=error_of("pin")),
            button(t("Keep my account"), kind="quiet", on_click=opens(""), class_name="w-full"),
            button(t("Delete my account"), kind="stop", type="submit", class_name="w-full"),
            action=at("/auth/delete"),
            method="post",
            no_validate=True,
            class_name="grid gap-3",
        ),
    )
