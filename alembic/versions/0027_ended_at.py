"""Until when a price holds: one that a charger or a group has of its own can end, and the next wider one counts again.

The version before this one goes on asking the price that has ended, until its processes are gone.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("tariffs", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
