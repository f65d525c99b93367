"""One charger's socket: what it says is understood, answered and written down; what it is asked waits its turn."""

import asyncio
import contextvars
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import structlog
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from csms import frames, repairs
from csms.calls import Calls, Urgency
from csms.central import Central
from csms.clock import Clock
from csms.fast import Direct, Socket
from csms.protocol import Handler, Protocol, Refusal, Request
from csms.repetitions import Repetitions
from domain import chargers, metrics, quirks, traces
from domain.bus import CallRefused, ChargerOffline, ChargerSilent
from domain.db import read
from domain.events import Command, RemoteStart, Reply
from domain.models import now
from domain.quirks import Habits

log = structlog.get_logger()

NORMAL_CLOSURE = 1000
PROTOCOL_ERRORS = (1002, 1003, 1007, 1009)
"""A websocket's end that the charger's own frames caused (ocpp.md Q7)."""


class Connection:
    """A charger, as long as this socket of it lasts."""

    def __init__(self, central: Central, protocol: Protocol, socket: Socket, charger_id: str) -> None:
        self.central, self.protocol, self.socket, self.charger_id = central, protocol, socket, charger_id
        self.clock = Clock()
        self.calls = Calls(charger_id, self._ask, lambda: central.health.count(charger_id, "unanswered"))
        self.alive_at = time.monotonic()
        """When its last frame came, be it a ping or a pong."""
        self.repetitions = Repetitions()
        self.direct = Direct(self)
        self.energy_factor = 1
        """1000: it counts kWh and calls them Wh (ocpp.md Q34)."""
        self.outlet = False
        """It told a register of what goes to the car, so one at its inlet counts no more (ocpp.md Q37)."""
        self.ping_s: int | None = None
        """Seconds between two pings, 0 for none; None: as all others (ocpp.md Q6)."""
        self.set_up_due = False
        """It booted and was not set up before it came here."""
        self.postponed = False
        """Its set-up waits until no car charges there."""
        self.fence = 0
        """Newer connections of this charger, to whichever process, have larger ones; 0 until it is `known`."""
        self.key_hash = ""
        """Of the key that its charger had to show when it came."""
        self.spoken = False
        """Its first message was answered, so it may be asked (ocpp.md Q9)."""
        self._preparation: asyncio.TimerHandle | asyncio.Task[None] | None = None
        self._context = contextvars.copy_context()
        """In which it is prepared: what asks for that may run in a batch's, which is another charger's."""
        self._context.run(structlog.contextvars.bind_contextvars, charger=charger_id)
        socket.alive = self.lives

    async def run(self) -> None:
        """Serve the socket until it ends."""
        structlog.contextvars.bind_contextvars(charger=self.charger_id)
        async with self.central.holding(self):
            log.info("charger connected")
            await self._listen()
        log.info("charger disconnected", code=int(self.socket.close_code or CloseCode.ABNORMAL_CLOSURE))
        if (close := self.socket.protocol.close_sent) is not None and close.code in PROTOCOL_ERRORS:
            self.central.health.protocol_error(self.charger_id, f"closed with {close.code}: {close.reason}")

    @property
    def known(self) -> bool:
        """Whether its coming is written down, and its habits were read."""
        return self.fence > 0

    async def learn(self) -> None:
        """What is known of its habits now."""
        self.goes_by((await read(quirks.of, [self.charger_id]))[self.charger_id])

    def goes_by(self, habits: Habits) -> None:
        """It is read and pinged so from now on."""
        self.energy_factor, self.ping_s, self.set_up_due = habits.energy_factor, habits.ping_s, habits.set_up_due

    async def leave(self, reason: str) -> None:
        """Close this socket, and let nobody wait for an answer from it."""
        self.calls.close()
        await self.socket.close(NORMAL_CLOSURE, reason)

    def drop(self) -> None:
        """The same without a goodbye, where nobody is left to hear it."""
        self.calls.close()
        self.socket.transport.abort()

    def lives(self) -> None:
        """A frame came, be it a ping or a pong of a charger that reads what we answer."""
        self.alive_at = time.monotonic()
        self.central.heard[self.charger_id] = now()

    def complain(self, write: Callable[..., Any], sentence: str, **more: Any) -> None:
        """Log what is odd or failed of its frames, some of it; the first line after that says how many had none."""
        sparingly = self.central.complaints[self.charger_id]
        if sparingly.once_more():
            write(sentence, left_out=sparingly.left_out(), **more)

    # What it says

    async def _listen(self) -> None:
        # A task that sleeps would be a tenth of what a charger takes in memory.
        quiet = asyncio.get_running_loop().call_later(self.central.pace.quiet, self._is_quiet)
        self.socket.direct = self.direct.take
        try:
            while True:
                raw = await self.socket.recv()
                await self.direct.answered()
                if not (isinstance(raw, str) and self.direct.take(raw.encode())):
                    await self._take(raw)
                self.socket.queued -= 1
        except ConnectionClosed:
            pass
        finally:
            self.socket.direct = None
            quiet.cancel()
            self.leave_alone()
            self.calls.close()

    async def _take(self, raw: str | bytes) -> None:
        """One frame; whatever it is, the next one is read."""
        self.lives()
        received_at = now()
        frame = frames.read(raw)
        try:
            match frame:
                case frames.Call():
                    await self._asked(frame, raw, received_at)
                case frames.Result():
                    self._answered(frame, raw, received_at)
                case frames.Error(id_, code, description, mended):
                    self._told(self.calls.failed(id_, code, description), id_, raw, received_at, mended)
                case frames.Unreadable():
                    await self._unread(frame, raw, received_at)
        except ConnectionClosed:
            raise
        except Exception:
            self.complain(log.exception, "a frame could not be served")

    async def _asked(self, call: frames.Call, raw: str | bytes, received_at: datetime) -> None:
        if (again := self.repetitions.answer(call.id, call.action, raw)) is not None:
            self._count(call.action, "repeated")
            text = again if isinstance(again, str) else again.decode()
            await self._reply(text, call.action, call.id, raw, received_at, ("a repetition, answered as before",))
            return
        request = Request(call.action, {}, received_at, list(call.repairs))
        self.calls.pause()
        try:
            with (
                structlog.contextvars.bound_contextvars(message=str(call.id)[:40]),
                traces.MESSAGE.span(self._known(call.action)) as span,
            ):
                answer = await self._answer(call, request)
                outcome = _outcome(answer)
                span.came_to(outcome, well=outcome != "failed")
            self._count(call.action, outcome)
            if isinstance(answer, Refusal):
                text = frames.error(call.id, answer.code, str(answer))
            else:
                text = frames.result(call.id, answer)
                self.repetitions.remember(call.id, raw, text)
            if request.repairs:
                self.central.health.count(self.charger_id, "repairs")
            await self._reply(text, call.action, call.id, raw, received_at, request.repairs)
        finally:
            self.calls.resume()
            for work in request.afterwards:
                self.central.spawn(work())
        self.speaks(call.action)

    async def _answer(self, call: frames.Call, request: Request) -> dict[str, Any] | Refusal:
        try:
            payload = await self._understood(call, request)(self, request)
            if wrong := self.protocol.flaw(f"{call.action}Response", payload):
                raise AssertionError(f"our answer to {call.action} is no OCPP: {wrong}")
            return payload
        except Refusal as refusal:
            request.repairs.append(f"refused: {refusal}")
            return refusal
        except Exception:
            self.complain(log.exception, "a message could not be handled", action=call.action)
            return Refusal(frames.INTERNAL, frames.SEND_AGAIN)

    def _understood(self, call: frames.Call, request: Request) -> Handler:
        """Find the handler and repair the payload for it (ocpp.md Q12, Q13)."""
        handler = self.protocol.handlers.get(call.action)
        if handler is None:
            raise Refusal("NotImplemented", f"{call.action[:50]} is not known here.")
        request.payload, notes, missing = repairs.mend(self.protocol.schema(call.action), call.payload)
        request.repairs.extend(notes)
        if call.action in self.protocol.forgiving:
            request.repairs.extend(f"{name} is missing" for name in missing)
        elif not isinstance(call.payload, dict):
            raise Refusal("FormationViolation", f"The payload of {call.action} must be an object.")
        elif missing and call.payload.get(missing[0]) is not None:
            raise Refusal("TypeConstraintViolation", f"{missing[0]} of {call.action} cannot be used.")
        elif missing:
            raise Refusal("ProtocolError", f"{missing[0]} of {call.action} is missing.")
        return handler

    async def _unread(self, frame: frames.Unreadable, raw: str | bytes, received_at: datetime) -> None:
        if frame.reason != frames.SIGN_OF_LIFE:
            self._count("", "unreadable")
            self.complain(log.warning, "unreadable frame", reason=frame.reason, length=len(raw))
            self.central.health.protocol_error(self.charger_id, frame.reason)
        if frame.id is None:
            self._note("in", "", frame.id, raw, received_at, (frame.reason,))
        else:
            text = frames.error(frame.id, "FormationViolation", frame.reason)
            await self._reply(text, "", frame.id, raw, received_at, (frame.reason,))

    def _count(self, action: str, outcome: str) -> None:
        metrics.MESSAGES.add(self._known(action), outcome)

    def _known(self, action: str) -> str:
        """The action if it is known here, else "other": no stranger can make up labels of a metric."""
        return action if action in self.protocol.handlers else "other"

    def _answered(self, result: frames.Result, raw: str | bytes, received_at: datetime) -> None:
        payload, notes = result.payload, list(result.repairs)
        if asked := self.calls.asked(result.id):
            payload, mended = repairs.answer(self.protocol.schema(f"{asked}Response"), payload)
            notes.extend(mended)
        self._told(self.calls.answered(result.id, payload), result.id, raw, received_at, notes)

    def _told(
        self, action: str | None, id_: Any, raw: str | bytes, received_at: datetime, mended: Sequence[str] = ()
    ) -> None:
        """An answer: to a call that waits for it, or too late, and then it changes nothing (ocpp.md Q16)."""
        if mended:
            self.central.health.count(self.charger_id, "repairs")
        notes = mended if action else (*mended, "answers no open call")
        self._note("in", action or "", id_, raw, received_at, notes)

    async def _reply(
        self, text: str, action: str, id_: Any, raw: str | bytes, received_at: datetime, mended: Sequence[str]
    ) -> None:
        """Answer a frame; one whose socket went meanwhile is written down without an answer."""
        given = None
        try:
            await self.socket.send(text)
            given = text
        finally:
            self._note("in", action, id_, raw, received_at, mended, given)

    def _note(
        self,
        direction: str,
        action: str,
        id_: Any,
        raw: str | bytes,
        at: datetime,
        mended: Sequence[str] = (),
        answer: str | None = None,
    ) -> None:
        text = raw if isinstance(raw, str) else raw.decode(errors="replace")
        self.central.journal.note(self.charger_id, direction, action, id_, text, at, mended, answer)

    # What it is asked

    @property
    def mute(self) -> bool:
        """It was asked for its state long ago, and has told nothing of its own since."""
        since = self.calls.owed_since
        return since is not None and time.monotonic() - since > self.central.pace.mute

    async def command(self, command: Command) -> Reply:
        """What the bus hands over: a command of the domain, or any message by its name.

        Raises:
            ChargerOffline: it is to begin a charge, and is mute: the charge would run untold.
            CallRefused: it is no valid OCPP, or the charger answered with a CALLERROR.
            ChargerSilent: it did not answer in time, or the socket went.
        """
        if self.mute and isinstance(command, RemoteStart):
            raise ChargerOffline(self.charger_id)
        action, payload, urgency = self.protocol.translate(command)
        answer = await self.call(action, payload, urgency)
        return Reply(str(answer.get("status", "")), answer)

    async def call(
        self, action: str, payload: dict[str, Any], urgency: Urgency = Urgency.SETUP, *, kept: bool = True
    ) -> dict[str, Any]:
        """Ask one thing, strictly as OCPP has it; gives the payload of the answer, and keeps what it means unless that
        is part of something larger. Raises as `command`."""
        if action not in self.protocol.callable:
            raise CallRefused(f"OCPP has no message {action[:50]} that a central system sends.")
        if wrong := self.protocol.flaw(action, payload):
            raise CallRefused(f"{action} is not valid: {wrong}")
        timeout = self.protocol.seconds(action)

        async def ask() -> dict[str, Any]:
            with traces.CALL.span(action, charger=self.charger_id) as span:
                answer = await self.calls.call(action, payload, urgency=urgency, timeout=timeout)
                span.came_to("answered")
            return answer if isinstance(answer, dict) else {}

        return await (self.protocol.recorded(self, action, payload, ask) if kept else ask())

    async def _ask(self, text: str, action: str, id_: str) -> None:
        try:
            await self.socket.send(text)
        except ConnectionClosed:
            raise ChargerSilent(self.charger_id) from None
        self._note("out", action, id_, text, now())

    def speaks(self, action: str) -> None:
        """After the first answer it may be asked, and after a while for its state, unless it is just coming up."""
        if self.spoken:
            return
        self.spoken = True
        self.calls.open()
        if action == self.protocol.boot:
            self.clock = Clock()  # a boot may have taken its time, so what the last socket knew is worth nothing
        else:
            self.prepare(self.protocol.resync)

    def _is_quiet(self) -> None:
        """A charger that came back may stay silent until its next heartbeat; drivers should not wait for that."""
        if not self.spoken:
            self.central.spawn(self._ask_the_quiet())

    async def _ask_the_quiet(self) -> None:
        charger = await read(chargers.info, self.charger_id)
        if charger.booted_at is not None:
            self.speaks("")

    def prepare(self, work: Callable[["Connection"], Awaitable[None]]) -> None:
        """Do this with the charger once it has settled, in place of what was prepared before."""
        self.leave_alone()
        # A timer, not a task that sleeps: thousands may come at once.
        self._preparation = asyncio.get_running_loop().call_later(
            self.central.settled_in(), self._settled, work, context=self._context
        )

    def leave_alone(self) -> None:
        """What was prepared is not done, or not to its end."""
        if self._preparation is not None:
            self._preparation.cancel()

    def _settled(self, work: Callable[["Connection"], Awaitable[None]]) -> None:
        self._preparation = self.central.spawn(self._prepared(work))

    async def _prepared(self, work: Callable[["Connection"], Awaitable[None]]) -> None:
        try:
            await work(self)
        except ChargerSilent as error:
            log.info("set-up left unfinished", error=str(error))


def _outcome(answer: dict[str, Any] | Refusal) -> str:
    if isinstance(answer, Refusal):
        return "failed" if answer.code == frames.INTERNAL else "refused"
    return "answered"
