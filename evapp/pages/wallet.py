"""The wallet: the balance, adding to it, and every movement."""

from typing import Any

import reflex as rx
from reflex_base.event import on_submit_event

from evapp.components import recharge
from evapp.components.bones import as_of, bone, remembered
from evapp.components.buttons import at_once, button_link, icon, text_link
from evapp.components.fields import chip, chips
from evapp.components.files import FILE
from evapp.components.meter import figure, panel
from evapp.components.notices import empty, notice
from evapp.components.rows import longer, row, rows, section
from evapp.components.running import charge_bar
from evapp.components.shell import columns, shell
from evapp.components.text import Content
from evapp.state.live import Live
from evapp.state.recharge import Recharge
from evapp.state.wallet import KINDS, Failed, Month, Movement, Wallet
from evapp.texts import t

coming_back: rx.Var[bool] = rx.Var("window.location.search.includes('paid=')").to(bool)
"""The address says so: without signal nobody else takes back what was said of a payment on an earlier visit."""


def wallet() -> rx.Component:
    """The page /wallet."""
    return shell(
        "/wallet",
        t("Wallet"),
        columns(
            rx.el.div(outcome(), purse(Wallet, Wallet.free, size="card")),
            section(t("Movements"), kinds(), movements()),
            rx.el.div(failed(), monthly()),
        ),
        bar=charge_bar(Live),
    )


def outcome() -> rx.Component:
    """What became of the payment the driver comes back from."""
    reference = rx.el.span(Wallet.outcome_reference, class_name="num text-small text-ink-3")
    help_ = text_link(t("Get help"), Wallet.outcome_help)
    return rx.el.div(
        rx.cond(
            (Wallet.outcome != "") & coming_back,
            rx.cond(
                Wallet.good,
                notice("good", Wallet.outcome, reference, action=onward(), within=True),
                notice("warn", Wallet.outcome, reference, action=help_, within=True),
            ),
        ),
        role="status",
        class_name="not-empty:mb-4",
    )


def onward() -> rx.Component:
    """The way back to the charger that the money was for."""
    return rx.cond(
        Wallet.back != "",
        button_link(t("Back to {charger}", charger=Wallet.back), f"/c/{Wallet.back}", picture="plug-zap"),
        rx.fragment(),
    )


def purse(page: Any, line: Content, *warnings: rx.Component, size: str) -> rx.Component:
    """The balance, what it means, and the shortest way to add to it; on Home, too.

    Args:
        page: the page's state, with `loaded`, `balance`, `as_of` and `arrears`.
        line: what stands under the figure.
        warnings: what stands under that.
        size: of the figure.
    """
    # What the tab remembers may be older than what another page of it did: it is not shown as the one of now.
    known = page.loaded, rx.State.is_hydrated
    return panel(
        rx.el.div(
            rx.el.h2(t("Wallet balance"), class_name="text-note text-ink-2 font-medium"),
            rx.cond(page.loaded, as_of(page.as_of)),
            class_name="flex justify-between gap-4",
        ),
        rx.el.div(figure(remembered(*known, page.balance, "6.4ch", ".8em"), size=size), class_name="mt-1"),
        rx.el.p(remembered(*known, line, "15ch", "1em"), class_name="num text-note text-ink-2 mt-2 min-h-6"),
        *warnings,
        rx.cond(page.arrears != "", rx.el.div(notice("warn", page.arrears), class_name="mt-3")),
        add_money(),
        label=t("Wallet"),
    )


def add_money() -> rx.Component:
    """Amounts, the button, and what is on its way; for the meter panel, here and on Home."""
    return rx.el.div(
        recharge.on_its_way(Recharge.waiting),
        recharge.recharge(
            chosen=Recharge.chosen,
            typed=Recharge.typed,
            fills=Recharge.fills,
            label=rx.cond(
                Recharge.sum != "", t("Add {sum} with PhonePe", sum=Recharge.sum), t("Add money with PhonePe")
            ),
            error=Recharge.error,
            least=Recharge.least,
            alive=Recharge.alive,
            # Who comes back from there has not left again: what the tab remembers is put right as it comes.
            leaving=Recharge.leaving & rx.State.is_hydrated,
            on_choose=Recharge.choose,
            on_type=Recharge.write,
            on_pay=at_once(Recharge.pay, on_submit_event),
        ),
    )


