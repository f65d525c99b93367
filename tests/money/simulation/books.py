"""What the books of a run hold: whatever its judge asks, and every row that two runs of one seed have in common."""

from decimal import ROUND_HALF_UP, Decimal

from sqlmodel import Session, SQLModel, select

from domain.models import (
    NOT_OVER,
    ORDER_OPEN,
    REFUND_OPEN,
    ChargingSession,
    RechargeOrder,
    Refund,
    SessionState,
    Transfer,
)

KEPT = {
    "accounts": (),
    "transfers": (),
    "entries": (),
    "holds": ("created_at",),
    "recharge_orders": (),
    "refunds": (),
    "charging_sessions": ("updated_at",),
    "receipts": (),
    "gateway_events": ("created_at",),
    "findings": ("created_at",),
}
"""What the ledger of a run is, and the columns that the machine's own clock fills."""


def has_transfer(db: Session, key: str) -> bool:
    return db.exec(select(Transfer).where(Transfer.idem_key == key)).first() is not None


def orders_of(db: Session, user_id: int) -> list[str]:
    return list(db.exec(select(RechargeOrder.merchant_order_id).where(RechargeOrder.user_id == user_id)))


def energies_of(db: Session, user_id: int) -> list[int]:
    settled = select(ChargingSession.energy_wh).where(
        ChargingSession.user_id == user_id, ChargingSession.state == SessionState.SETTLED
    )
    return list(db.exec(settled))


def exact(energy_wh: int, paise_per_kwh: int) -> int:
    """What so much energy costs, worked out without the product."""
    return int((Decimal(energy_wh) * paise_per_kwh / 1000).quantize(Decimal(1), ROUND_HALF_UP))


def left_open(db: Session) -> list[str]:
    """Whatever is still on its way."""
    return [
        *(s.ref for s in db.exec(select(ChargingSession)) if s.state in NOT_OVER),
        *(o.merchant_order_id for o in db.exec(select(RechargeOrder)) if o.state in ORDER_OPEN),
        *(r.merchant_refund_id for r in db.exec(select(Refund)) if r.state in REFUND_OPEN),
    ]


def dump(db: Session) -> list[str]:
    lines = []
    for name, without in KEPT.items():
        table = SQLModel.metadata.tables[name]
        for row in db.execute(select(table).order_by(*table.primary_key)).mappings():
            lines.append(f"{name} " + " ".join(f"{key}={row[key]}" for key in row if key not in without))
    return lines
