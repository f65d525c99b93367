"""The start that a charger tells, and whose charge it is: a driver's wish, one told again, a card's, or nobody's."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, and_, col, or_, select, true

from domain import (
    allowance,
    cards,
    chargers,
    connectors,
    health,
    idling,
    interruptions,
    push,
    reservations,
    sessions,
    settlement,
    stops,
    tokens,
    wallet,
    wishes,
)
from domain.models import (
    IS_OPEN,
    NOT_OVER,
    OPEN,
    RUNNING,
    WANTED,
    Charger,
    ChargingSession,
    Connector,
    SessionState,
    User,
    now,
)
from domain.patience import counts_once
from domain.samples import STALE
from domain.settings import settings
from domain.tariffs import least_to_start, price

RETRY_WINDOW = timedelta(minutes=15)
"""With a clock we cannot trust, a start message is a repetition only for so long (ocpp.md Q19)."""
LATEST_PLUG = timedelta(hours=1)
"""A plug so long after the wish is not the driver's any more: anybody's car may stand there by now."""
PAUSED, LATELY = ("SuspendedEV", "SuspendedEVSE"), timedelta(minutes=1)
"""What a connector that said it before StartTransaction says of this charge: since its driver asked for it, or so
lately that it is no other car's (ocpp.md Q26)."""
LATE, CALLED_OFF, STRANGER, RESERVED = "late", "cancelled", "stranger", "reserved"
"""Why a charge that the charger began is stopped at once: the plug came after the wish had ended, or somebody had
called it off; a tag that may not; a connector that is kept for another one."""
STATUS = {LATE: "Invalid", CALLED_OFF: "Invalid", STRANGER: "Invalid", RESERVED: "Invalid", **cards.STATUS}
"""What the charger is told of the tag of a charge that is stopped at once; of any other: Accepted."""


@dataclass(frozen=True, slots=True)
class Started:
    """The answer to StartTransaction."""

    session_id: int
    transaction_id: int
    status: str
    """Of idTagInfo: Accepted, Blocked, Expired, Invalid or ConcurrentTx."""
    stop: bool
    """Whether it must be stopped remotely at once."""


def authorize(db: Session, charger_id: str, tag: str) -> str:
    """Authorize.conf: a tag of ours is good for its own charge only (Q29), a card goes by its own row.

    Tags that nobody knows go by the policy for walk-ups (Q32).
    """
    known = select(ChargingSession).where(
        ChargingSession.charger_id == charger_id, col(ChargingSession.tag).in_(sessions.spellings(tag))
    )
    ours = [s for s in sessions.of_tag(db.exec(known), tag) if sessions.by_app(s)]
    if ours:
        return "Accepted" if any(s.state in NOT_OVER for s in ours) else "Invalid"
    if token := tokens.find(db, tag):
        return cards.authorize(db, token, price(db, charger_id, now()), now())
    if reservations.of_tag(db, charger_id, tag, now()) is not None:
        return "Accepted"
    return "Accepted" if settings().walk_ups else "Invalid"


