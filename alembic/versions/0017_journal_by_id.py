"""The journal is pruned by its ids, which ascend with time: an index of times was a seventh of each line's cost."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.drop_index("ix_ocpp_messages_created_at", table_name="ocpp_messages")
