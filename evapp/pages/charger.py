"""One charger: what it is, whether it is free, and the one thing to do next."""

import reflex as rx

from evapp.components.addresses import maps, shared
from evapp.components.arrival import standing
from evapp.components.asking import START, answered, asking, unanswered, waits
from evapp.components.bones import bone
from evapp.components.buttons import at_once, button, button_link, icon, text_link
from evapp.components.fault_form import fault_form
from evapp.components.meter import panel
from evapp.components.notices import notice
from evapp.components.receipt import power, receipt
from evapp.components.rows import row, rows, section
from evapp.components.running import charge_panel, curve_section, spoken
from evapp.components.shell import columns, shell
from evapp.components.status import status
from evapp.components.stop_at import stop_at, stop_at_section
from evapp.state.charger import ChargerPage, Plug
from evapp.state.effects import Effects
from evapp.state.fault_report import FaultReport
from evapp.state.favourite import Favourite
from evapp.state.find import Known
from evapp.state.live import Live
from evapp.state.stop_at import StopAt
from evapp.state.vacancy import Vacancy
from evapp.texts import t

KNOWN = (ChargerPage.phase != "") & (ChargerPage.phase != "unknown")
"""Whether there is such a charger."""


def charger() -> rx.Component:
    """The page behind every sticker's QR code."""
    return shell(
        "/charge",
        rx.cond(ChargerPage.id != "", ChargerPage.id, bone("7ch")),
        said(),
        rx.cond(
            ChargerPage.id != "",
            standing(name=ChargerPage.id, words=f"{ChargerPage.id}. {ChargerPage.headline}", key=ChargerPage.id),
        ),
        answered(Effects.answers),
        columns(
            rx.match(
                ChargerPage.phase,
                ("free", ready()),
                ("unavailable", unavailable()),
                ("unknown", unknown()),
                ("running", charge_panel(Live)),
                ("elsewhere", elsewhere()),
                ("finished", finished()),
                loading(),
            ),
            rx.el.div(
                rx.cond(ChargerPage.phase == "running", beside()),
                rx.cond(ChargerPage.phase == "finished", power(ChargerPage)),
                rx.cond(KNOWN, rx.el.div(links(), fault_form(FaultReport), class_name="grid gap-2")),
                class_name="grid gap-6",
            ),
        ),
        aside=rx.cond(KNOWN, star()),
        lead=rx.cond(ChargerPage.phase != "", ChargerPage.about, bone("16ch")),
    )


def said() -> rx.Component:
    """The charge, and that the charger is free, for who does not see it: what they stand on goes with them, and words
    that come together with their live region go unsaid."""
    end = rx.cond(Effects.tone == "quiet", Effects.sentence, "")
    words = rx.match(
        ChargerPage.phase, ("running", spoken(Live)), ("finished", end), ("free", t("This charger is free.")), ""
    )
    return rx.el.p(words, role="status", class_name="sr-only")


def links() -> rx.Component:
    """Where the charger stands, who helps, and telling others of the charge."""
    return rx.el.p(
        rx.cond(
            ChargerPage.place != "",
            text_link(t("Open in Maps"), maps(ChargerPage.place), native=True, target="_blank", rel="noopener"),
        ),
        rx.cond(
            ChargerPage.phase == "running",
            rx.fragment(
                text_link(t("Share on WhatsApp"), shared(told()), native=True, target="_blank", rel="noopener"),
                text_link(t("Get help with this charge"), "/help"),
            ),
            text_link(t("Get help"), f"/help?charger={ChargerPage.id}"),
        ),
        class_name="flex flex-wrap gap-x-6",
    )


def told() -> rx.Var[str]:
    """What others are told of the charge under way."""
    place = rx.cond(ChargerPage.place != "", ChargerPage.place, ChargerPage.id)
    now = t("I am charging at {place} with evapp: {energy} kWh so far.", place=place, energy=Live.energy)
    return rx.cond(Live.ready_words != "", f"{now} {Live.ready_words}", now)


