"""What all sockets share: who is connected, what was heard, the journal, the meter log, and how long to wait."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from csms.batches import Batches
from csms.health import Health
from csms.journal import Journal
from csms.meter_log import MeterLog
from domain import arrivals, connectors, findings, journal, metrics, quirks
from domain.bus import Bus
from domain.db import DRIVERS, read, transact
from domain.events import ChargerMustReconnect, ChargerTaken, HabitsChanged, NewsLost
from domain.logs import first_line
from domain.models import now
from domain.patience import counts_once
from domain.quirks import Habits
from domain.settings import Settings
from domain.throttle import Sparingly

if TYPE_CHECKING:
    from csms.connection import Connection

T = TypeVar("T")
Arrival = tuple[arrivals.Held, Habits]
"""A connection as the database has it, and what is known of its charger."""

log = structlog.get_logger()

HEARTBEAT_S = 300
"""What chargers are told at boot (ocpp.md 3)."""
BOOTS, BOOTS_WITHIN = 3, timedelta(minutes=10)
"""More boots than this look like a loop that our own set-up may cause (ocpp.md Q10)."""
REPLACED, REPLACED_WITHIN = 5, timedelta(minutes=10)
"""So many living sockets replaced look like two boards of one identity (payments.md C35)."""
TWO_BOARDS = (
    f"{REPLACED} times in 10 minutes a newer connection took the place of one that was alive: two boards may have this"
    " identity. Compare the serial numbers in their boot messages, and give each board an identity of its own."
)
SET_UPS_A_SECOND = 100
"""When thousands come back at once, their boots are not kept waiting by the set-ups of those that came before."""
COMPLAINTS = 10
"""Lines a minute about frames of one charger that are odd or fail here: those of a broken one never end."""
PRUNE_S = 3600
LOOK_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the CSMS waits, in seconds; tests are in more of a hurry."""

    settle: float = 3.0
    """From a charger's first message to our set-up (ocpp.md Q9)."""
    quiet: float = 10.0
    """A known charger that has said nothing for so long since it connected may be asked all the same."""
    beat: float = 10.0
    """Between two writings of who was heard."""
    ping: float = 30.0
    """Between two pings; 0 sends none."""
    stale: float = 45.0
    """A running charge's meter may be silent for so long, three sample intervals, before it is asked (ocpp.md Q41)."""
    mute: float = 2.0 * HEARTBEAT_S
    """A charger that agreed to tell its state may say nothing at all of its own for so long."""


