"""What the database itself refuses of the ledger, whoever writes (payments.md 2.3)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session, col, select

from domain import recharges, settlement, trail, wallet
from domain.models import Account, ChargingSession, Entry, Transfer, now
from domain.triggers import APPEND_ONLY
from tests.money.house import charge, rows
from tests.unit.domain.test_wallet import asha, paid_order

__all__ = ["asha"]


def written(db: Session, user_id: int) -> None:
    """A row in every table that takes new rows only."""
    recharges.rang(db, paid_order(db, user_id).merchant_order_id, b"{}")
    session = db.get_one(ChargingSession, charge(db, user_id))
    session.requested_at = session.started_at = now() - timedelta(hours=1)
    session.meter_start_wh, session.stopped_at = 0, now()
    settlement.settle(db, session, 1_000)
    trail.note(db, trail.user(user_id), "wallet adjust", f"user:{user_id}")


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_what_was_written_stays_written(db: Session, asha: int, table: str, statement: str) -> None:
    written(db, asha)
    with pytest.raises(DBAPIError, match=f"{table} is append-only"), db.begin_nested():
        db.connection().exec_driver_sql(statement.format(table, "at" if table == "trail" else "created_at"))


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_nothing_is_replaced_either(db: Session, asha: int, table: str) -> None:
    """SQLite deletes what it replaces, and asks the trigger only when told to."""
    written(db, asha)
    if db.connection().dialect.name == "sqlite":
        with pytest.raises(DBAPIError, match=f"{table} is append-only"), db.begin_nested():
            db.connection().exec_driver_sql(f"REPLACE INTO {table} SELECT * FROM {table}")  # noqa: S608


def test_an_entry_changed_through_the_orm_is_refused(db: Session, asha: int) -> None:
    entry = db.exec(select(Entry)).first()
    assert entry is not None
    with pytest.raises(DBAPIError, match="append-only"), db.begin_nested():
        entry.amount_paise += 1
        db.add(entry)
        db.flush()


@pytest.mark.parametrize(
    "damage",
    [
        "balance_paise = -1 WHERE kind = 'wallet'",
        "held_paise = -1 WHERE kind = 'wallet'",
        "held_paise = balance_paise + 1 WHERE kind = 'wallet'",
        "balance_paise = 1 WHERE kind = 'due'",
    ],
)
def test_an_account_cannot_be_set_beyond_its_rule(db: Session, asha: int, damage: str) -> None:
    with pytest.raises(IntegrityError), db.begin_nested():
        db.connection().exec_driver_sql(f"UPDATE accounts SET {damage}")  # noqa: S608


def _same_key(db: Session, transfer: Transfer) -> Transfer:
    return Transfer(idem_key=transfer.idem_key, fingerprint="", kind=transfer.kind, event_at=transfer.event_at)


def _same_version(db: Session, transfer: Transfer) -> Entry:
    account = db.exec(select(Account).where(col(Account.version) > 0)).first()
    assert account is not None
    return Entry(
        transfer_id=transfer.id or 0,
        account_code=account.code,
        amount_paise=1,
        balance_after_paise=1,
        account_version=account.version,
    )


def _nothing(db: Session, transfer: Transfer) -> Entry:
    return Entry(
        transfer_id=transfer.id or 0,
        account_code=wallet.GOODWILL,
        amount_paise=0,
        balance_after_paise=0,
        account_version=99,
    )


@pytest.mark.parametrize("row", [_same_key, _same_version, _nothing])
def test_a_second_of_what_is_unique_is_refused(
    db: Session, asha: int, row: Callable[[Session, Transfer], Transfer | Entry]
) -> None:
    transfer = db.exec(select(Transfer)).first()
    assert transfer is not None
    before = rows(db, Entry)
    with pytest.raises(IntegrityError), db.begin_nested():
        db.add(row(db, transfer))
        db.flush()
    assert rows(db, Entry) == before
