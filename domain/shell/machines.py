"""The operator's words for what the product runs on: its processes, and a database that was restored."""

from argparse import Namespace
from collections.abc import Iterator

from sqlmodel import Session, col, func, select, text

from domain import interruptions
from domain.models import IS_RUNNING, Charger, ChargingSession, Process
from domain.shell.command import Command, Shell, clock, columns

AHEAD = 1_000_000
"""More charges than any backup can miss; OCPP's transactionId has room for 2,000 times as many."""


def list_(shell: Shell, given: Namespace) -> Iterator[str]:
    yield from columns(
        ("PROCESS", "KIND", "CHARGERS' PORT", "SINCE", "LAST SIGN OF LIFE", "CHARGERS"),
        (
            (process.id, process.kind, process.door or "-", clock(process.started_at), clock(process.seen_at), held)
            for process, held in shell.read(_all)
        ),
    )


def restored(shell: Shell, given: Namespace) -> Iterator[str]:
    interrupted, next_ = shell.act("database", "", _restored)
    if interrupted:
        yield f"Charges that count as interrupted until their chargers tell of them by number: {interrupted}."
    yield f"The next charge is number {next_}: no charger takes it for one that the backup does not know."


def _all(db: Session) -> list[tuple[Process, int]]:
    held = select(func.count()).where(Charger.held_by == Process.id, col(Charger.online)).scalar_subquery()
    return list(db.exec(select(Process, held).order_by(col(Process.kind), col(Process.started_at))))


def _restored(db: Session) -> tuple[int, int]:
    """How many charges were under way, and the number of the next one."""
    return _interrupt(db), _skip_numbers(db)


def _interrupt(db: Session) -> int:
    """Whoever charged at the time of the backup may have left since, and somebody else charge there of whom the books
    know nothing: from now on a charge goes on only by its own number."""
    running = select(ChargingSession).where(IS_RUNNING)
    found = db.exec(running.order_by(col(ChargingSession.id)).with_for_update()).all()
    for session in found:
        interruptions.interrupt(db, session)
    return len(found)


def _skip_numbers(db: Session) -> int:
    """Let charges be numbered on from far behind the last one, and say how the next will be. Their numbers are OCPP's
    transactionId, by which a charger still speaks of charges that began after the backup."""
    table = ChargingSession.__tablename__
    last = (db.exec(select(func.max(ChargingSession.id))).one() or 0) + AHEAD
    if db.connection().dialect.name == "sqlite":
        db.connection().execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table})
        row = {"name": table, "last": last}
        db.connection().execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), row)
    else:
        db.exec(select(func.setval(func.pg_get_serial_sequence(table, "id"), last)))
    return last + 1


COMMANDS = (
    Command("process list", "every process that lives, or lately did, and the chargers it holds", list_),
    Command("backup restored", "after a restore: interrupt charges; number them on from where none was", restored),
)