@counts_once
def started(
    db: Session,
    *,
    charger_id: str,
    connector_number: int,
    tag: str,
    meter_start_wh: int,
    at: datetime,
    received_at: datetime,
    reservation: int | None = None,
) -> Started:
    """StartTransaction: the wanted session begins, a repeated message finds the same one (ocpp.md Q19, Q28, Q32).

    `connector_number` is 0 where the charger names none. `at` equal to `received_at` means that the charger's own time
    cannot be trusted; `reservation` is the number of the reservation that the charger says it ends. A start that is
    told late is judged as of when the charge began, by the cards and reservations of then (Q27, payments.md C9).
    """
    concerned = _concerned(db, charger_id, connector_number, tag, meter_start_wh, at, received_at)
    of_tag = sessions.of_tag(concerned, tag)
    here = [s for s in _at(of_tag, connector_number) if s.meter_start_wh == meter_start_wh]
    if again := next((s for s in here if _is_same_start(s, at, received_at)), None):
        return _answer(again)
    begun = _begun_at(db, charger_id, at, received_at)
    told_late = received_at - begun > STALE
    judged_at = begun if told_late else received_at
    since = _since(concerned, of_tag, begun, received_at)
    wanted = next((s for s in of_tag if s.state in WANTED), None)
    wanted = wanted or _wanted_anew([s for s in concerned if s not in since], of_tag, connector_number)
    revived = (
        None if wanted else next((s for s in of_tag if _can_come_back(db, s, connector_number, at, received_at)), None)
    )
    connector_number = connector_number or _unnamed(db, charger_id, wanted or revived, concerned)
    session = wanted or revived or _walk_up(db, charger_id, connector_number, tag, begun)
    token = None if wanted or revived else tokens.find(db, tag)
    of_user = cards.payer(db, token, judged_at) if token is not None else None
    others = [s for s in _at(concerned, connector_number) if s is not session]
    elsewhere = sessions.open_of(db, of_user) if told_late and of_user is not None else None
    is_over = wanted is None and (any(s in since for s in others) or elsewhere not in (None, *others))
    _clear_connector(db, session, of_user, [s for s in others if not (is_over and s in since)])
    if is_over:
        session.state = SessionState.INTERRUPTED
    if token is not None:
        cards.claim(db, session, token, judged_at)
    if not is_over:
        idling.told_after(db, charger_id, connector_number, "Charging", received_at)
    _begin(db, session, connector_number, meter_start_wh, at, received_at)
    if revived is not None:
        _revive(db, revived)
    elif wanted is None and (cause := _why_not(db, session, of_tag, tag, judged_at)):
        _end(db, session, cause)
    if is_over:
        interruptions.interrupt(db, session)
    reservations.used(db, charger_id, reservation, tag, connector_number, judged_at)
    if session.state == SessionState.CHARGING:
        session.due_at = allowance.look_again_at(db, session, received_at)
    sessions.changed(db, session)
    return _answer(session)


def _why_not(db: Session, session: ChargingSession, of_tag: list[ChargingSession], tag: str, at: datetime) -> str:
    """Why a charge that the charger began by itself may not go on; empty where it may."""
    kept = reservations.holding(db, session.charger_id, session.connector_number, at)
    if kept is not None and not reservations.is_for(db, kept, tag):
        return RESERVED
    if token := tokens.find(db, tag):
        return cards.refusal(db, session, token, at)
    welcome = settings().walk_ups or kept is not None
    return "" if welcome and not any(map(sessions.by_app, of_tag)) else STRANGER


def _concerned(
    db: Session, charger_id: str, number: int, tag: str, meter_wh: int, at: datetime, received_at: datetime
) -> list[ChargingSession]:
    """Every session a start can touch, newest last: those of its tag, and those open on its connector, or on any of the
    charger's where it names none."""
    of_driver = col(ChargingSession.user_id).is_not(None) & col(ChargingSession.card).is_(None)
    same_clock = col(ChargingSession.started_at) == at
    of_day = col(ChargingSession.started_received_at) > received_at - interruptions.LATE_STOP
    same_register = and_(ChargingSession.meter_start_wh == meter_wh, of_day)
    mine = or_(of_driver, same_clock, same_register)
    here = ChargingSession.charger_id == charger_id
    of_tag = and_(here, col(ChargingSession.tag).in_(sessions.spellings(tag)), mine)
    there = col(ChargingSession.connector_number) == number if number else true()
    on_connector = and_(here, there, IS_OPEN)
    return list(
        db.exec(
            select(ChargingSession).where(or_(of_tag, on_connector)).order_by(col(ChargingSession.id)).with_for_update()
        )
    )


def _since(
    concerned: list[ChargingSession], of_tag: list[ChargingSession], begun: datetime, received_at: datetime
) -> list[ChargingSession]:
    """The wishes and charges that are open and newer than a start that is told late (payments.md C9).

    A charge after which another one has its connector, or its driver another one, is over, and its stop follows in the
    charger's queue. Until then it is an interrupted one, since only one is open at a connector and of a driver; a
    sample of now would show that it runs. A wish whose tag was told before it was made shows a slow clock.
    """
    slow = any(sessions.by_app(s) and s.requested_at - STALE > begun for s in of_tag)
    late = received_at - begun > STALE and not slow
    return [s for s in concerned if late and s.state in OPEN and sessions.begun_at(s) > begun]


