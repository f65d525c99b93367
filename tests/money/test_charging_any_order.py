"""Charges in any order of events, against a model that knows only meters and prices, on both databases."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import Engine
from sqlmodel import Session

from domain import charging, settlement, tariffs, wishes
from domain.charging import Refused
from domain.models import LIVE, ChargingSession, SessionState
from domain.prices import MOST_IDLE_MINUTES, Band, Price
from tests.money import house
from tests.money.any_order import lived
from tests.money.charges import METER, RUPEE, Desk
from tests.money.house import Clock

T = TypeVar("T")
CHARGERS = ("BLR-1", "BLR-2")
PLACES = [(charger_id, connector) for charger_id in CHARGERS for connector in (1, 2)]
PRICE = 1_800
MINUTES = st.integers(1, 15)
DRIVER = st.integers(0, 2)
WORDS = ("Available", "Charging", "SuspendedEV", "Finishing", "Faulted")
LATEST = st.integers(0, 3)
"""Which of the last charges an event is about: the newest one, or one before."""


class OneTransaction(Desk):
    """The desk inside one transaction that is never committed; a step that raises leaves nothing behind."""

    def __init__(self, db: Session, clock: Clock) -> None:
        super().__init__(None, clock)  # type: ignore[arg-type]
        self.db = db

    def do(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        with self.db.begin_nested():
            return work(self.db, *args, **kwargs)


@dataclass
class Charge:
    """What the car knows of its charge: the register now, what was said of it, and what was said last."""

    user_id: int
    price: int = PRICE
    """Paise a kWh when it was wished for."""
    begun_at: datetime | None = None
    register: int = METER
    seen: int = METER
    told: int | None = None
    """meterStop, once it was said."""


class Street(RuleBasedStateMachine):
    """Two chargers with two connectors each, three drivers, and every message also late, twice, or never."""

    parts: dict[str, Any] = {}  # noqa: RUF012 - nobody changes it
    """What the tariff asks for beside energy."""

    def __init__(self, engine: Engine, clock: Clock, began: datetime) -> None:
        super().__init__()
        clock.at = began
        self.connection = engine.connect().execution_options(writes=True)
        self.db = Session(self.connection, expire_on_commit=False)
        self.desk = OneTransaction(self.db, clock)
        self.desk.do(tariffs.set_price, Price(PRICE, 0, **self.parts), effective_at=began)
        for charger_id in CHARGERS:
            self.desk.charger(charger_id, connectors=2)
        self.given = {self.desk.driver(rupees): rupees * RUPEE for rupees in (50, 200, 1_000)}
        self.charges: dict[int, Charge] = {}
        self.strays: set[int] = set()
        """Charges that began with a tag that was good no more; they are stopped, and a repeated start finds them."""

    def teardown(self) -> None:
        self.db.close()
        self.connection.close()

    def pick(self, back: int) -> tuple[int, Charge]:
        newest_first = list(self.charges.items())[::-1]
        return newest_first[back % len(newest_first)]

    @rule(n=DRIVER, rupees=st.integers(1, 300))
    def recharge(self, n: int, rupees: int) -> None:
        user_id = list(self.given)[n]
        arrears = self.desk.money(user_id).arrears_paise
        self.desk.do(
            house.give, user_id, rupees * RUPEE, f"{self.desk.clock.at}:{rupees}:{arrears}:{len(self.charges)}"
        )
        self.given[user_id] += rupees * RUPEE
        self.desk.passes(milliseconds=1)

    @rule(n=DRIVER, place=st.sampled_from(PLACES))
    def wish(self, n: int, place: tuple[str, int]) -> None:
        self.wished(n, place)

    def wished(self, n: int, place: tuple[str, int]) -> bool:
        self.desk.connect(place[0])
        self.desk.status(*place, "Available")
        user_id = list(self.given)[n]
        try:
            session_id = self.desk.request(user_id, *place)
        except Refused:
            return False
        self.charges[session_id] = self.charge(user_id)
        return True

    def charge(self, user_id: int) -> Charge:
        return Charge(user_id)

    @rule(n=DRIVER, place=st.sampled_from(PLACES), minutes=MINUTES)
    def whole_beginning(self, n: int, place: tuple[str, int], minutes: int) -> None:
        """All of it at once, so that more charges run."""
        if self.wished(n, place):
            self.start(0)
            self.desk.status(*place, "Charging")
            self.flow(0, minutes, False)

    @precondition(lambda self: self.charges)
    @rule(back=LATEST, verdict=st.sampled_from(["accepted", "accepted", "silent"]))
    def answer(self, back: int, verdict: str) -> None:
        session_id, _ = self.pick(back)
        self.desk.do(wishes.answered, session_id, verdict)

    @precondition(lambda self: self.charges)
    @rule(back=LATEST)
    def start(self, back: int) -> None:
        """Of a wish; one that was given up brings the newer wish for its plug to life, whose driver waits there."""
        session_id, charge = self.pick(back)
        at = charge.begun_at or self.desk.clock.at - timedelta(seconds=1)
        begun = self.desk.start(session_id, at=at)
        if begun.session_id == session_id:
            charge.begun_at = at
        elif (newer := self.charges.get(begun.session_id)) is not None:
            there, earlier = self.desk.session(begun.session_id), self.desk.session(session_id)
            assert (there.charger_id, there.connector_number) == (earlier.charger_id, earlier.connector_number)
            assert (begun.status, newer.begun_at, charge.begun_at) == ("Accepted", None, None)
            newer.begun_at = at
        else:
            known = begun.session_id in self.strays
            assert (begun.status, begun.stop) == ("Invalid", not known)
            self.strays.add(begun.session_id)
            self.desk.stop(begun.session_id, METER)

    @precondition(lambda self: self.charges)
    @rule(back=LATEST, minutes=MINUTES, unseen=st.booleans())
    def flow(self, back: int, minutes: int, unseen: bool) -> None:
        """A car charges at 60 kW; the charger says so, or does not."""
        _, charge = self.pick(back)
        if charge.begun_at is None or charge.told is not None:
            return
        self.desk.passes(minutes=minutes)
        charge.register += 1_000 * minutes
        if not unseen:
            self.sample(back)

    @precondition(lambda self: self.charges)
    @rule(back=LATEST)
    def sample(self, back: int) -> None:
        """Said in time, again, or after the end."""
        session_id, charge = self.pick(back)
        if charge.begun_at is None:
            return
        if self.desk.state(session_id) in LIVE:
            charge.seen = charge.register
        self.desk.meter(session_id, charge.register)

    @precondition(lambda self: self.charges)
    @rule(back=LATEST)
    def driver_stops(self, back: int) -> None:
        session_id, _ = self.pick(back)
        self.desk.do(charging.request_stop, session_id, "driver")

    @precondition(lambda self: self.charges)
    @rule(back=LATEST, with_number=st.booleans())
    def stop(self, back: int, with_number: bool) -> None:
        """The stop, and the same one again."""
        session_id, charge = self.pick(back)
        if charge.begun_at is None:
            return
        session = self.desk.session(session_id)
        number = {} if with_number else {"transaction_id": -1}
        charge.told = charge.register
        self.desk.stop(session_id, charge.told, tag=session.tag, **number)
        assert self.desk.state(session_id) == SessionState.SETTLED
        self.desk.changes_nothing(self.desk.stop, session_id, charge.told, tag=session.tag)

    @rule(place=st.sampled_from(PLACES), word=st.sampled_from(WORDS))
    def status(self, place: tuple[str, int], word: str) -> None:
        self.desk.status(*place, word)

    @rule(charger_id=st.sampled_from(CHARGERS), back_again=st.sampled_from([True, True, False]))
    def line_breaks(self, charger_id: str, back_again: bool) -> None:
        self.desk.disconnect(charger_id)
        if back_again:
            self.desk.connect(charger_id)

    @rule(minutes=st.sampled_from([1, 1, 2, 16, 25 * 60]), in_contact=st.booleans())
    def time(self, minutes: int, in_contact: bool) -> None:
        self.desk.passes(minutes=minutes)
        if in_contact:
            for charger_id in CHARGERS:
                self.desk.connect(charger_id)
        self.desk.sweep()
        self.desk.interrupt_lost()

    @invariant()
    def the_books_are_right(self) -> None:
        self.desk.audited()

    @invariant()
    def every_bill_is_what_the_meter_says(self) -> None:
        for session_id, charge in self.charges.items():
            session = self.desk.session(session_id)
            if session.state != SessionState.SETTLED:
                continue
            energy_wh = (charge.seen if session.estimated else charge.told or 0) - METER
            exact = (Decimal(energy_wh) * charge.price / 1000).quantize(Decimal(1), ROUND_HALF_UP)
            assert session.energy_wh == energy_wh
            self.costs(session, int(exact))

    def costs(self, session: ChargingSession, energy_paise: int) -> None:
        assert session.cost_paise == energy_paise

    @invariant()
    def every_wallet_is_what_was_given_and_used(self) -> None:
        settled = [self.desk.session(session_id) for session_id in self.charges]
        for user_id, given in self.given.items():
            used = sum(s.cost_paise for s in settled if s.user_id == user_id and s.state == SessionState.SETTLED)
            money = self.desk.money(user_id)
            assert money.balance_paise - money.arrears_paise == given - used
            assert 0 <= money.held_paise <= money.balance_paise
            assert money.arrears_paise >= 0


class StreetOfAllParts(Street):
    """The same with fees: each is there once, its lines are its cost, and none is beyond what time allows."""

    parts: dict[str, Any] = {  # noqa: RUF012 - likewise
        "start_paise": 500,
        "per_minute_paise": 50,
        "idle_after_minutes": 5,
        "idle_per_minute_paise": 200,
        "bands": (Band(0, 720, PRICE), Band(720, 0, PRICE)),
    }

    def costs(self, session: ChargingSession, energy_paise: int) -> None:
        lines = {line.name: line.paise for line in settlement.bill(session)}
        assert session.cost_paise == sum(lines.values())
        if not energy_paise:
            assert lines == {}
            return
        assert (lines.pop("start"), lines.pop("energy")) == (500, energy_paise)
        assert session.started_at is not None
        minutes = int((self.desk.clock.at - session.started_at).total_seconds()) // 60
        assert 0 <= lines.pop("time", 0) <= 50 * minutes
        assert 0 <= lines.pop("idle", 0) <= 200 * min(max(0, minutes - 5), MOST_IDLE_MINUTES)
        assert lines == {}


@pytest.mark.parametrize(
    ("street", "examples"), [(Street, (40, 12)), (StreetOfAllParts, (8, 3))], ids=["plain", "all parts"]
)
def test_any_order_of_events_ends_with_exact_bills(
    database_url: str, clock: Clock, street: type[Street], examples: tuple[int, int]
) -> None:
    """C1-C34 in all their orders."""
    lived_through(database_url, clock, street, examples)


def lived_through(url: str, clock: Clock, street: type[Street], examples: tuple[int, int], steps: int = 30) -> None:
    """Many short lives of a street, on SQLite so many and on PostgreSQL so many."""
    began, lives = clock.at, examples[not url.startswith("sqlite")]
    lived(url, lambda database: street(database.engine, clock, began), lives=lives, steps=steps)
