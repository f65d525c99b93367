"""What is asked of a database meanwhile, statement by statement: for tests of how often it is asked, and what."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Engine, event


class Asked(NamedTuple):
    """One statement, with what was given for its parameters."""

    statement: str
    given: Any


@contextmanager
def asked(of: Engine | type[Engine] = Engine) -> Iterator[list[Asked]]:
    """Fills the list that it gives; without an engine with the statements of all."""
    found: list[Asked] = []

    def keep(_connection: object, _cursor: object, statement: str, given: Any, *_: object) -> None:
        found.append(Asked(statement, given))

    event.listen(of, "before_cursor_execute", keep)
    try:
        yield found
    finally:
        event.remove(of, "before_cursor_execute", keep)


def selects(found: list[Asked]) -> int:
    """How many of them only read."""
    return sum(one.statement.startswith("SELECT") for one in found)
