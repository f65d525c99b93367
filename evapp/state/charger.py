"""One charger's page: what it is, whether it is free, and the one thing to do next."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import reflex as rx

from domain import chargers, charging, dispatch, history, typed_ids, vacancies, wallet
from domain.bus import bus
from domain.chargers import BUSY, FAULT, FREE, NO_CONTACT, OFF, ChargerView, ConnectorView
from domain.db import read, storable, transact
from domain.models import SessionState, now
from domain.prices import Price
from domain.tariffs import least_to_start
from evapp.components.money import clock, per_kwh, rated_kw, rupees
from evapp.components.receipt import Bill
from evapp.state.bill import bill_of, curve_of
from evapp.state.effects import Effects
from evapp.state.fault_report import FaultReport
from evapp.state.favourite import Favourite
from evapp.state.find import WORDS
from evapp.state.stop_at import StopAt
from evapp.state.vacancy import Vacancy
from evapp.state.visit import arrive, renewed
from evapp.texts import bare, later, t
from evapp.texts.prices import price_lines
from evapp.web import auth
from evapp.web.live import hub

BESIDE = (Favourite, Vacancy, FaultReport)
"""What else the page of a charger has."""

HEADLINES = {
    FREE: later("Plug in, then start."),
    BUSY: later("Somebody else has it now."),
    FAULT: later("This charger is out of order."),
    OFF: later("This charger is out of order."),
    NO_CONTACT: later("No contact with this charger."),
}
"""What a state means to who stands there."""

REASONS = {
    BUSY: later("This page changes as soon as it is free."),
    FAULT: later("Out of order since {since}. Nothing is charged here. Try another charger nearby."),
    OFF: later("Switched off by its operator since {since}. Try another charger nearby."),
    NO_CONTACT: later(
        "No contact with this charger since {since}. It may still work with a card; the app cannot start it."
    ),
}
"""Why it cannot be started, and what to do."""

CABLED = {
    ("Preparing", FREE): (later("A car is plugged in. Start if it is yours."), None),
    ("Finishing", BUSY): (
        later("The last charge has ended."),
        later("Its cable is still in the car. If it is yours, unplug it; then you can start again."),
    ),
}
"""Status and state of a connector with a cable in a car → what else is said, and why it cannot be started."""


@dataclass(frozen=True)
class Plug:
    """One connector to choose from."""

    number: int
    name: str


class ChargerPage(rx.State):
    """The charger in the address, for the driver who looks at it."""

    id: str = ""
    about: str = ""
    """Place, power and connector in one line; of what nobody has described, how many connectors it has."""
    rate: str = ""
    """What a kWh costs now."""
    place: str = ""
    prices: list[str] = []
    """What a charge costs here, a sentence each, where it is more than a price per kWh."""
    phase: str = ""
    """free, unavailable, unknown, running, elsewhere, finished; empty: not loaded yet."""
    shown: str = "free"
    headline: str = ""
    """What that means, in a sentence."""
    reason: str = ""
    suggestions: list[str] = []
    plugs: list[Plug] = []
    plug: int = 0
    """The connector that is looked at; 0: not chosen yet."""
    lacking: str = ""
    """Why money does not allow a start."""
    error: str = ""
    """Why the last start was refused."""
    elsewhere: str = ""
    bill: Bill = Bill()
    curve: str = ""
    curve_words: str = ""

    @rx.event
    async def load(self) -> None:
        """Show the charger of the address /c/<id>; what was chosen for it outlives a lost connection."""
        if not await renewed(self):
            await self._begin()
        (await self.get_state(Effects))._answer()
        await arrive(self, ChargerPage, StopAt, *BESIDE, charger_id=self.id)

    async def _begin(self) -> None:
        dismissed = self._dismissed
        self.reset()  # type: ignore[no-untyped-call]
        self._dismissed = dismissed
        typed = storable(unquote(bare(self.router.url.path).removeprefix("/c/")).strip("/"), 60)
        found = await read(typed_ids.exact, typed)
        self.id = found or typed
        known = await auth.signed_in(self)
        meant = await read(typed_ids.find, typed) if known else typed_ids.Found(None)
        self.suggestions = list(meant.suggestions or meant.at_place)
        for cls in (StopAt, *BESIDE):
            state: Any = await self.get_state(cls)
            state.reset()
            state._look_at(self.id)

    @rx.event
    async def choose(self, number: int) -> None:
        """Take another connector."""
        if number in [plug.number for plug in self.plugs]:
            self.plug = number
            if user := await auth.guard(self):
                await self._refresh(user.id)
                await (await self.get_state(StopAt))._refresh(user.id)

    @rx.event
    async def start(self, charger_id: str = "", plug: int = 0) -> None:
        """Ask for a charge at the connector that the driver saw; the page follows what the charger does."""
        user = await auth.guard(self)
        (await self.get_state(Effects))._answer()
        if user is None or charger_id != self.id:
            return
        if plug != self.plug:
            self.error = t("You have just changed the connector. Check it, then start again. Nothing was charged.")
            return
        self.error = self._refused_at = ""
        limit = (await self.get_state(StopAt))._chosen()
        if limit is None:
            return
        try:
            session = await transact(charging.request_start, user.id, self.id, self.plug, limit, self._price)
        except charging.Refused as refusal:
            self.error = t(refusal.args[0])
        else:
            dispatch.soon(dispatch.start(bus(), session.id))
            await transact(vacancies.forget, user.id, self.id)
        await hub.renew(self, user.id)
        self._refused_at = self.shown if self.error else ""

    @rx.event
    def dismiss(self) -> None:
        """Put the receipt of the finished charge away."""
        self._dismissed = self.bill.ref
        self.phase = "free" if self.shown == "free" else "unavailable"

    _dismissed: str = ""
    _refused_at: str = ""
    """What the charger was when a start was refused: once it is something else, that is past."""
    _price: Price | None = None
    """The one that the page shows."""

    async def _refresh(self, user_id: int) -> None:
        try:
            view = await read(chargers.view, self.id)
        except chargers.ChargerUnknown:
            # One that was taken out of service while it charged: its driver must see the meter, and stop.
            own = await self._own(user_id)
            self.phase = own if own in ("running", "finished") else "unknown"
            return
        self.plugs = [Plug(c.number, _plug_name(c)) for c in view.connectors]
        if self.plug not in [plug.number for plug in self.plugs] and self.plugs:
            self.plug = next((c.number for c in view.connectors if c.state == FREE), self.plugs[0].number)
        (await self.get_state(StopAt))._look_at(self.id, self.plug)
        connector = view.connector(self.plug)
        state = connector.state if connector else NO_CONTACT
        self.about, self.place, self.rate = _about(view, connector), view.place, per_kwh(view.price.at(now()))
        self.prices, self._price = price_lines(view.price), view.price
        self.shown, _ = WORDS[state]
        if self._refused_at not in ("", self.shown):
            self.error = self._refused_at = ""
        self.headline, self.reason = _says(view, connector, state)
        await self._money(user_id, least_to_start(view.price))
        self.phase = await self._own(user_id) or ("free" if state == FREE else "unavailable")

    async def _own(self, user_id: int) -> str:
        """What the driver's own charge makes of the page; empty where he has none that matters here."""
        own = await read(history.current, user_id)
        if own is not None:
            self.error = ""
            self.elsewhere = "" if own.session.charger_id == self.id else own.session.charger_id
            return "elsewhere" if self.elsewhere else "running"
        past = await read(history.just_ended, user_id, self.id)
        if past is not None and past.session.ref != self._dismissed:
            if past.session.state != SessionState.CANCELLED:
                self.bill = bill_of(past)
                self.curve, self.curve_words = curve_of(await read(history.curve, past.session.id))
                return "finished"
            self.error = self.error or t(charging.explain(past.session))
        return ""

    async def _money(self, user_id: int, minimum: int) -> None:
        """What the wallet lacks of the paise that a start needs."""
        money = await read(wallet.balance, user_id)
        self.lacking = ""
        if money.arrears_paise:
            self.lacking = t("You owe {sum} for an earlier charge. Add money first.", sum=rupees(money.arrears_paise))
        elif money.free_paise < minimum:
            self.lacking = t(
                "Your wallet has {free} available. At least {minimum} is needed to start.",
                free=rupees(money.free_paise),
                minimum=rupees(minimum),
            )


