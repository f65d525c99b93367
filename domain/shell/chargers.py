"""The operator's words for chargers."""

from argparse import Namespace
from collections.abc import Iterator

from sqlmodel import Session, select

from domain import charger_keys, chargers, health, quirks, safety, tariffs
from domain.models import IS_RUNNING, Charger, ChargingSession, Connector, now
from domain.money import plain_rupees
from domain.prices import Price
from domain.settings import settings
from domain.shell.command import (
    Command,
    Mistake,
    Shell,
    argument,
    clock,
    columns,
    number,
    text,
    watts,
)
from domain.stickers import sticker

PINGS: dict[str, int | None] = {"off": 0, "default": None}
LONGEST_PING_S = 86_400


def pings(typed: str) -> int | str:
    """A word of PINGS, or seconds."""
    return typed if typed in PINGS else number(1, LONGEST_PING_S)(typed)


def add(shell: Shell, given: Namespace) -> Iterator[str]:
    charger = shell.act(
        f"charger:{given.id}",
        {"name": given.name, "place": given.place, "group": given.group},
        chargers.add,
        given.id,
        name=given.name,
        place=given.place,
        state=given.state,
        connectors=given.connectors,
        max_power_w=given.kw,
        kind=given.kind,
    )
    if given.group:
        shell.do(chargers.set_group, given.id, given.group)
    yield f"{charger.id} may connect, to {_address(charger.id)}."
    if not charger.key_hash:
        yield f"It needs no key yet. Give it one: python -m domain charger set-key {charger.id} --random"


def list_(shell: Shell, given: Namespace) -> Iterator[str]:
    yield from columns(
        ("ID", "NAME", "PLACE", "GROUP", "CONTACT", "CONNECTORS", "FIRMWARE", "KEY"),
        (
            (
                charger.id,
                charger.name,
                charger.place,
                charger.group_name or "",
                _contact(charger),
                _statuses(connectors),
                charger.firmware,
                _key(charger),
            )
            for charger, connectors in shell.read(_all)
        ),
    )


def show(shell: Shell, given: Namespace) -> Iterator[str]:
    charger, connectors, running, price = shell.read(_one, given.id)
    about = {
        "name": charger.name,
        "place": charger.place,
        "stands in": charger.state or settings().seller_state,
        "contact": _contact(charger),
        "heard": clock(charger.heard_at),
        "booted": clock(charger.booted_at),
        "made by": f"{charger.vendor} {charger.model}".strip(),
        "serial": charger.serial,
        "firmware": charger.firmware,
        "key": _key(charger),
        "trace": "on" if charger.trace else "off",
        "pings": _pinged(charger.ping_s),
        "version": _named(charger.subprotocol_required),
        "group": charger.group_name,
        "price": f"{plain_rupees(price.at(now()))} a kWh" + ("" if price.plain else ", and more: `tariff show`"),
    }
    yield charger.id
    yield from (f"  {name:<9} {value or '-'}" for name, value in about.items())
    yield "Health, since it was first seen"
    yield from (f"  {name:<15} {value}" for name, value in health.lines(shell.read(health.of, given.id)))
    yield ""
    yield from columns(
        ("CONNECTOR", "STATUS", "ERROR", "SINCE", "KIND", "KW", "CHARGE"),
        (
            (
                c.number,
                c.status,
                c.error_code,
                clock(c.changed_at),
                c.kind,
                c.max_power_w / 1000,
                running.get(c.number, ""),
            )
            for c in connectors
        ),
    )
    if events := shell.read(safety.newest, given.id):
        yield ""
        yield from columns(
            ("SECURITY EVENT", "AT", "DETAIL"), ((event.kind, clock(event.at), event.detail) for event in events)
        )


def set_key(shell: Shell, given: Namespace) -> Iterator[str]:
    if given.random == bool(given.key):
        raise Mistake("Give a key, or --random for a new one.")
    key = charger_keys.new() if given.random else given.key
    shell.act(f"charger:{given.id}", "", chargers.set_key, given.id, key)
    if given.random:
        yield f"The key of {given.id} is {key}"
        yield "It is shown only now. Set it in the charger as AuthorizationKey."
    else:
        yield f"{given.id} must show this key from now on."


def retire(shell: Shell, given: Namespace) -> Iterator[str]:
    shell.act(f"charger:{given.id}", "", chargers.retire, given.id)
    yield f"{given.id} may not connect any more. Its history stays. Adding it again brings it back."


def group(shell: Shell, given: Namespace) -> Iterator[str]:
    shell.act(f"charger:{given.id}", given.group, chargers.set_group, given.id, given.group)
    if given.group:
        yield f"{given.id} is in the group {given.group}: its price holds where {given.id} has none of its own."
    else:
        yield f"{given.id} is in no group."


