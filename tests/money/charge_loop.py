"""A process that charges again and again until it has charged enough, or is killed: it goes on where it was."""

import sys
from datetime import timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from domain import chargers, charging, idling, metering, settlement
from domain.db import Database
from domain.models import ChargingSession, SessionState, now

METER = 10_000
CHARGER = "BLR-1"
LEFT = timedelta(minutes=30)
"""How long a cable stays in its car after the stop, where that costs something."""


def energy(session_id: int) -> int:
    """Wh of a charge: each has its own."""
    return 100 + session_id


def told(session: ChargingSession) -> dict[str, Any]:
    """What a charger that got no answer says again, word by word."""
    at = session.requested_at
    return {"charger_id": CHARGER, "at": at, "received_at": at + timedelta(seconds=1), "tag": session.tag}


def start(db: Session, session: ChargingSession) -> None:
    charging.started(db, connector_number=session.connector_number, meter_start_wh=METER, **told(session))


def meter(db: Session, session: ChargingSession) -> None:
    at = now()
    wh = METER + energy(session.id or 0) - 50
    where = (CHARGER, session.connector_number, session.transaction_id)
    metering.record(db, [metering.Sample(*where, at, at, wh, 7_000, None, None, None)])
    charging.request_stop(db, session.id or 0, "driver")


def stop(db: Session, session: ChargingSession) -> None:
    charging.stopped(
        db,
        transaction_id=session.transaction_id or 0,
        meter_stop_wh=METER + energy(session.id or 0),
        reason="Remote",
        **told(session),
    )


def leave(db: Session, session: ChargingSession) -> None:
    """The cable is still in the car, then no more; at times of their own, whenever a restart says so again."""
    assert session.stopped_at is not None
    finished = session.stopped_at + timedelta(seconds=10)
    status, at = ("Available", finished + LEFT) if session.idle_since else ("Finishing", finished)
    chargers.status(
        db,
        CHARGER,
        connector_number=session.connector_number,
        status=status,
        error_code="NoError",
        info="",
        at=None,
        received_at=at,
    )


def accept(db: Session, session: ChargingSession) -> None:
    charging.answered(db, session.id or 0, "accepted")


NEXT = {
    SessionState.REQUESTED: accept,
    SessionState.AWAITING_PLUG: start,
    SessionState.CHARGING: meter,
    SessionState.STOPPING: stop,
    SessionState.SETTLED: leave,
}
"""What comes next, by the state a charge is in; chargers say everything twice."""


def newest(db: Session) -> tuple[ChargingSession | None, int]:
    """The last charge, if it is not over, and how many are."""
    last = db.exec(select(ChargingSession).order_by(col(ChargingSession.id).desc())).first()
    begun = db.exec(select(func.count()).select_from(ChargingSession)).one()
    if last is None or (last.state == SessionState.SETTLED and is_left(last)):
        return None, begun
    return last, begun - 1


def is_left(session: ChargingSession) -> bool:
    """Whether the cable was pulled out, where the tariff asks."""
    return not idling.asked(session) or settlement.usage_of(session).idle_s > 0


def main(url: str, user: str, enough: str) -> None:
    """Each charge has a connector of its own."""
    database = Database(url)
    while True:
        (session, over), _ = database.now(newest)
        if over == int(enough):
            break
        sys.stdout.write("a transaction\n")
        sys.stdout.flush()
        if session is None:
            database.now(charging.request_start, int(user), CHARGER, over + 1)
            continue
        step = NEXT[SessionState(session.state)]
        database.now(step, session)
        database.now(step, session)
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
