"""What drivers choose: favourite chargers, and being told when one is free."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "favourites",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("charger_id", sa.String(length=48), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"], name=op.f("fk_favourites_charger_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_favourites_user_id")),
        sa.PrimaryKeyConstraint("user_id", "charger_id", name=op.f("pk_favourites")),
    )
    op.create_table(
        "vacancy_wishes",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("charger_id", sa.String(length=48), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"], name=op.f("fk_vacancy_wishes_charger_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_vacancy_wishes_user_id")),
        sa.PrimaryKeyConstraint("user_id", "charger_id", name=op.f("pk_vacancy_wishes")),
    )
    op.create_index(op.f("ix_vacancy_wishes_charger_id"), "vacancy_wishes", ["charger_id"])
