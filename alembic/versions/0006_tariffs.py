"""Tariffs of several parts, groups of chargers, prices that stay, and receipts kept as they were given."""

import json

import sqlalchemy as sa
from alembic import op

from domain.settings import settings

revision = "0006"
down_revision = "0005"

COMMON = sa.text("charger_id IS NULL AND group_name IS NULL")
NUMBERED = sa.text("receipt_number <> ''")
IDLING = sa.text("idle_since IS NOT NULL")
PRICE = "paise_per_kwh, gst_basis_points, terms"
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("chargers", sa.Column("group_name", sa.String(length=40), nullable=True))
    op.create_index(op.f("ix_chargers_group_name"), "chargers", ["group_name"])
    op.add_column("charging_sessions", sa.Column("terms", sa.String(), nullable=True))
    op.add_column("charging_sessions", sa.Column("counted", sa.String(), nullable=True))
    op.add_column("charging_sessions", sa.Column("idle_since", TIME, nullable=True))
    op.create_index(
        "uq_charging_sessions_receipt_number",
        "charging_sessions",
        ["receipt_number"],
        unique=True,
        sqlite_where=NUMBERED,
        postgresql_where=NUMBERED,
    )
    op.create_index(
        "ix_charging_sessions_idling",
        "charging_sessions",
        ["charger_id", "connector_number"],
        sqlite_where=IDLING,
        postgresql_where=IDLING,
    )
    renew_tariffs()
    renew_counters()
    create_receipts()
    protect()
    keep_receipts()


def renew_tariffs() -> None:
    """Of two prices of one charger from the same moment on, the later word stays, as it was in force."""
    old = op.get_bind().execute(
        sa.text(
            "SELECT charger_id, paise_per_kwh, gst_basis_points, effective_at, created_at FROM tariffs t "
            "WHERE NOT EXISTS (SELECT 1 FROM tariffs later WHERE later.id > t.id "
            "AND later.effective_at = t.effective_at "
            "AND COALESCE(later.charger_id, '') = COALESCE(t.charger_id, '')) ORDER BY id"
        )
    )
    rows = [dict(row) for row in old.mappings()]
    op.drop_table("tariffs")
    op.create_table(
        "tariffs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("charger_id", sa.String(length=48), nullable=True),
        sa.Column("group_name", sa.String(length=40), nullable=True),
        sa.Column("paise_per_kwh", sa.BigInteger(), nullable=False),
        sa.Column("gst_basis_points", sa.Integer(), nullable=False),
        sa.Column("start_paise", sa.BigInteger(), nullable=True),
        sa.Column("per_minute_paise", sa.BigInteger(), nullable=True),
        sa.Column("idle_after_minutes", sa.Integer(), nullable=True),
        sa.Column("idle_per_minute_paise", sa.BigInteger(), nullable=True),
        sa.Column("effective_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint(
            "paise_per_kwh >= 0 AND start_paise >= 0 AND per_minute_paise >= 0 AND idle_per_minute_paise >= 0",
            name=op.f("ck_tariffs_not_negative"),
        ),
        sa.CheckConstraint("gst_basis_points BETWEEN 0 AND 10000", name=op.f("ck_tariffs_gst_below_all")),
        sa.CheckConstraint("charger_id IS NULL OR group_name IS NULL", name=op.f("ck_tariffs_one_scope")),
        sa.CheckConstraint(
            "(idle_per_minute_paise IS NULL) = (idle_after_minutes IS NULL) "
            "AND (idle_after_minutes IS NULL OR idle_after_minutes BETWEEN 5 AND 1440)",
            name=op.f("ck_tariffs_idle_after_a_warning"),
        ),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"], name=op.f("fk_tariffs_charger_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tariffs")),
        sa.UniqueConstraint("charger_id", "effective_at", name=op.f("uq_tariffs_charger_id_effective_at")),
        sa.UniqueConstraint("group_name", "effective_at", name=op.f("uq_tariffs_group_name_effective_at")),
    )
    op.create_index(
        "uq_tariffs_common_effective_at",
        "tariffs",
        ["effective_at"],
        unique=True,
        sqlite_where=COMMON,
        postgresql_where=COMMON,
    )
    columns = ("charger_id", "paise_per_kwh", "gst_basis_points", "effective_at", "created_at")
    for row in rows:
        op.get_bind().execute(
            sa.text(
                f"INSERT INTO tariffs ({', '.join(columns)}) VALUES ({', '.join(f':{name}' for name in columns)})"
            ),
            row,
        )
    op.create_table(
        "tariff_bands",
        sa.Column("tariff_id", sa.Integer(), nullable=False),
        sa.Column("since_minute", sa.Integer(), nullable=False),
        sa.Column("until_minute", sa.Integer(), nullable=False),
        sa.Column("paise_per_kwh", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "since_minute BETWEEN 0 AND 1439 AND until_minute BETWEEN 0 AND 1439", name=op.f("ck_tariff_bands_of_a_day")
        ),
        sa.CheckConstraint("since_minute <> until_minute", name=op.f("ck_tariff_bands_not_empty")),
        sa.CheckConstraint("paise_per_kwh >= 0", name=op.f("ck_tariff_bands_not_negative")),
        sa.ForeignKeyConstraint(["tariff_id"], ["tariffs.id"], name=op.f("fk_tariff_bands_tariff_id")),
        sa.PrimaryKeyConstraint("tariff_id", "since_minute", name=op.f("pk_tariff_bands")),
    )


