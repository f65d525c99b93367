"""The beginning of a charge: the wish with its hold, the charger's answer, and the start that the charger tells."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, and_, col, or_, select

from domain import allowance, cards, chargers, idling, interruptions, reservations, sessions, stops, tokens, wallet
from domain.models import OPEN, RUNNING, ChargingSession, Connector, Reservation, SessionState, User, now
from domain.money import plain_rupees
from domain.patience import counts_once
from domain.sentences import Sentence
from domain.settings import settings
from domain.tariffs import price

PLUG = timedelta(seconds=105)
"""ConnectionTimeOut of 90 s, and 15 s on the way."""
RETRY_WINDOW = timedelta(minutes=15)
"""With a clock we cannot trust, a start message is a repetition only for so long (ocpp.md Q19)."""
WANTED = (SessionState.REQUESTED, SessionState.AWAITING_PLUG)

REFUSALS = {
    "blocked": Sentence("This account is blocked. Write to us and we will look at it."),
    "unknown": Sentence("There is no charger {charger}."),
    "no contact": Sentence("No contact with this charger. Nothing was charged. Try another one nearby."),
    "busy": Sentence("This charger is in use. Nothing was charged."),
    "reserved": Sentence("This charger is reserved for somebody else. Nothing was charged. Try another one nearby."),
    "unplug": Sentence("The last charge has ended, but its cable is still in the car. Unplug it, then start again."),
    "fault": Sentence("This charger is out of order. Nothing was charged. Try another one nearby."),
    "off": Sentence("This charger is switched off by its operator. Nothing was charged."),
    "arrears": Sentence("You owe {arrears} for an earlier charge. Add money first; it is taken from that."),
    "funds": Sentence("You need at least {minimum} free in your wallet to start. Add money first."),
    "charging": Sentence("You are already charging at {charger}."),
    "limit": Sentence("Choose a limit above zero and up to 10,000."),
    "passed": Sentence("This charge is already past that. Choose more, or stop it now."),
    "over": Sentence("This charge is ending. Its limit can no longer change."),
}
"""Why a start is refused, and what the driver reads."""

LIMITS = {"paise": 1_000_000, "wh": 10_000_000, "minutes": 10_000}
"""The largest limits: ₹10,000, 10,000 kWh, 10,000 minutes."""

ENDINGS = {
    "refused": Sentence("The charger said no. Nothing was charged. Unplug, plug in again, then try once more."),
    "silent": Sentence("The charger did not answer in 30 seconds. Nothing was charged."),
    "offline": Sentence("No contact with the charger. Nothing was charged."),
    "unreachable": Sentence("We cannot reach the charger just now. Nothing was charged. Try again in a minute."),
    "unplugged": Sentence("No car was plugged in within 90 seconds. Nothing was charged."),
    "driver": Sentence("You cancelled before charging began. Nothing was charged."),
    "operator": Sentence("The operator cancelled before charging began. Nothing was charged."),
    "taken": Sentence("Somebody else started this charger first. Nothing was charged."),
}
"""Why a start came to nothing (`stop_cause` of a CANCELLED session), and what the driver reads."""

CALLED_OFF = ("driver", "operator")
"""Endings that somebody chose: no late plug revives these."""
LATE, STRANGER, RESERVED = "late", "stranger", "reserved"
"""Why a charge that the charger began is stopped at once: the plug came after the wish had ended; a tag that may not;
a connector that is kept for another one."""
STATUS = {LATE: "Invalid", STRANGER: "Invalid", RESERVED: "Invalid", **cards.STATUS}
"""What the charger is told of the tag of a charge that is stopped at once; of any other: Accepted."""


class Refused(Exception):
    """A start that the rules do not allow; `code` says which, the text is for the driver."""

    def __init__(self, code: str, **facts: str) -> None:
        self.code, self.facts = code, facts
        super().__init__(REFUSALS[code].format(**facts))


@dataclass(frozen=True, slots=True)
class Limit:
    """Where a driver wants a charge to end by itself; empty means: when he stops it, or at the hold."""

    paise: int | None = None
    wh: int | None = None
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The answer to StartTransaction."""

    session_id: int
    transaction_id: int
    status: str
    """Of idTagInfo: Accepted, Blocked, Expired, Invalid or ConcurrentTx."""
    stop: bool
    """Whether it must be stopped remotely at once."""


