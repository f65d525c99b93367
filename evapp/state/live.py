"""The charge that is under way, on every page: its figures as they come from the meter, and the way to stop it."""

from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import unquote

import reflex as rx

from domain import (
    connectors,
    dispatch,
    history,
    idling,
    limits,
    sessions,
    settlement,
    stops,
    typed_ids,
    vehicles,
    wallet,
)
from domain.bus import bus
from domain.charging import Limit
from domain.db import read, transact
from domain.events import SessionMetered
from domain.history import Charge
from domain.models import ChargingSession, SessionState, now
from domain.prices import Price, affordable_wh
from evapp.components.meter import along, full_scale, marks
from evapp.components.money import clock, duration, kw, kwh, rated_kw, rupees, whole_rupees
from evapp.components.spark import spark_points
from evapp.state.effects import Effects
from evapp.state.stop_at import goal_words
from evapp.texts import bare, later, news, t
from evapp.texts.prices import idle_sentence
from evapp.web import auth
from evapp.web.live import hub

SPOKEN = timedelta(minutes=5)
"""How often the energy is said to who does not see it."""
CURVE = 60
"""Readings of the live curve."""

TODAY = timedelta(hours=12)
"""A time of day says enough for so long."""

NO_LIMIT = {
    False: later("You stop it yourself. It ends shortly before the {sum} in your wallet are used up."),
    True: later("You stop it yourself. It ends shortly before {sum}: one charge goes no further."),
}
"""Capped by what one charge may cost → what ends a charge for which no limit was chosen."""

WORDS = {
    "starting": later("Asking the charger…"),
    "waiting": later("Waiting for your car. Push the plug in fully."),
    "paused": later("Your car has paused. It may start again by itself."),
    "limited": later("The charger has paused. It may start again by itself."),
    "faulted": later("The charger reports a fault. You pay only for what it delivered."),
    "ending": later("The charger no longer charges. Its final reading is on its way; you pay only by its meter."),
    "stopping": later("Stopping. You pay only for what it delivers until then."),
    "stuck": later("The charger does not stop yet. Press its stop button, or unplug. You pay only by its meter."),
    "silent": later(
        "No contact with the charger. It usually goes on charging; its own button stops it. You pay only by its meter."
    ),
}
"""State of a charge under way, and the sentence below its word."""

STOP = {
    False: later("You pay {cost} for {energy} kWh so far. The rest stays in your wallet."),
    True: later(
        "By its last reading it is {energy} kWh, {cost}. There is no contact with the charger: it may have given more, "
        "and stops once it is back, or by its own button. You pay by its meter."
    ),
}
"""Out of contact → what is said before a stop."""

WAITING = {
    False: later("Push the plug in fully. The charger waits until {time}."),
    True: later("A car is plugged in. If charging does not begin by {time}, push the plug in fully and start again."),
}
"""A cable was in a car when the driver asked → what is said until the charge begins."""

ENDS = {
    "limit": later("Your limit is reached."),
    "funds": later("The money for this charge is nearly used up."),
    "operator": later("The operator ends this charge."),
    "late": later("The plug came when the start had ended."),
    "cancelled": later("The charger began after the start was cancelled."),
}
"""Who wants the end, where it is not the driver, and what is said before that it is on its way."""

SHOWN_AS = {"limited": "paused", "stuck": "stopping", "ending": "stopping"}
"""States that share another's dot and word."""

SUSPENDED = {"SuspendedEV": "paused", "SuspendedEVSE": "limited", "Faulted": "faulted"}


