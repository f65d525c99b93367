"""Virtual chargers of the simulation: what they meter, what they say of it, and how that goes wrong."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from csms.clock import Clock as ItsClock
from csms.clock import stamp
from domain import chargers, charging, interruptions, metering
from domain.bus import ChargerOffline, ChargerSilent
from domain.events import Command, RemoteStart, RemoteStop, Reply
from domain.health import SKEW
from domain.models import LIVE, SessionState
from domain.starts import Started
from tests.money.charges import KW, Desk

CLOCKS = (timedelta(0), timedelta(0), timedelta(minutes=3), -timedelta(hours=3), timedelta(days=800))
"""How far chargers' clocks are off: not at all, a little, hours behind, years ahead."""
WH_A_MINUTE = KW * 1000 // 60


@dataclass
class Charge:
    """What the car and the charger know of a charge; the house may see it otherwise, or never."""

    connector: int
    tag: str
    began_wh: int
    begun_at: datetime
    seen: set[int] = field(default_factory=set)
    """Registers that have reached the house."""
    transaction_id: int | None = None
    session_id: int | None = None
    ended_wh: int | None = None
    stop_lost: bool = False


@dataclass
class Message:
    """One message that the charger keeps until it is answered."""

    kind: str
    connector: int
    said_at: datetime
    charge: Charge | None = None
    register: int = 0
    status: str = ""


