"""Copies a whole database into a new one of the other kind: the way from one small machine to many (docs/deploy.md)."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, Table, func, insert, make_url, select, text
from sqlmodel import SQLModel

from domain import models
from domain.db import Database

AT_ONCE = 1_000
"""Rows in one statement."""


class Unfit(Exception):
    """The one cannot be copied into the other; the argument is a sentence for whoever typed the command."""


def move(source: Connection, target: Connection) -> dict[str, int]:
    """Copy every row, parents first, and count ids on from where the old one was; gives the rows of each table.

    Raises:
        Unfit: the databases differ in their revision, or the new one is in use.
    """
    _check(source, target)
    tables = SQLModel.metadata.sorted_tables
    for table in reversed(tables):
        if table.name not in models.APPEND_ONLY:
            target.execute(table.delete())  # what migrations put there comes from the source, too
    return {table.name: _copy(table, source, target) for table in tables}


def _check(source: Connection, target: Connection) -> None:
    revision = text("SELECT version_num FROM alembic_version")
    if source.scalar(revision) != target.scalar(revision):
        raise Unfit("The databases are of different revisions: run `alembic upgrade head` on both.")
    if target.scalar(select(func.count()).select_from(models.User)):
        raise Unfit("The new database has users: it is in use.")


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


def _missing(url: str) -> Path | None:
    """The file of a SQLite database that is not there: to open it would make an empty one."""
    address = make_url(url)
    file = Path(address.database or "")
    return file if address.get_backend_name() == "sqlite" and not file.is_file() else None


def main(typed: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.move", description=__doc__)
    parser.add_argument("source", help="sqlite:///var/evapp.db")
    parser.add_argument("target", help="postgresql+psycopg://user@host/evapp, empty and migrated")
    given = parser.parse_args(typed)
    if (missing := _missing(given.source)) is not None:
        print(f"There is no database {missing}.", file=sys.stderr)
        return 1
    with (
        closing(Database(given.source)) as old,
        closing(Database(given.target)) as new,
        old.engine.connect() as reading,
        new.engine.connect().execution_options(writes=True) as writing,
    ):
        try:
            counts = move(reading, writing)
        except Unfit as error:
            print(error, file=sys.stderr)
            return 1
        writing.commit()
    for name, count in counts.items():
        print(f"{count:>10} {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
