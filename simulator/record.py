"""Everything said on a charger's line, kept so that a test waits for it instead of sleeping."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
Payload = dict[str, Any]

KEPT = 5_000
"""Messages kept each way; a demo charger runs for days."""
PATIENCE_SECONDS = 20.0
"""Real seconds a test waits for what must come."""


@dataclass(eq=False)
class Exchange:
    """One CALL and what came back for it."""

    id: str
    action: str
    payload: Payload
    answer: Payload | None = None
    error: tuple[str, str] | None = None
    """Code and description of a CALLERROR."""

    @property
    def closed(self) -> bool:
        return self.answer is not None or self.error is not None

    def fits(self, action: str, fields: Payload) -> bool:
        """Tell whether this is such a call, with at least these fields in its payload."""
        return self.action == action and all(self.payload.get(name) == value for name, value in fields.items())


class Record:
    """What was said, in order, and who waits for more."""

    def __init__(self) -> None:
        self.sent: deque[Exchange] = deque(maxlen=KEPT)
        """CALLs of the charger."""
        self.received: deque[Exchange] = deque(maxlen=KEPT)
        """CALLs of the central system."""
        self.heard: deque[Any] = deque(maxlen=KEPT)
        """Every frame of the central system, parsed when it is JSON."""
        self.broken: BaseException | None = None
        """A mistake of the simulator itself, raised to whoever waits."""
        self._watchers: set[asyncio.Future[None]] = set()

    def changed(self) -> None:
        """Let everybody who waits look again."""
        watchers, self._watchers = self._watchers, set()
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)

    def close(self, exchange: Exchange, *, answer: Payload | None = None, error: tuple[str, str] | None = None) -> None:
        """Note what a call was answered with."""
        exchange.answer, exchange.error = answer, error
        self.changed()

    async def until(self, look: Callable[[], T | None], within: float | None, complaint: Callable[[], str]) -> T:
        """Give what `look` finds, looking again at every change.

        Raises:
            TimeoutError: nothing was found in `within` real seconds; the complaint says what was there instead.
        """
        try:
            async with asyncio.timeout(within):
                while (found := look()) is None:
                    if self.broken:
                        raise self.broken
                    watcher: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._watchers.add(watcher)
                    await watcher
        except TimeoutError:
            raise TimeoutError(f"{complaint()} (waited {within:g} s)") from None
        return found


class Witness:
    """What a test may ask about a charger's line. Counts and fields pick one call; `within` is in real seconds.

    All raise TimeoutError, with a sentence about what was there instead, when the awaited does not come.
    """

    def __init__(self, identity: str) -> None:
        self.identity = identity
        self.record = Record()

    @property
    def received(self) -> list[Exchange]:
        """Every call of the central system, oldest first."""
        return list(self.record.received)

    async def sent(
        self, action: str, *, count: int = 1, within: float | None = PATIENCE_SECONDS, **fields: Any
    ) -> Exchange:
        """The count-th call of this action with these fields in its payload, as soon as it is sent."""
        return await self._call("sent", lambda: self.record.sent, action, count, within, fields)

    async def answered(
        self, action: str, *, count: int = 1, within: float | None = PATIENCE_SECONDS, **fields: Any
    ) -> Exchange:
        """The same, once the central system has answered it by a result or an error."""
        return await self._call(
            "had an answer to",
            lambda: [exchange for exchange in self.record.sent if exchange.closed],
            action,
            count,
            within,
            fields,
        )

    async def asked(
        self, action: str, *, count: int = 1, within: float | None = PATIENCE_SECONDS, **fields: Any
    ) -> Exchange:
        """The count-th such call of the central system, with what the charger answered, if anything."""
        return await self._call("was asked for", lambda: self.record.received, action, count, within, fields)

    async def reply_to(self, message_id: str, *, count: int = 1, within: float | None = PATIENCE_SECONDS) -> list[Any]:
        """The count-th CALLRESULT or CALLERROR frame that carries this id, for calls sent raw."""

        def look() -> list[Any] | None:
            replies = [frame for frame in self.record.heard if _replies(frame, message_id)]
            return replies[count - 1] if len(replies) >= count else None

        return await self.record.until(look, within, lambda: f"{self.identity} heard no reply to {message_id}")

    async def _call(
        self,
        verb: str,
        exchanges: Callable[[], Iterable[Exchange]],
        action: str,
        count: int,
        within: float | None,
        fields: Payload,
    ) -> Exchange:
        def look() -> Exchange | None:
            fitting = [exchange for exchange in exchanges() if exchange.fits(action, fields)]
            return fitting[count - 1] if len(fitting) >= count else None

        return await self.record.until(
            look,
            within,
            lambda: (
                f"{self.identity} never {verb} {action} {fields or ''} (number {count}), but {summary(exchanges())}"
            ),
        )


def summary(exchanges: Iterable[Exchange]) -> str:
    """How often there was what, for a person who waited for something else."""
    counted = Counter(exchange.action for exchange in exchanges)
    return ", ".join(f"{action} x{times}" for action, times in counted.items()) or "nothing"


def _replies(frame: Any, message_id: str) -> bool:
    return isinstance(frame, list) and len(frame) > 1 and frame[0] in (3, 4) and frame[1] == message_id
