"""Refunds: money of a recharge on its way back, one at a time for each order."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

OPEN = sa.text("state IN ('NEW', 'UNKNOWN', 'PENDING', 'CONFIRMED')")


def upgrade() -> None:
    op.create_table(
        "refunds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("merchant_refund_id", sa.String(length=63), nullable=False),
        sa.Column("merchant_order_id", sa.String(length=63), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("amount_paise", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("gateway_refund_id", sa.String(length=80), nullable=False),
        sa.Column("error_code", sa.String(length=80), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_paise > 0", name=op.f("ck_refunds_positive")),
        sa.ForeignKeyConstraint(
            ["merchant_order_id"], ["recharge_orders.merchant_order_id"], name=op.f("fk_refunds_merchant_order_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_refunds_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("merchant_refund_id", name=op.f("uq_refunds_merchant_refund_id")),
        sa.UniqueConstraint("request_key", name=op.f("uq_refunds_request_key")),
    )
    for column in ("due_at", "merchant_order_id", "user_id"):
        op.create_index(op.f(f"ix_refunds_{column}"), "refunds", [column])
    op.create_index(
        "uq_refunds_open_order",
        "refunds",
        ["merchant_order_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
