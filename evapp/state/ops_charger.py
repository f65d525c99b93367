"""One charger before its operator: what it is and does, how it keeps up, and what can be done about it."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from sqlmodel import Session

from domain import charger_keys, chargers, charges, fleet, health, safety, tariffs
from domain.chargers import ChargerUnknown
from domain.db import read
from domain.events import SessionMetered
from domain.fleet import Seen
from domain.models import OPEN, Connector, SecurityEvent, now
from domain.operators import Act
from domain.prices import Price
from evapp.components.money import moment, per_kwh, rated_kw
from evapp.state.find import WORDS
from evapp.state.ops import operator, visit
from evapp.state.ops_deed import LONGEST, NOT_KEPT, Deed, Deeds, keeps, text
from evapp.state.ops_fleet import FLAGS, heard_words, shown_as
from evapp.state.ops_messages import OpsMessages
from evapp.state.ops_sessions import Row, ask_the_charger, metered, row_of, stopping
from evapp.state.visit import renewed
from evapp.texts import later, t
from evapp.texts.prices import price_lines

HEALTH = {
    "connected": later("Connected"),
    "booted": later("Booted"),
    "clock": later("Clock"),
    "repaired": later("Repaired"),
    "unanswered": later("Unanswered"),
    "refused": later("Refused"),
    "protocol errors": later("Protocol errors"),
    "set-up": later("Set-up"),
    "registers": later("Registers"),
}
"""Names of `health.lines`; their values are the shell's, in English."""


@dataclass(frozen=True)
class Fact:
    """A name and what it stands for."""

    name: str
    value: str


@dataclass(frozen=True)
class Plug:
    """One connector in words."""

    number: int
    shown: str
    words: str
    about: str


class OpsCharger(Deeds, rx.State):
    """The page /ops/c/[charger_id]; its messages and commands are OpsMessages'."""

    phase: str = ""
    """shown or missing; empty until that is known."""
    id: str = ""
    name: str = ""
    place: str = ""
    group: str = ""
    shown: str = "silent"
    words: str = ""
    heard: str = ""
    flags: str = ""
    retired: bool = False
    facts: list[Fact] = []
    health: list[Fact] = []
    security: list[Fact] = []
    plugs: list[Plug] = []
    running: list[Row] = []
    editing: str = ""
    """about, key, retire; empty: nothing is open."""

    @rx.event
    async def load(self) -> None:
        """Show the page."""
        if not await renewed(self):
            self._calm()
            self.phase, self.editing = "", ""
            self.id = str(getattr(self, "charger_id", ""))[:48]
            (await self.get_state(OpsMessages))._look_at(self.id)
        topics = (f"meter:{self.id}", f"messages:{self.id}")
        await visit(self, OpsCharger, OpsMessages, topics=topics, chargers=(self.id,))

    @rx.event
    async def edit(self, what: str) -> None:
        """Open one editor, or none."""
        if await operator(self) is not None:
            self.editing, self.error, self.secret = (what if what in ("about", "key", "retire") else ""), "", ""

    @rx.event
    async def describe(self, form: dict[str, object]) -> None:
        """Keep what drivers read of it, and the group whose tariff it has: that is a price, which wants the PIN."""
        user, seen = await operator(self), await self._seen()
        if user is None or seen is None:
            return
        if not keeps(form, name=120, place=LONGEST, group=40):
            self._refuse(t(NOT_KEPT))
            return
        if await self._perform(self._description(form, seen.charger.group_name or "")):
            self.editing = ""
        await self._refresh(user.id)

    def _description(self, form: object, group: str) -> Deed:
        """It leaves the group alone where the form has the same one, or none since the PIN was not given."""
        name, place = text(form, "name", 120), text(form, "place")
        given = isinstance(form, dict) and isinstance(form.get("group"), str)
        other = text(form, "group", 40) if given else group
        about, subject, said = {"name": name, "place": place}, f"charger:{self.id}", t("Saved.")
        if other == group:
            act = Act("charger describe", subject, about, pin=False)
            return Deed(act, chargers.rename, (self.id, name, place), said=said)
        act = Act("charger describe", subject, {**about, "group": other})
        return Deed(act, describe, (self.id, name, place, other), said=said)

    @rx.event
    async def new_key(self, form: dict[str, object]) -> None:
        """Ask whether it shall need another key."""
        if await operator(self) is None or await self._seen() is None or not (why := self._reason(form)):
            return
        key = charger_keys.new()
        self._ask(
            Deed(Act("charger set-key", f"charger:{self.id}", why), chargers.set_key, (self.id, key), secret=key),
            t("Give {charger} a new key? Its connection ends until it comes with the new one.", charger=self.id),
            t("Make a new key"),
        )

    @rx.event
    async def retire(self, form: dict[str, object]) -> None:
        """Ask whether it shall be taken out of service, or brought back."""
        seen = await self._seen() if await operator(self) is not None else None
        if seen is None or not (why := self._reason(form)):
            return
        if seen.charger.retired_at is None:
            self._ask(
                Deed(
                    Act("charger retire", f"charger:{self.id}", why),
                    chargers.retire,
                    (self.id,),
                    refusals=(chargers.ChargerInUse,),
                ),
                t("Take {charger} out of service? It may not connect, and drivers do not find it.", charger=self.id),
                t("Retire it"),
            )
        else:
            self._ask(
                Deed(Act("charger add", f"charger:{self.id}", why), bring_back, (self.id,), calm=True),
                t("Bring {charger} back into service?", charger=self.id),
                t("Bring it back"),
            )

    @rx.event
    async def stop(self, ref: str) -> None:
        """Ask whether the charge that runs here shall be stopped."""
        found = await read(charges.of_ref, ref) if await operator(self) is not None and isinstance(ref, str) else None
        if found is None or found.session.charger_id != self.id or found.session.state not in OPEN:
            return
        self._ask(*stopping(found))

    async def _did(self, deed: Deed) -> Any:
        self.editing = ""
        ask_the_charger(deed)

    async def _seen(self) -> Seen | None:
        try:
            return await read(fleet.one, self.id)
        except ChargerUnknown:
            return None

    async def _refresh(self, user_id: int) -> None:
        seen = await self._seen()
        if seen is None:
            self.phase = "missing"
            return
        charger = seen.charger
        self.name, self.place, self.group = charger.name, charger.place, charger.group_name or ""
        self.shown, self.words = shown_as(seen)
        self.heard, self.retired = heard_words(seen), charger.retired_at is not None
        self.flags = " · ".join(t(FLAGS[flag]) for flag in seen.flags)
        self.plugs = [_plug(*each) for each in seen.plugs]
        self.facts = _facts(seen, await read(tariffs.price, charger.id, now()))
        self.health = [Fact(t(HEALTH[name]), value) for name, value in health.lines(seen.health)]
        self.security = [_said(event) for event in await read(safety.newest, charger.id)]
        running = await read(charges.page, which=charges.RUNNING, charger_id=charger.id)
        self.running = [row_of(one) for one in running]
        self.phase = "shown"

    def _metered(self, event: SessionMetered) -> None:
        self.running = [metered(row, event) for row in self.running]


