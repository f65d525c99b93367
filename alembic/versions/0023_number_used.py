"""Which charges' numbers their chargers have used: a start like theirs is another charge from then on."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("charging_sessions", sa.Column("number_used", sa.Boolean(), server_default=sa.false(), nullable=False))