def set_(shell: Shell, given: Namespace) -> Iterator[str]:
    if given.ping is None and given.subprotocol is None and given.connectors is None:
        raise Mistake("Say what to set: --connectors, --ping or --subprotocol.")
    if given.connectors is not None:
        facts = {"connectors": given.connectors}
        shell.act(f"charger:{given.id}", facts, chargers.keep_connectors, given.id, given.connectors)
        yield f"{given.id} has no connector beyond {given.connectors}."
    if given.ping is not None:
        seconds = PINGS.get(given.ping, given.ping)
        shell.act(f"charger:{given.id}", {"ping": seconds}, quirks.set_ping, given.id, seconds)
        yield f"{given.id} is pinged {_pinged(seconds)}."
    if given.subprotocol is not None:
        required = given.subprotocol == "required"
        shell.act(f"charger:{given.id}", given.subprotocol, quirks.require_subprotocol, given.id, required)
        yield f"{given.id} {_named(required)}."


def trace(shell: Shell, given: Namespace) -> Iterator[str]:
    shell.act(f"charger:{given.id}", given.onoff, chargers.trace, given.id, given.onoff == "on")
    kept = "Every message" if given.onoff == "on" else "Every message but MeterValues and Heartbeat"
    yield f"{kept} of {given.id} is kept in the journal."


def draw_sticker(shell: Shell, given: Namespace) -> Iterator[str]:
    charger = shell.read(chargers.info, given.id)
    yield sticker(settings().url, charger.id, charger.place)


def _all(db: Session) -> list[tuple[Charger, list[Connector]]]:
    everything = chargers.everything(db)
    plugs, _ = chargers.plugs_of(db, [charger.id for charger in everything])
    return [(charger, plugs[charger.id]) for charger in everything]


def _one(db: Session, charger_id: str) -> tuple[Charger, list[Connector], dict[int, str], Price]:
    charger = chargers.info(db, charger_id)
    plugs, _ = chargers.plugs_of(db, [charger_id])
    of_charger = select(ChargingSession).where(ChargingSession.charger_id == charger_id, IS_RUNNING)
    running = {session.connector_number: session.ref for session in db.exec(of_charger)}
    return charger, plugs[charger_id], running, tariffs.price(db, charger_id, now())


def _address(charger_id: str) -> str:
    """Where it connects; in production another program ends TLS, and no setting says under which name."""
    if settings().ocpp_tls_cert:
        return f"wss://<this host>:{settings().ocpp_port}/ocpp/{charger_id}"
    if settings().production:
        return f"the chargers' address of docs/deploy.md, wss://<their name>/ocpp/{charger_id}"
    return f"ws://<this host>:{settings().ocpp_port}/ocpp/{charger_id}"


def _contact(charger: Charger) -> str:
    if charger.retired_at:
        return "retired"
    return "in contact" if chargers.in_contact(charger, now()) else chargers.NO_CONTACT


def _statuses(connectors: list[Connector]) -> str:
    return ", ".join(f"{c.number} {c.status}" for c in connectors)


def _pinged(seconds: int | None) -> str:
    return "as all others" if seconds is None else f"every {seconds} s" if seconds else "never"


def _named(required: bool) -> str:
    return "must name its version of OCPP" if required else "may leave its version of OCPP unnamed"


def _key(charger: Charger) -> str:
    return "set" if charger.key_hash else "none"


ID = argument("id", "the charger's identity", type=text(chargers.LONGEST_ID))

COMMANDS = (
    Command(
        "charger add",
        "make a charger known, or describe a known one anew",
        add,
        (
            ID,
            argument("--name", "what drivers read", type=text(120), default=""),
            argument("--place", "where it stands", type=text(200), default=""),
            argument("--state", "its state of India, if not the seller's", type=text(40), default=""),
            argument("--connectors", "how many plugs it has", type=number(1, chargers.MOST_CONNECTORS), default=1),
            argument("--kw", "the most a plug gives, in kW", type=watts, default=0),
            argument("--kind", "of its plugs: CCS2, Type 2 …", type=text(40), default=""),
            argument("--group", "the group whose tariff it has", type=text(40), default=""),
        ),
    ),
    Command("charger list", "every charger, its contact and its connectors", list_),
    Command("charger show", "all about one charger", show, (ID,)),
    Command(
        "charger set-key",
        "ask a Basic-authentication key of it from now on",
        set_key,
        (
            ID,
            argument("key", charger_keys.WORDS, nargs="?", default=""),
            argument("--random", "make a new one and show it once", action="store_true"),
        ),
        ends_connections=True,
    ),
    Command(
        "charger group",
        "put it into a group, which has one tariff; without a name, into none",
        group,
        (ID, argument("group", "the group's name", nargs="?", type=text(40), default="")),
    ),
    Command("charger retire", "take it out of service", retire, (ID,), ends_connections=True),
    Command("charger sticker", "its sticker for the print shop, an SVG with the code to scan", draw_sticker, (ID,)),
    Command(
        "charger set",
        "how it is to be treated other than the others",
        set_,
        (
            ID,
            argument(
                "--connectors",
                "how many plugs it has at most, where it had more before",
                type=number(1, chargers.MOST_CONNECTORS),
                default=None,
            ),
            argument("--ping", "seconds between two pings, off, or default", type=pings, default=None),
            argument(
                "--subprotocol",
                "whether it must name its version of OCPP at the door",
                choices=("required", "optional"),
                default=None,
            ),
        ),
    ),
    Command(
        "charger trace",
        "keep every message of it, or no longer",
        trace,
        (ID, argument("onoff", "on or off", choices=("on", "off"))),
    ),
)
