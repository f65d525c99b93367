"""Engines for tests in this process, quicker than the product's: nothing is forced to the disk, and what is asked of
databases of one kind is compiled once for all of them, which took a third of a test's time.

A killed process loses nothing by the former, a machine would; what the product asks of SQLite has a test of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event
from sqlmodel import create_engine

from domain import db

_kin: dict[str, Engine] = {}
"""The first engine of each kind that has connected, and so knows its database."""


@contextmanager
def engines() -> Iterator[tuple[str, ...]]:
    """Meanwhile every `Database` has such an engine; gives what the product asks of SQLite."""
    asked = db.PRAGMAS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "create_engine", _engine)
        patch.setattr(db, "PRAGMAS", tuple(one.replace("=FULL", "=OFF") for one in asked))
        yield asked


def _engine(url: str, **options: Any) -> Engine:
    engine = create_engine(url, **options)
    if (kin := _kin.get(engine.dialect.name)) is None:
        event.listen(engine, "engine_connect", partial(_connected, engine), once=True)
        return engine
    # Compiled statements are kept by dialect.
    engine.dialect = engine.pool._dialect = kin.dialect
    engine._compiled_cache = kin._compiled_cache
    return engine


def _connected(engine: Engine, _connection: Connection) -> None:
    _kin.setdefault(engine.dialect.name, engine)
