"""A driver's own end of a charge, in rupees, kWh or minutes: what it comes to before, and changing it meanwhile."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from domain import allowance, chargers, sessions, settlement, vehicles, wallet
from domain.models import STOPPABLE, ChargingSession, SessionState, now
from domain.money import AmountError, cost, parse_rupees, seconds_for
from domain.prices import Price, affordable_wh, estimate
from domain.sentences import Sentence
from domain.settings import settings
from domain.wishes import LIMITS, REFUSALS, Limit, Refused, refuse_limit, refuse_limit_of_fee

ROOM_PAISE = 2_000
"""What must be left over where money is said to be enough."""
_MINUTES = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a charge will about come to: Wh, paise, seconds; None where nobody can say."""

    energy_wh: int | None
    cost_paise: int | None
    seconds: int | None
    sooner: bool
    """Whether the wallet ends it before the driver's limit does."""
    full: bool = False
    """Whether the battery, were it empty now, is full before that."""
    cap_paise: int = 0
    """What one charge may cost at most, where the wallet has more."""


def parsed(kind: str, typed: str) -> Limit:
    """The limit that was typed: `kind` is paise, wh, minutes or empty, `typed` is in rupees, kWh or minutes.

    Raises:
        AmountError: for what is no number, or more than a limit may be.
    """
    if not kind:
        return Limit()
    value = _whole(kind, typed)
    limit = Limit(**{kind: value})
    if not 0 < value <= LIMITS[kind]:
        raise AmountError(REFUSALS[f"most {kind}"])
    return limit


def _whole(kind: str, typed: str) -> int:
    """Paise, Wh or minutes; kWh are written as rupees are."""
    if kind == "minutes":
        if _MINUTES.fullmatch(typed) is None:
            raise AmountError(Sentence("Enter the minutes in digits, like 45."))
        return int(typed)
    if kind == "paise":
        return parse_rupees(typed)
    try:
        return parse_rupees(typed) * 10
    except AmountError:
        raise AmountError(Sentence("Enter the energy in kWh in digits, like 12.5.")) from None


def of(session: ChargingSession) -> Limit:
    """The limit of a charge."""
    return Limit(session.limit_paise, session.limit_wh, session.limit_minutes)


def change(db: Session, user_id: int, limit: Limit) -> ChargingSession:
    """Another limit for the driver's charge under way, or none.

    Raises:
        Refused: there is no such charge, it is ending, or its meter is past this limit already, or the fee for the
            start reaches it; nothing changed.
    """
    refuse_limit(limit)
    found = sessions.open_of(db, user_id)
    if found is None:
        raise Refused("over")
    session = sessions.locked(db, found.id)
    if session.state not in STOPPABLE:
        raise Refused("over")
    refuse_limit_of_fee(limit, settlement.price_of(session))
    session.limit_paise, session.limit_wh, session.limit_minutes = limit.paise, limit.wh, limit.minutes
    if session.state == SessionState.CHARGING:
        moment = now()
        if allowance.past_limit(session, moment):
            raise Refused("passed")
        session.due_at = allowance.look_again_at(db, session, moment)
    sessions.changed(db, session)
    return session


def before(db: Session, user_id: int, charger_id: str, connector_number: int, limit: Limit) -> Outlook | None:
    """What a charge with this limit would come to for this driver, here and now; None where nothing ends it.

    Raises:
        ChargerUnknown: there is no such charger.
    """
    view = chargers.view(db, charger_id)
    connector = view.connector(connector_number)
    vehicle = vehicles.of(db, user_id)
    power_w = vehicles.takes_w(vehicle, connector.kind, connector.max_power_w) if connector is not None else 0
    free, cap = wallet.balance(db, user_id).free_paise, settings().session_cap_paise
    battery_wh = vehicle.battery_wh if vehicle is not None else 0
    found = outlook(view.price, power_w, min(free, cap), limit, now(), battery_wh)
    return replace(found, cap_paise=cap) if found is not None and free > cap else found


