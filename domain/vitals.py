"""How the product is, read from the database: charges by state, what is late, what somebody must look at."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from domain import metrics
from domain.metrics import Gauge, Labels
from domain.models import IS_NOT_OVER, NOT_OVER, ChargingSession, Chore, Finding, RechargeOrder, Refund

DEADLINES = {"session": ChargingSession.due_at, "recharge": RechargeOrder.due_at, "refund": Refund.due_at}
BOOKS = "books"
"""The chore that audits the ledger."""


def vitals(db: Session, at: datetime) -> list[tuple[Gauge, Mapping[Labels, float]]]:
    """Every gauge that the database knows; uses indexes alone, whatever the number of past charges."""
    open_findings = _findings(db)
    return [
        (metrics.SESSIONS, _sessions(db)),
        (metrics.OVERDUE, {(kind,): _late(db, column, at) for kind, column in DEADLINES.items()}),
        (metrics.FINDINGS, open_findings),
        (metrics.AUDIT_BROKEN, {(): open_findings.get(("audit",), 0)}),
        (metrics.AUDIT_AGE, _audited(db, at)),
    ]


def _sessions(db: Session) -> dict[Labels, float]:
    counted = dict(
        db.exec(
            select(ChargingSession.state, func.count()).where(IS_NOT_OVER).group_by(col(ChargingSession.state))
        ).all()
    )
    return {(str(state),): counted.get(state, 0) for state in NOT_OVER}


def _late(db: Session, column: Any, at: datetime) -> float:
    oldest = db.exec(select(func.min(column))).one()
    return max(0.0, (at - oldest).total_seconds()) if oldest else 0.0


def _findings(db: Session) -> dict[Labels, float]:
    rows = db.exec(
        select(Finding.kind, func.count()).where(col(Finding.resolved_at).is_(None)).group_by(col(Finding.kind))
    )
    return {(kind,): number for kind, number in rows}


def _audited(db: Session, at: datetime) -> dict[Labels, float]:
    chore = db.get(Chore, BOOKS)
    return {(): (at - chore.done_at).total_seconds()} if chore and chore.done_at else {}
