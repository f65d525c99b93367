"""Cards, the health of chargers, what they report of their safety, reservations and local lists."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TIME = sa.DateTime(timezone=True)


def charger_id(table: str) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    return (
        sa.Column("charger_id", sa.String(length=48), nullable=False),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"], name=op.f(f"fk_{table}_charger_id")),
    )


def user_id(table: str) -> tuple[sa.Column, sa.ForeignKeyConstraint]:
    return (
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id")),
    )


def upgrade() -> None:
    op.add_column("chargers", sa.Column("next_key_hash", sa.String(length=100), nullable=True))
    op.add_column("charging_sessions", sa.Column("card", sa.String(length=20), nullable=True))
    op.create_table(
        "tokens",
        sa.Column("tag", sa.String(length=20), nullable=False),
        *user_id("tokens"),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("parent", sa.String(length=20), nullable=False),
        sa.Column("concurrent", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_tokens")),
    )
    for column in ("parent", "user_id"):
        op.create_index(op.f(f"ix_tokens_{column}"), "tokens", [column])
    op.create_table(
        "charger_health",
        *charger_id("charger_health"),
        sa.Column("connects", sa.Integer(), nullable=False),
        sa.Column("boots", sa.Integer(), nullable=False),
        sa.Column("repairs", sa.Integer(), nullable=False),
        sa.Column("unanswered", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("protocol_errors", sa.Integer(), nullable=False),
        sa.Column("last_protocol_error", sa.String(length=200), nullable=False),
        sa.Column("last_protocol_error_at", TIME, nullable=True),
        sa.Column("clock_skew_ms", sa.BigInteger(), nullable=True),
        sa.Column("boot_loop_at", TIME, nullable=True),
        sa.Column("energy_factor", sa.Integer(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("charger_id", name=op.f("pk_charger_health")),
    )
    op.create_table(
        "security_events",
        sa.Column("id", sa.Integer(), nullable=False),
        *charger_id("security_events"),
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("detail", sa.String(length=255), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_events")),
    )
    op.create_index("ix_security_events_charger_id_id", "security_events", ["charger_id", "id"])
    op.create_table(
        "reservations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *charger_id("reservations"),
        sa.Column("connector_number", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(length=20), nullable=False),
        sa.Column("parent", sa.String(length=20), nullable=False),
        *user_id("reservations"),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
        sa.UniqueConstraint("charger_id", "number", name=op.f("uq_reservations_charger_id_number")),
    )
    op.create_index("ix_reservations_charger_id_state", "reservations", ["charger_id", "state"])
    op.create_index(op.f("ix_reservations_user_id"), "reservations", ["user_id"])
    op.create_table(
        "local_lists",
        *charger_id("local_lists"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("entries", sa.String(), nullable=False),
        sa.Column("reported_version", sa.Integer(), nullable=True),
        sa.Column("reported_at", TIME, nullable=True),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("charger_id", name=op.f("pk_local_lists")),
    )