class VirtualCharger:
    """Two connectors, a queue of messages, a clock of its own, and faults by the dice."""

    def __init__(self, name: str, desk: Desk, dice: Random) -> None:
        self.name, self.desk, self.dice = name, desk, dice
        self.skew = dice.choice(CLOCKS)
        self.ignores_numbers = dice.random() < 0.25
        self.registers = {1: 10_000, 2: 500_000}
        self.wanted: dict[int, str] = {}
        self.running: dict[int, Charge] = {}
        self.charges: list[Charge] = []
        self.queue: deque[Message] = deque()
        self.online = False
        self.its_clock = ItsClock()
        self.healed = False
        desk.do(chargers.add, name, connectors=2, max_power_w=KW * 1000)
        self.connect()

    def chance(self, of: float) -> bool:
        return not self.healed and self.dice.random() < of

    # The line

    def connect(self) -> None:
        self.online, self.its_clock = True, ItsClock()
        self.desk.connect(self.name)
        if self.chance(0.3):
            self.desk.boot(self.name)
        for connector in self.registers:
            self._say("status", connector, status="Charging" if connector in self.running else "Available")

    def break_line(self) -> None:
        if self.online:
            self.online = False
            self.desk.disconnect(self.name)

    def tell(self) -> None:
        """Send what waits; an answer may be lost, and then the message comes again."""
        while self.online and self.queue:
            message = self.queue[0]
            self.desk.passes(milliseconds=1)
            self._deliver(message)
            if self.chance(0.1):
                self._deliver(message)
            if self.chance(0.03):
                self.break_line()
                return
            self.queue.popleft()

    # What the house asks of it

    def asked(self, command: Command) -> Reply:
        if not self.online:
            raise ChargerOffline(self.name)
        obeys, answers = not self.chance(0.1), not self.chance(0.1)
        if obeys and isinstance(command, RemoteStart) and command.connector_number not in self.running:
            self.wanted[command.connector_number] = command.tag
        if obeys and isinstance(command, RemoteStop):
            for charge in list(self.running.values()):
                if charge.transaction_id == command.transaction_id:
                    self.end(charge)
        if not answers:
            raise ChargerSilent(self.name)
        return Reply("Accepted" if obeys else "Rejected")

    # What people and cars do

    def plug(self, connector: int) -> None:
        tag = self.wanted.pop(connector, None)
        if tag is None or connector in self.running:
            return
        charge = Charge(connector, tag, self.registers[connector], self.desk.clock.at)
        self.running[connector] = charge
        self.charges.append(charge)
        self._say("start", connector, charge)
        self._say("status", connector, status="Charging")

    def flow(self, minutes: int) -> None:
        """Energy for everybody who charges here; the time has passed already."""
        for connector, charge in self.running.items():
            self.registers[connector] += WH_A_MINUTE * minutes
            if not self.chance(0.2):
                self._say("meter", connector, charge)

    def end(self, charge: Charge) -> None:
        del self.running[charge.connector]
        charge.ended_wh = self.registers[charge.connector]
        charge.stop_lost = self.chance(0.1)
        if not charge.stop_lost:
            self._say("stop", charge.connector, charge)
        self._say("status", charge.connector, status="Available")

    def _say(self, kind: str, connector: int, charge: Charge | None = None, status: str = "") -> None:
        register = self.registers[connector]
        self.queue.append(Message(kind, connector, self.desk.clock.at, charge, register, status))

    # What arrives

    def _deliver(self, message: Message) -> None:
        received_at = self.desk.clock.at
        told = stamp(message.said_at + self.skew)
        at = self.its_clock.at(told, received_at, [], queued=message.kind in ("start", "stop"))
        if message.charge is None:
            self.desk.status(self.name, message.connector, message.status, at)
        elif message.kind == "start":
            self._started(message.charge, at)
        elif message.kind == "meter":
            self._metered(message.charge, message, at, received_at)
        else:
            number = -1 if self.ignores_numbers else message.charge.transaction_id or -1
            self.desk.do(
                charging.stopped,
                charger_id=self.name,
                transaction_id=number,
                meter_stop_wh=message.register,
                at=at,
                received_at=received_at,
                reason="Local",
                tag=message.charge.tag,
            )

    def _started(self, charge: Charge, at: datetime) -> None:
        begun: Started = self.desk.do(
            charging.started,
            charger_id=self.name,
            connector_number=charge.connector,
            tag=charge.tag,
            meter_start_wh=charge.began_wh,
            at=at,
            received_at=self.desk.clock.at,
        )
        charge.transaction_id, charge.session_id = begun.transaction_id, begun.session_id
        if begun.status != "Accepted" and charge.ended_wh is None and not self.chance(0.3):
            self.end(charge)

    def _metered(self, charge: Charge, message: Message, at: datetime, received_at: datetime) -> None:
        before = self.desk.session(charge.session_id) if charge.session_id else None
        if before is not None and before.state in LIVE:
            charge.seen.add(message.register)
        sample = metering.Sample(
            charger_id=self.name,
            connector_number=charge.connector,
            transaction_id=None if self.ignores_numbers else charge.transaction_id,
            at=at,
            received_at=received_at,
            energy_wh=message.register,
            power_w=KW * 1000,
            current_ma=None,
            voltage_mv=None,
            soc_percent=None,
        )
        self.desk.do(metering.record, [sample])
        self.desk.heard(self.name)

    # What became of it

    def judged(self) -> None:
        """Every bill is what the meter said; of a lost stop, or by a clock that is wrong, never more than that."""
        for charge in self.charges:
            if charge.session_id is None:
                continue
            session = self.desk.session(charge.session_id)
            assert session.state == SessionState.SETTLED, session
            assert charge.ended_wh is not None
            used, best = charge.ended_wh - charge.began_wh, max(charge.seen, default=charge.began_wh) - charge.began_wh
            if charge.stop_lost:
                assert session.energy_wh <= best, (session, charge)
            elif abs(self.skew) > SKEW:
                assert session.energy_wh <= used, (session, charge)
            else:
                assert session.energy_wh == used, (session, charge)


def lost(desk: Desk) -> None:
    """The sweep for charges whose stop was lost."""
    for session_id in desk.do(interruptions.lost, desk.clock.at, desk.since):
        desk.do(interruptions.interrupt_lost, session_id, desk.clock.at, desk.since)
