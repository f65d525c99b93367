"""What an operator gave back of a bill."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("charging_sessions", sa.Column("given_back_paise", sa.BigInteger(), nullable=True))
