"""Two transactions that meet where a test wants them to, on a real PostgreSQL: what another process does just when this
one has sent a chosen statement."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import event, text

from domain.db import Database

LONGEST_S = 20.0
"""Longer than any lock is waited for."""
_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


@contextmanager
def meanwhile(database: Database, words: str, work: Callable[..., Any], *given: Any, **more: Any) -> Iterator[None]:
    """Once `database` has sent a statement with these words, another process does `work` in a transaction of its own.

    The first goes on when that is over, or waits for a lock of the first. What it raises is raised at the end; a
    statement that was never sent fails the test.
    """
    begun: list[Future[Any]] = []
    with closing(Database(database.url)) as other, ThreadPoolExecutor(1) as thread:

        def sent(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if words in statement and not begun:
                begun.append(thread.submit(other.now, work, *given, **more))
                _until_it_stands(other, begun[0])

        event.listen(database.engine, "after_cursor_execute", sent)
        try:
            yield
        finally:
            event.remove(database.engine, "after_cursor_execute", sent)
        assert begun, f"nothing with {words} was sent"
        begun[0].result(LONGEST_S)


def _until_it_stands(other: Database, work: "Future[Any]") -> None:
    """Until it is over or waits for a lock."""
    until = time.monotonic() + LONGEST_S
    with other.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watching:
        while not work.done() and not watching.execute(_WAITING).scalar():
            assert time.monotonic() < until, "it neither ends nor waits"
            time.sleep(0.005)
