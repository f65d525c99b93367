"""What a program says instead of a trace when it cannot go on: one table for shells, servers and migrations."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from domain.db import DatabaseMissing
from domain.logs import first_line
from domain.patience import CommitUnknown
from domain.settings import SettingsError

LOCKED = "55P03"
"""PostgreSQL's code for a lock that was waited for too long."""


def complaint(error: Exception) -> str:
    """A sentence for whoever started the program, or one a line; of an error that is one of `KNOWN`."""
    return next(says(error) for kind, says in _SAYS.items() if isinstance(error, kind))


@contextlib.contextmanager
def instead_of_a_trace() -> Iterator[None]:
    """Whatever of `KNOWN` happens within ends the program with its sentence, and code 1: bad news."""
    try:
        yield
    except KNOWN as error:
        sys.exit(complaint(error))


def _unreadable(error: ValidationError) -> str:
    return "\n".join(f"EVAPP_{str(one['loc'][0]).upper()}: {one['msg']}." for one in error.errors())


def _unknown(_: CommitUnknown) -> str:
    return (
        "Nobody knows whether it was done: the connection to the database went while it was being kept. "
        "Look before you type it again."
    )


def _not_done(error: DBAPIError) -> str:
    if getattr(error.orig, "sqlstate", None) == LOCKED:
        return "The database did not do it: others have a table in use, as a dump has. Try again when they are done."
    said = first_line(error.orig or error).rstrip(".")
    return f"The database did not do it: {said}. Is it there and migrated (make migrate)?"


def _system(error: OSError) -> str:
    if error.filename is None:
        return f"The system refused: {first_line(error).rstrip('.')}."
    return f"{error.filename} cannot be used: {error.strerror}. Is EVAPP_VAR_DIR right, and yours?"


_SAYS: dict[type[Exception], Callable[[Any], str]] = {
    SettingsError: lambda error: "\n".join(error.args),
    ValidationError: _unreadable,
    DatabaseMissing: str,
    CommitUnknown: _unknown,
    DBAPIError: _not_done,
    SQLAlchemyError: lambda error: f"It could not be done with the database: {first_line(error).rstrip('.')}.",
    OSError: _system,
}
"""The first that fits speaks."""
KNOWN = tuple(_SAYS)
