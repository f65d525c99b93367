"""A process that charges again and again until it has charged enough, or is killed: it goes on where it was."""

import sys
from datetime import timedelta
from typing import Any

from sqlmodel import Session, func, select

from domain import charging, metering, sessions
from domain.db import Database
from domain.models import ChargingSession, SessionState, now

METER = 10_000
CHARGER = "BLR-1"


def energy(session_id: int) -> int:
    """Wh of a charge: each has its own."""
    return 100 + session_id


def told(session: ChargingSession) -> dict[str, Any]:
    """What a charger that got no answer says again, word by word."""
    at = session.requested_at
    return {"charger_id": CHARGER, "at": at, "received_at": at + timedelta(seconds=1), "tag": session.tag}


def start(db: Session, session: ChargingSession) -> None:
    charging.started(db, connector_number=1, meter_start_wh=METER, **told(session))


def meter(db: Session, session: ChargingSession) -> None:
    at = now()
    wh = METER + energy(session.id or 0) - 50
    metering.record(db, [metering.Sample(CHARGER, 1, session.transaction_id, at, at, wh, 7_000, None, None, None)])
    charging.request_stop(db, session.id or 0, "driver")


def stop(db: Session, session: ChargingSession) -> None:
    charging.stopped(
        db,
        transaction_id=session.transaction_id or 0,
        meter_stop_wh=METER + energy(session.id or 0),
        reason="Remote",
        **told(session),
    )


def accept(db: Session, session: ChargingSession) -> None:
    charging.answered(db, session.id or 0, "accepted")


NEXT = {
    SessionState.REQUESTED: accept,
    SessionState.AWAITING_PLUG: start,
    SessionState.CHARGING: meter,
    SessionState.STOPPING: stop,
}
"""What comes next, by the state a charge is in; chargers say everything twice."""


def settled(db: Session) -> int:
    done = select(func.count()).select_from(ChargingSession).where(ChargingSession.state == SessionState.SETTLED)
    return db.exec(done).one()


def main(url: str, user: str, enough: str) -> None:
    database = Database(url)
    while database.now(settled)[0] < int(enough):
        session = database.now(sessions.open_of, int(user))[0]
        sys.stdout.write("a transaction\n")
        sys.stdout.flush()
        if session is None:
            database.now(charging.request_start, int(user), CHARGER, 1)
            continue
        step = NEXT[SessionState(session.state)]
        database.now(step, session)
        database.now(step, session)
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
