"""Open charges are found by their indexes on SQLite, too: no message must read the charges of a year."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from domain import (
    arrivals,
    chargers,
    connectors,
    fleet,
    interruptions,
    listings,
    metering,
    reservations,
    sessions,
    vitals,
)
from domain.models import now

LOOKS: dict[str, Callable[[Session], Any]] = {
    "a status": lambda db: connectors._running(db, ["A-1"]),
    "a socket that comes or goes": lambda db: arrivals._announce(db, ["A-1"]),
    "a charger's page": lambda db: chargers.view(db, "A-1"),
    "a driver's page": lambda db: sessions.open_of(db, 1),
    "whether a car charges": lambda db: sessions.running_at(db, "A-1"),
    "charges whose stop was lost": lambda db: interruptions.lost(db, now(), now() - timedelta(hours=1)),
    "meters that fell silent": lambda db: metering.overdue(db, now(), 60),
    "a scrape": vitals._sessions,
    "the fleet": lambda db: fleet.page(db, which=fleet.CHARGING),
    "connectors of the REST API": lambda db: listings.connectors(db, "A-1"),
    "a reservation": lambda db: reservations._free(db, "A-1"),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("look", LOOKS)
def test_it_reads_open_charges_only(db: Session, look: str) -> None:
    chargers.add(db, "A-1", connectors=2)
    asked: list[tuple[str, Any]] = []

    def keep(_c: object, _u: object, statement: str, parameters: Any, *_: object) -> None:
        if statement.startswith("SELECT") and "'AWAITING_PLUG'" in statement:
            asked.append((statement, parameters))

    engine = db.connection().engine
    event.listen(engine, "before_cursor_execute", keep)
    try:
        LOOKS[look](db)
    finally:
        event.remove(engine, "before_cursor_execute", keep)
    assert asked
    for statement, parameters in asked:
        plan = db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
        assert any("uq_charging_sessions_open" in str(step) for step in plan), plan
