"""The car a driver charges."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "vehicles",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("battery_wh", sa.BigInteger(), nullable=False),
        sa.Column("ac_w", sa.BigInteger(), nullable=False),
        sa.Column("dc_w", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("battery_wh >= 0 AND ac_w >= 0 AND dc_w >= 0", name=op.f("ck_vehicles_not_negative")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_vehicles_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_vehicles")),
    )
