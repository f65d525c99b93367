"""Firms that are registered for GST, and the receipts that are made out to them."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.create_table(
        "firms",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("gstin", sa.String(length=15), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_firms_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_firms")),
    )
    op.add_column("receipts", sa.Column("buyer", sa.String(), nullable=True))
