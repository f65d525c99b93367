"""What an estimate says flowed unheard before a pause: the pause that ended had forgotten it."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("charging_sessions", sa.Column("unheard_wh", sa.BigInteger(), server_default="0", nullable=False))
