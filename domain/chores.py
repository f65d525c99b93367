"""Work for certain hours, done once however many processes there are: when it is due stands in the database."""

from datetime import datetime, time, timedelta

from sqlmodel import Session

from domain.india import INDIA
from domain.models import Chore

NIGHT = time(2, 30)
"""In India: few charge, few pay."""
PATIENCE = timedelta(minutes=30)
"""Whoever took a chore and has not finished it by then has died or failed over it: it is due again."""

AHEAD = timedelta(days=2)
"""No chore waits so long: what is due later was written while the clock was wrong, and would not be done for years."""


def next_night(at: datetime) -> datetime:
    """The first 02:30 of India after `at`."""
    local = at.astimezone(INDIA)
    tonight = local.replace(hour=NIGHT.hour, minute=NIGHT.minute, second=0, microsecond=0)
    return tonight if tonight > local else tonight + timedelta(days=1)


def is_due(db: Session, name: str, at: datetime) -> bool:
    """Whether it is worth taking; a chore nobody has heard of is."""
    chore = db.get(Chore, name)
    return chore is None or not _waits(chore, at)


def take(db: Session, name: str, at: datetime, due_again: datetime) -> bool:
    """Take a chore that is due, and say whether it is ours to do; a new one is only written down for its time.

    It comes back before `due_again` unless `done` is said.
    """
    chore = db.get(Chore, name, with_for_update=True)
    if chore is None:
        db.add(Chore(name=name, due_at=due_again, done_at=at))
        db.flush()
        return False
    if _waits(chore, at):
        return False
    chore.due_at, chore.taken_at = min(due_again, at + PATIENCE), at
    return True


def done(db: Session, name: str, at: datetime, due_again: datetime) -> None:
    """A chore that was taken is finished, and due again only then."""
    chore = db.get_one(Chore, name)
    chore.due_at, chore.done_at = due_again, at


def _waits(chore: Chore, at: datetime) -> bool:
    return at < chore.due_at <= at + AHEAD
