"""How far a charge may go: the driver's limits and the money held for it, and when to look again (payments.md 2.7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from domain import sessions, settlement
from domain.models import ChargingSession, Hold, HoldState
from domain.money import cost, energy_for, seconds_for

RESERVE_PAISE = 200
RESERVE_SECONDS = 60
"""Stopping takes a charger a while; so much power is kept back from the hold."""
SOON = timedelta(seconds=5)
UNMETERED = timedelta(minutes=20)
"""A charger that told no energy for so long does not meter (ocpp.md Q40): samples are 15 minutes apart at most."""


def reserve(session: ChargingSession, power_w: int) -> int:
    """Paise of one more minute at this power, and at least ₹2."""
    if session.terms is not None:
        return max(RESERVE_PAISE, settlement.price_of(session).pace(power_w) * RESERVE_SECONDS // 3600)
    return max(RESERVE_PAISE, cost(power_w * RESERVE_SECONDS // 3600, session.paise_per_kwh))


def reached(db: Session, session: ChargingSession, at: datetime) -> str:
    """What the charge has reached at this moment: limit, funds, or nothing yet (C22).

    What flowed since the last register is estimated: a meter that falls silent is no free charge, and no driver's limit
    waits for it. Only the meter is billed.
    """
    nameplate_w = settlement.nameplate_w(db, session)
    unheard = unheard_wh(db, session, at)
    if past_limit(session, at, unheard if at >= _watched_from(session, nameplate_w) else 0):
        return "limit"
    spendable = _spendable(session, held(db, session), _power_w(session, nameplate_w))
    return "funds" if spendable is not None and settlement.cost_of(session, at, unheard) >= spendable else ""


def past_limit(session: ChargingSession, at: datetime, more_wh: int = 0) -> bool:
    """Whether the charge is past its driver's limit by what its meter told, and so much more."""
    ends_at = _minutes_end_at(session)
    return (
        (ends_at is not None and at >= ends_at)
        or (session.limit_wh is not None and session.energy_wh + more_wh >= session.limit_wh)
        or (session.limit_paise is not None and settlement.cost_of(session, at, more_wh) >= session.limit_paise)
    )


def look_again_at(db: Session, session: ChargingSession, at: datetime) -> datetime | None:
    """When `reached` must be asked again although no sample has come: the end of a limit, or of the money."""
    ends = _minutes_end_at(session), *_unheard_ends(db, session)
    moments = [moment for moment in ends if moment is not None]
    return max(min(moments), at + SOON) if moments else None


def stays(planned: datetime | None, wanted: datetime | None, at: datetime) -> bool:
    """Whether the next look stays planned as it is, though it is wanted at another time.

    It stays where it comes no later than wanted: a look too early costs only a look, one too late costs money.
    """
    return planned == wanted or (planned is not None and wanted is not None and at < planned <= wanted)


@dataclass(slots=True)
class Bounds:
    """How far a charge at a plain price may go while its limits, its hold and its power stay what they are.

    The same as `reached` and `look_again_at` at the moment of a sample, for two comparisons and one division.
    """

    end_wh: int | None
    """Energy at which it must end; time and `flow_w` are watched for it."""
    ends_at: datetime | None
    flow_w: int

    def passed(self, energy_wh: int, at: datetime) -> bool:
        return (self.end_wh is not None and energy_wh >= self.end_wh) or (
            self.ends_at is not None and at >= self.ends_at
        )

    def look_again_at(self, energy_wh: int, at: datetime) -> datetime | None:
        moment = self.ends_at
        if self.end_wh is not None and self.flow_w:
            flowed_at = at + timedelta(seconds=seconds_for(self.end_wh - energy_wh, self.flow_w))
            moment = flowed_at if moment is None or flowed_at < moment else moment
        if moment is None:
            return None
        soon = at + SOON
        return moment if moment > soon else soon


def bounds(session: ChargingSession, held_paise: int, nameplate_w: int) -> Bounds:
    """For a charge whose hold and connector are known, that tells energy or power, at a price for energy alone."""
    spendable = _spendable(session, held_paise, _power_w(session, nameplate_w))
    ends = session.limit_wh, _costs_at(session, session.limit_paise), _costs_at(session, spendable)
    end_wh = min((wh for wh in ends if wh is not None), default=None)
    return Bounds(end_wh, _minutes_end_at(session), _flow_w(session, nameplate_w))


def held(db: Session, session: ChargingSession) -> int:
    """Paise that the charge's hold still holds."""
    hold = db.get(Hold, session.id) if session.user_id is not None else None
    return hold.amount_paise if hold is not None and hold.state == HoldState.OPEN else 0


def _minutes_end_at(session: ChargingSession) -> datetime | None:
    if session.limit_minutes is None or session.started_received_at is None:
        return None
    return session.started_received_at + timedelta(minutes=session.limit_minutes)


