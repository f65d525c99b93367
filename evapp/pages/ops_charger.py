"""One charger: what it does, what it says, and what can be done about it."""

import reflex as rx

from evapp.components.bones import bone
from evapp.components.buttons import button, button_link, icon
from evapp.components.charges import charge
from evapp.components.fields import area, choice, field
from evapp.components.notices import empty, notice
from evapp.components.ops import act, form, outcome, question, trail_link, why
from evapp.components.rows import fact, facts, longer, row, rows, section
from evapp.components.shell import columns
from evapp.components.status import status
from evapp.components.text import Text
from evapp.pages.ops import desk, opened
from evapp.state.ops import Ops
from evapp.state.ops_charger import Fact, OpsCharger, Plug
from evapp.state.ops_messages import COMMANDS, Message, OpsMessages
from evapp.state.ops_sessions import Row
from evapp.texts import t


def ops_charger() -> rx.Component:
    """The page /ops/c/<charger-id>."""
    return desk(
        "/ops",
        rx.cond(OpsCharger.id != "", OpsCharger.id, bone("8ch")),
        question(OpsCharger),
        question(OpsMessages),
        rx.match(
            OpsCharger.phase,
            ("shown", found()),
            ("missing", notice("info", t("There is no such charger."), action=button_link(t("All chargers"), "/ops"))),
            rx.el.div(bone("100%", "14rem"), class_name="max-w-[40rem]"),
        ),
        lead=rx.cond(OpsCharger.place != "", OpsCharger.place, OpsCharger.name),
    )


def found() -> rx.Component:
    """What it is and does on the left, what can be done on the right, what it says below."""
    return rx.el.div(
        rx.el.div(
            status(OpsCharger.shown, OpsCharger.words),
            rx.el.span(OpsCharger.heard, class_name="num text-note text-ink-3"),
            class_name="flex flex-wrap items-center gap-x-4 gap-y-1",
        ),
        rx.cond(
            OpsCharger.flags != "", rx.el.p(OpsCharger.flags, class_name="text-note font-medium text-vermilion mt-1")
        ),
        rx.el.div(
            outcome(OpsCharger, t("The new key, to be set in the charger as AuthorizationKey")), class_name="mt-7"
        ),
        columns(
            rx.el.div(running(), plugs(), about(), class_name="grid gap-9 content-start"),
            rx.el.div(commands(), service(), class_name="grid gap-9 content-start"),
        ),
        rx.el.div(messages(), class_name="mt-9"),
    )


def running() -> rx.Component:
    """The charges that run here."""
    return section(
        t("Charges under way"),
        rx.cond(
            OpsCharger.running.length() > 0,  # type: ignore[attr-defined]
            rows(rx.foreach(OpsCharger.running, one_running)),
            rx.el.p(t("None."), class_name="text-note text-ink-2"),
        ),
    )


def one_running(line: Row) -> rx.Component:
    return charge(
        line,
        opened(
            rx.cond(line.can_stop, act(t("Stop the charge"), OpsCharger.stop(line.ref)))  # type: ignore[operator]
        ),
    )


def plugs() -> rx.Component:
    """Its connectors."""
    return section(t("Connectors"), rows(rx.foreach(OpsCharger.plugs, plug)))


def plug(one: Plug) -> rx.Component:
    return row(
        rx.el.span(one.number, " ", status(one.shown, one.words), class_name="num inline-flex items-center gap-3"),
        under=one.about,
    )


def about() -> rx.Component:
    """What it says of itself, how it keeps up, and what drivers read of it."""
    return rx.el.div(
        section(
            t("About it"),
            facts(
                fact(t("Name"), rx.cond(OpsCharger.name != "", OpsCharger.name, "–")),
                fact(t("Place"), rx.cond(OpsCharger.place != "", OpsCharger.place, "–")),
                fact(t("Group"), rx.cond(OpsCharger.group != "", OpsCharger.group, "–")),
                rx.foreach(OpsCharger.facts, one_fact),
            ),
            act(t("Change the description"), OpsCharger.edit("about")),  # type: ignore[operator]
            rx.cond(OpsCharger.editing == "about", description()),
        ),
        section(t("Health since it was first seen"), facts(rx.foreach(OpsCharger.health, one_fact))),
        rx.cond(
            OpsCharger.security.length() > 0,  # type: ignore[attr-defined]
            section(t("Security events it reported"), facts(rx.foreach(OpsCharger.security, one_fact))),
        ),
        trail_link(f"charger:{OpsCharger.id}"),
        class_name="grid gap-9",
    )


def one_fact(pair: Fact) -> rx.Component:
    return fact(pair.name, pair.value)


def description() -> rx.Component:
    """What drivers read of it; a change of its price, which the group has, is open to a fresh PIN alone."""
    return form(
        OpsCharger.describe,
        t("Save"),
        field("name", t("Name"), default_value=OpsCharger.name, max_length=120),
        field("place", t("Place"), default_value=OpsCharger.place, max_length=200),
        opened(
            field("group", t("Group"), hint=t("Its tariff holds here."), default_value=OpsCharger.group, max_length=40)
        ),
    )