def request_start(
    db: Session, user_id: int, charger_id: str, connector_number: int, limit: Limit | None = None
) -> ChargingSession:
    """Open a session and its hold, before the charger is asked (architecture.md, a charge, step 2).

    Raises:
        Refused: with the reason for the driver; nothing was held.
    """
    limit = limit or Limit()
    if db.get_one(User, user_id).blocked_at is not None:
        raise Refused("blocked")
    refuse_limit(limit)
    if running := sessions.open_of(db, user_id):
        raise Refused("charging", charger=running.charger_id)
    reserved = _refuse_unless_free(db, charger_id, connector_number, user_id)
    if owed := wallet.balance(db, user_id).arrears_paise:
        raise Refused("arrears", arrears=plain_rupees(owed))
    moment = now()
    tariff = price(db, charger_id, moment)
    session = ChargingSession(
        ref=sessions.unguessable(16),
        user_id=user_id,
        charger_id=charger_id,
        connector_number=connector_number,
        tag=reserved.tag if reserved is not None else sessions.unguessable(sessions.TAG),
        card=reserved.tag if reserved is not None else None,
        limit_paise=limit.paise,
        limit_wh=limit.wh,
        limit_minutes=limit.minutes,
        paise_per_kwh=tariff.paise_per_kwh,
        gst_basis_points=tariff.gst_basis_points,
        terms=tariff.terms,
        requested_at=moment,
        due_at=moment + stops.ANSWER,
    )
    db.add(session)
    db.flush()
    _hold(db, session)
    sessions.changed(db, session)
    return session


def refuse_limit(limit: Limit) -> None:
    """A limit is more than nothing, and no more than LIMITS.

    Raises:
        Refused: it is not.
    """
    for name, most in LIMITS.items():
        value = getattr(limit, name)
        if value is not None and not 0 < value <= most:
            raise Refused("limit")


def _refuse_unless_free(db: Session, charger_id: str, connector_number: int, user_id: int) -> Reservation | None:
    """Gives the driver's own reservation, whose tag the charger wants to see (OCPP 1.6, 5.13)."""
    try:
        view = chargers.view(db, charger_id)
    except chargers.ChargerUnknown:
        raise Refused("unknown", charger=charger_id) from None
    connector = next((c for c in view.connectors if c.number == connector_number), None)
    if connector is None:
        raise Refused("unknown", charger=f"{charger_id}/{connector_number}")
    reserved = reservations.holding(db, charger_id, connector_number, now())
    if reserved is not None and reserved.user_id != user_id:
        raise Refused("reserved")
    if connector.state == chargers.BUSY and connector.status == "Finishing":
        raise Refused("unplug")
    if connector.state != chargers.FREE and not (reserved is not None and connector.status == "Reserved"):
        raise Refused(connector.state)
    return reserved


def _hold(db: Session, session: ChargingSession) -> None:
    assert session.id is not None
    assert session.user_id is not None
    minimum = settings().start_min_paise
    try:
        wallet.hold(db, session.id, session.user_id, at_least=minimum, at_most=settings().session_cap_paise)
    except wallet.InsufficientFunds:
        raise Refused("funds", minimum=plain_rupees(minimum)) from None


def answered(db: Session, session_id: int, verdict: str) -> None:
    """The charger's answer to RemoteStart: accepted, or why there is none, which releases the hold."""
    session = sessions.locked(db, session_id)
    if session.state != SessionState.REQUESTED:
        return
    if verdict == "accepted":
        session.state, session.due_at = SessionState.AWAITING_PLUG, now() + PLUG
        sessions.changed(db, session)
    else:
        stops.cancel(db, session, verdict)


def explain(session: ChargingSession) -> str:
    """The sentence for a start that came to nothing."""
    return ENDINGS.get(session.stop_cause, "")


