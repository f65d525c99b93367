"""What a charger read when its set-up was written, so that one that keeps its own values is not written to again."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("chargers", sa.Column("set_up_tried", sa.String(), nullable=True))
