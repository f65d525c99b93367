"""The audit, which other tests trust: quiet on right books, and each of its checks finds the damage it is for."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from sqlmodel import Session

from domain import accounts, placing, recharges, refunds, settlement, wallet
from domain.attempts import Attempt
from domain.audit import CHECKS, audit
from domain.models import ChargingSession, RechargeOrder, now
from domain.recharges import OrderStatus, RefundStatus
from tests.money.house import broken, charge, driver, give, owe

DAMAGE = (
    ("every transfer adds up to nothing", "UPDATE entries SET amount_paise = amount_paise + 1 WHERE id = 1"),
    (
        "every transfer adds up to nothing",
        "INSERT INTO transfers (id, idem_key, fingerprint, kind, ref, description, event_at, created_at) "
        "SELECT 999, 'empty', '', 'adjustment', '', '', event_at, created_at FROM transfers WHERE id = 1",
    ),
    ("every balance is the sum of its entries", "UPDATE accounts SET balance_paise = balance_paise + 1"),
    ("every entry carries the balance after it", "UPDATE entries SET balance_after_paise = 7 WHERE id = 2"),
    ("versions have no gaps", "UPDATE accounts SET version = version + 1 WHERE code = 'revenue:charging'"),
    (
        "versions have no gaps",
        "UPDATE entries SET account_version = account_version + 100 WHERE account_code = 'adjust:goodwill' "
        "AND account_version = (SELECT MAX(version) FROM accounts WHERE code = 'adjust:goodwill')",
    ),
    ("held money equals the open holds", "UPDATE accounts SET held_paise = held_paise - 1 WHERE held_paise > 0"),
    ("held money equals the open holds", "UPDATE holds SET state = 'VOID' WHERE state = 'OPEN'"),
    ("no wallet is overdrawn and no hold exceeds one", "UPDATE accounts SET balance_paise = -1 WHERE kind = 'wallet'"),
    ("no wallet is overdrawn and no hold exceeds one", "UPDATE accounts SET held_paise = -1 WHERE kind = 'wallet'"),
    (
        "no wallet is overdrawn and no hold exceeds one",
        "UPDATE accounts SET held_paise = balance_paise + 1 WHERE kind = 'wallet'",
    ),
    ("arrears are never a credit", "UPDATE accounts SET balance_paise = 1 WHERE kind = 'due'"),
    (
        "every credited recharge was credited once, with its amount",
        "UPDATE recharge_orders SET state = 'PENDING' WHERE state = 'CREDITED'",
    ),
    (
        "every credited recharge was credited once, with its amount",
        "UPDATE recharge_orders SET state = 'CREDITED' WHERE state = 'NEW'",
    ),
    (
        "every credited recharge was credited once, with its amount",
        "UPDATE recharge_orders SET amount_paise = amount_paise + 1 WHERE state = 'CREDITED'",
    ),
    (
        "every settled charge was debited once, with its cost",
        "UPDATE charging_sessions SET cost_paise = cost_paise + 1 WHERE state = 'SETTLED'",
    ),
    (
        "every settled charge was debited once, with its cost",
        "UPDATE charging_sessions SET settled_at = NULL WHERE state = 'SETTLED'",
    ),
    (
        "every settled charge was debited once, with its cost",
        "UPDATE charging_sessions SET settled_at = requested_at, cost_paise = 5 WHERE state = 'CHARGING'",
    ),
    (
        "every refund's money is where its state says",
        "UPDATE refunds SET amount_paise = amount_paise + 1 WHERE state = 'COMPLETED'",
    ),
    ("every refund's money is where its state says", "UPDATE refunds SET state = 'FAILED' WHERE state = 'COMPLETED'"),
    ("every refund's money is where its state says", "UPDATE refunds SET state = 'COMPLETED' WHERE state = 'NEW'"),
    ("every refund's money is where its state says", "UPDATE refunds SET state = 'FAILED' WHERE state = 'NEW'"),
    ("every refund's money is where its state says", "UPDATE refunds SET state = 'COMPLETED' WHERE state = 'FAILED'"),
    ("clearing is what is on its way back", "UPDATE accounts SET balance_paise = 0 WHERE code = 'refund_clearing'"),
    ("clearing is what is on its way back", "UPDATE refunds SET amount_paise = amount_paise + 1 WHERE state = 'NEW'"),
    (
        "no more goes back than a recharge brought",
        "UPDATE refunds SET amount_paise = 50001 WHERE state = 'COMPLETED'",
    ),
    (
        "no more goes back than a recharge brought",
        "UPDATE recharge_orders SET state = 'PENDING' WHERE state = 'CREDITED'",
    ),
    (
        "what a charge, a recharge or a refund moves is its own driver's",
        "UPDATE entries SET account_code = 'wallet:2', account_version = 999 WHERE account_code = 'wallet:1' "
        "AND transfer_id IN (SELECT id FROM transfers WHERE kind = 'charging' AND ref <> '')",
    ),
    (
        "what a charge, a recharge or a refund moves is its own driver's",
        "UPDATE recharge_orders SET user_id = 2 WHERE state = 'CREDITED'",
    ),
    (
        "what a charge, a recharge or a refund moves is its own driver's",
        "UPDATE charging_sessions SET user_id = NULL WHERE state = 'SETTLED'",
    ),
    (
        "what a charge, a recharge or a refund moves is its own driver's",
        "UPDATE refunds SET user_id = 2 WHERE state = 'FAILED'",
    ),
    ("every open hold is in the wallet of its charge's driver", "UPDATE holds SET account_code = 'wallet:2'"),
    ("open holds belong to unsettled charges", "UPDATE charging_sessions SET state = 'CANCELLED'"),
    ("receipts and notes add up to what charges cost", "DELETE FROM receipts"),
    ("receipts and notes add up to what charges cost", "UPDATE receipts SET kind = 'CN', corrects = number"),
    *(
        ("the GST of a charge is that of its price, in the ledger and on its papers", damage)
        for damage in (
            "UPDATE charging_sessions SET gst_paise = gst_paise + 1 WHERE state = 'SETTLED'",
            "UPDATE entries SET amount_paise = amount_paise + CASE account_code WHEN 'gst:output' THEN 1 ELSE -1 END "
            "WHERE account_code IN ('gst:output', 'revenue:charging')",
            "UPDATE receipts SET gst_paise = gst_paise - 1",
            "UPDATE charging_sessions SET settled_at = NULL WHERE state = 'SETTLED'",
            "UPDATE charging_sessions SET cost_paise = cost_paise + 100 WHERE state = 'SETTLED'",
        )
    ),
    ("only who has left has given up what was left", "UPDATE users SET username = 'tara' WHERE id = 3"),
    ("only who has left has given up what was left", "UPDATE transfers SET idem_key = 'x' WHERE idem_key = 'waived:3'"),
    ("receipt numbers have no gaps", "UPDATE receipt_counters SET last = last + 1"),
    ("receipt numbers have no gaps", "UPDATE receipts SET number = 'EV/26-27/0000009'"),
)
"""Each check, and what it must find."""

UNLOCK = {
    "sqlite": (
        "PRAGMA ignore_check_constraints = ON",
        "DROP TRIGGER entries_no_update",
        "DROP TRIGGER transfers_no_update",
        "DROP TRIGGER receipts_no_update",
        "DROP TRIGGER receipts_no_delete",
    ),
    "postgresql": (
        "ALTER TABLE accounts DROP CONSTRAINT ck_accounts_no_overdraft",
        "ALTER TABLE accounts DROP CONSTRAINT ck_accounts_held_not_negative",
        "ALTER TABLE accounts DROP CONSTRAINT ck_accounts_held_within_balance",
        "ALTER TABLE accounts DROP CONSTRAINT ck_accounts_due_never_positive",
        "ALTER TABLE entries DISABLE TRIGGER entries_append_only",
        "ALTER TABLE receipts DISABLE TRIGGER receipts_append_only",
        "ALTER TABLE transfers DISABLE TRIGGER transfers_append_only",
    ),
}
"""What the database itself would refuse has to be allowed first."""


@pytest.fixture
def house(db: Session) -> Iterator[Session]:
    """A past of every kind: recharges paid and not, refunds, charges running and settled, arrears, goodwill, and what
    somebody gave up who left."""
    asha, ravi, tara = driver(db), driver(db, "ravi"), driver(db, "tara")
    give(db, tara, 60)
    accounts.delete(db, Attempt(tara, "-", (), "", slow=False), 60)
    give(db, asha, 30_000)
    give(db, asha, -500, "less")
    placing.place(db, asha, 60_000, "not paid")
    order = placing.place(db, asha, 50_000, "paid")
    recharges.apply(
        db, order.merchant_order_id, OrderStatus("OMO1", "COMPLETED", 50_000, "utr", "t", "UPI_QR", "", {"a": 1})
    )
    refunded(db, order, 1_000, "COMPLETED")
    refunded(db, order, 700, "FAILED")
    refunds.request(db, order.merchant_order_id, 900, key="on its way", reason="for a test")
    finished = charge(db, asha, 1, gst_basis_points=1_800)
    wallet.hold(db, finished, asha, at_least=1, at_most=20_000)
    session = db.get_one(ChargingSession, finished)
    session.started_at = session.started_received_at = now() - timedelta(hours=1)
    session.meter_start_wh, session.stopped_at = 0, now()
    settlement.settle(db, session, 4_321)
    wallet.hold(db, charge(db, asha, 2), asha, at_least=1, at_most=20_000)
    owe(db, ravi, 700)
    charge(db, ravi, 3)
    db.flush()
    yield db


def refunded(db: Session, order: RechargeOrder, paise: int, state: str) -> None:
    refund = refunds.request(db, order.merchant_order_id, paise, key=state, reason="for a test")
    refunds.sending(db, refund.merchant_refund_id)
    refunds.apply(db, refund.merchant_refund_id, RefundStatus("OMR1", state, paise, "", {"state": state}))


def test_right_books_have_nothing_to_find(house: Session) -> None:
    assert broken(house) == []
    assert [check.says for check in audit(house)] == list(CHECKS)


@pytest.mark.parametrize(("says", "damage"), DAMAGE)
def test_each_check_finds_its_damage(house: Session, says: str, damage: str) -> None:
    connection = house.connection()
    _unlock(connection)
    assert connection.exec_driver_sql(damage).rowcount
    found = {check.says: check.broken for check in audit(house)}
    assert found[says]
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")


def test_every_check_has_a_damage() -> None:
    assert {says for says, _ in DAMAGE} == set(CHECKS)


def test_an_empty_house_is_in_order(db: Session) -> None:
    assert broken(db) == []


def test_at_most_ten_rows_are_named(db: Session) -> None:
    for n in range(12):
        driver(db, f"user{n}x")
    db.flush()
    connection = db.connection()
    _unlock(connection)
    connection.exec_driver_sql("UPDATE accounts SET balance_paise = 1 WHERE kind = 'due'")
    found = {check.says: check.broken for check in audit(db)}
    assert len(found["arrears are never a credit"]) == 10


def _unlock(connection: Connection) -> None:
    for statement in UNLOCK[connection.dialect.name]:
        connection.exec_driver_sql(statement)
