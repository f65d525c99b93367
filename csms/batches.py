"""Gathers items while a batch is being written and writes what has gathered as the next one (performance.md 3)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

import structlog

from domain import metrics

log = structlog.get_logger()

T = TypeVar("T")
R = TypeVar("R")
Done = Callable[[R | None, Exception | None], None]
"""Hears what `write` gave for an item's batch, or why the item could not be written."""


class Batches(Generic[T, R]):
    """Adaptive group commit: a lone item is written at once, a thousand in the time of a few commits."""

    def __init__(self, write: Callable[[Sequence[T]], Awaitable[R]], what: str, linger_s: float = 0.0) -> None:
        self._write, self._what = write, what
        self._linger_s = linger_s
        """How long to gather before a batch is written, where nobody waits for it."""
        self._hurry = asyncio.Event()
        self._waiting: list[tuple[T, Done[R]]] = []
        self._writing: asyncio.Task[None] | None = None

    def add(self, item: T) -> "asyncio.Future[R]":
        """Have `item` written with the next batch; the future has what `write` gave for it, or its failure."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self.hand(item, partial(_settle, future))
        return future

    def hand(self, item: T, done: Done[R]) -> None:
        """The same for who wants to be called instead of waiting, which costs less."""
        self._waiting.append((item, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._run())

    async def finished(self) -> None:
        """Wait until nothing waits."""
        self._hurry.set()
        while self._writing is not None:
            await asyncio.wait([self._writing])

    async def _run(self) -> None:
        try:
            while self._waiting:
                if self._linger_s and not self._hurry.is_set():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._hurry.wait(), self._linger_s)
                batch, self._waiting = self._waiting, []
                await self._flush(batch)
        finally:
            self._writing = None

    async def _flush(self, batch: "list[tuple[T, Done[R]]]") -> None:
        metrics.BATCH_ITEMS.see(len(batch), self._what)
        try:
            given = await self._write([item for item, _ in batch])
        except Exception as error:
            if len(batch) == 1:
                _tell(batch[0][1], None, error)
                return
            # One item that cannot be written must not cost the others theirs.
            for single in batch:
                await self._flush([single])
            return
        for _, done in batch:
            _tell(done, given, None)


def _tell(done: Done[R], given: R | None, error: Exception | None) -> None:
    """Whoever fails when told must not leave the others of his batch waiting for ever."""
    try:
        done(given, error)
    except Exception:
        log.exception("what waited for a batch failed")


def _settle(future: "asyncio.Future[R]", given: R | None, error: Exception | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(given)  # type: ignore[arg-type]
