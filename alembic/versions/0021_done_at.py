"""When a chore was last finished: one that is taken again and again and always fails has an age, too."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("chores", sa.Column("done_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE chores SET done_at = taken_at")
