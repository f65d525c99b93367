"""Help: a person first, then what works now, and the questions drivers ask most."""

import reflex as rx

from evapp.components.addresses import mail, whatsapp
from evapp.components.bones import bone, loaded
from evapp.components.buttons import button_link, text_link
from evapp.components.rows import fact, facts, question, section
from evapp.components.running import charge_bar
from evapp.components.shell import shell
from evapp.components.text import Text
from evapp.pages.your_data import your_data
from evapp.state.help import PLAIN, Help
from evapp.state.live import Live
from evapp.texts import t

KNOWN = Help.email != ""
"""The server has said whom to write to."""


def help_page() -> rx.Component:
    """The page /help."""
    return shell(
        "/profile",
        t("Help"),
        rx.el.div(
            _people(_typed()), _status(), _questions(), your_data(), class_name="grid grid-cols-1 gap-9 max-w-[40rem]"
        ),
        lead=t("A person answers."),
        bar=charge_bar(Live),
    )


def _typed() -> rx.Var[str]:
    return rx.cond(Help.message != "", Help.message, t(PLAIN))


def _people(typed: Text) -> rx.Component:
    """Whom to write to is known at run time alone: nobody may be sent to who was named when the pages were built."""
    return rx.el.div(
        button_link(
            t("Write to us on WhatsApp"),
            whatsapp(Help.whatsapp, typed),
            picture="message-circle",
            native=True,
            target="_blank",
            rel="noopener",
            class_name=rx.cond(KNOWN, "w-full sm:w-auto", "w-full sm:w-auto invisible"),
        ),
        rx.el.p(
            t("Or by e-mail:"),
            " ",
            rx.cond(
                KNOWN,
                text_link(Help.email, mail(Help.email, t("Help with charging"), typed), native=True, target="_blank"),
                rx.el.span(bone("18ch"), class_name="inline-flex items-center min-h-11"),
            ),
            class_name="text-ink-2 mt-3",
        ),
        rx.el.p(
            t("If a car or a charger smokes or sparks, step away from it and call 112 first."),
            class_name="text-ink-2 mt-3 max-w-[65ch]",
        ),
    )


def _status() -> rx.Component:
    """What works at this moment, so that nobody looks for a fault at his own side."""
    return section(
        t("Right now"),
        facts(
            fact(t("Chargers"), loaded(Help.as_of != "", Help.chargers, "12ch")),
            fact(t("Payments with PhonePe"), loaded(Help.as_of != "", Help.payments, "6ch")),
        ),
        rx.el.p(
            rx.cond(Help.as_of != "", t("as of {time}", time=Help.as_of), ""),
            class_name="num text-note text-ink-3 min-h-6",
        ),
    )


def _questions() -> rx.Component:
    return section(t("Questions"), *(question(asked, *answer) for asked, *answer in _asked()))


def _asked() -> tuple[tuple[str, ...], ...]:
    """Each question with its answer, the most urgent first."""
    return (
        (
            t("The charge did not start. Did I pay?"),
            t("No. Until energy flows you pay nothing. What was set aside is available again at once."),
            t(
                "Unplug, plug in again until it clicks, then press “Start charging” once more. "
                "If it still refuses, try another plug."
            ),
        ),
        (
            t("How do I stop?"),
            t("Press “Stop charging” on the charger's page, or the charger's own stop button, or end it in your car."),
            t("If the plug stays locked, wait a minute and unlock your car: many cars hold the plug themselves."),
        ),
        (
            t("My phone lost its signal. What happens to the charge?"),
            t("It goes on. The charger and our server keep count; your page catches up as soon as you are back."),
        ),
        (
            t("Why is more set aside than I have used?"),
            t("While you charge we set an amount aside, so that a long charge is covered. "
              "When it ends you pay what the charge cost, and the rest is available again."),
        ),
        (
            t("I paid with PhonePe and the money is not in my wallet."),
            t("PhonePe sometimes takes a few minutes to confirm. The wallet shows such a payment as on its way."),
            t("If your bank took the money and PhonePe does not confirm, PhonePe gives it back."),
        ),
        (
            t("How do I get money back from my wallet?"),
            t("Write to us. What you have not used goes back through PhonePe to where you paid from, and the wallet "
              "shows when it has been paid back."),
        ),
        (
            t("Can I have invoices with the GSTIN of my firm?"),
            t("Yes. Tell us the firm under You, “Firm on invoices”, before the charge ends: its receipt is then a "
              "paper for input tax credit. Receipts that you have already stay as they are."),
        ),
        (
            t("I forgot my PIN."),
            t(
                "Write to us, and have the bank references of your payments at hand: your UPI app and your receipts "
                "show them. A phone number alone proves nothing, since numbers get new owners. Once we know that it is "
                "you, we give you a new PIN and you are signed out everywhere else."
            ),
            t("Nobody can read your old PIN, not even us. Never tell a PIN to anybody who asks for it."),
        ),
        (
            t("I lost my charging card."),
            t("Block it under You, at “Your cards”: from that moment on nobody can begin a charge with it."),
            t("Then write to us if you want another one."),
        ),
        (
            t("My phone number already has an account, and it is not mine."),
            t("Numbers get new owners. Write to us from it: we take it off that account, and you can register."),
        ),
        (
            t("What is the least I can add?"),
            t("{amount}. There is no fee for adding money.", amount=Help.least),
        ),
    )  # fmt: skip
