"""What a kWh costs at a charger at a moment, and the estimate a driver reads before a start."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, or_, select

from domain import money
from domain.models import Tariff, now
from domain.settings import settings


@dataclass(frozen=True, slots=True)
class Price:
    """A tariff as a session keeps it: paise per kWh, GST included, and the GST inside it."""

    paise_per_kwh: int
    gst_basis_points: int

    def cost(self, wh: int) -> int:
        """Paise for `wh`."""
        return money.cost(wh, self.paise_per_kwh)

    def gst(self, cost_paise: int) -> int:
        """Paise of GST inside `cost_paise`; 0 while no GSTIN is set."""
        return money.gst_within(cost_paise, self.gst_basis_points)


def price(db: Session, charger_id: str, moment: datetime) -> Price:
    """The charger's own tariff in force at `moment`, else the common one, else the default of the settings.

    The price of a charge is the one in force when it was asked for, and stays (payments.md C21).
    """
    found = db.exec(
        select(Tariff)
        .where(or_(col(Tariff.charger_id) == charger_id, col(Tariff.charger_id).is_(None)))
        .where(col(Tariff.effective_at) <= moment)
        .order_by(col(Tariff.charger_id).is_(None), col(Tariff.effective_at).desc(), col(Tariff.id).desc())
        .limit(1)
    ).first()
    gst = settings().gst_basis_points if settings().seller_gstin else 0
    if found is None:
        return Price(settings().tariff_paise_per_kwh, gst)
    return Price(found.paise_per_kwh, found.gst_basis_points if gst else 0)


def set_price(
    db: Session, paise_per_kwh: int, *, charger_id: str | None = None, effective_at: datetime | None = None
) -> Tariff:
    """Put a price into force from `effective_at` (default: now) on, for one charger or for all.

    Raises:
        ValueError: for a negative price.
    """
    if paise_per_kwh < 0:
        raise ValueError("A price cannot be negative.")
    tariff = Tariff(
        charger_id=charger_id,
        paise_per_kwh=paise_per_kwh,
        gst_basis_points=settings().gst_basis_points,
        effective_at=effective_at or now(),
    )
    db.add(tariff)
    db.flush()
    return tariff
