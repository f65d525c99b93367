"""Virtual OCPP 1.6J chargers: they boot, report, charge, break and lose their line as real ones do."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from enum import Enum
from random import Random
from types import TracebackType
from typing import Any, Self

from simulator import orders
from simulator.clock import Clock, WallClock, within
from simulator.connectors import Connector
from simulator.keys import Keys
from simulator.link import Answer, CallError, Link, Lost, Unanswered
from simulator.meter import Meter, measurands
from simulator.outbox import Outbox
from simulator.readers import Reader
from simulator.record import PATIENCE_SECONDS, Payload, Witness, summary
from simulator.side_by_side import side_by_side

BOOT_RETRY_SECONDS = 10
"""Between two BootNotifications when the central system gave no interval."""
DEFAULT_HEARTBEAT_SECONDS = 300
"""Between two Heartbeats when the key says 0, the charger's choice."""
RESET_DELIVERY_SECONDS = 10
"""How long a soft reset waits for its StopTransaction to be delivered."""
MOST_DOUBLINGS = 10
"""After these the wait for a new connection grows no more, whatever its limit."""


class Behaviour(Enum):
    """Ways to answer that are no payload."""

    AS_USUAL = "as usual"
    SILENT = "silent"


AS_USUAL, SILENT = Behaviour.AS_USUAL, Behaviour.SILENT

Reply = Payload | CallError | Behaviour | Callable[[Payload], Payload]


