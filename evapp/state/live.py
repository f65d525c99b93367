"""The charge that is under way, on every page: its figures as they come from the meter, and the way to stop it."""

from datetime import datetime, timedelta

import reflex as rx

from domain import charging, dispatch, history, limits, sessions, settlement
from domain.bus import bus
from domain.charging import Limit
from domain.db import read, transact
from domain.events import SessionMetered
from domain.history import Charge
from domain.models import SessionState, now
from domain.prices import Price
from evapp.components.meter import along, full_scale, marks
from evapp.components.money import clock, duration, kw, kwh, rupees
from evapp.components.spark import spark_points
from evapp.state.stop_at import goal_words
from evapp.texts import later, t
from evapp.texts.prices import idle_words
from evapp.web import auth

CURVE = 60
"""Readings of the live curve."""

TODAY = timedelta(hours=12)
"""A time of day says enough for so long."""

WORDS = {
    "starting": later("Asking the charger…"),
    "waiting": later("Waiting for your car. Push the plug in fully."),
    "paused": later("Your car has paused. It may start again by itself."),
    "limited": later("The charger has paused. It may start again by itself."),
    "faulted": later("The charger reports a fault. You pay only for what it delivered."),
    "stopping": later("Stopping. You pay only for what it delivers until then."),
    "stuck": later("The charger has not answered. Press its stop button, or unplug. You pay only by its meter."),
    "silent": later("No contact with the charger. Your charge goes on; nothing is lost."),
}
"""State of a charge under way, and the sentence below its word."""

SHOWN_AS = {"limited": "paused", "stuck": "stopping"}
"""States that share another's dot and word."""

SUSPENDED = {"SuspendedEV": "paused", "SuspendedEVSE": "limited", "Faulted": "faulted"}


class Live(rx.State):
    """What the driver's charge is doing now; empty strings while there is none."""

    state: str = ""
    """starting, waiting, charging, paused, stopping, faulted, silent; empty: no charge."""
    charger_id: str = ""
    place: str = ""
    rate: str = ""
    sentence: str = ""
    energy: str = ""
    cost: str = ""
    power: str = ""
    time: str = ""
    as_of: str = ""
    news: str = ""
    """Names the last reading: it restarts the clock of "no news"."""
    idle: str = ""
    """Said when a cable in the car begins to cost, and before."""
    short: str = ""
    """Said when the money is nearly used up."""
    fill: str = "0%"
    scale: list[str] = []  # noqa: RUF012 - a default that Reflex copies
    goal: str = ""
    """Where the limit lies on the scale; empty for none, and for one in minutes."""
    goal_words: str = ""
    ready: str = ""
    """When the limit will be reached, at this power."""
    stop_question: str = ""
    curve: str = ""
    can_stop: bool = False

    _session_id: int = 0
    _price: Price = Price(0, 0)
    _limit: Limit = Limit()
    _started: datetime | None = None
    _held_paise: int = 0
    _watts: list[int] = []  # noqa: RUF012 - likewise

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
        if user is None or user.id is None:
            return
        session = await read(sessions.open_of, user.id)
        if session is not None and session.id is not None:
            await transact(charging.request_stop, session.id, "driver")
            dispatch.soon(dispatch.stop(bus(), session.id))
            await self._refresh(user.id)

    async def _refresh(self, user_id: int) -> None:
        charge = await read(history.current, user_id)
        if charge is None:
            self.reset()  # type: ignore[no-untyped-call]
            return
        session = charge.session
        assert session.id is not None
        if session.id != self._session_id:
            self._session_id = session.id
            self._watts = [watts for _, watts in await read(history.curve, session.id)]
        self.state = _state_of(charge)
        self.charger_id, self.place = session.charger_id, charge.place
        self._price, self._limit = settlement.price_of(session), limits.of(session)
        self.idle = idle_words(session)
        self.goal_words = goal_words(self._limit)
        self.sentence = t(WORDS[self.state]) if self.state in WORDS else ""
        if session.state == SessionState.AWAITING_PLUG and session.due_at:
            self.sentence = t("Push the plug in fully. The charger waits until {time}.", time=clock(session.due_at))
        self.can_stop = session.state != SessionState.STOPPING
        self._started = session.started_received_at
        self._held_paise = charge.held_paise
        self._show(charge.energy_wh, charge.cost_paise, session.power_w, session.metered_at)

    def _metered(self, event: SessionMetered) -> None:
        if event.session_id == self._session_id:
            self._watts = [*self._watts, event.power_w][-CURVE:]
            self._show(event.energy_wh, event.cost_paise, event.power_w, event.at)

    def _show(self, energy_wh: int, cost_paise: int, power_w: int, at: datetime | None) -> None:
        target_wh = limits.target_wh(self._limit, self._price, power_w, self._started or now())
        full = full_scale(max(energy_wh, target_wh or 0))
        self.goal = along(target_wh, full) if target_wh else ""
        self.ready = self._ready(target_wh, energy_wh, power_w, at)
        self.energy, self.cost, self.power = kwh(energy_wh), rupees(cost_paise), kw(power_w)
        self.rate = rupees(self._price.at(now()))
        self.time = duration(int((now() - self._started).total_seconds())) if self._started else ""
        self.as_of = t("Last reading {time}", time=clock(at)) if at else t("No reading yet")
        self.news = at.isoformat() if at else ""
        self.fill, self.scale = along(energy_wh, full), marks(full)
        self.curve = spark_points(self._watts, max(self._watts, default=1))
        self.short = self._shortage(cost_paise, power_w)
        self.stop_question = t(
            "You pay {cost} for {energy} kWh so far. The rest stays in your wallet.", cost=self.cost, energy=self.energy
        )

    def _ready(self, target_wh: int | None, energy_wh: int, power_w: int, at: datetime | None) -> str:
        if at is None or self.state != "charging":
            return ""
        moment = limits.ready_at(
            self._limit, target_wh, energy_wh=energy_wh, power_w=power_w, started_at=self._started, at=at
        )
        return clock(moment) if moment is not None and moment < at + TODAY else ""

    def _shortage(self, cost_paise: int, power_w: int) -> str:
        """The warning past 80 % of what is held (payments.md 2.7)."""
        left = self._held_paise - cost_paise
        if not self._held_paise or cost_paise * 5 < self._held_paise * 4:
            return ""
        per_hour = self._price.pace(power_w)
        if per_hour <= 0:
            return t("{left} is left for this charge. Add money to keep charging.", left=rupees(max(0, left)))
        minutes = duration(max(0, left) * 3600 // per_hour)
        return t("About {time} left at this power. Add money to keep charging.", time=minutes)


def _state_of(charge: Charge) -> str:
    session = charge.session
    match session.state:
        case SessionState.REQUESTED:
            return "starting"
        case SessionState.AWAITING_PLUG:
            return "waiting"
        case SessionState.STOPPING:
            return "stuck" if session.stop_tries > 1 or session.due_at is None else "stopping"
    if not charge.online:
        return "silent"
    return SUSPENDED.get(session.suspended, "charging")
