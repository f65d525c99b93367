"""How far a charge may go: the driver's limits and the money held for it, and when to look again (payments.md 2.7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from domain import settlement
from domain.models import ChargingSession, Hold, HoldState
from domain.money import cost, energy_for

RESERVE_PAISE = 200
RESERVE_SECONDS = 60
"""Stopping takes a charger a while; so much power is kept back from the hold."""
SOON = timedelta(seconds=5)
ASSUMED_W = 60_000
"""What a connector is taken to give of which neither the operator nor a meter says it: most fast ones give no more."""


def reserve(session: ChargingSession) -> int:
    """Paise of one more minute at this power, and at least ₹2."""
    if session.terms is not None:
        return max(RESERVE_PAISE, settlement.price_of(session).pace(session.power_w) * RESERVE_SECONDS // 3600)
    return max(RESERVE_PAISE, cost(session.power_w * RESERVE_SECONDS // 3600, session.paise_per_kwh))


def reached(db: Session, session: ChargingSession, at: datetime) -> str:
    """What the charge has reached at this moment: limit, funds, or nothing yet (C22).

    For the money, what flowed since the last sample is estimated: a meter that falls silent is no free charge.
    """
    return reached_on(session, held(db, session), settlement.nameplate_w(db, session), at)


def reached_on(session: ChargingSession, held_paise: int, nameplate_w: int, at: datetime) -> str:
    """The same for a charge whose hold and connector are known."""
    ends_at = _minutes_end_at(session)
    if ends_at is not None and at >= ends_at:
        return "limit"
    if session.limit_wh is not None and session.energy_wh >= session.limit_wh:
        return "limit"
    if session.limit_paise is not None and settlement.cost_of(session, at) >= session.limit_paise:
        return "limit"
    spendable = _spendable(session, held_paise)
    return "funds" if spendable is not None and _cost_at(session, nameplate_w, at) >= spendable else ""


def look_again_at(db: Session, session: ChargingSession, at: datetime) -> datetime | None:
    """When `reached` must be asked again although no sample has come: the limit in minutes, or the end of the money."""
    return look_again_on(session, held(db, session), settlement.nameplate_w(db, session), at)


def look_again_on(session: ChargingSession, held_paise: int, nameplate_w: int, at: datetime) -> datetime | None:
    """The same for a charge whose hold and connector are known."""
    ends = _minutes_end_at(session), _money_ends_at(session, held_paise, nameplate_w)
    moments = [moment for moment in ends if moment is not None]
    return max(min(moments), at + SOON) if moments else None


def stays(planned: datetime | None, wanted: datetime | None, at: datetime) -> bool:
    """Whether the look that is planned stays as it is: one that comes too early costs a look, one too late money."""
    return planned == wanted or (planned is not None and wanted is not None and at < planned <= wanted)


@dataclass(slots=True)
class Bounds:
    """How far a charge at a plain price may go while its limits, its hold and its power stay what they are.

    The same as `reached_on` and `look_again_on` at the moment of a sample, for two comparisons and one division.
    """

    stop_wh: int | None
    """Energy at which it must end."""
    ends_at: datetime | None
    end_wh: int | None
    """Energy at which the money is used up, for which time and `flow_w` are watched."""
    flow_w: int

    def passed(self, energy_wh: int, at: datetime) -> bool:
        return (self.stop_wh is not None and energy_wh >= self.stop_wh) or (
            self.ends_at is not None and at >= self.ends_at
        )

    def look_again_at(self, energy_wh: int, at: datetime) -> datetime | None:
        moment = self.ends_at
        if self.end_wh is not None and self.flow_w:
            left_s = -(-max(0, self.end_wh - energy_wh) * 3600 // self.flow_w)
            spent_at = at + timedelta(seconds=left_s)
            moment = spent_at if moment is None or spent_at < moment else moment
        if moment is None:
            return None
        soon = at + SOON
        return moment if moment > soon else soon


def bounds(session: ChargingSession, held_paise: int, nameplate_w: int) -> Bounds:
    """For a charge whose hold and connector are known, and whose tariff is a price for energy alone."""
    spendable = _spendable(session, held_paise)
    stops = [] if session.limit_wh is None else [session.limit_wh]
    for paise in (session.limit_paise, spendable):
        if paise is not None and (paise <= 0 or session.paise_per_kwh):
            stops.append(0 if paise <= 0 else energy_for(paise - 1, session.paise_per_kwh) + 1)
    end_wh = None if spendable is None else energy_for(max(0, spendable - 1), session.paise_per_kwh) + 1
    return Bounds(min(stops, default=None), _minutes_end_at(session), end_wh, _flow_w(session, nameplate_w))


def held(db: Session, session: ChargingSession) -> int:
    """Paise that the charge's hold still holds."""
    hold = db.get(Hold, session.id) if session.user_id is not None else None
    return hold.amount_paise if hold is not None and hold.state == HoldState.OPEN else 0


def _minutes_end_at(session: ChargingSession) -> datetime | None:
    if session.limit_minutes is None or session.started_received_at is None:
        return None
    return session.started_received_at + timedelta(minutes=session.limit_minutes)


def _spendable(session: ChargingSession, held_paise: int) -> int | None:
    """Paise at which the charge must end; None when it costs nobody anything."""
    if session.user_id is None or (not session.paise_per_kwh and settlement.price_of(session).free):
        return None
    return held_paise - reserve(session)


def _flow_w(session: ChargingSession, nameplate_w: int) -> int:
    """What flows while nothing is heard: the power of the last sample, else the most the connector can give (Q40)."""
    return 0 if session.suspended else session.power_w or nameplate_w or ASSUMED_W


def _heard_at(session: ChargingSession) -> datetime:
    moment = session.metered_at or session.started_received_at
    assert moment is not None
    return moment


def _cost_at(session: ChargingSession, nameplate_w: int, at: datetime) -> int:
    silent_s = max(0, int((at - _heard_at(session)).total_seconds()))
    return settlement.cost_of(session, at, _flow_w(session, nameplate_w) * silent_s // 3600)


def _money_ends_at(session: ChargingSession, held_paise: int, nameplate_w: int) -> datetime | None:
    spendable, flow_w = _spendable(session, held_paise), _flow_w(session, nameplate_w)
    if spendable is None:
        return None
    if session.terms is not None:
        return _terms_end_at(session, spendable, flow_w)
    if not flow_w:
        return None
    left_wh = max(0, energy_for(max(0, spendable - 1), session.paise_per_kwh) + 1 - session.energy_wh)
    return _heard_at(session) + timedelta(seconds=-(-left_wh * 3600 // flow_w))


def _terms_end_at(session: ChargingSession, spendable: int, flow_w: int) -> datetime | None:
    """The earliest end of the money under a tariff of several parts: at its dearest, which is looked at again then."""
    pace, heard_at = settlement.price_of(session).pace(flow_w), _heard_at(session)
    if not pace or (not flow_w and session.idle_since is None):
        return None
    left_paise = max(0, spendable - settlement.cost_of(session, heard_at))
    return heard_at + timedelta(seconds=left_paise * 3600 // pace)
