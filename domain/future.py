"""Times that a clock of ours which was ahead has left in the future: what waits for them would wait for years."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, SQLModel, col, select

from domain import attempts, findings
from domain.models import (
    IS_NOT_OVER,
    REFUND_OPEN,
    Charger,
    ChargerHealth,
    ChargingSession,
    Connector,
    Finding,
    Process,
    Push,
    RechargeOrder,
    Refund,
    Reservation,
    SessionState,
    SignIn,
    SignInAttempt,
    User,
    VacancyWish,
)

PAST = timedelta(days=1)
"""What has happened is not later than now; clocks of several machines may differ, and one without a battery begins a
little behind."""
IN_DAYS, IN_A_MONTH = timedelta(days=4), timedelta(days=40)
"""No deadline is further off, but the next look at a charge: one that takes little goes on for weeks."""


@dataclass(frozen=True, slots=True)
class Times:
    """Columns of a table that hold no time later than so much from now, in the rows that somebody goes by."""

    table: type[SQLModel]
    most: timedelta
    columns: tuple[str, ...]
    rows: tuple[Any, ...] = ()


_CHARGING = col(ChargingSession.state) == SessionState.CHARGING
TIMES = (
    Times(ChargingSession, IN_DAYS, ("due_at",), (~_CHARGING,)),
    Times(ChargingSession, IN_A_MONTH, ("due_at",), (_CHARGING,)),
    Times(ChargingSession, PAST, ("started_received_at", "metered_at", "sampled_at"), (IS_NOT_OVER,)),
    Times(RechargeOrder, IN_DAYS, ("due_at", "expires_at"), (col(RechargeOrder.due_at).is_not(None),)),
    Times(Refund, IN_DAYS, ("due_at",)),
    Times(Refund, PAST, ("created_at", "sent_at"), (col(Refund.state).in_(REFUND_OPEN),)),
    Times(User, IN_DAYS, ("locked_until",), (col(User.failures) < attempts.LAST,)),
    Times(SignInAttempt, PAST, ("at",)),
    Times(SignIn, IN_A_MONTH, ("expires_at",)),
    Times(SignIn, PAST, ("seen_at", "stepped_up_at")),
    Times(Charger, PAST, ("heard_at", "connected_at", "booted_at")),
    Times(ChargerHealth, PAST, ("boot_loop_at",)),
    Times(Connector, PAST, ("status_at", "changed_at")),
    Times(Process, PAST, ("seen_at",)),
    Times(Reservation, PAST, ("created_at",)),
    Times(VacancyWish, IN_DAYS, ("expires_at",)),
    Times(Finding, PAST, ("created_at",)),
    Times(Push, PAST, ("made_at", "due_at")),
)
"""What a driver, his money or an operator waits for. What only tells of the past stays as it was written."""


def found(db: Session, at: datetime) -> bool:
    """Whether there are any at `at`."""
    return any(
        db.exec(select(col(getattr(times.table, name))).where(*_later(times, name, at)).limit(1)).first() is not None
        for times in TIMES
        for name in times.columns
    )


def bring_back(db: Session, at: datetime) -> int:
    """Let each of them be now, and tell the operator; gives how many there were."""
    count = 0
    for times in TIMES:
        for name in times.columns:
            count += db.execute(
                update(times.table)
                .where(*_later(times, name, at))
                .values({name: at})
                .execution_options(synchronize_session=False)
            ).rowcount  # type: ignore[attr-defined]
    if count:
        said = "times lay in the future, as a clock of ours that was ahead had written them; they count as now."
        findings.renew(db, "clock-ahead", f"{at:%Y-%m-%d}", f"{count} {said}")
    return count


def _later(times: Times, name: str, at: datetime) -> tuple[Any, ...]:
    return col(getattr(times.table, name)) > at + times.most, *times.rows