def _spendable(session: ChargingSession, held_paise: int, power_w: int) -> int | None:
    """Paise at which the charge must end; None when it costs nobody anything."""
    if session.user_id is None or (not session.paise_per_kwh and settlement.price_of(session).free):
        return None
    return held_paise - reserve(session, power_w)


def _power_w(session: ChargingSession, nameplate_w: int) -> int:
    """What the charge takes: the power of its last sample, else its mean since the start, and no more than the
    connector gives; 0 where the charger told neither power nor energy."""
    if session.power_w or not session.energy_wh:
        return session.power_w
    here = _between(session.started_received_at, session.metered_at)
    there = _between(session.started_at, session.sampled_at)
    most_w = nameplate_w or settlement.ASSUMED_W
    mean_w = session.energy_wh * 3600 // max(here, there, 1)
    return max(1, min(mean_w, most_w))


def _between(since: datetime | None, until: datetime | None) -> int:
    return 0 if since is None or until is None else int((until - since).total_seconds())


def _flow_w(session: ChargingSession, nameplate_w: int) -> int:
    """What flows while nothing is heard: what the charge takes, else the most the connector can give (Q40)."""
    return 0 if session.suspended else _power_w(session, nameplate_w) or nameplate_w or settlement.ASSUMED_W


def _costs_at(session: ChargingSession, paise: int | None) -> int | None:
    """Energy at which a charge costs so much whose tariff is a price for energy alone."""
    if paise is None or (paise > 0 and not session.paise_per_kwh):
        return None
    return 0 if paise <= 0 else energy_for(paise - 1, session.paise_per_kwh) + 1


def unheard_wh(db: Session, session: ChargingSession, at: datetime, told_w: int | None = None) -> int:
    """An estimate of the Wh that flowed until `at` and of which no register told; a pause takes off its own length.

    With the power in W that is told at that moment, by that or the power before it, whichever is more.
    """
    silent_s = max(0, int((at - _flows_since(db, session)).total_seconds()))
    if told_w is None or session.suspended:
        flow_w = _flow_w(session, settlement.nameplate_w(db, session))
    else:
        flow_w = max(session.power_w, told_w)
    return session.unheard_wh + flow_w * silent_s // 3600


def _heard_at(session: ChargingSession) -> datetime:
    moment = session.metered_at or session.started_received_at
    assert moment is not None
    return moment


def _flows_since(db: Session, session: ChargingSession) -> datetime:
    """Since when energy flows that is not in `unheard_wh` yet: the last sample, or what the connector said after it."""
    connector = sessions.connector(db, session)
    return _heard_at(session) if connector is None else max(_heard_at(session), connector.changed_at)


def _watched_from(session: ChargingSession, nameplate_w: int) -> datetime:
    """From when on a driver's limit is watched by an estimate. Where neither energy nor power was told, at first only
    the meter is believed: the most that a connector can give is far more than a car takes. Samples of something else
    do not put that off."""
    heard_at, flow_w = _heard_at(session), _flow_w(session, nameplate_w)
    if _power_w(session, nameplate_w):
        return heard_at
    unheard_s = seconds_for(session.unheard_wh, flow_w) if flow_w else 0
    return heard_at - timedelta(seconds=unheard_s) + UNMETERED


def _unheard_ends(db: Session, session: ChargingSession) -> tuple[datetime | None, ...]:
    """The earliest ends of a charge whose meter stays silent: in energy, and in what it costs."""
    nameplate_w = settlement.nameplate_w(db, session)
    flow_w, since = _flow_w(session, nameplate_w), _flows_since(db, session)
    of_limit = (
        _flowed_at(session, session.limit_wh, since, flow_w),
        _spent_at(session, session.limit_paise, since, flow_w),
    )
    watched_from = _watched_from(session, nameplate_w)
    spendable = _spendable(session, held(db, session), _power_w(session, nameplate_w))
    return (
        *(moment and max(moment, watched_from) for moment in of_limit),
        _spent_at(session, spendable, since, flow_w),
    )


def _flowed_at(session: ChargingSession, wh: int | None, since: datetime, flow_w: int) -> datetime | None:
    if wh is None or not flow_w:
        return None
    return since + timedelta(seconds=seconds_for(wh - session.energy_wh - session.unheard_wh, flow_w))


def _spent_at(session: ChargingSession, paise: int | None, since: datetime, flow_w: int) -> datetime | None:
    """The earliest end of so much; under a tariff of several parts at its dearest, which is looked at again then.

    The first energy brings the fees for the start and for what passed since the last sample.
    """
    if session.terms is None:
        return _flowed_at(session, _costs_at(session, paise), since, flow_w)
    pace = settlement.price_of(session).pace(flow_w)
    if paise is None or not pace or (not flow_w and session.idle_since is None):
        return None
    left_paise = max(0, paise - settlement.cost_of(session, since, session.unheard_wh or (1 if flow_w else 0)))
    return since + timedelta(seconds=left_paise * 3600 // pace)
