"""PostgreSQL refuses TRUNCATE of what was written about money, too; SQLite knows no such statement."""

from alembic import op

revision = "0007"
down_revision = "0006"

APPEND_ONLY = ("transfers", "entries", "gateway_events", "receipts")


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
