"""What the database itself refuses: to change rows that are there for good, and the price that a charge began with.

Migrations make these triggers; a test compares a migrated database with what stands here.
"""

from sqlalchemy import DDL, event

from domain.models import Transfer

APPEND_ONLY = ("transfers", "entries", "gateway_events", "receipts", "trail")

SQLITE_TRIGGERS = {
    f"{table}_no_{verb}": f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    for table in APPEND_ONLY
    for verb in ("update", "delete")
}

POSTGRESQL_FUNCTION = (
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
)
POSTGRESQL_TRIGGERS = {
    f"{table}_append_only": f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    for table in APPEND_ONLY
} | {
    f"{table}_no_truncate": f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    for table in APPEND_ONLY
}

PRICE_STAYS = "charging_sessions_price_stays"
_PRICE = "paise_per_kwh, gst_basis_points, terms"
SQLITE_TRIGGERS[PRICE_STAYS] = (
    f"CREATE TRIGGER {PRICE_STAYS} BEFORE UPDATE OF {_PRICE} ON charging_sessions "
    "WHEN NEW.paise_per_kwh <> OLD.paise_per_kwh OR NEW.gst_basis_points <> OLD.gst_basis_points "
    "OR NEW.terms IS NOT OLD.terms BEGIN SELECT RAISE(ABORT, 'the price of a charge stays'); END"
)
"""What a charge began with is what it costs (payments.md C21)."""
POSTGRESQL_PRICE_FUNCTION = (
    "CREATE OR REPLACE FUNCTION refuse_new_price() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the price of a charge stays'; END $$"
)
POSTGRESQL_PRICE_TRIGGER = (
    f"CREATE TRIGGER {PRICE_STAYS} BEFORE UPDATE OF {_PRICE} ON charging_sessions FOR EACH ROW "
    "WHEN ((OLD.paise_per_kwh, OLD.gst_basis_points, OLD.terms) IS DISTINCT FROM "
    "(NEW.paise_per_kwh, NEW.gst_basis_points, NEW.terms)) EXECUTE FUNCTION refuse_new_price()"
)


def _ddl(statement: str) -> DDL:
    return DDL(statement)  # type: ignore[no-untyped-call]


def _with(table: str, dialect: str, *statements: str) -> None:
    for statement in statements:
        ddl = _ddl(statement.replace("%", "%%")).execute_if(dialect=dialect)
        event.listen(Transfer.metadata.tables[table], "after_create", ddl)


for _name in APPEND_ONLY:
    _with(_name, "sqlite", *(SQLITE_TRIGGERS[f"{_name}_no_{verb}"] for verb in ("update", "delete")))
    _triggers = (POSTGRESQL_TRIGGERS[f"{_name}_{ending}"] for ending in ("append_only", "no_truncate"))
    _with(_name, "postgresql", POSTGRESQL_FUNCTION, *_triggers)
_with("charging_sessions", "sqlite", SQLITE_TRIGGERS[PRICE_STAYS])
_with("charging_sessions", "postgresql", POSTGRESQL_PRICE_FUNCTION, POSTGRESQL_PRICE_TRIGGER)
