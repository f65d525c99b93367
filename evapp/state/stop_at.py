"""Where the driver wants a charge to end by itself: chosen before the start, changed while it runs."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.event import EventSpec

from domain import history, limits
from domain.chargers import ChargerUnknown
from domain.charging import Limit, Refused
from domain.db import read, transact
from domain.money import AmountError
from evapp.components.money import duration, kwh, plainly, rupees, whole_rupees
from evapp.components.stop_at import KINDS
from evapp.state.effects import Effects
from evapp.texts import later, t
from evapp.web import auth

LONGEST = 9
"""Characters of a typed amount that are worth reading."""

USUAL = {
    "paise": (10_000, 20_000, 50_000, 100_000),
    "wh": (5_000, 10_000, 20_000, 30_000),
    "minutes": (30, 60, 120, 240),
}
"""What most drivers choose."""


GOOD_FOR = {
    (False, False): later("Your wallet is good for about {energy} kWh here."),
    (False, True): later("Your wallet is good for about {energy} kWh here, in about {time}."),
    (True, False): later("One charge goes up to {cap}: about {energy} kWh here."),
    (True, True): later("One charge goes up to {cap}: about {energy} kWh here, in about {time}."),
}
"""Capped by what one charge may cost, time known → how far a charge without a limit goes."""

SOONER = {
    False: later("Your wallet ends it sooner: {energy} kWh · about {sum}"),
    True: later("One charge goes up to {cap}: {energy} kWh · about {sum}"),
}
"""What ends a charge before its limit does."""


@dataclass(frozen=True)
class Usual:
    """One usual amount: as it is typed, and as it is shown."""

    value: str
    face: str


class StopAt(rx.State):
    """The choice on a charger's page. What it sends is only believed after the domain's parser and its limits."""

    kind: str = ""
    """paise, wh, minutes; empty: the driver stops it himself."""
    typed: str = ""
    """In rupees, kWh or minutes."""
    fills: int = 0
    """How often the page has put an amount into the field itself."""
    error: str = ""
    usual: list[Usual] = []
    unit: str = ""
    outlook: str = ""
    """What it comes to, in one line."""
    _charger_id: str = ""
    _plug: int = 1
    _known: tuple[int, Limit] | None = None
    """The running charge, and its limit as it was last shown here."""

    @rx.event
    async def choose(self, kind: str) -> None:
        """Rupees, kWh, time, or no limit."""
        user = await auth.guard(self)
        if user is not None and kind in KINDS:
            self._take(kind, "")
            await self._reckon(user.id)

    @rx.event
    async def write(self, typed: str) -> None:
        """An amount is being typed; it is judged when it is used."""
        user = await auth.guard(self)
        if user is not None and isinstance(typed, str):
            self.typed, self.error = typed.strip()[:LONGEST], ""
            await self._reckon(user.id)

    @rx.event
    async def take(self, value: str) -> None:
        """One of the usual amounts."""
        user = await auth.guard(self)
        if user is not None and value in [one.value for one in self.usual]:
            self._take(self.kind, value)
            await self._reckon(user.id)

    @rx.event
    async def save(self, form: dict[str, Any]) -> EventSpec | None:
        """Give the running charge this limit."""
        user = await auth.guard(self)
        if user is None:
            return None
        limit = self._chosen()
        if limit is None:
            return rx.set_focus("stop_at")
        try:
            session = await transact(limits.change, user.id, limit)
        except Refused as refusal:
            self.error = t(refusal.args[0])
            return None
        words = goal_words(limits.of(session))
        (await self.get_state(Effects))._say(words or t("No limit any more: you stop it yourself."))
        return None

    def _chosen(self) -> Limit | None:
        """The limit as it stands, or None with a sentence beside the field."""
        try:
            return limits.parsed(self.kind, plainly(self.typed))
        except AmountError as error:
            self.error = t(error.args[0])
            return None

    def _look_at(self, charger_id: str, plug: int = 1) -> None:
        """What the page shows now."""
        self._charger_id, self._plug = charger_id, plug

    async def _refresh(self, user_id: int) -> None:
        charge = await read(history.current, user_id)
        known = (charge.session.id, limits.of(charge.session)) if charge is not None else None
        if known is not None and known != self._known:
            self._take(*_typed(known[1]))
        self._known = known
        await self._reckon(user_id)

    def _take(self, kind: str, typed: str) -> None:
        if (kind, typed) != (self.kind, self.typed):
            self.fills += 1
        self.kind, self.typed, self.error = kind, typed, ""
        self.usual = [_usual(kind, value) for value in USUAL.get(kind, ())]
        self.unit = {
            "paise": t("Amount in rupees"),
            "wh": t("Energy in kWh"),
            "minutes": t("Time in minutes"),
        }.get(kind, "")

    async def _reckon(self, user_id: int) -> None:
        self.outlook = ""
        if self._known is not None or not self._charger_id:
            return
        try:
            limit = limits.parsed(self.kind, plainly(self.typed)) if self.typed else Limit()
            found = await read(limits.before, user_id, self._charger_id, self._plug, limit)
        except (AmountError, ChargerUnknown):
            return
        self.outlook = _outlook(found, limit) if found is not None else ""


def goal_words(limit: Limit) -> str:
    """Where a charge stops by itself, in a sentence; empty where it does not."""
    if limit.paise:
        return t("Stops at {sum}", sum=whole_rupees(limit.paise))
    if limit.wh:
        return t("Stops at {energy} kWh", energy=_plain(limit.wh, 1000))
    return t("Stops after {time}", time=duration(limit.minutes * 60)) if limit.minutes else ""


def _outlook(found: limits.Outlook, limit: Limit) -> str:
    if found.energy_wh is None or found.cost_paise is None:
        return t("Stops after {time}.", time=duration(found.seconds or 0))
    reached = Limit() if found.sooner or found.full else limit
    facts = {
        "energy": _plain(reached.wh, 1000) if reached.wh else kwh(found.energy_wh, _decimals(found.energy_wh)),
        "sum": rupees(reached.paise or found.cost_paise),
        "time": duration(found.seconds or 0),
        "cap": whole_rupees(found.cap_paise),
    }
    if found.full:
        return _outlook_full(limit, found, facts)
    if limit == Limit():
        return t(GOOD_FOR[found.cap_paise > 0, found.seconds is not None], **facts)
    if found.sooner:
        return t(SOONER[found.cap_paise > 0], **facts)
    if found.seconds is None:
        return t("{energy} kWh · about {sum}", **facts)
    return t("{energy} kWh · about {sum} · about {time}", **facts)


def _decimals(energy_wh: int) -> int:
    """Few, but enough that a small sum and its energy fit each other."""
    if energy_wh < 1_000:
        return 2
    return 0 if energy_wh % 1_000 == 0 or energy_wh > 10_000 else 1


def _outlook_full(limit: Limit, found: limits.Outlook, facts: dict[str, str]) -> str:
    if limit != Limit():
        return t("Your battery is full sooner: {energy} kWh · about {sum}", **facts)
    if found.seconds is None:
        return t("An empty battery is full after {energy} kWh · about {sum}", **facts)
    return t("An empty battery is full after {energy} kWh · about {sum} · about {time}", **facts)


def _typed(limit: Limit) -> tuple[str, str]:
    """A limit as it was chosen: its kind, and what was typed."""
    if limit.paise:
        return "paise", _plain(limit.paise, 100)
    if limit.wh:
        return "wh", _plain(limit.wh, 1000)
    return ("minutes", str(limit.minutes)) if limit.minutes else ("", "")


def _usual(kind: str, value: int) -> Usual:
    if kind == "paise":
        return Usual(_plain(value, 100), whole_rupees(value))
    if kind == "wh":
        return Usual(_plain(value, 1000), _plain(value, 1000))
    return Usual(str(value), t("{n} min", n=value) if value < 60 else t("{n} h", n=value // 60))


def _plain(value: int, unit: int) -> str:
    """1500 of 1000 -> 1.5: as it is typed."""
    whole, rest = divmod(value, unit)
    places = len(str(unit)) - 1
    return f"{whole}.{rest:0{places}d}".rstrip("0") if rest else str(whole)
