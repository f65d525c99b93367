"""A set-up that a charger is owed since its boot."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("chargers", sa.Column("set_up_due", sa.Boolean(), server_default=sa.false(), nullable=False))
