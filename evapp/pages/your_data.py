"""What is kept about a driver, for what and how long, and whom to complain to (DPDP Act 2023, sections 5, 8 and 13)."""

import reflex as rx

from evapp.components.rows import question, section
from evapp.state.help import Help
from evapp.texts import t


def your_data() -> rx.Component:
    """On the page Help, which is open before there is an account; what it says is what the code does."""
    return section(t("Your data"), *(question(asked, *answer) for asked, *answer in _told()), id="data")


def _told() -> tuple[tuple[str, ...], ...]:
    return (
        (
            t("What do you keep about me, and for what?"),
            t("Your username and mobile number, and your e-mail, car and firm if you give them: to sign you in, to "
              "answer you, to reckon how far a charge goes and to make invoices out to the firm. Your PIN is kept in a "
              "form that nobody can read."),
            t("Your charges, payments and receipts, with chargers, times and meter readings: for your bill, and "
              "because tax law wants books of it."),
            t("From where and with which browser you signed in, and where PINs were tried: against thieves."),
        ),
        (
            t("How long do you keep it?"),
            t("Your name, number, e-mail, car and firm until you change or delete them. Browsers and addresses for 30 "
              "days after you signed out. Charges, payments and receipts stay for good, after you have left without "
              "your name and number. On invoices made out to a firm its name, address and GSTIN stay, as tax law asks; "
              "the GSTIN of a person contains the PAN."),
        ),
        (
            t("Who else gets it?"),
            t("PhonePe learns the amount and a number that stands for you when you add money, and tells us the bank's "
              "reference. Your browser's push service carries notices, sealed, if you turn them on. Nothing is sold, "
              "and nobody advertises here."),
        ),
        (
            t("How do I see, correct or delete it?"),
            t("You see and change it under You; receipts and statements are under History and Wallet. “Delete my "
              "account” is under You: what is left in your wallet is paid back first, and what cannot be, you are "
              "asked to give up."),
        ),
        (
            t("Whom do I complain to?"),
            t("Write to {email}, about a bill too; we answer for it: {seller}. About your data, if our answer does not "
              "help, you can go to the Data Protection Board of India.", email=Help.email, seller=Help.seller),
        ),
    )  # fmt: skip