def kinds() -> rx.Component:
    """Everything, or movements of one kind."""
    words = (t("All"), t("Added"), t("Paid"), t("Refunded"))
    return chips(
        t("Show"),
        *(
            chip("kind", kind, word, checked=Wallet.kind == kind, on_change=Wallet.choose(kind))  # type: ignore[operator]
            for kind, word in zip(KINDS, words, strict=True)
        ),
        silent=True,
    )


def movements() -> rx.Component:
    """Every movement, the newest first."""
    return rx.cond(
        Wallet.loaded,
        rx.cond(
            (Wallet.movements.length() > 0) | (Wallet.reserved != ""),  # type: ignore[attr-defined]
            rx.el.div(
                rows(rx.cond(Wallet.reserved != "", reserved()), rx.foreach(Wallet.movements, movement)),
                longer(Wallet.movements, Wallet.more, t("Show 20 more"), Wallet.show_more),
            ),
            empty(
                rx.cond(
                    Wallet.kind != "",
                    t("Nothing of this kind."),
                    t("Nothing yet. What you add and what you pay will appear here."),
                )
            ),
        ),
        rows(*(row(bone("8ch"), under=bone("16ch"), aside=bone("6ch"), aside_under=bone("8ch")) for _ in range(4))),
    )


def failed() -> rx.Component:
    """Payments that brought no money: what a bank may have taken all the same, and how to ask for it."""
    return rx.cond(
        Wallet.failed.length() > 0,  # type: ignore[attr-defined]
        section(
            t("Payments that failed"),
            rx.el.p(t("If your bank took the money, PhonePe gives it back."), class_name="text-note text-ink-2"),
            rows(rx.foreach(Wallet.failed, unpaid)),
            class_name="mt-8",
        ),
    )


def unpaid(one: Failed) -> rx.Component:
    """One of them, with what a bank finds it by."""
    return row(
        one.sum,
        under=rx.fragment(
            rx.el.span(one.when, class_name="num block text-small text-ink-3"),
            rx.el.span(one.reference, class_name="num block text-small text-ink-3 break-all"),
        ),
        aside=text_link(t("Get help"), one.help, class_name="text-note"),
    )


def monthly() -> rx.Component:
    """Every month's statement, to keep."""
    return rx.cond(
        Wallet.months.length() > 0,  # type: ignore[attr-defined]
        section(t("Statements"), rows(rx.foreach(Wallet.months, statement)), class_name="mt-8"),
    )


def statement(month: Month) -> rx.Component:
    """One month, on paper and for a spreadsheet."""
    links = rx.el.span(
        text_link(
            t("PDF"),
            month.pdf,
            aria_label=t("Statement of {month}, PDF", month=month.name),
            class_name="justify-end",
            **FILE,
        ),
        text_link(
            t("CSV"),
            month.csv,
            aria_label=t("Statement of {month}, CSV", month=month.name),
            class_name="justify-end",
            **FILE,
        ),
        class_name="inline-flex gap-3",
    )
    return row(month.name, aside=links)


def reserved() -> rx.Component:
    """What a charge holds: still in the wallet, so it has no sign."""
    return row(
        t("Set aside"),
        under=t("For your charge. What it does not use is available again."),
        aside=Wallet.reserved,
    )


def movement(line: Movement) -> rx.Component:
    """One movement; a charge leads to its receipt."""
    title = rx.el.span(
        rx.el.span(
            rx.cond(line.incoming, icon("arrow-down-left", 18), icon("arrow-up-right", 18)), class_name="self-center"
        ),
        line.word,
        class_name="inline-flex items-baseline gap-1.5",
    )
    under = rx.fragment(
        rx.el.span(line.what, class_name="block"),
        rx.el.span(line.when, class_name="num block text-small text-ink-3"),
        rx.cond(
            line.reference != "",
            rx.el.span(
                t("Reference {code}", code=line.reference), class_name="num block text-small text-ink-3 break-all"
            ),
        ),
        rx.cond(
            line.receipt != "",
            text_link(t("Receipt (PDF)"), line.receipt, class_name="text-note", **FILE),
        ),
    )
    figures = {"aside": line.amount, "aside_under": line.after}
    return rx.cond(
        line.link != "",
        row(title, under=under, href=line.link, **figures),
        row(title, under=under, **figures),
    )
