"""What meter samples mean: energy and cost so far, and whether a charge has reached its money or its limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from domain import allowance, interruptions, scale, sessions, settlement, stops, succession
from domain.db import emit
from domain.events import SessionMetered
from domain.models import IS_NOT_OVER, IS_RUNNING, LIVE, RUNNING, ChargingSession, SessionState
from domain.patience import counts_once
from domain.samples import Sample, told_at, write
from domain.succession import JITTER_WH


@dataclass(frozen=True, slots=True)
class Overdue:
    """A running charge whose meter is silent."""

    session_id: int
    charger_id: str
    connector_number: int


ROUNDED = timedelta(seconds=1)
"""What a charger that tells whole seconds may leave out of its times."""


@counts_once
def record(db: Session, samples: Sequence[Sample]) -> list[int]:
    """Store a batch, advance its sessions, and announce their figures.

    Gives the ids of sessions that must be stopped now: they have reached their money or limit, or go on although
    their driver or connector has another charge. Samples that belong to no live session are dropped, but for those
    that follow a stop closely, which are kept and not billed: closed sessions never open again (ocpp.md Q31).
    """
    known = _known_sessions(db, samples)
    late = [(session, sample) for sample in samples if (session := _ended_of(sample, known)) is not None]
    found = [(session, sample) for sample in samples if (session := _session_of(db, sample, known)) is not None]
    if rows := [*late, *found]:
        write(db, rows)
    newest: dict[int, tuple[Sample, ChargingSession]] = {}
    for session, sample in found:
        _advance(db, session, sample)
        newest[session.id] = (sample, session)
    return [session_id for session_id, (sample, session) in newest.items() if _must_stop(db, session, sample)]


def overdue(db: Session, at: datetime, seconds: float) -> list[Overdue]:
    """The running charges of which no meter value has come for so long (ocpp.md Q41)."""
    heard = func.coalesce(ChargingSession.metered_at, ChargingSession.started_received_at)
    rows = db.exec(
        select(ChargingSession)
        .where(IS_RUNNING, heard < at - timedelta(seconds=seconds))
        .order_by(ChargingSession.charger_id, col(ChargingSession.connector_number))
    )
    return [Overdue(row.id, row.charger_id, row.connector_number) for row in rows]


def _known_sessions(db: Session, samples: Sequence[Sample]) -> list[ChargingSession]:
    """The sessions these chargers' samples can be of, locked; and the closed ones that samples name."""
    chargers = {sample.charger_id for sample in samples}
    named = {sample.transaction_id for sample in samples if sample.transaction_id is not None}
    of_chargers = select(ChargingSession).where(col(ChargingSession.charger_id).in_(chargers))
    going_on = of_chargers.where(IS_NOT_OVER, col(ChargingSession.state).in_(LIVE))
    live = db.exec(going_on.order_by(col(ChargingSession.id)).with_for_update()).all()
    unknown = named - {session.transaction_id for session in live}
    named_ones = of_chargers.where(col(ChargingSession.transaction_id).in_(unknown)).order_by(col(ChargingSession.id))
    closed = db.exec(named_ones.with_for_update()).all() if unknown else []
    return [*live, *closed]


def _session_of(db: Session, sample: Sample, known: Sequence[ChargingSession]) -> ChargingSession | None:
    """By its transaction id, or the charge that runs where another one has lost its stop; for a charger that ignores
    our ids the connector's running one (ocpp.md Q22, Q31), where the sample is not from before it (Q27)."""
    there = [session for session in known if session.charger_id == sample.charger_id]
    for session in there:
        if session.transaction_id == sample.transaction_id and sample.transaction_id is not None:
            newer = succession.next_of(db, session, sample.energy_wh)
            meant, states = (session, LIVE) if newer is None else (newer, RUNNING)
            return meant if meant.state in states else None
    on_connector = (s for s in there if s.connector_number == sample.connector_number)
    running = (session for session in on_connector if session.state in RUNNING)
    return next((session for session in running if sample.at >= sessions.begun_at(session) - ROUNDED), None)


def _ended_of(sample: Sample, known: Sequence[ChargingSession]) -> ChargingSession | None:
    """The closed session whose last register this is, give or take what a charger measures while it stops."""
    if sample.transaction_id is None or sample.energy_wh is None:
        return None
    for session in known:
        if (session.charger_id, session.transaction_id) == (sample.charger_id, sample.transaction_id):
            stop_wh = session.meter_stop_wh if session.state == SessionState.SETTLED else None
            near = stop_wh is not None and abs(sample.energy_wh - stop_wh) <= settlement.MARGIN_WH
            return session if near else None
    return None