def _plug_name(connector: ConnectorView) -> str:
    name = t("Connector {number}", number=connector.number)
    return " · ".join(part for part in (name, connector.kind, t(WORDS[connector.state][1])) if part)


def _about(view: ChargerView, connector: ConnectorView | None) -> str:
    power = f"{rated_kw(connector.max_power_w)} kW" if connector and connector.max_power_w else ""
    parts = (view.place or view.name, f"{power} {connector.kind if connector else ''}".strip())
    count = len(view.connectors)
    nothing_told = t("1 connector") if count == 1 else t("{count} connectors", count=count)
    return " · ".join(part for part in parts if part) or nothing_told


def _says(view: ChargerView, connector: ConnectorView | None, state: str) -> tuple[str, str]:
    """What a driver reads of the connector: what it means, and why it cannot be started, where it cannot."""
    headline, reason = CABLED.get((connector.status if connector else "", state), (HEADLINES[state], None))
    if reason is None and state != FREE:
        return t(headline), _reason(view, connector, state)
    return t(headline), t(reason) if reason is not None else ""


def _reason(view: ChargerView, connector: ConnectorView | None, state: str) -> str:
    since = view.heard_at if state == NO_CONTACT or connector is None else connector.changed_at
    if since is None:
        return t("This charger has not been in contact yet. The app cannot start it.")
    return t(REASONS[state], since=clock(since))
