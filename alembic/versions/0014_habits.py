"""Whether a charger must name its version of OCPP at the door, and how often it is pinged."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("chargers", sa.Column("subprotocol_required", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("chargers", sa.Column("ping_s", sa.Integer(), nullable=True))
