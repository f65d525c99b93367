"""The migrations, worked from nothing, make exactly the database that the models describe."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel, select

from domain import history, receipts, tariffs
from domain.db import Database
from domain.models import Chore, now
from domain.prices import Line
from domain.triggers import APPEND_ONLY
from tests.databases import ROOT, migrate

DEFINITIONS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'index')",
    "postgresql": """
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL
        SELECT tgname, pg_get_triggerdef(t.oid) || prosrc
        FROM pg_trigger t JOIN pg_proc p ON p.oid = tgfoid WHERE NOT tgisinternal
    """,
}
"""Triggers and indexes, with their conditions, in the database's own words."""
ROW = {
    "transfers": "INSERT INTO transfers (idem_key, fingerprint, kind, ref, description, event_at, created_at) "
    "VALUES ('k', 'f', 'recharge', '', '', '2026-01-01', '2026-01-01')",
    "entries": "INSERT INTO entries (transfer_id, account_code, amount_paise, balance_after_paise, account_version, "
    "created_at) VALUES (1, 'wallet:1', 1, 1, 1, '2026-01-01')",
    "gateway_events": "INSERT INTO gateway_events (kind, merchant_order_id, body, body_hash, created_at) "
    "VALUES ('pay', 'o', '{}', 'h', '2026-01-01')",
    "receipts": "INSERT INTO receipts (number, kind, session_id, total_paise, gst_paise, gst_basis_points, facts, "
    "created_at) VALUES ('EV/26-27/0000001', 'EV', 1, 100, 15, 1800, '{}', '2026-01-01')",
    "trail": "INSERT INTO trail (actor_kind, actor_id, action, subject, detail, at) "
    "VALUES ('user', '7', 'user block', 'user:9', 'why', '2026-01-01')",
}
CHARGER = (
    "INSERT INTO chargers (id, find_key, name, place, vendor, model, serial, firmware, key_hash, online, trace, "
    "created_at) VALUES ('C', 'C', '', '', '', '', '', '', '', false, false, '2026-01-01')"
)
SESSION = (
    "INSERT INTO charging_sessions (id, ref, charger_id, connector_number, state, tag, paise_per_kwh, "
    "gst_basis_points, requested_at, power_w, suspended, stop_cause, stop_reason, stop_tries, energy_wh, cost_paise, "
    "gst_paise, arrears_paise, estimated, review, receipt_number, updated_at) VALUES (1, 'R', 'C', 1, 'SETTLED', 'T', "
    "1800, 1800, '2026-01-01', 0, '', '', '', 0, 55, 100, 15, 0, false, '', 'EV/26-27/0000001', '2026-01-01')"
)
ACCOUNT = (
    "INSERT INTO accounts (code, kind, balance_paise, held_paise, allow_negative, version) "
    "VALUES ('wallet:1', 'wallet', 0, 0, false, 0)"
)


def shape(connection: Connection) -> dict[str, Any]:
    """Everything the database knows of its tables, in an order that does not matter."""
    look = inspect(connection)
    details = (look.get_columns, look.get_foreign_keys, look.get_check_constraints, look.get_unique_constraints)
    tables = {
        table: [sorted(map(repr, detail(table))) for detail in details] + [look.get_pk_constraint(table)]
        for table in look.get_table_names()
        if table != "alembic_version"
    }
    defined = connection.execute(text(DEFINITIONS[connection.dialect.name]))
    return {**tables, "defined": {name: definition for name, definition in defined}}


@pytest.fixture
def migrated(bare_database_url: str) -> Iterator[Database]:
    migrate(bare_database_url)
    with closing(Database(bare_database_url)) as database:
        yield database


@pytest.fixture
def kept(database_url: str) -> Iterator[Database]:
    """One that was migrated before, for what only asks what a migrated one lets be written."""
    with closing(Database(database_url)) as database:
        yield database


def test_alembic_sees_no_difference(migrated: Database) -> None:
    with migrated.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_the_shape_is_that_of_the_models(migrated: Database) -> None:
    with migrated.engine.connect().execution_options(writes=True) as connection:
        by_revisions = shape(connection)
        SQLModel.metadata.drop_all(connection)
        SQLModel.metadata.create_all(connection)
        assert by_revisions == shape(connection)
        assert any("append-only" in str(definition) for definition in by_revisions["defined"].values())


def test_migrating_again_changes_nothing(migrated: Database) -> None:
    with migrated.engine.connect() as connection:
        before = shape(connection)
    migrate(migrated.url)
    with migrated.engine.connect() as connection:
        assert shape(connection) == before


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_what_was_written_stays_written(kept: Database, table: str, change: str) -> None:
    with kept.engine.connect().execution_options(writes=True) as connection:
        for statement in (ACCOUNT, CHARGER, SESSION, *ROW.values()):
            connection.execute(text(statement))
        with pytest.raises(DBAPIError, match=f"{table} is append-only"):
            connection.execute(text(change.format(table, "at" if table == "trail" else "created_at")))


