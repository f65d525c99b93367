"""Drivers, chargers and what chargers say, for tests: every step is a transaction, and time passes when told to."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from sqlmodel import Session, select

from domain import arrivals, chargers, charging, connectors, interruptions, metering, wallet, wishes
from domain.charging import Limit, Refused
from domain.db import Database
from domain.events import Event
from domain.models import Account, ChargingSession, Entry, Finding, Hold, SessionState, Transfer
from domain.starts import Started
from tests.money import house
from tests.money.house import Clock

KW = 60
"""Power of every connector of the desk: 1 kWh a minute."""
METER = 10_000
"""Register in Wh at which charges begin."""
RUPEE = 100

T = TypeVar("T")


class Desk:
    """A street of chargers on a desk."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self.clock = database, clock
        self.events: list[Event] = []
        self.since = clock.at
        self._names = (f"driver_{n}" for n in range(1_000))

    def do(self, work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """One transaction; what it announced is kept in `events`."""
        result, events = self.database.now(work, *args, **kwargs)
        self.events += events
        return result

    def append(self, work: Callable[..., T], *args: Any) -> T:
        """The same for what is written in bulk."""
        result, events = self.database._write(self.database._append_once, work, args, {})
        self.events += events
        return result

    def passes(self, **time: float) -> datetime:
        self.clock.at += timedelta(**time)
        return self.clock.at

    # People and chargers

    def driver(self, rupees: int = 1_000) -> int:
        user_id = self.do(house.driver, next(self._names))
        if rupees:
            self.do(house.give, user_id, rupees * RUPEE)
        return user_id

    def give(self, user_id: int, rupees: int, key: str = "more") -> None:
        self.do(house.give, user_id, rupees * RUPEE, key)

    def charger(self, charger_id: str = "BLR-1", connectors: int = 1, kw: int = KW) -> str:
        """A charger in contact whose connectors are free."""
        self.do(chargers.add, charger_id, connectors=connectors, max_power_w=kw * 1000)
        self.connect(charger_id)
        for number in range(1, connectors + 1):
            self.status(charger_id, number, "Available")
        return charger_id

    def status(self, charger_id: str, number: int, status: str, at: datetime | None = None) -> None:
        self.do(
            connectors.status,
            charger_id,
            connector_number=number,
            status=status,
            error_code="NoError",
            info="",
            at=at,
            received_at=self.clock.at,
        )
        self.heard(charger_id)

    def heard(self, charger_id: str) -> None:
        self.do(arrivals.heard, {charger_id: self.clock.at})

    def connect(self, charger_id: str = "BLR-1") -> None:
        self.do(house.connect, charger_id, self.clock.at)

    def disconnect(self, charger_id: str = "BLR-1") -> None:
        self.do(house.disconnect, charger_id, self.clock.at)

    def boot(self, charger_id: str = "BLR-1") -> None:
        told = {"vendor": "V", "model": "M", "serial": "S", "firmware": "F", "set_up_due": True}
        self.do(arrivals.booted, [{"charger_id": charger_id, "at": self.clock.at} | told])

    # A charge

    def request(self, user_id: int, charger_id: str = "BLR-1", connector: int = 1, **limit: int) -> int:
        """The driver wants to charge; gives the session's id."""
        session = self.do(charging.request_start, user_id, charger_id, connector, Limit(**limit))
        assert session.id is not None
        return session.id

    def refusal(self, *args: Any, **limit: Any) -> tuple[str, str]:
        """Code and sentence with which a start is refused; nothing is changed by it."""
        before = self.everything()
        with pytest.raises(Refused) as refused:
            self.request(*args, **limit)
        assert self.everything() == before
        return refused.value.code, str(refused.value)

    def start(self, session_id: int, meter_wh: int = METER, **told: Any) -> Started:
        """StartTransaction for a session; the charger's clock is a second behind unless `at` says otherwise."""
        return self.do(charging.started, **self.start_told(session_id, meter_wh, **told))

    def start_told(self, session_id: int, meter_wh: int = METER, **told: Any) -> dict[str, Any]:
        session = self.session(session_id)
        message = {
            "charger_id": session.charger_id,
            "connector_number": session.connector_number,
            "tag": session.tag,
            "meter_start_wh": meter_wh,
            "at": self.clock.at - timedelta(seconds=1),
            "received_at": self.clock.at,
        }
        return message | told

    def walk_up(self, tag: str = "CARD", meter_wh: int = 0, **told: Any) -> Started:
        """StartTransaction with a card that nobody of ours gave out, of a charger without a clock."""
        moment = {"at": self.clock.at, "received_at": self.clock.at}
        message = {"charger_id": "BLR-1", "connector_number": 1, "tag": tag, "meter_start_wh": meter_wh, **moment}
        return self.do(charging.started, **(message | told))

    def charging(self, user_id: int, charger_id: str = "BLR-1", connector: int = 1, **limit: int) -> int:
        """A charge that has begun at the register METER; gives the session's id."""
        session_id = self.request(user_id, charger_id, connector, **limit)
        self.do(wishes.answered, session_id, "accepted")
        begun = self.start(session_id)
        assert begun.status == "Accepted"
        self.status(charger_id, connector, "Charging")
        return session_id

    def meter(self, session_id: int, register: int | None, power_w: int | None = KW * 1000, **told: Any) -> list[int]:
        """MeterValues; gives the ids of sessions that must be stopped."""
        return self.do(metering.record, [self.sample(session_id, register, power_w, **told)])

    def sample(
        self, session_id: int, register: int | None, power_w: int | None = KW * 1000, **told: Any
    ) -> metering.Sample:
        session = self.session(session_id)
        values = {
            "charger_id": session.charger_id,
            "connector_number": session.connector_number,
            "transaction_id": session.transaction_id,
            "at": self.clock.at - timedelta(seconds=1),
            "received_at": self.clock.at,
            "energy_wh": register,
            "power_w": power_w,
            "current_ma": None,
            "voltage_mv": None,
            "soc_percent": None,
        }
        return metering.Sample(**(values | told))

    def flows(self, session_id: int, kwh: float) -> list[int]:
        """So much energy, in the time it takes, with a sample each minute and at the end."""
        to_stop: list[int] = []
        left = round(kwh * 1000)
        while left:
            wh = min(left, 1000)
            left -= wh
            self.passes(minutes=wh / 1000)
            session = self.session(session_id)
            to_stop += self.meter(session_id, (session.meter_wh or 0) + wh)
            self.heard(session.charger_id)
        return to_stop

    def stop(self, session_id: int, register: int | None, reason: str = "Local", **told: Any) -> None:
        """StopTransaction for a session."""
        self.do(charging.stopped, **self.stop_told(session_id, register, reason, **told))

    def stop_told(self, session_id: int, register: int | None, reason: str = "Local", **told: Any) -> dict[str, Any]:
        session = self.session(session_id)
        message = {
            "charger_id": session.charger_id,
            "transaction_id": session.transaction_id,
            "meter_stop_wh": register,
            "at": self.clock.at - timedelta(seconds=1),
            "received_at": self.clock.at,
            "reason": reason,
            "tag": "",
        }
        return message | told

    def lose(self, session_id: int) -> None:
        """The connector is free again, and no stop came."""
        session = self.session(session_id)
        self.passes(seconds=10)
        self.status(session.charger_id, session.connector_number, "Available")
        self.passes(seconds=90)
        self.interrupt_lost()
        assert self.session(session_id).state == SessionState.INTERRUPTED

    def begun(self, user_id: int, kwh: float = 2) -> int:
        """A charge that has taken so much."""
        session_id = self.charging(user_id)
        self.flows(session_id, kwh)
        return session_id

    def a_charge(self, kwh: float = 0, rupees: int = 1_000) -> tuple[int, int]:
        """A driver with so much money and the charge that has taken so much, at the only charger; the ids of both."""
        user_id = self.driver(rupees)
        self.charger()
        return user_id, self.begun(user_id, kwh)

    def estimated(self, user_id: int, kwh: float = 2) -> int:
        """A charge whose stop did not come for a day, billed by its last reading."""
        session_id = self.begun(user_id, kwh)
        self.lose(session_id)
        self.passes(hours=24)
        assert self.sweep() == {session_id: ""}
        assert self.session(session_id).estimated
        return session_id

    def interrupt_lost(self) -> list[int]:
        """The sweep for charges whose stop was lost; gives those it interrupted."""
        suspects = self.do(interruptions.lost, self.clock.at, self.since)
        return [i for i in suspects if self.do(interruptions.interrupt_lost, i, self.clock.at, self.since)]

    def sweep(self) -> dict[int, str]:
        """Work the passed deadlines; says for each session what is left to do."""
        return {i: self.do(charging.deadline, i, self.clock.at) for i in self.do(charging.due, self.clock.at)}

    # What came of it

    def session(self, session_id: int) -> ChargingSession:
        return self.do(lambda db: db.get_one(ChargingSession, session_id))

    def state(self, session_id: int) -> str:
        return self.session(session_id).state

    def bill(self, session_id: int) -> tuple[int, int]:
        """Wh and paise of a settled charge."""
        session = self.session(session_id)
        assert session.state == SessionState.SETTLED
        return session.energy_wh, session.cost_paise

    def money(self, user_id: int) -> wallet.Balance:
        return self.do(wallet.balance, user_id)

    def free(self, user_id: int) -> float:
        """Rupees of the wallet that nothing holds."""
        return self.money(user_id).free_paise / RUPEE

    def findings(self) -> Counter[str]:
        """How many of each kind the operator has."""
        return Counter(self.do(lambda db: list(db.exec(select(Finding.kind)))))

    def everything(self) -> dict[str, list[Any]]:
        """Sessions, accounts, transfers and holds as they are, but for samples kept beside them: what a repetition must
        not change."""
        return self.do(_everything)

    def changes_nothing(self, step: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Do a step that must leave the books as they are."""
        before = self.everything()
        step(*args, **kwargs)
        assert self.everything() == before

    def audited(self) -> None:
        assert self.do(house.broken) == []


def _everything(db: Session) -> dict[str, list[Any]]:
    tables = (ChargingSession, Account, Transfer, Entry, Hold)
    return {
        table.__name__: sorted(
            repr(row.model_dump(mode="json", exclude={"updated_at", "last_sample_id"}))
            for row in db.exec(select(table))
        )
        for table in tables
    }
