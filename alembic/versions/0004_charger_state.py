"""The state a charger stands in: the place of supply, which decides between CGST with SGST and IGST."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("chargers", sa.Column("state", sa.String(length=40), nullable=True))
