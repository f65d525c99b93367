"""Charges and movements of money are leafed through by time without walking past all others."""

from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    for name, table, time in (
        ("ix_charging_sessions_requested_at_id", "charging_sessions", "requested_at"),
        ("ix_transfers_created_at_id", "transfers", "created_at"),
    ):
        op.create_index(name, table, [time, "id"])
