"""What tests of money share: a driver with a wallet, a gateway of the desk, and the audit that ends each of them."""

import asyncio
from collections import Counter, deque
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

import httpx
from sqlmodel import Session, col, func, select

from domain import arrivals, chargers, connectors, placing, recharges, wallet
from domain.audit import audit
from domain.db import Database, read, transact
from domain.models import Charger, ChargingSession, Entry, RechargeOrder, SessionState, Transfer, User, now
from domain.recharges import OrderExists, OrderStatus, OrderUnknown, Payment, RefundStatus
from payments.phonepe import PhonePe

RUPEES_500 = 50_000


class Clock:
    """A time that passes only when told to."""

    def __init__(self) -> None:
        self.at = now()

    def __call__(self) -> datetime:
        return self.at


def driver(db: Session, name: str = "asha") -> int:
    """A user with an empty wallet."""
    user = User(username=name, phone=f"+919{crc32(name.encode()) % 10**9:09d}", pin_hash="-")
    db.add(user)
    db.flush()
    assert user.id is not None
    wallet.open_accounts(db, user.id)
    return user.id


def connect(db: Session, charger_id: str, at: datetime) -> None:
    """Its socket opens at this process of the tests."""
    arrivals.connected(db, "desk", [(charger_id, at)])


def disconnect(db: Session, charger_id: str, at: datetime) -> None:
    """Its newest socket is gone."""
    fence = arrivals.holders(db, [charger_id])[charger_id].fence
    arrivals.disconnected(db, [(charger_id, at, fence)])


def free_charger(db: Session, charger_id: str, status: str = "Available", **described: Any) -> None:
    """A charger in contact, whose connector 1 has this status."""
    chargers.add(db, charger_id, **described)
    connect(db, charger_id, now())
    told: dict[str, Any] = {"error_code": "NoError", "info": "", "at": None, "received_at": now()}
    connectors.status(db, charger_id, connector_number=1, status=status, **told)


def charge(
    db: Session, user_id: int, number: int = 1, state: SessionState = SessionState.CHARGING, gst_basis_points: int = 0
) -> int:
    """A charging session for holds to belong to; each has a charger of its own."""
    charger_id = f"TEST-{number}"
    db.add(Charger(id=charger_id, find_key=f"TEST{number}"))
    db.flush()
    session = ChargingSession(
        ref=f"S{number:015d}",
        user_id=user_id,
        charger_id=charger_id,
        connector_number=1,
        state=state,
        tag=f"T{number}",
        paise_per_kwh=1_800,
        gst_basis_points=gst_basis_points,
    )
    db.add(session)
    db.flush()
    assert session.id is not None
    return session.id


def owe(db: Session, user_id: int, paise: int) -> None:
    """Arrears, as a charge leaves them that cost more than the wallet had."""
    wallet.post(db, f"test:owe:{user_id}", "charging", {wallet.due_code(user_id): -paise, wallet.REVENUE: paise})


def give(db: Session, user_id: int, paise: int, key: str = "start") -> None:
    """Money to begin with."""
    wallet.adjust(db, user_id, paise, key=f"{user_id}:{key}", reason="for a test")


def money(db: Session, user_id: int) -> wallet.Balance:
    return wallet.balance(db, user_id)


def credits(db: Session, user_id: int) -> list[int]:
    """What recharges put into the wallet, in paise, oldest first."""
    query = (
        select(Entry.amount_paise)
        .join(Transfer, col(Transfer.id) == Entry.transfer_id)
        .where(Entry.account_code == wallet.wallet_code(user_id), Transfer.kind == "recharge")
        .order_by(col(Entry.id))
    )
    return list(db.exec(query))


def entries(db: Session, key: str) -> list[Entry]:
    """The entries of the transfer with this key."""
    of_key = select(Entry).join(Transfer, col(Transfer.id) == Entry.transfer_id).where(Transfer.idem_key == key)
    return list(db.exec(of_key.order_by(col(Entry.account_code))))


def rows(db: Session, table: type) -> int:
    return db.exec(select(func.count()).select_from(table)).one()


def broken(db: Session) -> list[str]:
    """The invariants that do not hold, with the rows; nothing when the books are right."""
    return [f"{check.says}: {', '.join(check.broken)}" for check in audit(db) if check.broken]


async def placed(user_id: int, amount_paise: int = RUPEES_500, nonce: str = "n1") -> RechargeOrder:
    return await transact(placing.place, user_id, amount_paise, nonce)


async def found(merchant_order_id: str) -> RechargeOrder:
    order = await read(recharges.found, merchant_order_id)
    assert order is not None
    return order


