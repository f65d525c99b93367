"""Charges that are not over, money that is held and findings that wait are found without what is over."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

NOT_OVER = sa.text("state IN ('REQUESTED', 'AWAITING_PLUG', 'CHARGING', 'STOPPING', 'INTERRUPTED')")
HELD = sa.text("state = 'OPEN'")
WAITS = sa.text("resolved_at IS NULL")


def upgrade() -> None:
    for name, table, columns, where in (
        ("ix_charging_sessions_not_over", "charging_sessions", ["charger_id", "connector_number"], NOT_OVER),
        ("ix_holds_open", "holds", ["session_id"], HELD),
        ("ix_findings_open", "findings", ["kind"], WAITS),
    ):
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