def star() -> rx.Component:
    """Keeps the charger at hand."""
    return rx.el.button(
        icon("star"),
        rx.cond(Favourite.on, t("Favourite"), t("Add to favourites")),
        type="button",
        aria_pressed=rx.cond(Favourite.on, "true", "false"),
        on_click=at_once(Favourite.toggle),
        class_name="star needs-line inline-flex items-center gap-2 min-h-11 -my-1.5 shrink-0 text-note font-medium "
        "text-peacock cursor-pointer",
    )


def state_and_price(state: rx.Var[str] | str) -> rx.Component:
    """The first things to know before a start."""
    return rx.el.div(
        status(state),
        rx.el.div(
            rx.el.p(ChargerPage.rate, class_name="num text-reading leading-6 font-semibold text-ink"),
            rx.el.p(t("all taxes included"), class_name="text-small text-ink-2"),
            class_name="min-w-0 text-right",
        ),
        class_name="flex flex-wrap items-center justify-between gap-x-4",
    )


def ready() -> rx.Component:
    """Free: what to do, what it will come to, and the start."""
    return rx.el.div(
        panel(
            state_and_price("free"),
            rx.el.p(ChargerPage.headline, class_name="text-page leading-8 font-semibold text-ink mt-5"),
            rx.el.p(
                rx.cond(ChargerPage.lacking != "", ChargerPage.lacking, StopAt.outlook),
                class_name="num text-body text-ink-2 mt-2 min-h-6",
            ),
            prices(),
            plugs(),
            rx.el.div(stop_at(StopAt), class_name="mt-5"),
            rx.cond(
                ChargerPage.lacking != "",
                button_link(
                    t("Add money to start"), "/wallet", kind="money", picture="wallet", class_name="w-full mt-6"
                ),
                button(
                    t("Start charging"),
                    kind="money",
                    picture="plug-zap",
                    busy=waits(START),
                    busy_label=t("Starting…"),
                    on_click=asking(ChargerPage.start(ChargerPage.id, ChargerPage.plug), START),  # type: ignore[operator]
                    class_name="w-full mt-6",
                ),
            ),
            unanswered(START, t("No answer yet. Nothing is charged until energy flows.")),
            label=t("Charger"),
        ),
        failed(),
    )


def beside() -> rx.Component:
    """Beside the meter of a running charge: where it stops, as long as nobody wants its end, and the power so far."""
    return rx.el.div(
        rx.cond(Live.can_stop, stop_at_section(StopAt, Live.goal_words, Live.no_limit_words, Live.ready_words)),
        rx.cond(Live.curve != "", curve_section(Live)),
        class_name="grid gap-6",
    )


def failed() -> rx.Component:
    """Why the last start came to nothing, and that it cost nothing."""
    return rx.cond(
        ChargerPage.error != "",
        rx.el.div(notice("fault", ChargerPage.error), class_name="mt-4"),
    )


def prices() -> rx.Component:
    """What a charge costs here, line by line, where it is more than a price per kWh."""
    return rx.cond(
        ChargerPage.prices.length() > 0,  # type: ignore[attr-defined]
        rx.el.div(
            rx.el.h2(t("What a charge costs here, all taxes included"), class_name="text-note font-medium text-ink"),
            rx.el.ul(
                rx.foreach(ChargerPage.prices, lambda line: rx.el.li(line, class_name="num py-0.5")),
                class_name="list-disc pl-5 text-note text-ink-2 mt-1",
            ),
            class_name="mt-5",
        ),
    )


def plugs() -> rx.Component:
    """The choice of a connector, where there is one."""
    return rx.cond(
        ChargerPage.plugs.length() > 1,  # type: ignore[attr-defined]
        rx.el.fieldset(
            rx.el.legend(t("Connector"), class_name="text-note text-ink-2 mb-2"),
            rx.el.div(rx.foreach(ChargerPage.plugs, plug), class_name="grid grid-cols-1 gap-2 sm:grid-cols-2"),
            class_name="mt-5 min-w-0",
        ),
    )


def plug(item: Plug) -> rx.Component:
    """One connector: a real radio button underneath."""
    return rx.el.label(
        rx.el.input(
            type="radio",
            name="plug",
            value=item.number,
            checked=ChargerPage.plug == item.number,
            on_change=ChargerPage.choose(item.number),  # type: ignore[operator]
        ),
        item.name,
        class_name="chip relative flex items-center min-h-12 px-4 rounded-field border border-edge text-ink "
        "font-medium cursor-pointer",
    )