def _at(found: list[ChargingSession], number: int) -> list[ChargingSession]:
    """Those on a connector; all of them where it is not named."""
    return [s for s in found if number in (0, s.connector_number)]


def _unnamed(db: Session, charger_id: str, its: ChargingSession | None, concerned: list[ChargingSession]) -> int:
    """The connector of a start that names none: where its driver wants it, else a free one, else the first."""
    if its is not None:
        return its.connector_number
    taken = {s.connector_number for s in concerned if s.state in OPEN}
    named = select(Connector).where(Connector.charger_id == charger_id, Connector.number > 0)
    there = db.exec(named.order_by(col(Connector.number)))
    return next((c.number for c in there if chargers.state_of(c, None, taken, True) == chargers.FREE), 1)


def _is_same_start(session: ChargingSession, at: datetime, received_at: datetime) -> bool:
    """By the charger's time; without one, for a while, for a day by a register that cannot be the same again, or until
    the stop of a charge whose tag is used only once. Whoever has used our number in a stop has our answer, and what
    it begins after that at the same register is the next charge."""
    if session.started_at is None or session.started_received_at is None:
        return False
    age = received_at - session.started_received_at
    lately = age < RETRY_WINDOW and not session.number_used
    again = lately or (age < interruptions.LATE_STOP and _has_left_its_register(session))
    single_use = sessions.by_app(session) and (session.state in RUNNING or session.estimated)
    return session.started_at == at or (at == received_at and again) or single_use


def _has_left_its_register(session: ChargingSession) -> bool:
    """Whether no other charge can begin where this one began: energy has flowed since, or no stop says that none did,
    and the register counts on. One that began at zero may begin there each time."""
    return session.meter_start_wh != 0 and (session.energy_wh > 0 or session.settled_at is None)


def _wanted_anew(
    concerned: list[ChargingSession], of_tag: list[ChargingSession], number: int
) -> ChargingSession | None:
    """The newer wish for this connector, where the charger obeyed an earlier one after we had given it up (Q28).

    Whoever waits there now has plugged in: the driver who tried again, or another one after he left. His wish goes by
    the tag that the charger tells, and the earlier one, which stays cancelled, by the other: what is paid has the
    price, the limit and the hold of the wish that its driver sees. Until the charger has agreed to wait for another
    one, nobody knows whose car it is: the charge is nobody's, and is stopped.
    """
    earlier = next((s for s in of_tag if s.state == SessionState.CANCELLED and sessions.by_app(s)), None)
    if earlier is None:
        return None
    number = number or earlier.connector_number
    newer = next((s for s in _at(concerned, number) if s.state in WANTED and sessions.by_app(s)), None)
    if newer is None:
        return None
    if newer.user_id != earlier.user_id:
        earlier.stop_cause = wishes.REPLACED
        if newer.state == SessionState.REQUESTED:
            return None
    newer.tag, earlier.tag = earlier.tag, newer.tag
    return newer


def _can_come_back(db: Session, session: ChargingSession, number: int, at: datetime, received_at: datetime) -> bool:
    """Whether a wish that came to nothing is begun by its tag after all. One whose connector another charge took may
    be at another one: two drivers swapped their cables, or the charger its connectors."""
    taken = session.stop_cause == wishes.TAKEN and number in (0, session.connector_number)
    return (
        session.state == SessionState.CANCELLED
        and not taken
        and session.stop_cause not in (wishes.REPLACED, wishes.OWN_CARD)
        and (at - session.requested_at <= LATEST_PLUG or _was_away_since(db, session, at, received_at))
        and sessions.by_app(session)
        and sessions.open_of(db, session.user_id or 0) is None
    )


def _was_away_since(db: Session, session: ChargingSession, at: datetime, received_at: datetime) -> bool:
    """Whether a charger without a clock has come back just now, within a day of the wish: it tells what began while it
    was away, at once and as if it were new (ocpp.md Q27). Its tag is the driver's alone, and is not kept for hours."""
    connected_at = db.get_one(Charger, session.charger_id).connected_at
    back = connected_at is not None and session.requested_at < connected_at and received_at - connected_at <= STALE
    return at == received_at and back and received_at - session.requested_at <= interruptions.LATE_STOP


