"""Charges whose money ends soon, of drivers who are told so while evapp is closed."""

from datetime import datetime

from sqlmodel import Session, col, select

from domain import allowance, history, limits, push, settlement, vehicles
from domain.models import IS_OPEN, ChargingSession, Push, PushSubscription, SessionState


def found(db: Session, at: datetime) -> list[tuple[int, str]]:
    """Driver and ref of each charge whose money is short and of which a browser of his was not told so."""
    of_it = (Push.subscription_id == PushSubscription.id) & (Push.kind == push.LOW) & (Push.ref == ChargingSession.ref)
    running = (
        select(ChargingSession)
        .join(PushSubscription, col(PushSubscription.user_id) == ChargingSession.user_id)
        .where(IS_OPEN, ChargingSession.state == SessionState.CHARGING, ~select(Push).where(of_it).exists())
        .order_by(col(ChargingSession.id))
    )
    charges = {session.ref: session for session in db.exec(running)}
    return [(one.user_id, ref) for ref, one in charges.items() if one.user_id is not None and is_short(db, one, at)]


def is_short(db: Session, session: ChargingSession, at: datetime) -> bool:
    """Whether the money of this charge ends before it is over, so soon that its driver is warned."""
    assert session.user_id is not None
    price, power_w = settlement.price_of(session), session.power_w
    vehicle = vehicles.of(db, session.user_id)
    battery_wh = vehicle.battery_wh if vehicle is not None else 0
    to_full_wh = limits.wh_to_full(battery_wh, history.battery_percent(db, session.id) if battery_wh else None)
    target = limits.target_wh(limits.of(session), price, power_w, session.started_received_at or at)
    wanted_wh = limits.wanted_wh(target, session.energy_wh, to_full_wh)
    cost_paise = settlement.cost_by_now(session, at)
    return limits.short(price, power_w, allowance.held(db, session), cost_paise, wanted_wh, at)
