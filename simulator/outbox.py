"""What a charger still has to tell: transaction messages it keeps and retries in order, and others it may lose."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.clock import Clock, within
from simulator.keys import Keys
from simulator.link import CallError, Unanswered
from simulator.record import Payload, Record

MEMORY = 2_000
"""Messages a charger has room for; beyond it the oldest meter values give way."""

Answered = Callable[[Payload | None], None]
"""Hears the answer, or None when there will be none."""


@dataclass
class TransactionNumber:
    """The transaction id the central system gives, known once StartTransaction was answered."""

    id: int | None = None


@dataclass(eq=False)
class Letter:
    """One message to deliver. With `number` it belongs to a transaction: kept while offline, in order, retried."""

    action: str
    payload: Payload
    number: TransactionNumber | None = None
    answered: Answered | None = None
    attempts: int = 0
    not_before: datetime | None = None

    def contents(self) -> Payload:
        if self.number is None or self.action == "StartTransaction":
            return self.payload
        return {**self.payload, "transactionId": self.number.id}


class Outbox:
    """Letters in the order they were written; survives a lost line and a power cut, as in a charger's flash."""

    def __init__(
        self,
        *,
        call: Callable[[str, Payload], Awaitable[Payload]],
        clock: Clock,
        keys: Keys,
        record: Record,
        say: Callable[[str], None],
    ) -> None:
        self._call, self._clock, self._keys, self._record, self._say = call, clock, keys, record, say
        self._letters: list[Letter] = []
        self._in_hand: Letter | None = None
        self._news = asyncio.Event()

    @property
    def waiting(self) -> list[str]:
        """The actions not delivered yet."""
        return [letter.action for letter in self._letters]

    def tell(self, action: str, payload: Payload, answered: Answered | None = None) -> None:
        """Send a message that is lost with the line."""
        self._put(Letter(action, payload, answered=answered))

    def keep(self, action: str, payload: Payload, number: TransactionNumber, answered: Answered | None = None) -> None:
        """Deliver a transaction-related message, now or later (1.6 section 3.7)."""
        self._put(Letter(action, payload, number, answered))
        if len(self._letters) > MEMORY:
            self._forget_a_sample()

    def disconnected(self) -> None:
        """Forget what is lost with the line."""
        for letter in [letter for letter in self._letters if letter.number is None]:
            self._drop(letter, None)

    async def deliver(self) -> None:
        """Send letter after letter for as long as the line holds.

        Raises:
            Lost: the line is gone; the letter in hand is kept if it belongs to a transaction.
        """
        while True:
            letter = self._next()
            if letter is None:
                await self._something_to_do()
            else:
                await self._send(letter)

    def _put(self, letter: Letter) -> None:
        self._letters.append(letter)
        self._news.set()

    def _forget_a_sample(self) -> None:
        samples = (letter for letter in self._letters if letter.action == "MeterValues" and letter is not self._in_hand)
        if oldest := next(samples, None):
            self._drop(oldest, None)

    def _next(self) -> Letter | None:
        """The oldest letter; while the first transaction letter waits for its retry, others overtake (1.6 3.7)."""
        transaction_turn = True
        for letter in self._letters:
            if letter.number is None:
                return letter
            if transaction_turn and (letter.not_before is None or letter.not_before <= self._clock.now()):
                return letter
            transaction_turn = False
        return None

    async def _something_to_do(self) -> None:
        self._news.clear()
        retry_at = self._letters[0].not_before if self._letters else None
        if retry_at is None:
            await self._news.wait()
            return
        with suppress(TimeoutError):
            await within(self._clock, (retry_at - self._clock.now()).total_seconds(), self._news.wait())

    async def _send(self, letter: Letter) -> None:
        self._in_hand = letter
        try:
            answer = await self._call(letter.action, letter.contents())
        except (CallError, Unanswered) as error:
            self._say(f"{letter.action} failed: {error}")
            self._retry_or_discard(letter)
        else:
            self._drop(letter, answer)

    def _retry_or_discard(self, letter: Letter) -> None:
        """Wait longer after each attempt, then give up (1.6 section 3.7.1)."""
        letter.attempts += 1
        if letter.number is not None and letter.attempts < self._keys.number("TransactionMessageAttempts"):
            wait = self._keys.number("TransactionMessageRetryInterval") * letter.attempts
            letter.not_before = self._clock.now() + timedelta(seconds=wait)
            return
        self._drop(letter, None)

    def _drop(self, letter: Letter, answer: Payload | None) -> None:
        self._letters.remove(letter)
        if letter.answered:
            letter.answered(answer)
        self._record.changed()
