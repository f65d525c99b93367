"""The language the app speaks to a driver."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE users ADD COLUMN language VARCHAR(2) NOT NULL DEFAULT 'en' "
        "CONSTRAINT ck_users_known_language CHECK (language IN ('en', 'hi'))"
    )