def commands() -> rx.Component:
    """Any message of OCPP 1.6 with its payload, and what the charger answered."""
    return section(
        t("Ask the charger"),
        outcome(OpsMessages),
        rx.cond(
            Ops.until == "",
            rx.el.p(
                t("Every message of OCPP 1.6 can be sent from here, once your PIN has opened changes."),
                class_name="text-note text-ink-2",
            ),
        ),
        opened(
            rx.el.div(
                choice(
                    t("Often asked"),
                    rx.fragment(*(rx.el.option(name, value=name) for name in COMMANDS)),
                    value=OpsMessages.action,
                    on_change=OpsMessages.choose,
                ),
                class_name="mb-4",
            ),
            rx.el.form(
                field(
                    "action",
                    t("Message"),
                    default_value=OpsMessages.action,
                    key=f"action-{OpsMessages.action}",
                    auto_complete="off",
                    auto_capitalize="none",
                ),
                area(
                    "payload",
                    t("Payload, JSON"),
                    rows="4",
                    default_value=OpsMessages.payload,
                    key=f"payload-{OpsMessages.payload}",
                    class_name="num",
                ),
                button(
                    t("Send"),
                    type="submit",
                    busy=OpsMessages.asking,  # type: ignore[arg-type]
                    busy_label=t("Asking the charger…"),
                ),
                on_submit=OpsMessages.command,
                reset_on_submit=False,
                class_name="grid gap-4",
            ),
        ),
        rx.el.div(
            rx.cond(
                OpsMessages.answered != "",
                rx.el.div(
                    rx.el.p(OpsMessages.answered, class_name="font-semibold text-ink"),
                    rx.cond(OpsMessages.answer != "", frame(OpsMessages.answer)),
                    class_name="grid gap-2 mt-4",
                ),
            ),
            role="status",
        ),
    )


def service() -> rx.Component:
    """Its key, and whether it is in service."""
    return opened(
        section(
            t("Key and service"),
            rx.el.div(
                act(t("New key"), OpsCharger.edit("key")),  # type: ignore[operator]
                act(
                    rx.cond(OpsCharger.retired, t("Bring it back"), t("Retire it")),
                    OpsCharger.edit("retire"),  # type: ignore[operator]
                ),
                class_name="flex flex-wrap gap-x-5",
            ),
            rx.cond(OpsCharger.editing == "key", why(OpsCharger.new_key, t("Make a new key…"))),
            rx.cond(OpsCharger.editing == "retire", why(OpsCharger.retire, t("Go on…"))),
        )
    )


def messages() -> rx.Component:
    """The journal, the newest first."""
    return section(
        t("Messages"),
        rx.el.div(
            rx.cond(
                OpsMessages.trace,
                rx.fragment(
                    rx.el.p(t("Every message is kept, and shown as it comes."), class_name="text-note text-ink-2"),
                    act(t("Stop tracing"), OpsMessages.follow(False)),  # type: ignore[operator]
                ),
                rx.fragment(
                    rx.el.p(t("Meter values and heartbeats are not kept."), class_name="text-note text-ink-2"),
                    act(t("Trace every message"), OpsMessages.follow(True)),  # type: ignore[operator]
                ),
            ),
            class_name="flex flex-wrap items-center gap-x-4",
        ),
        rx.cond(
            OpsMessages.messages.length() > 0,  # type: ignore[attr-defined]
            rows(rx.foreach(OpsMessages.messages, message)),
            empty(t("No messages yet.")),
        ),
        rx.cond(
            OpsMessages.cut,
            rx.el.p(
                t("Older ones are kept, and told by the REST API: {address}", address=OpsMessages.address),
                class_name="text-note text-ink-2 mt-4 wrap-anywhere",
            ),
            longer(OpsMessages.messages, OpsMessages.more, t("Show more"), OpsMessages.show_more),
        ),
    )


def message(line: Message) -> rx.Component:
    """Who said what when, and the frame as it was."""
    return rx.el.li(
        rx.el.p(
            rx.cond(line.incoming, icon("arrow-down-left", 18), icon("arrow-up-right", 18)),
            rx.el.span(rx.cond(line.incoming, t("From the charger"), t("To the charger")), class_name="sr-only"),
            rx.el.span(line.action, class_name="font-medium"),
            rx.el.span(line.when, class_name="num text-note text-ink-3 ml-auto"),
            class_name="flex flex-wrap items-center gap-x-2",
        ),
        frame(line.frame),
        rx.cond(line.repairs != "", rx.el.p(line.repairs, class_name="text-note text-vermilion mt-1")),
        class_name="py-3",
    )


def frame(text: Text) -> rx.Component:
    """What was said, to the letter."""
    return rx.el.p(
        text,
        class_name="num text-small text-ink-2 bg-sunken rounded-field px-3 py-2 break-all whitespace-pre-wrap "
        "empty:hidden",
    )