def _answer(session: ChargingSession) -> Started:
    assert session.transaction_id is not None
    status = STATUS.get(session.stop_cause, "Accepted")
    return Started(session.id, session.transaction_id, status, session.state == SessionState.STOPPING)


def _begun_at(db: Session, charger_id: str, at: datetime, received_at: datetime) -> datetime:
    """When a charge began, as far as anybody can know: an old time is of a charger that was
    offline then (payments.md C9), or of a slow clock (ocpp.md Q39). The clock is slow where the charger was in contact
    all the time, and where its start is as old as it was slow before."""
    age, skew_ms = received_at - at, health.of(db, charger_id).clock_skew_ms or 0
    connected_at = db.get_one(Charger, charger_id).connected_at
    in_contact = connected_at is not None and connected_at <= at
    slow = age > health.SKEW and (in_contact or abs(age + timedelta(milliseconds=skew_ms)) <= health.SKEW)
    return received_at if slow else at


def _walk_up(db: Session, charger_id: str, connector_number: int, tag: str, begun: datetime) -> ChargingSession:
    tariff = price(db, charger_id, begun)
    return ChargingSession(
        ref=sessions.unguessable(16),
        charger_id=charger_id,
        connector_number=connector_number,
        tag=sessions.spelling(tag),
        paise_per_kwh=tariff.paise_per_kwh,
        gst_basis_points=tariff.gst_basis_points,
        terms=tariff.terms,
        requested_at=now(),
    )


def _clear_connector(db: Session, session: ChargingSession, of_user: int | None, others: list[ChargingSession]) -> None:
    """A start on a connector ends what was open there: a wish is cancelled, a charge has lost its stop (Q23).

    A wish of the user whose card begins is come true by it: his limit holds.
    """
    for other in others:
        if other.state in RUNNING:
            interruptions.interrupt(db, other)
        elif other.state in WANTED and of_user is not None and other.user_id == of_user:
            stops.cancel(db, other, wishes.OWN_CARD)
            session.limit_paise, session.limit_wh = other.limit_paise, other.limit_wh
            session.limit_minutes = other.limit_minutes
        elif other.state in WANTED:
            stops.cancel(db, other, wishes.TAKEN)


def _begin(
    db: Session, session: ChargingSession, number: int, meter_wh: int, at: datetime, received_at: datetime
) -> None:
    connector = sessions.felt_connector(db, session.charger_id, number)
    if connector is None:
        connector = Connector(charger_id=session.charger_id, number=number)
        db.add(connector)
    runs = session.state != SessionState.INTERRUPTED
    session.state, session.connector_number = SessionState.CHARGING if runs else session.state, number
    session.started_at, session.started_received_at = at, received_at
    session.meter_start_wh = session.meter_wh = meter_wh
    session.due_at = session.stopped_at = None
    if runs and connector.status in PAUSED and connector.changed_at >= min(session.requested_at, received_at - LATELY):
        connectors.felt(db, session, connector, received_at)
    db.add(session)
    db.flush()
    session.transaction_id = session.id
    db.flush()


def _revive(db: Session, session: ChargingSession) -> None:
    """The plug came after we had given up: charge if a start would be allowed now, else stop it (Q28).

    What it delivers until then is paid from what could be held.
    """
    assert session.user_id is not None
    held = wallet.rehold(db, session.id, session.user_id, at_most=settings().session_cap_paise)
    called_off = session.stop_cause in wishes.CALLED_OFF
    allowed = (
        not called_off
        and held >= least_to_start(settlement.price_of(session))
        and not wallet.balance(db, session.user_id).arrears_paise
        and db.get_one(User, session.user_id).blocked_at is None
    )
    session.stop_cause = ""
    push.take_back(db, session.user_id, push.ENDED, session.ref)
    if not allowed:
        _end(db, session, CALLED_OFF if called_off else LATE)


def _end(db: Session, session: ChargingSession, cause: str) -> None:
    """A charge may not go on; of one that is over already only the charger is told so."""
    if session.state == SessionState.INTERRUPTED:
        session.stop_cause = cause
    else:
        stops.stop_wanted(db, session, cause)