def unavailable() -> rx.Component:
    """In use, out of order, or out of contact: why, and what to do."""
    return rx.el.div(
        panel(
            state_and_price(ChargerPage.shown),
            rx.el.p(ChargerPage.headline, class_name="text-page leading-8 font-semibold text-ink mt-5"),
            rx.el.p(ChargerPage.reason, role="alert", class_name="num text-body text-ink-2 mt-2"),
            plugs(),
            button(t("Start charging"), kind="quiet", picture="plug-zap", disabled=True, class_name="w-full mt-6"),
            label=t("Charger"),
        ),
        failed(),
        rx.cond(ChargerPage.shown == "in_use", rx.el.div(wait(), class_name="mt-4")),
        rx.cond(
            Vacancy.beside.length() > 0,  # type: ignore[attr-defined]
            section(t("Free at the same place"), rows(rx.foreach(Vacancy.beside, charger_row)), class_name="mt-7"),
        ),
        rx.el.div(
            button_link(t("Find another charger"), "/charge", kind="quiet", class_name="w-full"), class_name="mt-4"
        ),
    )


def wait() -> rx.Component:
    """Be told when it is free, instead of looking again and again."""
    return rx.cond(
        Vacancy.until != "",
        notice(
            "info",
            t("We tell you here as soon as it is free, until {time}.", time=Vacancy.until),
            action=button(t("Do not tell me"), kind="quiet", on_click=at_once(Vacancy.leave), class_name="needs-line"),
        ),
        button(
            t("Tell me when it is free"),
            picture="bell",
            on_click=at_once(Vacancy.wait),
            class_name="needs-line w-full",
        ),
    )


def unknown() -> rx.Component:
    """No such ID."""
    return rx.el.div(
        notice(
            "fault",
            t("No charger {id}.", id=ChargerPage.id),
            t("Check the ID printed under the QR code on the charger."),
            action=button_link(t("Find a charger"), "/charge"),
        ),
        rx.cond(ChargerPage.suggestions.length() > 0, suggestions(ChargerPage.suggestions)),  # type: ignore[attr-defined]
    )


def suggestions(ids: list[str]) -> rx.Component:
    """IDs that are close to what was typed."""
    return rx.el.div(
        rx.el.p(t("Did you mean"), class_name="text-note text-ink-2 mt-5 mb-2"),
        rx.el.div(
            rx.foreach(ids, lambda id: button_link(id, f"/c/{id}", kind="quiet")), class_name="flex flex-wrap gap-2"
        ),
    )


def charger_row(item: Known) -> rx.Component:
    """One charger and what it is doing now; one that has no place is called by its ID alone."""
    return row(
        item.place,
        under=status(item.shown, item.words),
        aside=rx.cond(item.place == item.id, "", item.id),
        aside_under=item.price,
        href=f"/c/{item.id}",
    )


def elsewhere() -> rx.Component:
    """One charge at a time: the way to the one under way."""
    return notice(
        "info",
        t("You are charging at {charger}.", charger=ChargerPage.elsewhere),
        t("Stop it before you start another one."),
        action=button_link(t("See your charge"), f"/c/{ChargerPage.elsewhere}"),
    )


def finished() -> rx.Component:
    """The page becomes the receipt; whose wallet has too little for another start adds money from here."""
    return receipt(
        ChargerPage.bill,
        rx.el.div(
            rx.cond(
                ChargerPage.lacking != "",
                button_link(t("Add money"), "/wallet", kind="money", picture="wallet", class_name="col-span-2"),
            ),
            button_link(t("See all charges"), "/history", kind="quiet"),
            button(t("Done"), on_click=ChargerPage.dismiss),
            class_name="grid grid-cols-2 gap-3 mt-6",
        ),
    )


def loading() -> rx.Component:
    """The panel before anything is known, of the same size."""
    return panel(
        rx.el.div(bone("5ch"), class_name="flex items-center min-h-11"),
        rx.el.p(bone("12ch", "1.625rem"), class_name="mt-5 leading-8"),
        rx.el.p(bone("20ch"), class_name="mt-2"),
        rx.el.div(class_name="min-h-12 mt-6"),
        label=t("Charger"),
    )
