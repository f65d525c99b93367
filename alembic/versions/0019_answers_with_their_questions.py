"""The journal keeps an answer with its question: two rows for each message cost more than to serve it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("ocpp_messages", sa.Column("answer", sa.String(), nullable=True))
    op.add_column("ocpp_messages", sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True))