def renew_counters() -> None:
    rows = [dict(r) for r in op.get_bind().execute(sa.text("SELECT financial_year, last FROM receipt_counters")).mappings()]
    op.drop_table("receipt_counters")
    counters = op.create_table(
        "receipt_counters",
        sa.Column("series", sa.String(length=2), nullable=False),
        sa.Column("financial_year", sa.String(length=5), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", "financial_year", name=op.f("pk_receipt_counters")),
    )
    op.bulk_insert(counters, [{"series": "EV", **row} for row in rows])


def create_receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=2), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("corrects", sa.String(length=16), nullable=True),
        sa.Column("total_paise", sa.BigInteger(), nullable=False),
        sa.Column("gst_paise", sa.BigInteger(), nullable=False),
        sa.Column("gst_basis_points", sa.Integer(), nullable=False),
        sa.Column("facts", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("kind IN ('EV', 'CN', 'DN')", name=op.f("ck_receipts_known_kind")),
        sa.CheckConstraint(
            "total_paise > 0 AND gst_paise BETWEEN 0 AND total_paise", name=op.f("ck_receipts_gst_within_total")
        ),
        sa.CheckConstraint("(kind = 'EV') = (corrects IS NULL)", name=op.f("ck_receipts_notes_correct_a_receipt")),
        sa.ForeignKeyConstraint(["corrects"], ["receipts.number"], name=op.f("fk_receipts_corrects")),
        sa.ForeignKeyConstraint(["session_id"], ["charging_sessions.id"], name=op.f("fk_receipts_session_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_receipts")),
    )
    op.create_index(op.f("ix_receipts_session_id"), "receipts", ["session_id"])


def protect() -> None:
    """Receipts take new rows only, and the price of a charge stays."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER receipts_no_{verb} BEFORE {verb.upper()} ON receipts "
                "BEGIN SELECT RAISE(ABORT, 'receipts is append-only'); END"
            )
        op.execute(
            f"CREATE TRIGGER charging_sessions_price_stays BEFORE UPDATE OF {PRICE} ON charging_sessions "
            "WHEN NEW.paise_per_kwh <> OLD.paise_per_kwh OR NEW.gst_basis_points <> OLD.gst_basis_points "
            "OR NEW.terms IS NOT OLD.terms BEGIN SELECT RAISE(ABORT, 'the price of a charge stays'); END"
        )
        return
    op.execute(
        "CREATE TRIGGER receipts_append_only BEFORE UPDATE OR DELETE ON receipts "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_new_price() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the price of a charge stays'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER charging_sessions_price_stays BEFORE UPDATE OF {PRICE} ON charging_sessions FOR EACH ROW "
        "WHEN ((OLD.paise_per_kwh, OLD.gst_basis_points, OLD.terms) IS DISTINCT FROM "
        "(NEW.paise_per_kwh, NEW.gst_basis_points, NEW.terms)) EXECUTE FUNCTION refuse_new_price()"
    )


def keep_receipts() -> None:
    """Receipts given before this revision were drawn anew each time: from now on they stay as they would be today."""
    given = op.get_bind().execute(
        sa.text(
            "SELECT s.*, c.state AS stands_in, c.place, c.name FROM charging_sessions s "
            "JOIN chargers c ON c.id = s.charger_id WHERE s.receipt_number <> '' ORDER BY s.id"
        ).columns(settled_at=TIME, stopped_at=TIME)
    )
    known = settings()
    seller = {
        "name": known.seller_name,
        "address": known.seller_address,
        "state": known.seller_state,
        "gstin": known.seller_gstin,
    }
    insert = sa.text(
        "INSERT INTO receipts (number, kind, session_id, total_paise, gst_paise, gst_basis_points, facts, created_at) "
        "VALUES (:number, 'EV', :session_id, :total_paise, :gst_paise, :gst_basis_points, :facts, :created_at)"
    ).bindparams(sa.bindparam("created_at", type_=TIME))
    for row in [row for row in given.mappings() if row["cost_paise"]]:
        stopped_at = row["stopped_at"]
        facts = {
            "seller": seller,
            "place_of_supply": row["stands_in"] or known.seller_state,
            "place": row["place"] or row["name"],
            "stopped_at": f"{stopped_at.replace(tzinfo=None).isoformat()}+00:00" if stopped_at else "",
            "meter_stop_wh": row["meter_stop_wh"],
            "energy_wh": row["energy_wh"],
            "lines": [["energy", row["energy_wh"], row["paise_per_kwh"], row["cost_paise"]]],
            "estimated": bool(row["estimated"]),
            "before_paise": 0,
            "transfers": [f"session:{row['id']}", f"session:{row['id']}:correction"],
        }
        op.get_bind().execute(
            insert,
            {
                "number": row["receipt_number"],
                "session_id": row["id"],
                "total_paise": row["cost_paise"],
                "gst_paise": row["gst_paise"],
                "gst_basis_points": row["gst_basis_points"],
                "facts": json.dumps(facts),
                "created_at": row["settled_at"],
            },
        )