def authorize(db: Session, charger_id: str, tag: str) -> str:
    """Authorize.conf: a tag of ours is good for its own charge only (Q29), a card goes by its own row.

    Tags that nobody knows go by the policy for walk-ups (Q32).
    """
    known = select(ChargingSession).where(
        ChargingSession.charger_id == charger_id, col(ChargingSession.tag).in_(sessions.spellings(tag))
    )
    ours = [s for s in sessions.of_tag(db.exec(known), tag) if sessions.by_app(s)]
    if ours:
        return "Accepted" if any(s.state in (*OPEN, SessionState.INTERRUPTED) for s in ours) else "Invalid"
    if token := tokens.find(db, tag):
        return cards.authorize(db, token, now())
    if reservations.of_tag(db, charger_id, tag, now()) is not None:
        return "Accepted"
    return "Accepted" if settings().accept_unknown else "Invalid"


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

    `at` equal to `received_at` means that the charger's own time cannot be trusted; `reservation` is the number of the
    reservation that the charger says it ends.
    """
    concerned = _concerned(db, charger_id, connector_number, tag, at, received_at)
    of_tag = sessions.of_tag(concerned, tag)
    here = [s for s in of_tag if s.connector_number == connector_number and s.meter_start_wh == meter_start_wh]
    if again := next((s for s in here if _is_same_start(s, at, received_at)), None):
        return _answer(again)
    wanted = next((s for s in of_tag if s.state in WANTED), None)
    revived = None if wanted else next((s for s in of_tag if _can_come_back(db, s)), None)
    session = wanted or revived or _walk_up(db, charger_id, connector_number, tag, at)
    token = None if wanted or revived else tokens.find(db, tag)
    _clear_connector(db, [s for s in concerned if s is not session and s.connector_number == connector_number])
    if token is not None:
        cards.claim(db, session, token, received_at)
    _begin(db, session, connector_number, meter_start_wh, at, received_at)
    idling.told_after(db, charger_id, connector_number, "Charging", received_at)
    if revived is not None:
        _revive(db, revived)
    elif wanted is None and (cause := _why_not(db, session, of_tag, tag, received_at)):
        stops.stop_wanted(db, session, cause)
    reservations.used(db, charger_id, reservation, tag, connector_number, received_at)
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
    welcome = settings().accept_unknown or kept is not None
    return "" if welcome and not any(map(sessions.by_app, of_tag)) else STRANGER


def _concerned(
    db: Session, charger_id: str, number: int, tag: str, at: datetime, received_at: datetime
) -> list[ChargingSession]:
    """Every session a start can touch, newest last: those of its tag, and those open on its connector."""
    of_driver = col(ChargingSession.user_id).is_not(None) & col(ChargingSession.card).is_(None)
    same_clock = col(ChargingSession.started_at) == at
    same_burst = col(ChargingSession.started_received_at) > received_at - RETRY_WINDOW
    of_tag = col(ChargingSession.tag).in_(sessions.spellings(tag)) & or_(of_driver, same_clock, same_burst)
    on_connector = and_(ChargingSession.connector_number == number, col(ChargingSession.state).in_(OPEN))
    return list(
        db.exec(
            select(ChargingSession)
            .where(ChargingSession.charger_id == charger_id, or_(of_tag, on_connector))
            .order_by(col(ChargingSession.id))
            .with_for_update()
        )
    )


def _is_same_start(session: ChargingSession, at: datetime, received_at: datetime) -> bool:
    """By the charger's time; without one, for a while, or as long as a charge runs whose tag is used only once."""
    if session.started_at is None or session.started_received_at is None:
        return False
    same_burst = at == received_at and session.started_received_at > received_at - RETRY_WINDOW
    single_use = sessions.by_app(session) and session.state in RUNNING
    return session.started_at == at or same_burst or single_use


def _can_come_back(db: Session, session: ChargingSession) -> bool:
    return (
        session.state == SessionState.CANCELLED
        and session.user_id is not None
        and session.card is None
        and sessions.open_of(db, session.user_id) is None
    )


def _answer(session: ChargingSession) -> Started:
    assert session.id is not None
    assert session.transaction_id is not None
    status = STATUS.get(session.stop_cause, "Accepted")
    return Started(session.id, session.transaction_id, status, session.state == SessionState.STOPPING)


def _walk_up(db: Session, charger_id: str, connector_number: int, tag: str, at: datetime) -> ChargingSession:
    tariff = price(db, charger_id, at)
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


def _clear_connector(db: Session, others: list[ChargingSession]) -> None:
    """A start on a connector ends what was open there: a wish is cancelled, a charge has lost its stop (Q23)."""
    for other in others:
        if other.state in RUNNING:
            interruptions.interrupt(db, other)
        elif other.state in WANTED:
            stops.cancel(db, other, "taken")


def _begin(
    db: Session, session: ChargingSession, number: int, meter_wh: int, at: datetime, received_at: datetime
) -> None:
    if db.get(Connector, (session.charger_id, number)) is None:
        db.add(Connector(charger_id=session.charger_id, number=number))
    session.state, session.connector_number = SessionState.CHARGING, number
    session.started_at, session.started_received_at = at, received_at
    session.meter_start_wh = session.meter_wh = meter_wh
    session.due_at = session.stopped_at = None
    db.add(session)
    db.flush()
    session.transaction_id = session.id
    db.flush()


def _revive(db: Session, session: ChargingSession) -> None:
    """The plug came after we had given up: charge if a start would be allowed now, else stop it (Q28).

    What it delivers until then is paid from what could be held.
    """
    assert session.id is not None
    assert session.user_id is not None
    held = wallet.rehold(db, session.id, session.user_id, at_most=settings().session_cap_paise)
    allowed = (
        session.stop_cause not in CALLED_OFF
        and held >= settings().start_min_paise
        and not wallet.balance(db, session.user_id).arrears_paise
        and db.get_one(User, session.user_id).blocked_at is None
    )
    session.stop_cause = ""
    if not allowed:
        stops.stop_wanted(db, session, LATE)
