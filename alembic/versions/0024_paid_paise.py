"""What went back of a refund where PhonePe paid back another amount than was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("refunds", sa.Column("paid_paise", sa.BigInteger(), nullable=True))
