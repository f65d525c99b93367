"""What operators did and why, when a sign-in last proved its PIN for it, and what came of a finding."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("sign_ins", sa.Column("stepped_up_at", TIME, nullable=True))
    op.add_column("findings", sa.Column("resolved_by", sa.String(length=100), nullable=True))
    op.add_column("findings", sa.Column("resolution", sa.String(length=500), nullable=True))
    op.create_table(
        "trail",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("actor_kind", sa.String(length=5), nullable=False),
        sa.Column("actor_id", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("detail", sa.String(length=2000), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.CheckConstraint("actor_kind IN ('user', 'key', 'shell')", name=op.f("ck_trail_known_actor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trail")),
    )
    op.create_index("ix_trail_subject_id", "trail", ["subject", "id"])
    op.create_index("ix_trail_actor_kind_actor_id_id", "trail", ["actor_kind", "actor_id", "id"])
    protect()


def protect() -> None:
    """The trail takes new rows only."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER trail_no_{verb} BEFORE {verb.upper()} ON trail "
                "BEGIN SELECT RAISE(ABORT, 'trail is append-only'); END"
            )
        return
    for name, when, each in (("append_only", "UPDATE OR DELETE", "ROW"), ("no_truncate", "TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER trail_{name} BEFORE {when} ON trail FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )
