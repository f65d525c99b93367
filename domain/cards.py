"""A charge that a card began at the charger: whose it is, what is held for it, and whether it may go on."""

from datetime import datetime

from sqlmodel import Session, select

from domain import sessions, settlement, tokens, wallet
from domain.models import IS_OPEN, ChargingSession, SessionState, Token
from domain.prices import Price
from domain.settings import settings
from domain.tariffs import least_to_start

ACCEPTED = "Accepted"
CONCURRENT, UNFUNDED = "card-concurrent", "card-unfunded"
CAUSES = {"Blocked": "card-blocked", "Expired": "card-expired"}
STATUS = {CONCURRENT: "ConcurrentTx", UNFUNDED: "Blocked", **{cause: status for status, cause in CAUSES.items()}}
"""Why a card's charge is stopped at once (`stop_cause`), and the status that the charger is told."""


def authorize(db: Session, token: Token, price: Price, at: datetime) -> str:
    """Authorize.conf of a known card; ConcurrentTx is an answer to StartTransaction only (OCPP 1.6, 4.1).

    Who charges already may want to end it, so his money is not asked. Else it must be enough for a start at this price.
    """
    status = tokens.status(db, token, at)
    if status != ACCEPTED or token.user_id is None or sessions.open_of(db, token.user_id) is not None:
        return status
    money = wallet.balance(db, token.user_id)
    enough = money.free_paise >= least_to_start(price) and not money.arrears_paise
    return ACCEPTED if enough else STATUS[UNFUNDED]


def claim(db: Session, session: ChargingSession, token: Token, at: datetime) -> None:
    """Before a new charge is kept: it is the card's, and its user's unless he charges elsewhere while it runs.

    What a blocked card takes before it is stopped is nobody's: it may be stolen.
    """
    session.card = token.tag
    user_id = payer(db, token, at)
    is_over = session.state == SessionState.INTERRUPTED
    if user_id is not None and (is_over or sessions.open_of(db, user_id) is None):
        session.user_id = user_id


def payer(db: Session, token: Token, at: datetime) -> int | None:
    """Whose charges a card begins; nobody's, where it has no user or is blocked or expired."""
    return token.user_id if tokens.status(db, token, at) == ACCEPTED else None


def refusal(db: Session, session: ChargingSession, token: Token, at: datetime) -> str:
    """Hold money for a charge that began; gives why it must be stopped at once, empty where it may go on.

    What it delivers until then is paid from what could be held; so is one that is over when it is told, whatever its
    user has and does by now.
    """
    if (status := tokens.status(db, token, at)) != ACCEPTED:
        return CAUSES[status]
    is_over = session.state == SessionState.INTERRUPTED
    concurrent = (token.user_id is not None and session.user_id is None) or _charges_elsewhere(db, session, token)
    if concurrent and not is_over:
        return CONCURRENT
    if session.user_id is None:
        return ""
    held = wallet.rehold(db, session.id, session.user_id, at_most=settings().session_cap_paise)
    owed = wallet.balance(db, session.user_id).arrears_paise
    too_little = held < least_to_start(settlement.price_of(session)) or owed
    return UNFUNDED if too_little and not is_over else ""


def _charges_elsewhere(db: Session, session: ChargingSession, token: Token) -> bool:
    other = select(ChargingSession.id).where(
        ChargingSession.card == token.tag, ChargingSession.id != session.id, IS_OPEN
    )
    return not token.concurrent and db.exec(other).first() is not None
