"""A driver's wish to charge: why it is refused, what it holds, what the charger answers, how it comes to nothing."""

from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from domain import chargers, reservations, sessions, settlement, stops, wallet
from domain.models import ChargingSession, Reservation, SessionState, User, now
from domain.money import plain_rupees
from domain.prices import Price
from domain.sentences import Sentence
from domain.settings import settings
from domain.tariffs import least_to_start, price

PLUG = timedelta(seconds=105)
"""ConnectionTimeOut of 90 s, and 15 s on the way."""

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
    "funds": Sentence("You need at least {minimum} available in your wallet to start. Add money first."),
    "charging": Sentence("You are already charging at {charger}."),
    "most paise": Sentence("Choose a limit above zero and up to ₹10,000."),
    "most wh": Sentence("Choose a limit above zero and up to 10,000 kWh."),
    "most minutes": Sentence("Choose a limit above zero and up to 10,000 minutes."),
    "price": Sentence("The price has just changed. Check it, then start again. Nothing was charged."),
    "fee": Sentence("The start alone costs {fee} here. Choose a limit above that."),
    "passed": Sentence("This charge is already past that. Choose more, or stop it now."),
    "over": Sentence("This charge is ending. Its limit can no longer change."),
}
"""Why a start is refused, and what the driver reads."""

LIMITS = {"paise": 1_000_000, "wh": 10_000_000, "minutes": 10_000}
"""The largest limits: ₹10,000, 10,000 kWh, 10,000 minutes."""

TAKEN, REPLACED, OWN_CARD = "taken", "replaced", "own card"
"""Another charge has the connector of the wish; another driver had come to it, after the wish had ended, before its tag
was told; a card of its driver's began there. A late plug there is of none of these wishes."""
_SOMEBODY_ELSE = Sentence("Somebody else started this charger first. Nothing was charged.")

ENDINGS = {
    "refused": Sentence("The charger said no. Nothing was charged. Unplug, plug in again, then try once more."),
    "silent": Sentence("The charger did not answer in 30 seconds. Nothing was charged."),
    "offline": Sentence("No contact with the charger. Nothing was charged."),
    "unreachable": Sentence("We cannot reach the charger just now. Nothing was charged. Try again in a minute."),
    "unplugged": Sentence(
        "Charging did not begin within 90 seconds. Nothing was charged. Push the plug in fully, then start again."
    ),
    "driver": Sentence("You cancelled before charging began. Nothing was charged."),
    "operator": Sentence("The operator cancelled before charging began. Nothing was charged."),
    TAKEN: _SOMEBODY_ELSE,
    REPLACED: _SOMEBODY_ELSE,
    OWN_CARD: Sentence(
        "Your card started this charger first; that charge is listed separately. This start cost nothing."
    ),
}
"""Why a start came to nothing (`stop_cause` of a CANCELLED session), and what the driver reads."""

CALLED_OFF = ("driver", "operator")
"""Endings that somebody chose: no late plug revives these."""


class Refused(Exception):
    """A start that the rules do not allow; `code` says which, the argument is a sentence for the driver."""

    def __init__(self, code: str, **facts: str) -> None:
        self.code = code
        super().__init__(Sentence(REFUSALS[code].key, **facts))


@dataclass(frozen=True, slots=True)
class Limit:
    """Where a driver wants a charge to end by itself; empty means: when he stops it, or at the hold."""

    paise: int | None = None
    wh: int | None = None
    minutes: int | None = None


def request_start(
    db: Session,
    user_id: int,
    charger_id: str,
    connector_number: int,
    limit: Limit | None = None,
    seen: Price | None = None,
) -> ChargingSession:
    """Open a session and its hold, before the charger is asked (architecture.md, a charge, step 2).

    With the price that its driver has `seen`, the charge is at that price or at none.

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
    if seen not in (None, tariff):
        raise Refused("price")
    refuse_limit_of_fee(limit, tariff)
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
            raise Refused(f"most {name}")


def refuse_limit_of_fee(limit: Limit, tariff: Price) -> None:
    """A limit in rupees lets some energy flow.

    Raises:
        Refused: the fee for the start alone reaches it.
    """
    if limit.paise is not None and limit.paise <= tariff.start_paise:
        raise Refused("fee", fee=plain_rupees(tariff.start_paise))


def _refuse_unless_free(db: Session, charger_id: str, connector_number: int, user_id: int) -> Reservation | None:
    """Gives the driver's own reservation, whose tag the charger wants to see (OCPP 1.6, 5.13)."""
    try:
        view = chargers.view(db, charger_id, kept=True)
    except chargers.ChargerUnknown:
        raise Refused("unknown", charger=charger_id) from None
    connector = view.connector(connector_number)
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
    assert session.user_id is not None
    minimum = least_to_start(settlement.price_of(session))
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
