"""Recharges and refunds as tests of money need them: opened, paid, sent back, and the database in their way."""

from sqlalchemy import text
from sqlmodel import Session, col, select

from domain import funnel, refunds, wallet
from domain.db import Database, read, transact
from domain.models import Account, Finding, Refund
from domain.recharges import GatewayUnavailable, PaymentGateway
from tests.money.house import RUPEES_500, Gateway, placed

SILENT = GatewayUnavailable("nothing came")


async def opened(gateway: PaymentGateway, user_id: int, nonce: str = "n1", amount_paise: int = RUPEES_500) -> str:
    """An order whose pay page is open; its merchant id."""
    order = await placed(user_id, amount_paise, nonce)
    assert await funnel.begin(gateway, order.merchant_order_id)
    return order.merchant_order_id


async def paid(gateway: Gateway, user_id: int, nonce: str = "n1") -> str:
    """A recharge of ₹500 that has arrived; its merchant id."""
    order_id = await opened(gateway, user_id, nonce)
    gateway.pay(order_id)
    await funnel.settle(gateway, order_id)
    return order_id


async def requested(order_id: str, paise: int = 20_000, key: str = "k1") -> str:
    """A refund that was written down and not sent; its merchant id."""
    return (await transact(refunds.request, order_id, paise, key=key, reason="he asked for it")).merchant_refund_id


async def sent(gateway: PaymentGateway, order_id: str, paise: int = 20_000, key: str = "k1") -> str:
    refund_id = await requested(order_id, paise, key)
    await funnel.settle_refund(gateway, refund_id)
    return refund_id


async def refund_of(refund_id: str) -> Refund:
    refund = await read(refunds.found, refund_id)
    assert refund is not None
    return refund


async def pots(user_id: int) -> tuple[int, int, int]:
    """Paise in the wallet, on their way back, and at the gateway (what it owes us, positive)."""

    def look(db: Session) -> tuple[int, int, int]:
        balances = [db.get(Account, code) for code in (wallet.CLEARING, wallet.GATEWAY)]
        clearing, gateway = (account.balance_paise if account else 0 for account in balances)
        return wallet.balance(db, user_id).balance_paise, clearing, -gateway

    return await read(look)


async def findings() -> list[tuple[str, str]]:
    """Kind and reference of each, oldest first."""
    return await read(lambda db: [(f.kind, f.ref) for f in db.exec(select(Finding).order_by(col(Finding.id)))])


REFUSE = {
    "sqlite": ("CREATE TRIGGER full BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'disk is full'); END",),
    "postgresql": (
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'disk is full' USING ERRCODE = '53100'; END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION full_disk()",
    ),
}
ACCEPT = {"sqlite": "DROP TRIGGER full", "postgresql": "DROP FUNCTION full_disk CASCADE"}


def refuse(database: Database) -> None:
    """From now on the database takes no entries."""
    kind = database.engine.dialect.name
    database.now(lambda db: [db.connection().execute(text(statement)) for statement in REFUSE[kind]] and None)


def accept(database: Database) -> None:
    database.now(lambda db: db.connection().execute(text(ACCEPT[database.engine.dialect.name])) and None)
