"""What waits to be told to browsers: taken by one process at a time, tried for a while, and never told twice."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, delete, select, update

from domain import sign_ins
from domain.models import Push, PushSubscription, SignIn, User
from domain.push import LOW

MOST = 50
"""Pushes that a process takes at once."""
LEASE = timedelta(seconds=60)
"""A process that has not told by then has died over it: another one takes it up."""
LATER = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=8))
"""After a try that did not come through; the last from then on."""
NEWS = timedelta(minutes=30)
BRIEF_NEWS = {LOW: timedelta(minutes=10)}
"""So long something is worth telling: who charges learns from the charge itself that the money has ended."""
KEPT = timedelta(days=7)
"""Longer than anything is told again: an interrupted charge is settled within a day."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell one browser, which nobody else tells it now."""

    subscription_id: int
    kind: str
    ref: str
    made_at: datetime
    tries: int
    """This one too."""
    user_id: int
    language: str
    endpoint: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)

    @property
    def lasts(self) -> timedelta:
        """How long it is worth telling."""
        return BRIEF_NEWS.get(self.kind, NEWS)


def due(db: Session, at: datetime) -> bool:
    """Whether there is something to tell."""
    return db.exec(select(Push.subscription_id).where(col(Push.due_at) <= at).limit(1)).first() is not None


def take(db: Session, at: datetime) -> list[Notice]:
    """What is due, the oldest first; each is due again when LEASE has passed. Browsers whose sign-in is over, by time
    or otherwise, are forgotten with all that they were to be told."""
    rows = db.exec(
        select(Push)
        .where(col(Push.due_at) <= at)
        .order_by(col(Push.due_at))
        .limit(MOST)
        .with_for_update(skip_locked=True)
    ).all()
    owners = _owners(db, {row.subscription_id for row in rows}, at)
    taken = []
    for row in rows:
        if row.subscription_id in owners:
            row.due_at, row.tries = at + LEASE, row.tries + 1
            db.add(row)
            taken.append(_notice(row, *owners[row.subscription_id]))
    db.flush()
    for subscription_id in sorted({row.subscription_id for row in rows} - owners.keys()):
        db.exec(delete(PushSubscription).where(col(PushSubscription.id) == subscription_id))
    return taken


def told(db: Session, notice: Notice) -> None:
    """Nothing is left to do for it."""
    _plan(db, notice, None)


def over(db: Session, notice: Notice) -> None:
    """It is not so any more, and was told to nobody: if it comes again, as money that is short does, it is told."""
    db.exec(delete(Push).where(*_its(notice)))


def later(db: Session, notice: Notice, at: datetime, asked: timedelta = timedelta(0)) -> None:
    """It did not come through at `at`: once more after a while, or when the push service `asked` for it, if sooner than
    the longest of LATER."""
    usual = LATER[min(notice.tries, len(LATER)) - 1]
    _plan(db, notice, at + max(usual, min(asked, LATER[-1])))


def drop(db: Session, notice: Notice) -> None:
    """Its browser is gone, or not to be told any more, unless it has subscribed anew while it was asked."""
    its = col(PushSubscription.id) == notice.subscription_id, col(PushSubscription.endpoint) == notice.endpoint
    db.exec(delete(PushSubscription).where(*its))


def forget(db: Session, at: datetime) -> None:
    """Remove what was told long ago, and browsers whose sign-in has ended by time."""
    db.exec(delete(Push).where(col(Push.made_at) < at - KEPT))
    alive = select(SignIn.id).where(*sign_ins.is_alive(at))
    db.exec(delete(PushSubscription).where(col(PushSubscription.sign_in_id).not_in(alive)))


def _owners(db: Session, subscription_ids: set[int], at: datetime) -> dict[int, tuple[PushSubscription, str]]:
    """Of the browsers whose sign-in still lets somebody in: the subscription, and its driver's language."""
    living = (
        select(PushSubscription, User.language)
        .join(SignIn, col(SignIn.id) == PushSubscription.sign_in_id)
        .join(User, col(User.id) == SignIn.user_id)
        .where(col(PushSubscription.id).in_(subscription_ids), *sign_ins.is_alive(at), col(User.blocked_at).is_(None))
    )
    return {subscription.id: (subscription, language) for subscription, language in db.exec(living)}


def _notice(row: Push, browser: PushSubscription, language: str) -> Notice:
    return Notice(
        subscription_id=row.subscription_id,
        kind=row.kind,
        ref=row.ref,
        made_at=row.made_at,
        tries=row.tries,
        user_id=browser.user_id,
        language=language,
        endpoint=browser.endpoint,
        p256dh=browser.p256dh,
        auth=browser.auth,
    )


def _plan(db: Session, notice: Notice, due_at: datetime | None) -> None:
    db.exec(update(Push).where(*_its(notice)).values(due_at=due_at))


def _its(notice: Notice) -> tuple[ColumnElement[bool], ...]:
    """Its row, and no later one: while it was on its way it may have been taken back, and come again."""
    return (
        col(Push.subscription_id) == notice.subscription_id,
        col(Push.kind) == notice.kind,
        col(Push.ref) == notice.ref,
        col(Push.made_at) == notice.made_at,
    )