def describe(db: Session, charger_id: str, name: str, place: str, group: str) -> None:
    """What drivers read of a charger, and its group."""
    chargers.rename(db, charger_id, name, place)
    chargers.set_group(db, charger_id, group)


def bring_back(db: Session, charger_id: str) -> None:
    """Into service again, as it was."""
    chargers.add(db, charger_id, connectors=0)


def _plug(plug: Connector, state: str) -> Plug:
    shown, word = WORDS[state]
    about = [plug.kind, t("{power} kW", power=rated_kw(plug.max_power_w)) if plug.max_power_w else ""]
    told = plug.status if plug.error_code == "NoError" else f"{plug.status}, {plug.error_code} {plug.info}".strip()
    about += [told, t("Since {time}", time=moment(plug.changed_at))]
    return Plug(plug.number, shown, t(word), " · ".join(filter(None, about)))


def _said(event: SecurityEvent) -> Fact:
    return Fact(moment(event.at), ": ".join(filter(None, (event.kind, event.detail))))


def _facts(seen: Seen, price: Price) -> list[Fact]:
    charger = seen.charger
    connected_at = charger.connected_at if charger.online else None
    facts = [
        (t("Price"), " ".join(price_lines(price)) or per_kwh(price.paise_per_kwh)),
        (t("Key"), t("Required") if charger.key_hash else t("Not required")),
        (t("Connected since"), moment(connected_at) if connected_at else ""),
        (t("Booted"), moment(charger.booted_at) if charger.booted_at else ""),
        (t("Made by"), f"{charger.vendor} {charger.model}".strip()),
        (t("Serial number"), charger.serial),
        (t("Firmware"), charger.firmware),
        (t("Stands in"), charger.state or ""),
    ]
    return [Fact(name, value) for name, value in facts if value]