def _advance(db: Session, session: ChargingSession, sample: Sample) -> None:
    told_again, before_wh = _is_told_again(session, sample), session.energy_wh
    newest = (session.sampled_at is None or sample.at >= session.sampled_at) and not told_again
    if sample.energy_wh is None or told_again:
        session.unheard_wh = allowance.unheard_wh(db, session, sample.received_at, sample.power_w)
    else:
        session.unheard_wh = 0
    if sample.energy_wh is not None:
        _add_energy(db, session, sample, sample.energy_wh, newest)
    if newest:
        session.power_w = session.power_w if sample.power_w is None else sample.power_w
        session.sampled_at = sample.at
    session.metered_at = max(session.metered_at or sample.received_at, sample.received_at)
    if session.state == SessionState.INTERRUPTED:
        idle = before_wh == session.energy_wh and _tells_nothing(db, session, sample)
        if not idle and not (sample.live and interruptions.resumed(db, session)):
            interruptions.interrupt(db, session)


def _tells_nothing(db: Session, session: ChargingSession, sample: Sample) -> bool:
    """A reading without power at a free connector: EN+ names a charge in its readings long after it (ocpp.md Q31)."""
    return sample.power_w == 0 and interruptions.is_free(db, session)


def _is_told_again(session: ChargingSession, sample: Sample) -> bool:
    """Whether the register falls and stays above its start: a charger without a clock tells old samples again after a
    reconnect (ocpp.md Q27). One that was reset can look so, too; its meterStop shows it, or the bill is for the driver.

    What it fell from must be believed: a single value far too high is none that others come again before.
    """
    start, last, register = session.meter_start_wh or 0, session.meter_wh, sample.energy_wh
    if last is None or register is None or not start <= last <= start + session.energy_wh + settlement.MARGIN_WH:
        return False
    return start - settlement.MARGIN_WH <= register < last - JITTER_WH


def _add_energy(db: Session, session: ChargingSession, sample: Sample, register: int, newest: bool) -> None:
    """Sum what the register rises; a fall is a reset, or a register of its own that began at zero (ocpp.md Q35, Q38).

    What rises faster than the connector can give is cut to that: the bill follows meterStop, this only the view. The
    first register of a charge without a meterStart is where it begins.
    """
    start = session.meter_start_wh or 0
    last = start if session.meter_wh is None else session.meter_wh
    nameplate_w = settlement.nameplate_w(db, session)
    rise, most = register - last, most_wh(session, sample, nameplate_w)
    if rise < 0 and (not newest or rise >= -JITTER_WH):
        return
    if (rise if rise >= 0 else register) > most:
        most = _most_since_register(db, session, sample, nameplate_w)
    if rise < 0 and register > most and scale.of_sample(db, session, register, last, most):
        return
    if rise < 0:
        if last != start or register > most:
            session.review = session.review or f"The register fell from {last} to {register} Wh."
        rise = register if register <= most else 0
    elif rise > most:
        session.review = session.review or f"The register jumped from {last} to {register} Wh."
        rise = most if last else 0
    session.energy_wh += rise
    session.meter_wh = register
    settlement.count(session, sample.at, sample.received_at, rise)


def most_wh(session: ChargingSession, sample: Sample, nameplate_w: int) -> int:
    """The most the register can have risen since the last sample, by the charger's clock or by ours."""
    return _most_since(session, sample, nameplate_w, session.sampled_at, session.metered_at)


def _most_since_register(db: Session, session: ChargingSession, sample: Sample, nameplate_w: int) -> int:
    """The same since the last register, which some chargers tell more rarely than their power."""
    return _most_since(session, sample, nameplate_w, *told_at(db, session))


def _most_since(
    session: ChargingSession, sample: Sample, nameplate_w: int, at: datetime | None, received_at: datetime | None
) -> int:
    here = sample.received_at - (received_at or session.started_received_at or sample.received_at)
    there = sample.at - (at or sessions.begun_at(session))
    return settlement.plausible_wh(nameplate_w, max(here, there))


def _must_stop(db: Session, session: ChargingSession, sample: Sample) -> bool:
    """Publish the newest figures; whether the charge must be stopped now."""
    if not sample.live:
        return False
    emit(db, announcement(session, sample))
    if session.state != SessionState.CHARGING:
        return session.state == SessionState.INTERRUPTED and not _tells_nothing(db, session, sample)
    if cause := allowance.reached(db, session, sample.received_at):
        stops.stop_wanted(db, session, cause)
        return True
    wanted = allowance.look_again_at(db, session, sample.received_at)
    if not allowance.stays(session.due_at, wanted, sample.received_at):
        session.due_at = wanted
    return False


def announcement(session: ChargingSession, sample: Sample) -> SessionMetered:
    """The session's figures after this sample, for whoever watches it."""
    at = sample.received_at
    return SessionMetered(
        session.id,
        session.charger_id,
        session.user_id,
        session.energy_wh,
        settlement.cost_of(session, at),
        session.power_w,
        at,
        sample.soc_percent,
    )
