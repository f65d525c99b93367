"""Who is at a finding, so that two at the desk do not do the same and none is left to the other."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("findings", sa.Column("taken_by", sa.String(length=100), nullable=True))
    op.add_column("findings", sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True))