@pytest.mark.row("C21")
@pytest.mark.parametrize("change", ["paise_per_kwh = 1", "gst_basis_points = 0", "terms = '{}'"])
def test_the_price_of_a_charge_stays(kept: Database, change: str) -> None:
    """payments.md C21: a later tariff cannot reach a running or a past charge, whoever writes."""
    with kept.engine.connect().execution_options(writes=True) as connection:
        for statement in (CHARGER, SESSION):
            connection.execute(text(statement))
        connection.execute(text("UPDATE charging_sessions SET paise_per_kwh = 1800, terms = NULL, energy_wh = 56"))
        with pytest.raises(DBAPIError, match="the price of a charge stays"):
            connection.execute(text(f"UPDATE charging_sessions SET {change}"))  # noqa: S608


def test_postgresql_empties_no_table_of_money(postgresql_template: str) -> None:
    with closing(Database(postgresql_template)) as database:
        for table in APPEND_ONLY:
            with database.engine.connect() as connection, pytest.raises(DBAPIError, match=f"{table} is append-only"):
                connection.execute(text(f"TRUNCATE {table} CASCADE"))


OLD_SESSION = (
    "INSERT INTO charging_sessions (id, ref, charger_id, connector_number, state, tag, paise_per_kwh, "
    "gst_basis_points, requested_at, settled_at, stopped_at, power_w, suspended, stop_cause, stop_reason, stop_tries, "
    "energy_wh, cost_paise, gst_paise, arrears_paise, estimated, review, receipt_number, updated_at, user_id) VALUES "
    "(1, 'R', 'C', 1, 'SETTLED', 'T', 1800, 1800, '2026-01-01', '2026-01-01 10:00:00', '2026-01-01 09:59:00', 0, '', "
    "'', '', 0, 4000, 7200, 1098, 0, false, '', 'EV/25-26/0000001', '2026-01-01', 1)"
)
OLD_ROWS = (
    "INSERT INTO users (id, username, phone, email, pin_hash, role, failures, created_at) "
    "VALUES (1, 'asha', '+919845012345', '', '-', 'driver', 0, '2026-01-01')",
    CHARGER,
    OLD_SESSION,
    "INSERT INTO receipt_counters (financial_year, last) VALUES ('25-26', 1)",
    "INSERT INTO tariffs (charger_id, paise_per_kwh, gst_basis_points, effective_at, created_at) VALUES "
    "(NULL, 1700, 1800, '2026-01-01', '2026-01-01'), (NULL, 1800, 1800, '2026-01-01', '2026-01-01'), "
    "('C', 1900, 1800, '2026-01-01', '2026-01-01'), ('C', 2000, 1800, '2026-02-01', '2026-01-01')",
)


def test_receipts_and_prices_of_before_are_kept(bare_database_url: str) -> None:
    """0006: a number that was given keeps its figures, counting goes on after it, and the later of two prices holds."""
    migrate(bare_database_url, "0005")
    with closing(Database(bare_database_url)) as database:
        with database.engine.connect().execution_options(writes=True) as connection:
            for statement in OLD_ROWS:
                connection.execute(text(statement))
            connection.commit()
        migrate(bare_database_url)
        receipt, _ = database.now(receipts.of_charge, 1, "R")
        moment = datetime(2026, 1, 1, 10, tzinfo=UTC)
        assert (receipt.number, receipt.issued_at, receipt.stopped_at) == (
            "EV/25-26/0000001",
            moment,
            moment - timedelta(minutes=1),
        )
        assert (receipt.lines, receipt.total_paise, receipt.taxable_paise) == (
            (Line("energy", 4_000, 1_800, 7_200),),
            7_200,
            6_102,
        )
        assert database.now(receipts.next_number, moment)[0] == "EV/25-26/0000002"
        prices = [database.now(tariffs.price, charger, now())[0].paise_per_kwh for charger in ("C", "D")]
        assert prices == [2_000, 1_800]


def test_samples_of_before_are_found(bare_database_url: str) -> None:
    """0018: those of two charges that took turns, and a third charge that has none."""
    migrate(bare_database_url, "0017")
    numbered = (SESSION.replace("(1, 'R',", f"({n}, 'R{n}',").replace("0000001", f"000000{n}") for n in (1, 2, 3))
    samples = (
        f"INSERT INTO meter_samples (session_id, at, received_at, power_w) "  # noqa: S608
        f"VALUES ({session}, '2026-01-01', '2026-01-01', {watts})"
        for session, watts in ((1, 10), (2, 20), (1, 11), (1, 12), (2, 21))
    )
    with closing(Database(bare_database_url)) as database:
        with database.engine.connect().execution_options(writes=True) as connection:
            for statement in (CHARGER, *numbered, *samples):
                connection.execute(text(statement))
            connection.commit()
        migrate(bare_database_url)
        curves = [[watts for _, watts in database.now(history.curve, number)[0]] for number in (1, 2, 3)]
    assert curves == [[10, 11, 12], [20, 21], []]


