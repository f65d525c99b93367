"""What drivers read of their charges: the one under way, those of the past, and the curve of one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from domain import allowance, chargers, receipts, samples, sessions, settlement, story, wallet
from domain.models import Charger, ChargingSession, Hold, Receipt, SessionState, now
from domain.prices import Price
from domain.receipts import Buyer
from domain.settings import settings

CURVE_POINTS = 60
NEWS = timedelta(minutes=15)
"""So long a charge that ended is told of, and its charger's page shows its receipt."""
RECENT = timedelta(hours=12)
"""So long the last charge is told of at home."""
Span = tuple[datetime, datetime]
PAST = (SessionState.SETTLED, SessionState.INTERRUPTED, SessionState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge as its driver may know it: Wh, paise, W; `energy_wh` and `cost_paise` are of now while it runs."""

    session: ChargingSession
    place: str
    in_contact: bool
    """Whether its charger is."""
    energy_wh: int
    cost_paise: int
    held_paise: int
    owed_paise: int = 0
    """What its driver still owes of it; what he owed of it at first is its session's."""
    cap_paise: int = 0
    """What it could cost at most, where not the wallet but the cap of one charge said so."""
    notes: tuple[Receipt, ...] = ()
    """What was given after the receipt; of a single charge only, not in lists."""
    left_paise: int | None = None
    """What it left in the wallet; likewise, and None where it took nothing from there."""
    buyer: Buyer | None = None
    """The registered firm that its receipt is made out to; likewise."""

    @property
    def begun_at(self) -> datetime:
        """When it began, or was asked for."""
        return sessions.begun_at(self.session)

    @property
    def ended_at(self) -> datetime | None:
        """When it ended, as far as that is known."""
        return sessions.ended_at(self.session, self.session.stopped_at)

    @property
    def duration(self) -> timedelta:
        """From the start to the stop, or to the last news."""
        news_at = self.session.metered_at or self.session.started_received_at or self.begun_at
        return max(timedelta(0), (self.ended_at or news_at) - self.begun_at)


@dataclass(frozen=True, slots=True)
class Month:
    """What a calendar month came to."""

    charges: int
    energy_wh: int
    cost_paise: int


def current(db: Session, user_id: int) -> Charge | None:
    """The driver's charge under way, from the wish to the stop."""
    session = sessions.open_of(db, user_id)
    return _charge(db, session) if session is not None else None


def one(db: Session, user_id: int, ref: str) -> Charge:
    """One of the driver's own charges.

    Raises:
        NotYours: it does not exist, or belongs to another.
    """
    return _whole(db, user_id, sessions.owned(db, user_id, ref))


def just_ended(db: Session, user_id: int, charger_id: str) -> Charge | None:
    """The driver's last charge at a charger, as long as its end is news: the page turns into its receipt."""
    session = db.exec(
        _of(user_id)
        .where(ChargingSession.charger_id == charger_id, col(ChargingSession.updated_at) > now() - NEWS)
        .where(col(ChargingSession.state).in_(PAST))
    ).first()
    return _whole(db, user_id, session) if session is not None else None


def recent(db: Session, user_id: int) -> Charge | None:
    """The driver's last charge, wherever it was, while it is not long ago; not a start that came to nothing."""
    session = db.exec(
        _of(user_id)
        .where(col(ChargingSession.updated_at) > now() - RECENT)
        .where(col(ChargingSession.state).in_((SessionState.SETTLED, SessionState.INTERRUPTED)))
    ).first()
    return _charge(db, session) if session is not None else None


def page(
    db: Session,
    user_id: int,
    *,
    before: ChargingSession | None = None,
    charger_id: str = "",
    span: Span | None = None,
    limit: int = 20,
) -> list[Charge]:
    """Past charges, newest first, a page at a time by keyset; also those that never began, which cost nothing.

    With `charger_id` only those of that charger, with `span` only those requested from its first moment to before its
    second.
    """
    query = _of(user_id).where(col(ChargingSession.state).in_(PAST)).limit(limit)
    if span is not None:
        query = query.where(col(ChargingSession.requested_at) >= span[0], col(ChargingSession.requested_at) < span[1])
    if charger_id:
        query = query.where(ChargingSession.charger_id == charger_id)
    if before is not None:
        # The first condition is in the second; an index finds its way by it.
        query = query.where(
            col(ChargingSession.requested_at) <= before.requested_at,
            (col(ChargingSession.requested_at) < before.requested_at) | (col(ChargingSession.id) < before.id),
        )
    return _charges(db, db.exec(query).all())


def moments(db: Session, user_id: int) -> Sequence[datetime]:
    """When the driver's past charges were requested, newest first."""
    return db.exec(
        select(ChargingSession.requested_at)
        .where(ChargingSession.user_id == user_id, col(ChargingSession.state).in_(PAST))
        .order_by(col(ChargingSession.requested_at).desc())
    ).all()


def month(db: Session, user_id: int, since: datetime, until: datetime | None = None, charger_id: str = "") -> Month:
    """Settled charges requested since then, before `until`, at one charger or all: how many, Wh, paise."""
    bounds = [col(ChargingSession.requested_at) >= since]
    if until is not None:
        bounds.append(col(ChargingSession.requested_at) < until)
    if charger_id:
        bounds.append(col(ChargingSession.charger_id) == charger_id)
    count, energy, cost = db.exec(
        select(
            func.count(),
            func.coalesce(func.sum(ChargingSession.energy_wh), 0),
            func.coalesce(func.sum(ChargingSession.cost_paise), 0),
        )
        .where(ChargingSession.user_id == user_id, ChargingSession.state == SessionState.SETTLED)
        .where(*bounds, col(ChargingSession.energy_wh) > 0)
    ).one()
    return Month(int(count), int(energy), int(cost))


def last_price(db: Session, user_id: int) -> Price | None:
    """What the driver's last charge was charged at."""
    session = db.exec(_of(user_id).limit(1)).first()
    return settlement.price_of(session) if session is not None else None


def used_chargers(db: Session, user_id: int, limit: int = 4) -> Sequence[str]:
    """IDs of the chargers the driver used last."""
    return db.exec(
        select(ChargingSession.charger_id)
        .join(Charger, col(Charger.id) == ChargingSession.charger_id)
        .where(ChargingSession.user_id == user_id, col(Charger.retired_at).is_(None))
        .group_by(ChargingSession.charger_id)
        .order_by(func.max(ChargingSession.requested_at).desc())
        .limit(limit)
    ).all()


def curve(db: Session, session_id: int) -> list[tuple[datetime, int]]:
    """Power in W over the charge, thinned to at most 60 points, oldest first."""
    of = samples.of(session_id).c
    rows = db.exec(select(of.at, of.power_w).where(of.power_w.is_not(None)).order_by(of.id)).all()
    step = max(1, -(-len(rows) // CURVE_POINTS))
    return [(at, power or 0) for at, power in rows[::step]]


def battery_percent(db: Session, session_id: int) -> int | None:
    """How full the car last said its battery is; None where it does not say."""
    of = samples.of(session_id, back_to="soc_percent").c
    return db.exec(select(of.soc_percent).where(of.soc_percent.is_not(None))).one_or_none()


def _of(user_id: int) -> SelectOfScalar[ChargingSession]:
    return (
        select(ChargingSession)
        .where(ChargingSession.user_id == user_id)
        .order_by(col(ChargingSession.requested_at).desc(), col(ChargingSession.id).desc())
    )


def _whole(db: Session, user_id: int, session: ChargingSession) -> Charge:
    """With what only a charge that is looked at alone has."""
    notes, left_paise = tuple(receipts.notes(db, session)), story.left_after(db, user_id, session.ref)
    receipt = db.get(Receipt, session.receipt_number)
    buyer = receipts.buyer(db, receipt) if receipt is not None else None
    return replace(_charge(db, session), notes=notes, left_paise=left_paise, buyer=buyer)


def _owed(db: Session, session: ChargingSession) -> int:
    if session.user_id is None or not session.arrears_paise:
        return 0
    return min(session.arrears_paise, wallet.owed_of(db, session.user_id, session.ref))


def _charge(db: Session, session: ChargingSession) -> Charge:
    [charge] = _charges(db, [session])
    return charge


def _charges(db: Session, found: Sequence[ChargingSession]) -> list[Charge]:
    """Their chargers and their holds are read at once, however many charges there are."""
    theirs = select(Charger).where(col(Charger.id).in_({session.charger_id for session in found}))
    held = select(Hold).where(col(Hold.session_id).in_([session.id for session in found]))
    at = {charger.id: charger for charger in db.exec(theirs)}
    holds = {hold.session_id: hold for hold in db.exec(held)}
    return [_seen(db, session, at[session.charger_id], holds.get(session.id)) for session in found]


def _seen(db: Session, session: ChargingSession, charger: Charger, hold: Hold | None) -> Charge:
    moment = now()
    capped = hold is not None and hold.amount_paise >= settings().session_cap_paise
    return Charge(
        session=session,
        place=charger.place or charger.name,
        in_contact=chargers.in_contact(charger, moment),
        energy_wh=session.energy_wh,
        cost_paise=settlement.cost_by_now(session, moment),
        held_paise=allowance.held(db, session) if hold is not None else 0,
        owed_paise=_owed(db, session),
        cap_paise=settings().session_cap_paise if capped else 0,
    )