class Central:
    """The central system: one object for all connections of this process."""

    def __init__(self, bus: Bus, settings: Settings, pace: Pace) -> None:
        self.bus, self.settings, self.pace = bus, settings, pace
        self.held: dict[str, Connection] = {}
        """The newest socket of each charger."""
        self.heard: dict[str, datetime] = {}
        """Since the last beat."""
        self.journal = Journal()
        self.health = Health()
        self.complaints: defaultdict[str, Sparingly] = defaultdict(partial(Sparingly, COMPLAINTS))
        """Of each charger that gave reason for some."""
        self.meter_log = MeterLog(bus, self.spawn)
        self.knocks: Batches[arrivals.Knock, set[arrivals.Knock]] = Batches(_admitted, "knocks")
        self.comings: Batches[tuple[str, datetime], dict[str, Arrival]] = Batches(self._come, "comings")
        self.goings: Batches[tuple[str, datetime, int], None] = _together(arrivals.disconnected, "goings")
        self.boots: Batches[dict[str, Any], None] = _together(arrivals.booted, "boots")
        self.set_ups: Batches[tuple[str, datetime], None] = _together(arrivals.set_up, "set-ups")
        self.reports: Batches[dict[str, Any], None] = _together(connectors.report, "reports")
        """What chargers do at the same time is one transaction."""
        self._boots: dict[str, tuple[datetime, ...]] = {}
        """When each charger was last set up or booted: its newest BOOTS moments."""
        self._looping: set[str] = set()
        """Chargers whose boot loop the operator was told of, and that goes on."""
        self._replacements: dict[str, tuple[datetime, ...]] = {}
        """The last ones of each charger, as many as are no finding."""
        self._next_set_up = 0.0
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[Any]] = set()
        metrics.CHARGERS.read = lambda: {(): len(self.held)}
        metrics.CALLS_WAITING.read = lambda: {(): sum(one.calls.waiting for one in tuple(self.held.values()))}

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Run beside everything else; a failure is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def tend(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do this for as long as the process lasts: what fails, as when the database is away, begins again."""
        self.spawn(self._again(work))

    async def _again(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            try:
                return await work()
            except Exception:
                log.exception("a task of the CSMS failed, and begins again")
            await asyncio.sleep(self.pace.beat)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a task of the CSMS failed", exc_info=error)

    @asynccontextmanager
    async def holding(self, connection: "Connection") -> AsyncIterator[None]:
        """Make this the charger's socket: the newest wins, and the end of an older one changes nothing (ocpp.md Q5).

        It takes commands before it is marked online, so that whoever reads "online" can command it.
        """
        charger_id = connection.charger_id
        older, self.held[charger_id] = self.held.get(charger_id), connection
        self.health.count(charger_id, "connects")
        if older is not None:
            log.info("charger connected anew", charger=charger_id)
            self.spawn(self._replaced(older))
        try:
            async with self.bus.attach(charger_id, connection.command):
                await self._mark_connected(connection)
                yield
        finally:
            await asyncio.shield(self.spawn(self._let_go(connection)))

    async def _replaced(self, older: "Connection") -> None:
        """A newer socket took its place; one that answers our goodbye was alive, so its charger needed no other."""
        charger_id, at = older.charger_id, now()
        await older.leave("replaced by a newer connection")
        if older.socket.protocol.close_rcvd_then_sent is not False:
            return
        lately = [*self._replacements.get(charger_id, ()), at][-REPLACED:]
        self._replacements[charger_id] = tuple(lately)
        if len(lately) == REPLACED and at - lately[0] <= REPLACED_WITHIN:
            del self._replacements[charger_id]
            await transact(findings.renew, "one-identity", charger_id, TWO_BOARDS)

    async def _mark_connected(self, connection: "Connection") -> None:
        """Under the charger's lock, so that coming and going are written in the order they happened."""
        async with self._locks[connection.charger_id]:
            if self.held.get(connection.charger_id) is connection:
                came = await self.comings.add((connection.charger_id, now()))
                held, habits = came[connection.charger_id]
                if not connection.known:
                    connection.clock.begins(habits.clock_skew_ms)
                connection.fence, connection.key_hash = held.fence, held.key_hash
                connection.goes_by(habits)

    async def _come(self, came: Sequence[tuple[str, datetime]]) -> dict[str, Arrival]:
        return await transact(_arrived, self.bus.process, came)

    async def _let_go(self, connection: "Connection") -> None:
        self.health.clock(connection.charger_id, connection.clock.skew_ms)
        async with self._locks[connection.charger_id]:
            if self.held.get(connection.charger_id) is connection:
                del self.held[connection.charger_id]
                await self.goings.add((connection.charger_id, now(), connection.fence))

    def settled_in(self) -> float:
        """Seconds until a charger that has just come may be set up, one after the other."""
        at = time.monotonic()
        self._next_set_up = max(at + self.pace.settle, self._next_set_up + 1 / SET_UPS_A_SECOND)
        return self._next_set_up - at

    def calmly(self, charger_id: str, at: datetime) -> bool:
        """Take note of one more set-up, unless it makes one too many of late."""
        boots = self._boots.get(charger_id, ())
        if len(boots) >= BOOTS and at - boots[-BOOTS] <= BOOTS_WITHIN:
            return False
        self._remember_boot(charger_id, at)
        self._looping.discard(charger_id)
        return True

    def boots_calmly(self, charger_id: str, at: datetime) -> bool:
        """Count a boot, unless it makes one too many of late: nothing is counted then."""
        if not self.calmly(charger_id, at):
            return False
        self.health.count(charger_id, "boots")
        return True

    async def boots_in_a_loop(self, charger_id: str, at: datetime) -> bool:
        """Count a boot; whether there were too many of late, which the operator finds among the findings.

        The finding is made once for each loop, not once for each of its boots: what the operator resolved stays
        resolved until the next loop.
        """
        if self.boots_calmly(charger_id, at):
            return False
        self._remember_boot(charger_id, at)
        self.health.count(charger_id, "boots")
        self.health.boot_loop(charger_id, at)
        if charger_id not in self._looping:
            said = f"{BOOTS + 1} boots in 10 minutes; its set-up is left alone."
            await transact(findings.renew, "boot-loop", charger_id, said)
            self._looping.add(charger_id)
        return True

    def _remember_boot(self, charger_id: str, at: datetime) -> None:
        self._boots[charger_id] = (*self._boots.get(charger_id, ()), at)[-BOOTS:]

    async def beat(self) -> None:
        """Write down who was heard and learn who is traced, again and again."""
        while True:
            self.journal.traced = await read(journal.traced)
            await asyncio.sleep(self.pace.beat)
            await self.note_heard()
            for charger_id, connection in self.held.items():
                self.health.clock(charger_id, connection.clock.skew_ms)
            await self.health.write()

    async def note_heard(self) -> None:
        if self.heard:
            heard, self.heard = self.heard, {}
            try:
                await transact(arrivals.heard, heard)
            except (SQLAlchemyError, *DRIVERS):
                self.heard = {**heard, **self.heard}
                raise

    async def sweep_journal(self) -> None:
        """Prune the journal to its days, hourly."""
        while True:
            before = now() - timedelta(days=self.settings.journal_days)
            while await transact(journal.prune, before) > 0:
                pass
            await asyncio.sleep(PRUNE_S)

    async def watch_reconnections(self) -> None:
        """A charger that was retired, or whose key changed, must knock again."""
        async for event in self.bus.subscribe(ChargerMustReconnect):
            if isinstance(event, ChargerMustReconnect) and (connection := self.held.get(event.charger_id)):
                await connection.leave("sign in again")

    async def watch_ownership(self) -> None:
        """A charger that came to another process is that one's: this one lets go of its older socket."""
        async for event in self.bus.subscribe(ChargerTaken, NewsLost):
            if isinstance(event, NewsLost):
                self.spawn(self._look_anew())
            elif isinstance(event, ChargerTaken) and (connection := self.held.get(event.charger_id)):
                self._let_go_below(connection, event.fence)

    async def _look_anew(self) -> None:
        """Events about our chargers may have been lost: compare with the database, as soon as it answers."""
        while True:
            try:
                await self._compare()
                return await self._learn()
            except SQLAlchemyError as error:
                log.error("chargers not compared; tried again", reason=first_line(error))
                await asyncio.sleep(LOOK_AGAIN_S)

    async def _compare(self) -> None:
        """Let go of chargers that another process holds, that are retired or have another key by now; take back those
        that were thought lost with this process."""
        fences = {name: connection.fence for name, connection in self.held.items() if connection.known}
        for name, held in (await read(arrivals.holders, fences)).items():
            if (connection := self.held.get(name)) is None or connection.fence != fences[name]:
                continue
            if held.retired or held.key_hash != connection.key_hash:
                self.spawn(connection.leave("sign in again"))
            elif held.fence == connection.fence and held.process is None:
                self.spawn(self._mark_connected(connection))
            else:
                self._let_go_below(connection, held.fence)

    async def _learn(self) -> None:
        """How each of our chargers counts and is pinged."""
        for name, habits in (await read(quirks.of, list(self.held))).items():
            if (connection := self.held.get(name)) is not None:
                connection.goes_by(habits)

    def _let_go_below(self, connection: "Connection", fence: int) -> None:
        if connection.known and connection.fence < fence:
            log.info("charger connected to another process", charger=connection.charger_id)
            self.spawn(self._replaced(connection))

    async def watch_habits(self) -> None:
        """A charger counts or is pinged in another way than was known: its socket goes by it from now on."""
        async for event in self.bus.subscribe(HabitsChanged):
            if isinstance(event, HabitsChanged) and (connection := self.held.get(event.charger_id)):
                await connection.learn()

    async def finished(self) -> None:
        """Let what was gathered be written, and end the rest."""
        await self.meter_log.finished()
        for batches in (self.reports, self.boots, self.set_ups, self.comings, self.goings):
            await batches.finished()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.note_heard()
        await self.health.write()
        await self.journal.finished()


@counts_once
def _arrived(db: Session, process: str, came: Sequence[tuple[str, datetime]]) -> dict[str, Arrival]:
    names = arrivals.connected(db, process, came)
    habits = quirks.of(db, names)
    return {name: (held, habits[name]) for name, held in arrivals.holders(db, names).items()}


def _together(work: Callable[[Session, Sequence[T]], None], what: str) -> Batches[T, None]:
    async def write(items: Sequence[T]) -> None:
        await transact(work, items)

    return Batches(write, what)


async def _admitted(knocks: Sequence[arrivals.Knock]) -> set[arrivals.Knock]:
    return await read(arrivals.admitted, knocks)