def test_a_chore_of_before_was_finished_when_it_was_taken(bare_database_url: str) -> None:
    """0021: nobody knows better; and the version before, which writes no such moment, goes on."""
    migrate(bare_database_url, "0020")
    taken = "INSERT INTO chores (name, due_at, taken_at) VALUES ('{}', '2026-01-02', '2026-01-01 02:30:00')"
    with closing(Database(bare_database_url)) as database:
        with database.engine.connect().execution_options(writes=True) as connection:
            connection.execute(text(taken.format("books")))
            connection.commit()
        migrate(bare_database_url)
        with database.engine.connect().execution_options(writes=True) as connection:
            connection.execute(text(taken.format("late")))
            connection.commit()
        chores, _ = database.now(lambda db: {chore.name: chore.done_at for chore in db.exec(select(Chore))})
    assert chores == {"books": datetime(2026, 1, 1, 2, 30, tzinfo=UTC), "late": None}


def typed(url: str) -> subprocess.Popen[str]:
    """`alembic upgrade head`, as people and units have it."""
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    environment = {**os.environ, "EVAPP_DATABASE_URL": url}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_machines_that_start_together_migrate_once(bare_database_url: str) -> None:
    """Each waits for the one that came first, and then finds nothing left to do."""
    together = [typed(bare_database_url) for _ in range(3)]
    try:
        errors = [process.communicate(timeout=60)[1] for process in together]
    finally:
        for process in together:
            process.kill()
    assert [process.returncode for process in together] == [0, 0, 0], errors


@pytest.mark.parametrize("bare_database_url", ["postgresql"], indirect=True)
def test_a_dump_keeps_a_migration_waiting_and_nobody_else(bare_database_url: str) -> None:
    """Behind a lock that waits for a dump's, the version that runs would wait beyond its own patience, again and again,
    since its unit tries the migrations each second."""
    migrate(bare_database_url, "0023")
    with closing(Database(bare_database_url)) as database, database.engine.connect() as dump:
        dump.execute(text("SELECT count(*) FROM refunds"))
        migrating = typed(bare_database_url)
        with database.engine.connect() as server:
            while not server.execute(text("SELECT 1 FROM pg_locks WHERE NOT granted")).first():
                server.rollback()
                assert migrating.poll() is None
            server.execute(text("UPDATE refunds SET state = state"))
        _, said = migrating.communicate(timeout=60)
        assert (migrating.returncode, "others have a table in use" in said) == (1, True), said
    migrate(bare_database_url)


@pytest.mark.parametrize(
    ("revision", "code", "words"),
    [("9999", 0, "the database is ahead of this version"), ("another product", 255, "Can't locate revision")],
)
def test_a_database_of_a_newer_version_is_left_as_it_is(
    migrated: Database, revision: str, code: int, words: str
) -> None:
    """So the version before starts on it; a revision that is no later one of ours is still an error."""
    with migrated.engine.connect().execution_options(writes=True) as connection:
        connection.execute(text("ALTER TABLE chargers ADD COLUMN of_tomorrow VARCHAR"))
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        connection.commit()
        before = shape(connection)
    said = "".join((process := typed(migrated.url)).communicate(timeout=60))
    assert (process.returncode, words in said) == (code, True), said
    with migrated.engine.connect() as connection:
        assert shape(connection) == before
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == revision


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"EVAPP_PORT": "many"}, "EVAPP_PORT: Input should be a valid integer"),
        ({"EVAPP_DATABASE_URL": "mysql://evapp@db/evapp"}, "EVAPP_DATABASE_URL is sqlite:"),
        ({"EVAPP_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"}, "port 1 failed: Connection refused"),
    ],
    ids=["unreadable", "refused", "away"],
)
def test_what_keeps_it_from_migrating_is_a_sentence(tmp_path: Path, given: dict[str, str], words: str) -> None:
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    environment = {**os.environ, "EVAPP_VAR_DIR": str(tmp_path), **given}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert words in done.stderr


@pytest.mark.parametrize(
    ("wish", "words"),
    [("downgrade -1", "Migrations go forward only."), ("upgrade head --sql", "without --sql")],
    ids=["back", "as SQL"],
)
def test_what_migrations_cannot_do_is_a_sentence(tmp_path: Path, wish: str, words: str) -> None:
    """Both are a habit of whoever knows Alembic, and ended with a trace."""
    environment = {**os.environ, "EVAPP_VAR_DIR": str(tmp_path), "EVAPP_DATABASE_URL": ""}
    command = [sys.executable, "-m", "alembic", *wish.split()]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
    assert words in done.stderr
    assert not [*tmp_path.iterdir()]
