"""A payment is found by the bank's reference and PhonePe's numbers, and a charge by its card, without reading all others."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

BY_CARD = sa.text("card IS NOT NULL")


def upgrade() -> None:
    for column in ("gateway_order_id", "gateway_transaction_id", "utr"):
        op.create_index(f"ix_recharge_orders_{column}", "recharge_orders", [column])
    op.create_index(
        "ix_charging_sessions_card", "charging_sessions", ["card"], sqlite_where=BY_CARD, postgresql_where=BY_CARD
    )
