"""What we ask one charger: one question at a time, the most urgent first, and never into the middle of its own."""

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from enum import IntEnum
from itertools import count
from typing import Any
from uuid import uuid4

from csms import frames
from domain import metrics
from domain.bus import CallRefused, ChargerSilent

Say = Callable[[str, str, str], Awaitable[None]]
"""Sends a frame: the frame, its action, its id."""
WORDS = 300
"""Characters of a CALLERROR that whoever asked is told; OCPP-J allows its description 255."""


class Urgency(IntEnum):
    """Who goes first (ocpp.md Q17)."""

    DRIVER = 0
    OPERATOR = 1
    SETUP = 2


class Calls:
    """The calls of one socket (OCPP-J 4.1.1: one outstanding at a time).

    They wait until the charger's first message was answered, since some know nothing before that (ocpp.md Q9), and
    while a message of its own waits for our answer (Q18). Each caller waits for its turn and sends
    its own question; there is no task that sends for all.
    """

    def __init__(self, charger_id: str, say: Say, missed: Callable[[], None] = lambda: None) -> None:
        self._charger_id = charger_id
        self._say = say
        self._missed = missed
        """Called for each call that the charger left unanswered."""
        self._line: list[tuple[Urgency, int, asyncio.Future[None]]] = []
        self._order = count()
        self._taken = False
        self._pending: tuple[str, str, asyncio.Future[Any]] | None = None
        self._open = False
        self._answering = False
        self._gone = False
        self.owed_since: float | None = None
        """When it was asked to tell its state, as long as nothing of its own has come since."""

    @property
    def waiting(self) -> int:
        """Questions whose turn has not come."""
        return len(self._line)

    async def call(self, action: str, payload: dict[str, Any], *, urgency: Urgency, timeout: float) -> Any:
        """Ask, and give the payload of the answer; `timeout` in seconds from when the question is sent.

        Raises:
            ChargerSilent: no answer in time, or the socket went.
            CallRefused: the charger answered with a CALLERROR.
        """
        await self._turn(urgency)
        id_ = str(uuid4())
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending = (id_, action, answer)
        began, outcome = time.monotonic(), "silent"
        try:
            async with asyncio.timeout(timeout):
                await self._say(frames.call(id_, action, payload), action, id_)
                given = await answer
            outcome = "answered"
            return given
        except CallRefused:
            outcome = "refused"
            raise
        except TimeoutError:
            self._missed()
            raise ChargerSilent(self._charger_id) from None
        except asyncio.CancelledError:
            if answer.cancelled():
                self._missed()  # the bus was in more of a hurry than we
            raise
        finally:
            metrics.CALLS.add(action, outcome)
            if outcome != "silent":
                metrics.CALL_SECONDS.see(time.monotonic() - began, action)
            self._pending = None
            self._taken = False
            self._next()

    async def _turn(self, urgency: Urgency) -> None:
        if self._gone:
            raise ChargerSilent(self._charger_id)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._line, (urgency, next(self._order), turn))
        self._next()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._taken = False
                self._next()
            raise

    def _next(self) -> None:
        if self._taken or self._answering or not self._open:
            return
        while self._line:
            _, _, turn = heapq.heappop(self._line)
            if not turn.done():
                self._taken = True
                turn.set_result(None)
                return

    def asked(self, id_: Any) -> str | None:
        """The action of the open call of this id, if it is one."""
        return self._pending[1] if self._pending is not None and self._pending[0] == id_ else None

    def answered(self, id_: Any, payload: Any) -> str | None:
        """Hand a CALLRESULT to whoever waits; gives its action, or None for a late or unknown one (ocpp.md Q16)."""
        return self._settle(id_, lambda answer: answer.set_result(payload))

    def failed(self, id_: Any, code: str, description: str) -> str | None:
        """The same for a CALLERROR."""
        words = f"{code}: {description}" if description else code
        refusal = CallRefused(words[:WORDS])
        return self._settle(id_, lambda answer: answer.set_exception(refusal))

    def _settle(self, id_: Any, set_answer: Callable[["asyncio.Future[Any]"], None]) -> str | None:
        if self._pending is None or self._pending[0] != id_ or self._pending[2].done():
            return None
        _, action, answer = self._pending
        set_answer(answer)
        return action

    def pause(self) -> None:
        """A message of the charger waits for our answer."""
        self._answering, self.owed_since = True, None

    def resume(self) -> None:
        """It has its answer."""
        self._answering = False
        self._next()

    def open(self) -> None:
        """The charger is ready to be asked."""
        self._open = True
        self._next()

    def close(self) -> None:
        """The socket is gone: whoever waits learns it now."""
        self._gone = True
        waiting = [turn for _, _, turn in self._line]
        if self._pending is not None:
            waiting.append(self._pending[2])
        for future in waiting:
            if not future.done():
                future.set_exception(ChargerSilent(self._charger_id))
                future.exception()  # whoever was still sending hears it from the socket
        self._line.clear()
