"""The first tables, and the rule that what was written about money stays written."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

APPEND_ONLY = ("transfers", "entries", "gateway_events")


def protect() -> None:
    """Let the append-only tables take new rows only."""
    if op.get_bind().dialect.name == "sqlite":
        for table in APPEND_ONLY:
            for verb in ("update", "delete"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def upgrade() -> None:
    op.create_table(
        "chargers",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("find_key", sa.String(length=48), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("vendor", sa.String(length=120), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("serial", sa.String(length=120), nullable=False),
        sa.Column("firmware", sa.String(length=120), nullable=False),
        sa.Column("key_hash", sa.String(length=100), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("booted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trace", sa.Boolean(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chargers")),
    )
    with op.batch_alter_table("chargers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chargers_find_key"), ["find_key"], unique=False)

    op.create_table(
        "findings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("ref", sa.String(length=100), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
        sa.UniqueConstraint("kind", "ref", name=op.f("uq_findings_kind_ref")),
    )
    op.create_table(
        "gateway_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("merchant_order_id", sa.String(length=63), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_events")),
    )
    with op.batch_alter_table("gateway_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gateway_events_merchant_order_id"), ["merchant_order_id"], unique=False)

    op.create_table(
        "ocpp_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("charger_id", sa.String(length=48), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("action", sa.String(length=50), nullable=False),
        sa.Column("message_id", sa.String(length=80), nullable=False),
        sa.Column("frame", sa.String(), nullable=False),
        sa.Column("repairs", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ocpp_messages")),
    )
    with op.batch_alter_table("ocpp_messages", schema=None) as batch_op:
        batch_op.create_index("ix_ocpp_messages_charger_id_id", ["charger_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ocpp_messages_created_at"), ["created_at"], unique=False)

    op.create_table(
        "receipt_counters",
        sa.Column("financial_year", sa.String(length=5), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("financial_year", name=op.f("pk_receipt_counters")),
    )
    op.create_table(
        "transfers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("idem_key", sa.String(length=100), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("ref", sa.String(length=80), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("event_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
        sa.UniqueConstraint("idem_key", name=op.f("uq_transfers_idem_key")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=30), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("pin_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("phone", name=op.f("uq_users_phone")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
    )
    op.create_table(
        "accounts",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("balance_paise", sa.BigInteger(), nullable=False),
        sa.Column("held_paise", sa.BigInteger(), nullable=False),
        sa.Column("allow_negative", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind <> 'due' OR balance_paise <= 0", name=op.f("ck_accounts_due_never_positive")),
        sa.CheckConstraint("allow_negative OR balance_paise >= 0", name=op.f("ck_accounts_no_overdraft")),
        sa.CheckConstraint(
            "allow_negative OR held_paise <= balance_paise", name=op.f("ck_accounts_held_within_balance")
        ),
        sa.CheckConstraint("held_paise >= 0", name=op.f("ck_accounts_held_not_negative")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_accounts_user_id")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_accounts")),
    )
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_accounts_user_id"), ["user_id"], unique=False)

    op.create_table(
        "charging_sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(length=20), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("charger_id", sa.String(length=48), nullable=False),
        sa.Column("connector_number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.Column("transaction_id", sa.Integer(), nullable=True),
        sa.Column("limit_paise", sa.BigInteger(), nullable=True),
        sa.Column("limit_wh", sa.BigInteger(), nullable=True),
        sa.Column("limit_minutes", sa.Integer(), nullable=True),
        sa.Column("paise_per_kwh", sa.BigInteger(), nullable=False),
        sa.Column("gst_basis_points", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("meter_start_wh", sa.BigInteger(), nullable=True),
        sa.Column("meter_wh", sa.BigInteger(), nullable=True),
        sa.Column("power_w", sa.BigInteger(), nullable=False),
        sa.Column("metered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sampled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("suspended", sa.String(length=20), nullable=False),
        sa.Column("stop_cause", sa.String(length=20), nullable=False),
        sa.Column("stop_reason", sa.String(length=20), nullable=False),
        sa.Column("stop_tries", sa.Integer(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("meter_stop_wh", sa.BigInteger(), nullable=True),
        sa.Column("energy_wh", sa.BigInteger(), nullable=False),
        sa.Column("cost_paise", sa.BigInteger(), nullable=False),
        sa.Column("gst_paise", sa.BigInteger(), nullable=False),
        sa.Column("arrears_paise", sa.BigInteger(), nullable=False),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.Column("review", sa.String(length=200), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt_number", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cost_paise >= 0", name=op.f("ck_charging_sessions_cost_not_negative")),
        sa.CheckConstraint("energy_wh >= 0", name=op.f("ck_charging_sessions_energy_not_negative")),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"], name=op.f("fk_charging_sessions_charger_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_charging_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_charging_sessions")),
        sa.UniqueConstraint(
            "charger_id", "connector_number", "tag", "started_at", "meter_start_wh", name="natural_key"
        ),
        sa.UniqueConstraint("ref", name=op.f("uq_charging_sessions_ref")),
        sa.UniqueConstraint("transaction_id", name=op.f("uq_charging_sessions_transaction_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("charging_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_charging_sessions_due_at"), ["due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_charging_sessions_tag"), ["tag"], unique=False)
        batch_op.create_index(
            "ix_charging_sessions_user_id_requested_at_id", ["user_id", "requested_at", "id"], unique=False
        )
        batch_op.create_index(
            "uq_charging_sessions_open_connector",
            ["charger_id", "connector_number"],
            unique=True,
            sqlite_where=sa.text("state IN ('REQUESTED', 'AWAITING_PLUG', 'CHARGING', 'STOPPING')"),
            postgresql_where=sa.text("state IN ('REQUESTED', 'AWAITING_PLUG', 'CHARGING', 'STOPPING')"),
        )
        batch_op.create_index(
            "uq_charging_sessions_open_user",
            ["user_id"],
            unique=True,
            sqlite_where=sa.text(
                "state IN ('REQUESTED', 'AWAITING_PLUG', 'CHARGING', 'STOPPING') AND user_id IS NOT NULL"
            ),
            postgresql_where=sa.text(
                "state IN ('REQUESTED', 'AWAITING_PLUG', 'CHARGING', 'STOPPING') AND user_id IS NOT NULL"
            ),
        )

    op.create_table(
        "connectors",
        sa.Column("charger_id", sa.String(length=48), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("error_code", sa.String(length=50), nullable=False),
        sa.Column("info", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("max_power_w", sa.BigInteger(), nullable=False),
        sa.Column("status_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"], name=op.f("fk_connectors_charger_id")),
        sa.PrimaryKeyConstraint("charger_id", "number", name=op.f("pk_connectors")),
    )
    op.create_table(
        "recharge_orders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("merchant_order_id", sa.String(length=63), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("amount_paise", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("client_nonce", sa.String(length=64), nullable=False),
        sa.Column("gateway_order_id", sa.String(length=80), nullable=False),
        sa.Column("redirect_url", sa.String(length=4000), nullable=False),
        sa.Column("utr", sa.String(length=80), nullable=False),
        sa.Column("gateway_transaction_id", sa.String(length=80), nullable=False),
        sa.Column("payment_mode", sa.String(length=40), nullable=False),
        sa.Column("error_code", sa.String(length=80), nullable=False),
        sa.Column("polls", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_paise > 0", name=op.f("ck_recharge_orders_positive")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_recharge_orders_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recharge_orders")),
        sa.UniqueConstraint("merchant_order_id", name=op.f("uq_recharge_orders_merchant_order_id")),
        sa.UniqueConstraint("user_id", "client_nonce", name=op.f("uq_recharge_orders_user_id_client_nonce")),
    )
    with op.batch_alter_table("recharge_orders", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recharge_orders_due_at"), ["due_at"], unique=False)
        batch_op.create_index("ix_recharge_orders_user_id_id", ["user_id", "id"], unique=False)

    op.create_table(
        "sign_in_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("door", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_in_attempts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempts")),
    )
    with op.batch_alter_table("sign_in_attempts", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_attempts_door_address_at", ["door", "address", "at"], unique=False)

    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_ins_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_ins_token_hash")),
    )
    with op.batch_alter_table("sign_ins", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_ins_user_id"), ["user_id"], unique=False)

    op.create_table(
        "tariffs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("charger_id", sa.String(length=48), nullable=True),
        sa.Column("paise_per_kwh", sa.BigInteger(), nullable=False),
        sa.Column("gst_basis_points", sa.Integer(), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("paise_per_kwh >= 0", name=op.f("ck_tariffs_not_negative")),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"], name=op.f("fk_tariffs_charger_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tariffs")),
    )
    with op.batch_alter_table("tariffs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tariffs_charger_id"), ["charger_id"], unique=False)

    op.create_table(
        "entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("transfer_id", sa.Integer(), nullable=False),
        sa.Column("account_code", sa.String(length=40), nullable=False),
        sa.Column("amount_paise", sa.BigInteger(), nullable=False),
        sa.Column("balance_after_paise", sa.BigInteger(), nullable=False),
        sa.Column("account_version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_paise <> 0", name=op.f("ck_entries_moves_something")),
        sa.ForeignKeyConstraint(["account_code"], ["accounts.code"], name=op.f("fk_entries_account_code")),
        sa.ForeignKeyConstraint(["transfer_id"], ["transfers.id"], name=op.f("fk_entries_transfer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
        sa.UniqueConstraint("account_code", "account_version", name=op.f("uq_entries_account_code_account_version")),
    )
    with op.batch_alter_table("entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_entries_transfer_id"), ["transfer_id"], unique=False)

    op.create_table(
        "holds",
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("account_code", sa.String(length=40), nullable=False),
        sa.Column("amount_paise", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_paise >= 0", name=op.f("ck_holds_not_negative")),
        sa.ForeignKeyConstraint(["account_code"], ["accounts.code"], name=op.f("fk_holds_account_code")),
        sa.ForeignKeyConstraint(["session_id"], ["charging_sessions.id"], name=op.f("fk_holds_session_id")),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_holds")),
    )
    with op.batch_alter_table("holds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_holds_account_code"), ["account_code"], unique=False)

    op.create_table(
        "meter_samples",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("energy_wh", sa.BigInteger(), nullable=True),
        sa.Column("power_w", sa.BigInteger(), nullable=True),
        sa.Column("current_ma", sa.BigInteger(), nullable=True),
        sa.Column("voltage_mv", sa.BigInteger(), nullable=True),
        sa.Column("soc_percent", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["charging_sessions.id"], name=op.f("fk_meter_samples_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_samples")),
    )
    with op.batch_alter_table("meter_samples", schema=None) as batch_op:
        batch_op.create_index("ix_meter_samples_session_id_id", ["session_id", "id"], unique=False)
    protect()
