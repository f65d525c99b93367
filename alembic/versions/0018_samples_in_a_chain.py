"""A sample names the one before it and its session the last: their index was two fifths of what the writer does.

The tables that grow with every message are counted in 64 bits, which SQLite has always done.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.add_column("meter_samples", sa.Column("before_id", sa.BigInteger(), nullable=True))
    op.add_column("charging_sessions", sa.Column("last_sample_id", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE meter_samples SET before_id = (SELECT max(b.id) FROM meter_samples b"
        " WHERE b.session_id = meter_samples.session_id AND b.id < meter_samples.id)"
    )
    op.execute(
        "UPDATE charging_sessions SET last_sample_id = (SELECT max(s.id) FROM meter_samples s"
        " WHERE s.session_id = charging_sessions.id)"
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in ("meter_samples", "ocpp_messages"):
            op.alter_column(table, "id", type_=sa.BigInteger())
            op.execute(f"ALTER SEQUENCE {table}_id_seq AS bigint")
    op.drop_index("ix_meter_samples_session_id_id", table_name="meter_samples")