def phonepe(http: httpx.AsyncClient | None, **other: Any) -> PhonePe:
    """Our client, with the sandbox's own credentials."""
    given: dict[str, Any] = {
        "pg_url": "http://localhost/apis/pg",
        "oauth_url": "http://localhost/apis/identity-manager",
        "client_id": "EVAPP-SANDBOX",
        "client_secret": "sandbox-secret",
        "client_version": 1,
        "webhook_username": "evapp_hook",
        "webhook_password": "hook12345",
        "checkout_hosts": ("localhost",),
        "http": http,
    }
    return PhonePe(**given | other)


class Heard:
    """Keeps what a database publishes, in order."""

    def __init__(self, database: Database) -> None:
        self.events: list[object] = []
        database.publish = self._keep

    async def _keep(self, *events: object) -> None:
        self.events.extend(events)

    def of(self, kind: type) -> list[object]:
        return [event for event in self.events if isinstance(event, kind)]


class Gateway:
    """A gateway that does as it is told: `pay`, `say`, or raise what waits in `create_raises`, `status_raises` …"""

    def __init__(self) -> None:
        self.orders: dict[str, OrderStatus] = {}
        self.calls: Counter[str] = Counter()
        self.create_raises: deque[Exception] = deque()
        self.status_raises: deque[Exception] = deque()
        self.refunds: dict[str, RefundStatus] = {}
        self.refund_raises: deque[Exception] = deque()
        self.refund_status_raises: deque[Exception] = deque()
        self.raises_after = False
        """Whether `create` and `refund` act before they raise: the answer was lost, not the question (R18, R32)."""
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.expires_at: datetime | None = None

    async def create(self, *, merchant_order_id: str, amount_paise: int, redirect_url: str, user_ref: str) -> Payment:
        self.calls["create"] += 1
        error = self.create_raises.popleft() if self.create_raises else None
        if error is not None and not self.raises_after:
            raise error
        if merchant_order_id in self.orders:
            raise OrderExists("INVALID_MERCHANT_ORDER_ID", "used before")
        gateway_order_id = f"OMO{len(self.orders) + 1}"
        self.orders[merchant_order_id] = OrderStatus(
            gateway_order_id, "PENDING", amount_paise, "", "", "", "", {"state": "PENDING", "ref": user_ref}
        )
        self.asked.set()
        await self.gate.wait()
        if error is not None:
            raise error
        url = f"http://localhost:9100/pay/{gateway_order_id}?back={redirect_url}"
        return Payment(gateway_order_id, "PENDING", url, self.expires_at or now() + timedelta(minutes=15))

    async def status(self, merchant_order_id: str) -> OrderStatus:
        self.calls["status"] += 1
        if self.status_raises:
            raise self.status_raises.popleft()
        if merchant_order_id not in self.orders:
            raise OrderUnknown("INVALID_MERCHANT_ORDER_ID", "no entry found")
        answer = self.orders[merchant_order_id]
        self.asked.set()
        await self.gate.wait()
        return answer

    async def refund(self, *, merchant_refund_id: str, merchant_order_id: str, amount_paise: int) -> RefundStatus:
        self.calls["refund"] += 1
        error = self.refund_raises.popleft() if self.refund_raises else None
        if error is not None and not self.raises_after:
            raise error
        assert merchant_refund_id not in self.refunds, "sent twice"
        gateway_refund_id = f"OMR{len(self.refunds) + 1}"
        told = RefundStatus(gateway_refund_id, "PENDING", amount_paise, "", {"state": "PENDING"})
        self.refunds[merchant_refund_id] = told
        self.asked.set()
        await self.gate.wait()
        if error is not None:
            raise error
        return told

    async def refund_status(self, merchant_refund_id: str) -> RefundStatus:
        self.calls["refund_status"] += 1
        if self.refund_status_raises:
            raise self.refund_status_raises.popleft()
        if merchant_refund_id not in self.refunds:
            raise OrderUnknown("INVALID_MERCHANT_REFUND_ID", "no entry found")
        return self.refunds[merchant_refund_id]

    def say_refund(self, merchant_refund_id: str, state: str, **other: object) -> None:
        """From now on the refund is in this state."""
        told = replace(self.refunds[merchant_refund_id], state=state, **other)  # type: ignore[arg-type]
        self.refunds[merchant_refund_id] = replace(told, body={"state": state, **other})

    def doorbell(self, authorization: str, body: bytes) -> str | None:
        raise NotImplementedError

    def shut(self) -> None:
        """From now on answers are known but not given until `gate` is set; `asked` tells that one is."""
        self.gate.clear()
        self.asked.clear()

    def say(self, merchant_order_id: str, state: str, **other: object) -> None:
        """From now on the order is in this state."""
        told = replace(self.orders[merchant_order_id], state=state, **other)  # type: ignore[arg-type]
        self.orders[merchant_order_id] = replace(told, body=told.body | {"state": state})

    def pay(self, merchant_order_id: str, **other: object) -> None:
        self.say(
            merchant_order_id, "COMPLETED", utr="455069731511", transaction_id="OM1", payment_mode="UPI_QR", **other
        )
