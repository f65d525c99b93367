"""A database server that starts again or fails over is waited for, so that nobody loses a message by it."""

import random
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from domain.logs import first_line

T = TypeVar("T")
Work = TypeVar("Work", bound=Callable[..., Any])

log = structlog.get_logger()

AWAY = {None, "57P01", "57P02", "57P03", "53300", "08000", "08001", "08003", "08004", "08006"}
"""PostgreSQL's codes: no connection, one that went, a server that stops, crashed, starts or is full."""
AWAY_S = 20.0
"""So long a server may be away before whoever needs it is told so: chargers wait 30 s for an answer."""
MOMENT_S = 0.2
"""So long whoever comes after that waits for another's question to be answered: one that is back does so at once."""
FOUND_DEAD = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 14_000,
}
"""When a server whose machine is gone is noticed: in seconds while nothing is said, where the system's own would be two
hours, and in milliseconds once something was, where it would be a quarter of an hour. Other systems than Linux leave
the last out."""


class CommitUnknown(SQLAlchemyError):
    """The connection went during COMMIT: what was written may be kept or not. Whoever asks again finds out."""


def counts_once(work: Work) -> Work:
    """Mark a transaction that counts once however often it is run, as what chargers say does (payments.md C5, C6).

    It is run again when nobody knows whether it was kept.
    """
    work.counts_once = True  # type: ignore[attr-defined]
    return work


class Patience:
    """Of one database, for all of its threads."""

    def __init__(self, ping: Callable[[], object]) -> None:
        self._ping = ping
        self._since: float | None = None
        """When the server was found away."""
        self._asking = threading.Lock()

    def run(self, once: Callable[..., T], *given: Any) -> T:
        """Run it, again and again while the server is away, for AWAY_S in all.

        Nothing is done twice: what was not committed is gone with its connection.
        """
        while True:
            if self._long_away():
                self._ask()
            try:
                result = once(*given)
            except (DBAPIError, psycopg.Error) as error:
                if not away(error) or not self._lasts(error):
                    raise
                time.sleep(random.uniform(0.1, 0.3))
            else:
                self._is_back()
                return result

    def _ask(self) -> None:
        """Ask whether it is back; while one does, the others are told that it is away: it may take its time to say so.

        Raises:
            OperationalError: it is away.
        """
        if not self._asking.acquire(timeout=MOMENT_S):
            raise OperationalError(None, None, psycopg.OperationalError("The database is away."))
        try:
            if self._long_away():
                self._ping()
                self._is_back()
        finally:
            self._asking.release()

    def _lasts(self, error: Exception) -> bool:
        if self._since is None:
            self._since = time.monotonic()
            log.warning("database away", error=first_line(error)[:200])
        return not self._long_away()

    def _long_away(self) -> bool:
        since = self._since
        return since is not None and time.monotonic() - since >= AWAY_S

    def _is_back(self) -> None:
        since, self._since = self._since, None
        if since is not None:
            log.warning("database back", away_s=round(time.monotonic() - since, 1))


def away(error: DBAPIError | psycopg.Error) -> bool:
    """Whether it says that the server, or the connection to it, is gone."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(origin, psycopg.OperationalError) and origin.sqlstate in AWAY