class VirtualCharger(Witness):
    """One charger, used as a context manager: powered inside, gone outside.

    It connects to `<url>/<identity>` until it succeeds. Hands act on it through `plug`, `swipe`, `fault` and
    their like; tests wait for `sent`, `answered`, `asked` and `until`, which look at events and never sleep.

    Args:
        password: Basic authentication (OCPP-J 6.2); bytes for keys that are no text.
        sample_seconds: fixes the interval of MeterValues, also below a second, and makes
            MeterValueSampleInterval read-only; None leaves it to that key.
        reconnect_seconds: first and longest wait before a new connection, doubling in between.
        boot_seconds: how long a reset or a power cut keeps the charger away.
        call_seconds: how long it waits for an answer.
        speed: energy per second, in multiples of what the power would give.
        keys: configuration keys that differ from `simulator.keys.KEYS` at the start.
        locked: keys that are read-only on this charger.
        seed: what register, wobble and cars follow from; default: the identity.
        say: hears one readable line for whatever happens.
    """

    def __init__(
        self,
        identity: str,
        url: str,
        *,
        password: str | bytes | None = None,
        connectors: int = 1,
        max_power_w: int = 7400,
        supply: str = "AC",
        sample_seconds: float | None = None,
        reconnect_seconds: tuple[float, float] = (1.0, 60.0),
        boot_seconds: float = 2.0,
        call_seconds: float = 30.0,
        clock: Clock | None = None,
        speed: float = 1.0,
        keys: Mapping[str, str] | None = None,
        locked: Collection[str] = (),
        seed: str | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(identity)
        self.url, self.password = url, password
        self.clock: Clock = clock or WallClock()
        self.say: Callable[[str], None] = say or (lambda line: None)
        self.registration: str | None = None
        """What the last BootNotification was answered with; None since the last power-up."""
        self._supply, self._fixed_sample_seconds = supply, sample_seconds
        self._reconnect_seconds, self._boot_seconds = reconnect_seconds, boot_seconds
        fixed = {} if sample_seconds is None else {"MeterValueSampleInterval": str(max(1, round(sample_seconds)))}
        self.keys = Keys(
            measurands(supply), {"NumberOfConnectors": str(connectors), **fixed, **(keys or {})}, {*locked, *fixed}
        )
        self.link = Link(
            record=self.record, clock=self.clock, answer=self._answer, call_seconds=call_seconds, say=self.say
        )
        self.outbox = Outbox(call=self.link.call, clock=self.clock, keys=self.keys, record=self.record, say=self.say)
        self.everything = [
            Connector(
                self,
                number,
                Meter(
                    max_power_w=max_power_w if number else 0,
                    supply=supply,
                    speed=speed,
                    seed=f"{seed or identity}/{number}",
                ),
            )
            for number in range(connectors + 1)
        ]
        """Connector 0, which is the whole charger, and the others."""
        self.reader = Reader(self)
        self._random = Random(seed or identity)
        self._replies: dict[str, Reply] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._trouble = ""
        self._cable, self._outages = True, 0
        self._reachable = asyncio.Event()
        self._reachable.set()
        self._boot_now = asyncio.Event()

    # Power.

    async def __aenter__(self) -> Self:
        self.spawn(self._live())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.outbox.disconnected()
        if self.record.broken and error is None:
            raise self.record.broken

    def power_cut(self, seconds: float | None = None) -> None:
        """Lose power: the socket drops, charges end by PowerLoss, registers and undelivered messages are kept.

        Power is back after `seconds` (default: `boot_seconds`); then the charger boots and delivers.
        """
        self.say("power cut")
        self._go_down(self._boot_seconds if seconds is None else seconds)
        for connector in self.connectors:
            connector.lose_power()

    def reset(self, kind: str) -> None:
        """Reboot: Soft delivers its StopTransaction first, Hard afterwards (1.6 section 5.14)."""
        self.spawn(self._reset(f"{kind}Reset", deliver_first=kind == "Soft"))

    # The line.

    @property
    def online(self) -> bool:
        """Whether the charger is connected and was accepted."""
        return self.link.open and self.registration == "Accepted"

    def drop(self) -> None:
        """Abort the TCP connection; the charger comes back by itself, without a boot (OCPP-J 5.4)."""
        self.link.abort()

    def go_offline(self) -> None:
        """Pull the network cable until `go_online`."""
        self._cable = False
        self._reachable.clear()
        self.link.abort()

    def go_online(self) -> None:
        """Put the network cable back; power it does not bring."""
        self._cable = True
        self._reach()

    async def send_raw(self, text: str) -> None:
        """Send any text; `reply_to` finds what comes back.

        Raises:
            Lost: there is no connection.
        """
        await self.link.write(text)

    def answer_with(self, action: str, reply: Reply) -> None:
        """Answer an action of the central system with a payload, a CallError or what a function of its payload gives.

        Nothing but the answer happens then. SILENT never answers, AS_USUAL ends all this.
        """
        self._replies[action] = reply

    # Hands. All raise Impossible when the hardware cannot do it.

    @property
    def connectors(self) -> list[Connector]:
        return self.everything[1:]

    def connector(self, number: int) -> Connector:
        """A connector as it is now; 0 is the whole charger."""
        return self.everything[number]

    def plug(self, connector: int = 1) -> None:
        self.connector(connector).plug()

    def unplug(self, connector: int = 1) -> None:
        self.connector(connector).unplug()

    def press_stop(self, connector: int = 1) -> None:
        self.connector(connector).press_stop()

    def fault(self, connector: int = 1, code: str = "GroundFailure", *, ends_charge: bool = True) -> None:
        self.connector(connector).fault(code, ends_charge=ends_charge)

    def repair(self, connector: int = 1) -> None:
        self.connector(connector).repair()

    def suspend_ev(self, connector: int = 1) -> None:
        self.connector(connector).suspend_ev()

    def resume_ev(self, connector: int = 1) -> None:
        self.connector(connector).resume_ev()

    async def swipe(self, connector: int, id_tag: str) -> str:
        """Hold a card to the reader and give the AuthorizationStatus; the same card ends its own charge."""
        return await self.reader.swipe(self.connector(connector), id_tag)

    async def until(self, holds: Callable[[Self], bool], *, within: float | None = PATIENCE_SECONDS) -> Self:
        """Wait until something is true of this charger; `within` None waits for ever.

        Raises:
            TimeoutError: it did not become true in so many real seconds.
        """
        return await self.record.until(
            lambda: self if holds(self) else None,
            within,
            lambda: (
                f"{self.identity} never got there: connectors {[c.status for c in self.everything]}, "
                f"online {self.online}, sent {summary(self.record.sent)}"
            ),
        )

    # What connectors and orders ask of the charger.

    @property
    def sample_seconds(self) -> float:
        """Between two MeterValues of a charge; 0 sends none."""
        if self._fixed_sample_seconds is not None:
            return self._fixed_sample_seconds
        return self.keys.number("MeterValueSampleInterval")

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside everything else, until the charger is gone; its mistakes are not lost."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def boot_again(self) -> None:
        """Send a BootNotification now: the retry of a pending charger, or one more."""
        if self.registration == "Accepted":
            self.outbox.tell("BootNotification", self._nameplate)
        else:
            self._boot_now.set()

    # The life of the line.

    async def _live(self) -> None:
        while True:
            await self._reachable.wait()
            try:
                async with self._connected():
                    await side_by_side(self.link.read(), self._converse())
            except Lost as loss:
                self._say_trouble(str(loss))
            self.outbox.disconnected()
            self.record.changed()
            await self.clock.sleep(self._back_off())

    def _connected(self) -> AbstractAsyncContextManager[None]:
        return self.link.connected(
            self.url, self.identity, self.password, self.keys.number("WebSocketPingInterval") or None
        )

    async def _converse(self) -> None:
        if not self._reachable.is_set():
            self.link.abort()  # the cable or the power went while the socket was opening
        self._trouble = ""
        self.say("connected")
        boots = self.registration != "Accepted"
        if boots:
            await self._boot()
        self._failures = 0
        for connector in self.everything:
            connector.announce(again=boots)
        self.record.changed()
        await side_by_side(self._beat(), self.outbox.deliver())

    async def _boot(self) -> None:
        """Ask until the answer is Accepted (1.6 section 4.2)."""
        while True:
            seconds = BOOT_RETRY_SECONDS
            self._boot_now.clear()
            try:
                answer = await self.link.call("BootNotification", self._nameplate)
            except (CallError, Unanswered) as error:
                self.say(f"BootNotification failed: {error}")
            else:
                self.registration = answer["status"]
                seconds = answer["interval"] or seconds
                self.say(f"boot: {self.registration}")
            if self.registration == "Accepted":
                if answer["interval"]:
                    self.keys.put("HeartbeatInterval", str(answer["interval"]))
                return
            with suppress(TimeoutError):
                await within(self.clock, seconds, self._boot_now.wait())

    async def _beat(self) -> None:
        while True:
            await self.clock.sleep(self.keys.number("HeartbeatInterval") or DEFAULT_HEARTBEAT_SECONDS)
            self.outbox.tell("Heartbeat", {})

    def _back_off(self) -> float:
        """Twice the wait after each failure, and a little chance, so that a fleet does not come back as one."""
        first, longest = self._reconnect_seconds
        wait = min(first * 2.0**self._failures, longest)
        self._failures = min(self._failures + 1, MOST_DOUBLINGS)
        return wait * self._random.uniform(0.8, 1.0)

    def _reach(self) -> None:
        if self._cable and not self._outages:
            self._reachable.set()

    def _go_down(self, seconds: float) -> None:
        self._outages += 1
        self._reachable.clear()
        self.registration = None
        self.link.abort()
        self.spawn(self._come_back(seconds))

    async def _come_back(self, seconds: float) -> None:
        await self.clock.sleep(seconds)
        self._outages -= 1
        self._reach()

    async def _reset(self, reason: str, *, deliver_first: bool) -> None:
        for connector in self.connectors:
            connector.card = None
            if connector.transaction:
                connector.end(reason)
        if deliver_first:
            with suppress(TimeoutError):
                delivered = self.until(lambda charger: not charger.outbox.waiting, within=None)
                await within(self.clock, RESET_DELIVERY_SECONDS, delivered)
        self.say("restarts")
        self._go_down(self._boot_seconds)

    # Answers.

    def _answer(self, action: str, payload: Payload) -> Answer | None:
        """Rejected chargers are silent (1.6 section 4.2); else as a test wants it, or as usual."""
        if self.registration == "Rejected":
            return None
        reply = self._replies.get(action, AS_USUAL)
        if reply is AS_USUAL:
            answer = orders.obey(self, action, payload)
            self.say(f"asked for {action}: {answer.payload.get('status', 'answered')}")
            return answer
        self.say(f"asked for {action}: answers as it was told to")
        if isinstance(reply, CallError):
            raise reply
        if isinstance(reply, Behaviour):
            return None
        return Answer(reply(payload) if callable(reply) else reply)

    @property
    def _nameplate(self) -> Payload:
        return {
            "chargePointVendor": "Simulator",
            "chargePointModel": f"Virtual {self._supply}",
            "chargePointSerialNumber": self.identity[:25],
            "firmwareVersion": "1.0",
        }

    def _say_trouble(self, trouble: str) -> None:
        if trouble != self._trouble:
            self.say(trouble)
        self._trouble = trouble

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            self.record.broken = task.exception()
            self.record.changed()
