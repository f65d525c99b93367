"""Charges whose money ends soon, of drivers who are told so while evapp is closed."""

from datetime import datetime
from functools import partial

from sqlmodel import Session, col, select

from domain import allowance, history, limits, push, settlement, vehicles
from domain.models import IS_OPEN, ChargingSession, Push, PushSubscription, SessionState
from domain.prices import Price


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
    price, cost_paise = settlement.price_of(session), settlement.cost_by_now(session, at)
    short = partial(limits.short, price, session.power_w, allowance.held(db, session), cost_paise, at=at)
    return short(wanted_wh=None) and short(wanted_wh=_wanted_wh(db, session, price, at))


def _wanted_wh(db: Session, session: ChargingSession, price: Price, at: datetime) -> int | None:
    """What its driver still wants. Where the car does not say how full it is, all readings of the charge are read for
    that: this is asked only of one whose money is near its end."""
    assert session.user_id is not None
    vehicle = vehicles.of(db, session.user_id)
    battery_wh = vehicle.battery_wh if vehicle is not None else 0
    to_full_wh = limits.wh_to_full(battery_wh, history.battery_percent(db, session.id) if battery_wh else None)
    target = limits.target_wh(limits.of(session), price, session.power_w, session.started_received_at or at)
    return limits.wanted_wh(target, session.energy_wh, to_full_wh)
