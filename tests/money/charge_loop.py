"""A process that charges and recharges until it has done enough, or is killed: it goes on where it was."""

import sys
from datetime import timedelta
from typing import Any

from sqlmodel import Session, col, func, select

from domain import charging, metering, placing, recharges, sessions, wishes
from domain.db import Database
from domain.models import ChargingSession, OrderState, RechargeOrder, SessionState, now
from domain.recharges import OrderStatus, Payment

METER = 10_000
CHARGER = "BLR-1"
LEAST = 50_000


def energy(session_id: int) -> int:
    """Wh of a charge: each has its own."""
    return 100 + session_id


def amount(number: int) -> int:
    """Paise of the recharge with this number: each has its own."""
    return LEAST + number


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
    wishes.answered(db, session.id or 0, "accepted")


NEXT = {
    SessionState.REQUESTED: accept,
    SessionState.AWAITING_PLUG: start,
    SessionState.CHARGING: meter,
    SessionState.STOPPING: stop,
}
"""What comes next, by the state a charge is in; chargers say everything twice."""


def charge(database: Database, user_id: int) -> None:
    session = database.now(sessions.open_of, user_id)[0]
    if session is None:
        database.now(charging.request_start, user_id, CHARGER, 1)
        return
    for _ in range(2):
        database.now(NEXT[SessionState(session.state)], session)


def pay(database: Database, user_id: int) -> None:
    """The next step of the newest recharge: placed, opened, then told by a webhook or found by the poller, twice."""
    order = database.now(newest, user_id)[0]
    if order is None or order.state == OrderState.CREDITED:
        number = int(order.client_nonce) + 1 if order else 0
        database.now(placing.place, user_id, amount(number), str(number))
    elif order.state == OrderState.NEW:
        payment = Payment(f"OMO{order.id}", "PENDING", "http://localhost/pay", None)
        database.now(recharges.opened, order.merchant_order_id, payment)
    elif int(order.client_nonce) % 2:
        database.now(recharges.rang, order.merchant_order_id, b"{}")
        found(database, order)
    else:
        database.now(recharges.due, now() + timedelta(hours=1))
        found(database, order)


def found(database: Database, order: RechargeOrder) -> None:
    paid = OrderStatus(f"OMO{order.id}", "COMPLETED", order.amount_paise, "", "", "", "", {"state": "COMPLETED"})
    for _ in range(2):
        database.now(recharges.apply, order.merchant_order_id, paid)


def newest(db: Session, user_id: int) -> RechargeOrder | None:
    of_user = select(RechargeOrder).where(RechargeOrder.user_id == user_id)
    return db.exec(of_user.order_by(col(RechargeOrder.id).desc())).first()


def settled(db: Session) -> int:
    done = select(func.count()).select_from(ChargingSession).where(ChargingSession.state == SessionState.SETTLED)
    return db.exec(done).one()


def main(url: str, user: str, enough: str) -> None:
    database = Database(url)
    while database.now(settled)[0] < int(enough):
        for step in (charge, pay):
            sys.stdout.write("a step\n")
            sys.stdout.flush()
            step(database, int(user))
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
