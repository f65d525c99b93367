"""Copies a whole database into a new one of the other kind: the way from one small machine to many (docs/deploy.md)."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Table, func, insert, inspect, make_url, select, text
from sqlmodel import SQLModel

from domain import complaints, models
from domain.db import Database
from domain.settings import DATABASES
from domain.triggers import APPEND_ONLY
from domain.urls import driver

AT_ONCE = 1_000
"""Rows in one statement."""


class Unfit(Exception):
    """The one cannot be copied into the other; the argument is a sentence for whoever typed the command."""


def move(source: Connection, target: Connection) -> dict[str, int]:
    """Copy every row, parents first, and count ids on from where the old one was; gives the rows of each table.

    Raises:
        Unfit: one is not migrated, they differ in their revision, or the new one is in use.
    """
    _check(source, target)
    tables = SQLModel.metadata.sorted_tables
    for table in reversed(tables):
        if table.name not in APPEND_ONLY:
            target.execute(table.delete())  # what migrations put there comes from the source, too
    return {table.name: _copy(table, source, target) for table in tables}


def _check(source: Connection, target: Connection) -> None:
    if _revision(source, "old") != _revision(target, "new"):
        raise Unfit("The databases are of different revisions: run `alembic upgrade head` on both.")
    if target.scalar(select(func.count()).select_from(models.User)):
        raise Unfit("The new database has users: it is in use.")


def _revision(connection: Connection, which: str) -> object:
    migrated = inspect(connection).has_table("alembic_version")
    found = connection.scalar(text("SELECT version_num FROM alembic_version")) if migrated else None
    if found is None:
        raise Unfit(f"The {which} database is not migrated: run `alembic upgrade head` on it first.")
    return found


def _copy(table: Table, source: Connection, target: Connection) -> int:
    within = (key.parent for key in table.foreign_keys if key.column.table is table)
    # What refers to a row of its own table comes after those that do not: notes after receipts.
    in_order = select(table).order_by(*(column.is_not(None) for column in within), *table.primary_key)
    rows = source.execution_options(yield_per=AT_ONCE).execute(in_order).mappings()
    count = 0
    for some in rows.partitions():
        target.execute(insert(table), [dict(row) for row in some])
        count += len(some)
    if target.dialect.name == "postgresql" and (counted := table.autoincrement_column) is not None:
        highest = func.greatest(select(func.max(counted)).scalar_subquery(), _numbered(table, source))
        sequence = func.pg_get_serial_sequence(table.name, counted.name)
        target.execute(select(func.setval(sequence, highest)).where(highest.is_not(None)))
    return count


def _numbered(table: Table, source: Connection) -> int | None:
    """The last id that SQLite has given: beyond the highest after a restore, which skips what chargers may know."""
    if source.dialect.name != "sqlite":
        return None
    given: int | None = source.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
    return given


def _addresses(source: str, target: str) -> None:
    """Two databases that the product can open, and not one twice."""
    for which, url in (("old", source), ("new", target)):
        if driver(url) not in DATABASES:
            raise Unfit(
                f"The {which} database's address is sqlite:////folder/evapp.db or postgresql+psycopg://user@host/database."
            )
    if _place(source) == _place(target):
        raise Unfit("The new database is the old one.")


def _place(url: str) -> object:
    address = make_url(url)
    return Path(address.database or "").resolve() if address.get_backend_name() == "sqlite" else address


def _moved(source: str, target: str) -> dict[str, int]:
    _addresses(source, target)
    with (
        closing(Database(source)) as old,
        closing(Database(target)) as new,
        old.engine.connect() as reading,
        new.engine.connect().execution_options(writes=True) as writing,
    ):
        counts = move(reading, writing)
        writing.commit()
    return counts


def main(typed: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.move", description=__doc__)
    parser.add_argument("source", help="sqlite:///var/evapp.db")
    parser.add_argument("target", help="postgresql+psycopg://user@host/evapp, empty and migrated")
    given = parser.parse_args(typed)
    try:
        counts = _moved(given.source, given.target)
    except Unfit as error:
        return _failed(str(error))
    except complaints.KNOWN as error:
        return _failed(complaints.complaint(error))
    for name, count in counts.items():
        print(f"{count:>10} {name}")
    return 0


def _failed(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
