"""How Alembic reaches the database: the one of the settings, opened as the product opens it.

Whoever types `alembic` is told in a sentence what keeps it from working, as the other shells tell it; a program that
calls it by `context.config.attributes` hears of the error itself.
"""

import sys
from contextlib import closing
from typing import Any, Literal

import structlog
from alembic import command, context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection
from sqlalchemy.types import TypeEngine
from sqlmodel import AutoString, SQLModel

from domain import complaints
from domain.db import Database
from domain.models import Utc
from domain.settings import settings

log = structlog.get_logger()

LOCK = 7_283_041_100
"""Held in PostgreSQL while migrating: of machines that start together one migrates, and the others wait for it."""
PATIENCE, TABLE_PATIENCE = "10min", "3s"
"""For that, and for a table that is in use, as by a dump: behind a lock that waits, everybody else waits, too, and the
version that runs has 5 s for it (domain/db.py)."""

TYPES: dict[type[Any], str] = {Utc: "sa.DateTime(timezone=True)"}
"""Types of our own, as revisions write them: a revision must outlive the models."""


def plain(kind: str, item: object, _: AutogenContext) -> str | Literal[False]:
    """Write a column's type with SQLAlchemy's own types only."""
    if kind != "type" or not isinstance(item, TypeEngine):
        return False
    if isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return TYPES.get(type(item), False)


def migrated(*, step: Any, **_: Any) -> None:
    log.info("migrated", revision=step.up_revision_id)


def migrate(url: str) -> None:
    """Work every revision in one transaction: a migration that fails leaves the database as it was.

    A database that a newer version has migrated is left alone: the version before may start on it.
    """
    with closing(Database(url, new=True)) as database:
        connection = database.engine.connect().execution_options(writes=True)
        if database.sqlite:
            # SQLite changes a table by copying and dropping it, which must not take the rows that point at it along.
            connection.connection.execute("PRAGMA foreign_keys=OFF")
        with connection:
            context.configure(
                connection=connection,
                target_metadata=SQLModel.metadata,
                render_as_batch=database.sqlite,
                render_item=plain,
                transactional_ddl=True,
                on_version_apply=migrated,  # type: ignore[arg-type]  # called by keyword, typed by position
            )
            with context.begin_transaction():
                if not database.sqlite:  # there, the transaction itself is the lock: BEGIN IMMEDIATE
                    _wait_for_turn(connection)
                if _ahead(context.get_context().get_current_revision(), context.script.get_current_head()):
                    return
                context.run_migrations()
                if database.sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()):
                    raise RuntimeError(f"rows point at rows that are gone, so nothing was migrated: {broken[:5]}")


def _ahead(revision: str | None, newest: str | None) -> bool:
    """Whether the database has a revision later than any of ours, which are numbered and go forward only."""
    ahead = (revision or "").isdecimal() and int(revision or 0) > int(newest or 0)
    if ahead:
        log.warning("the database is ahead of this version", revision=revision, newest=newest)
    return ahead


def _wait_for_turn(connection: Connection) -> None:
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{TABLE_PATIENCE}'")


def never() -> str:
    """Why what was typed is not done, whatever the database; nothing where it may be."""
    if context.is_offline_mode():
        return "Migrations read the database that they change: type it without --sql."
    if getattr(context.config.cmd_opts, "cmd", ())[:1] == (command.downgrade,):
        return (
            "Migrations go forward only. The version before runs on the database as it is, but for what docs/deploy.md "
            "says under Going back; there, restore a backup (docs/backup.md)."
        )
    return ""


if given := context.config.attributes.get("url"):
    migrate(given)
elif why := never():
    sys.exit(why)
else:
    with complaints.instead_of_a_trace():
        settings().check()
        migrate(settings().database)