def outlook(
    price: Price, power_w: int, spendable_paise: int, limit: Limit, at: datetime, battery_wh: int = 0
) -> Outlook | None:
    """What a charge from `at` on comes to when it ends by its limit, by the money there is (ADR 0007), or by a full
    battery, where it is known how much that holds."""
    if limit.minutes and not power_w:
        return Outlook(None, None, limit.minutes * 60, sooner=False)
    minutes_wh = power_w * limit.minutes // 60 if limit.minutes else None
    ends = [wh for wh in (target_wh(limit, price, power_w, at), minutes_wh) if wh is not None]
    money = [] if price.free else [affordable_wh(price, spendable_paise, power_w, at)]
    energy_wh = min([*ends, *money, *([battery_wh] if battery_wh else [])], default=None)
    if energy_wh is None:
        return None
    found = estimate(price, energy_wh, power_w, at)
    full = bool(battery_wh) and energy_wh < min([*ends, *money], default=battery_wh + 1)
    sooner = bool(ends) and energy_wh < min(ends) and not full
    return Outlook(energy_wh, found.paise, found.seconds or None, sooner=sooner, full=full)


def target_wh(limit: Limit, price: Price, power_w: int, begun: datetime) -> int | None:
    """The energy at which a limit in kWh or rupees ends a charge; None for one in minutes, and for none."""
    by_money = affordable_wh(price, limit.paise, power_w, begun) if limit.paise and not price.free else None
    return min((wh for wh in (limit.wh, by_money) if wh is not None), default=None)


def ready_at(
    limit: Limit, target: int | None, *, energy_wh: int, power_w: int, started_at: datetime | None, at: datetime
) -> datetime | None:
    """When a running charge reaches its limit at the power of `at`; None when it has none, or no power flows.

    `target` is what `target_wh` gave for it.
    """
    ends = []
    if limit.minutes and started_at is not None:
        ends.append(started_at + timedelta(minutes=limit.minutes))
    if target is not None and power_w:
        ends.append(at + timedelta(seconds=seconds_for(target - energy_wh, power_w)))
    return min(ends, default=None)


def short(price: Price, power_w: int, held_paise: int, cost_paise: int, wanted_wh: int | None, at: datetime) -> bool:
    """Whether to warn that the held money runs out: past 80 % of it (payments.md 2.7), in its last ₹200, or in its
    last hour at this power.

    Not where what is still to come (`wanted_wh`, by the driver's limit or until the battery is full) is covered, nor
    where nothing costs anything: what is held then is never spent.
    """
    if price.free or not held_paise:
        return False
    left = held_paise - cost_paise
    if cost_paise * 5 < held_paise * 4 and left >= max(wallet.LOW_PAISE, price.pace(power_w)):
        return False
    return wanted_wh is None or cost(wanted_wh, price.at(at)) > left - ROOM_PAISE


def wanted_wh(target: int | None, energy_wh: int, to_full_wh: int | None) -> int | None:
    """What the driver still wants of a charge that has come to `energy_wh`, until the `target` of its limit or a full
    battery; None where neither is known."""
    ends = None if target is None else max(0, target - energy_wh), to_full_wh
    return min((wh for wh in ends if wh is not None), default=None)


def wh_to_full(battery_wh: int, soc_percent: int | None) -> int | None:
    """What a battery of this size still takes; None where its size is not known, or the car does not say how full."""
    return battery_wh * (100 - soc_percent) // 100 if battery_wh and soc_percent is not None else None


def full_at(battery_wh: int, soc_percent: int | None, power_w: int, at: datetime) -> datetime | None:
    """When a battery of this size is full at the power of `at`; None where the car does not say, or takes nothing."""
    left_wh = wh_to_full(battery_wh, soc_percent)
    return at + timedelta(seconds=seconds_for(left_wh, power_w)) if left_wh is not None and power_w else None