class Live(rx.State):
    """What the driver's charge is doing now; empty strings while there is none."""

    state: str = ""
    """charging, or a name in WORDS; empty: no charge."""
    charger_id: str = ""
    place: str = ""
    rate: str = ""
    sentence: str = ""
    spoken: str = ""
    """For a screen reader: what the charge does, and every five minutes what it has come to."""
    energy: str = ""
    cost: str = ""
    power: str = ""
    power_unit: str = "kW"
    """With what the connector gives at most, where that is known."""
    battery: str = ""
    """How full the car says it is, in percent."""
    time: str = ""
    as_of: str = ""
    news: str = ""
    """Names the last reading, or the start before the first: it restarts the clock of "no news"."""
    idle: str = ""
    """Said when a cable in the car begins to cost, and before."""
    short: str = ""
    """Said when the money is nearly used up."""
    low: str = ""
    """Names the charge whose money is; empty while it is not."""
    fill: str = "0%"
    scale: list[str] = []
    goal: str = ""
    """Where the limit lies on the scale; empty for none, and for one in minutes."""
    goal_words: str = ""
    no_limit_words: str = ""
    """Instead of that, where no limit was chosen."""
    ready: str = ""
    """When the limit will be reached, or the battery full, at this power."""
    stop_question: str = ""
    curve: str = ""
    can_stop: bool = False

    _session_id: int = 0
    _price: Price = Price(0, 0)
    _limit: Limit = Limit()
    _started: datetime | None = None
    _free_until: datetime | None = None
    """Until when the cable of a car that takes nothing may stay in it; None while it takes something."""
    _held_paise: int = 0
    _cap_paise: int = 0
    """What one charge may cost at most, where the wallet has free money beside that; else 0."""
    _battery_wh: int = 0
    _battery_percent: int | None = None
    _said: tuple[str, int] = ("", 0)
    """State and five minutes of which `spoken` speaks."""
    _watts: list[int] = []

    @rx.var
    def ready_words(self) -> str:
        """The same in a sentence."""
        return t("Ready about {time} at this power.", time=self.ready) if self.ready else ""

    @rx.var
    def running(self) -> bool:
        """Whether there is a charge under way."""
        return self.state != ""

    @rx.var
    def shown(self) -> str:
        """The state whose dot and word are shown."""
        return SHOWN_AS.get(self.state, self.state)

    @rx.var
    def flowing(self) -> bool:
        """Whether energy moves: then the cable does."""
        return self.state == "charging"

    @rx.event
    async def stop(self) -> None:
        """Ask for the end of the driver's own charge; billing ends with the charger's last meter value."""
        user = await auth.guard(self)
        (await self.get_state(Effects))._answer()
        if user is None:
            return
        session = await read(sessions.open_of, user.id)
        if session is not None:
            await transact(stops.request_stop, session.id, "driver")
            dispatch.soon(dispatch.stop(bus(), session.id))
            await hub.renew(self, user.id)

    async def _refresh(self, user_id: int) -> None:
        charge = await read(history.current, user_id)
        if charge is None:
            if self.charger_id:
                await self._tell_the_end(user_id, self.charger_id)
            self.reset()  # type: ignore[no-untyped-call]
            return
        session = charge.session
        if session.id != self._session_id:
            await self._begin(user_id, session)
        self.state = _state_of(charge, freed=await read(connectors.freed, session))
        self.charger_id, self.place = session.charger_id, charge.place
        self._price, self._limit = settlement.price_of(session), limits.of(session)
        self._free_until = idling.free_until(session)
        self.sentence = t(WORDS[self.state]) if self.state in WORDS else ""
        if session.state == SessionState.STOPPING and session.stop_cause in ENDS:
            self.sentence = f"{t(ENDS[session.stop_cause])} {self.sentence}"
        if session.state == SessionState.AWAITING_PLUG and session.due_at:
            self.sentence = t(WAITING[await read(connectors.cabled, session)], time=clock(session.due_at))
        self.can_stop = session.state != SessionState.STOPPING
        self._started = session.started_received_at
        self._held_paise = charge.held_paise
        free_paise = (await read(wallet.balance, user_id)).free_paise
        self._cap_paise = charge.cap_paise if free_paise else 0
        self.no_limit_words = self._no_limit()
        self._show(charge.energy_wh, charge.cost_paise, session.power_w, session.metered_at)

    async def _begin(self, user_id: int, session: ChargingSession) -> None:
        """What is read once of a charge."""
        self._session_id = session.id
        self._watts = [watts for _, watts in await read(history.curve, self._session_id)]
        self._battery_percent = await read(history.battery_percent, self._session_id)
        vehicle = await read(vehicles.of, user_id)
        self._battery_wh = vehicle.battery_wh if vehicle is not None else 0
        rated_w = await read(settlement.nameplate_w, session)
        self.power_unit = t("of {power} kW", power=rated_kw(rated_w)) if rated_w else "kW"

    async def _tell_the_end(self, user_id: int, charger_id: str) -> None:
        """Say how the charge ended; its charger's page shows the receipt, and need not."""
        past = await read(history.just_ended, user_id, charger_id)
        if past is None:
            return
        tone: Literal["quiet", "message"] = "quiet" if _shows(self.router.url.path, charger_id) else "message"
        (await self.get_state(Effects))._say(news.ended(past), tone)

    def _metered(self, event: SessionMetered) -> None:
        if event.session_id == self._session_id:
            if event.soc_percent is not None:
                self._battery_percent = event.soc_percent
            self._watts = [*self._watts, event.power_w][-CURVE:]
            if self.state == "ending" and event.power_w:
                self.state, self.sentence = "charging", ""
            self._show(event.energy_wh, event.cost_paise, event.power_w, event.at)

    def _show(self, energy_wh: int, cost_paise: int, power_w: int, at: datetime | None) -> None:
        target_wh = self._target(power_w)
        full = full_scale(energy_wh, target_wh or 0)
        self.goal = along(target_wh, full) if target_wh else ""
        self.ready = self._ready(target_wh, energy_wh, power_w, at)
        self.energy, self.cost = kwh(energy_wh), rupees(cost_paise)
        self.idle = idle_sentence(self._free_until, self._price, now())
        self.rate = rupees(self._price.at(now()))
        self.power = kw(power_w) if at else "–"
        self.time = duration(int((now() - self._started).total_seconds())) if self._started and at else ""
        self.as_of = t("Last reading {time}", time=clock(at)) if at else t("No reading yet")
        self.news = news_at.isoformat() if (news_at := at or self._started) else ""
        self.fill, self.scale = along(energy_wh, full), marks(full)
        self.curve = spark_points(self._watts, max(self._watts, default=1))
        self._speak()
        self.battery = f"{self._battery_percent}" if self._battery_percent is not None else ""
        self.short = self._shortage(energy_wh, cost_paise, power_w)
        self.low = f"{self._session_id}" if self.short else ""
        silent = self.state == "silent"
        self.stop_question = t(STOP[silent], cost=self.cost, energy=self.energy)

    def _target(self, power_w: int) -> int | None:
        """Where the charge stops: at its limit, or before that where the money ends."""
        begun = self._started or now()
        target_wh = limits.target_wh(self._limit, self._price, power_w, begun)
        self.goal_words = goal_words(self._limit)
        if target_wh is None or self._price.free or not self._held_paise:
            return target_wh
        money_wh = affordable_wh(self._price, self._held_paise, power_w, begun)
        if money_wh >= target_wh:
            return target_wh
        words = (
            later("One charge goes up to {cap}, about {energy} kWh")
            if self._cap_paise
            else later("Your wallet ends it sooner, at about {energy} kWh")
        )
        self.goal_words = t(words, energy=kwh(money_wh, 0), cap=whole_rupees(self._cap_paise))
        return money_wh

    def _no_limit(self) -> str:
        if self._price.free or not self._held_paise:
            return t("You stop it yourself.")
        return t(NO_LIMIT[self._cap_paise > 0], sum=whole_rupees(self._cap_paise or self._held_paise))

    def _speak(self) -> None:
        saying = self.state, (now() - self._started) // SPOKEN if self._started else 0
        if saying != self._said:
            self._said = saying
            charged = t("Charging. {energy} kWh, {cost} so far.", energy=self.energy, cost=self.cost)
            self.spoken = charged if self.state == "charging" else self.sentence

    def _ready(self, target_wh: int | None, energy_wh: int, power_w: int, at: datetime | None) -> str:
        if at is None or self.state != "charging":
            return ""
        ends = (
            limits.ready_at(
                self._limit, target_wh, energy_wh=energy_wh, power_w=power_w, started_at=self._started, at=at
            ),
            limits.full_at(self._battery_wh, self._battery_percent, power_w, at),
        )
        moment = min((end for end in ends if end is not None), default=None)
        return clock(moment) if moment is not None and moment < at + TODAY else ""

    def _shortage(self, energy_wh: int, cost_paise: int, power_w: int) -> str:
        """The warning that the money will not last."""
        if not self.can_stop:
            return ""
        left, per_hour = self._held_paise - cost_paise, self._price.pace(power_w)
        wanted_wh = self._wanted_wh(energy_wh, power_w)
        if not limits.short(self._price, power_w, self._held_paise, cost_paise, wanted_wh, now()):
            return ""
        return news.running_short(left, per_hour, self._cap_paise)

    def _wanted_wh(self, energy_wh: int, power_w: int) -> int | None:
        """What the driver still wants, until his limit or a full battery; None where neither is known."""
        target_wh = limits.target_wh(self._limit, self._price, power_w, self._started or now())
        to_full_wh = limits.wh_to_full(self._battery_wh, self._battery_percent)
        return limits.wanted_wh(target_wh, energy_wh, to_full_wh)


def _shows(path: str, charger_id: str) -> bool:
    """Whether it is the page of this charger, however its address spells it."""
    page, typed = bare(path)[:3], unquote(bare(path)[3:])
    return page == "/c/" and typed_ids.find_key(typed) == typed_ids.find_key(charger_id)


def _state_of(charge: Charge, *, freed: bool) -> str:
    session = charge.session
    match session.state:
        case SessionState.REQUESTED:
            return "starting"
        case SessionState.AWAITING_PLUG:
            return "waiting"
        case SessionState.STOPPING:
            return "stuck" if stops.ignored(session) or session.due_at is None else "stopping"
    if not charge.in_contact:
        return "silent"
    return "ending" if freed else SUSPENDED.get(session.suspended, "charging")
