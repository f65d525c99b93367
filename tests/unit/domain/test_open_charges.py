"""Open charges are found by their indexes on SQLite, too: no message must read the charges of a year."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from domain import (
    arrivals,
    chargers,
    charges,
    charging,
    connectors,
    findings,
    fleet,
    idling,
    interruptions,
    listings,
    metering,
    reconciliation,
    reservations,
    sessions,
    starts,
    stops,
    vitals,
)
from domain.models import now
from domain.samples import Sample
from tests.asked import asked

LOOKS: dict[str, Callable[[Session], Any]] = {
    "a status": lambda db: connectors.status(
        db, "A-1", connector_number=1, status="Charging", error_code="NoError", info="", at=None, received_at=now()
    ),
    "a status after a charge": lambda db: idling.told_after(db, "A-1", 1, "Available", now()),
    "a card": lambda db: starts.authorize(db, "A-1", "ABCDEFGHIJKLMN"),
    "a start": lambda db: starts.started(
        db, charger_id="A-1", connector_number=1, tag="ABCDEFGHIJKLMN", meter_start_wh=0, at=now(), received_at=now()
    ),
    "a sample": lambda db: metering.record(db, [_sample("A-1"), _sample("A-2")]),
    "a stop by its number": lambda db: stops._meant(db, "A-1", 7, 9, now(), ""),
    "sockets that open": lambda db: arrivals.connected(db, "here", [("A-1", now()), ("A-2", now())]),
    "what was to be stopped meanwhile": lambda db: stops.ask_again(db, {"A-1": now()}),
    "a socket that comes or goes": lambda db: arrivals._announce(db, ["A-1"]),
    "a charger's page": lambda db: chargers.view(db, "A-1"),
    "a driver's page": lambda db: sessions.open_of(db, 1),
    "whether a car charges": lambda db: sessions.running_at(db, "A-1"),
    "deadlines": lambda db: charging.due(db, now()),
    "charges whose stop was lost": lambda db: interruptions.lost(db, now(), now() - timedelta(hours=1)),
    "interrupted charges that go on": lambda db: interruptions.found(db, now()),
    "meters that fell silent": lambda db: metering.overdue(db, now(), 60),
    "what does not fit": lambda db: reconciliation.of_moments(db, now()),
    "a scrape": lambda db: vitals.vitals(db, now()),
    "charges under way": charges.page,
    "the next page of them": lambda db: charges.page(db, before=1_000),
    "those of a charger": lambda db: charges.page(db, charger_id="A-1"),
    "stuck charges": lambda db: charges.page(db, which=charges.STUCK),
    "charges that are not over": lambda db: charges.page(db, which=charges.NOT_OVER),
    "findings": findings.unresolved,
    "a page of findings": findings.page,
    "a page of one kind": lambda db: findings.page(db, kind="orphan-stop"),
    "how many of each kind": findings.kinds,
    "findings that nobody is at": lambda db: findings.page(db, taken_by=findings.NOBODY),
    "charges of one state in the REST API": lambda db: listings.part(db, listings.SESSIONS, state="CHARGING"),
    "the fleet": lambda db: fleet.page(db, which=fleet.CHARGING),
    "connectors of the REST API": lambda db: listings.connectors(db, "A-1"),
    "a reservation": lambda db: reservations._free(db, "A-1"),
}
TABLES = re.compile(r"\b(?:FROM|JOIN|UPDATE) (charging_sessions|holds|findings)\b")
OPEN_ONLY = re.compile(r"INDEX (\w+_open(_connector|_user)?|ix_charging_sessions_(not_over|idling))\b")
"""Indexes that hold no row of what is over."""
ALL_PAST = re.compile(
    r"SCAN (charging_sessions|holds|findings)\b|SEARCH (charging_sessions|holds|findings) "
    r".*\((rowid<\?|charger_id=\?|kind=\?)( AND connector_number=\?)?\)$"
)
"""Steps of a plan that read every row there ever was, or every one of a charger."""


def _sample(charger_id: str) -> Sample:
    return Sample(charger_id, 1, 7, now(), now(), 1_000, 1_000, None, None, None)


def _steps(db: Session, look: Callable[[Session], Any]) -> list[str]:
    """How SQLite goes about what this look asks of charges, holds and findings."""
    with asked(db.connection().engine) as every:
        look(db)
    found = [one for one in every if TABLES.search(one.statement)]
    assert found
    plans = [db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {said}", given).fetchall() for said, given in found]
    return [str(step[-1]) for plan in plans for step in plan]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("look", LOOKS)
def test_it_reads_open_charges_only(db: Session, look: str) -> None:
    chargers.add(db, "A-1", connectors=2)
    chargers.add(db, "A-2")
    steps = _steps(db, LOOKS[look])
    assert [s for s in steps if ALL_PAST.search(s) and not OPEN_ONLY.search(s)] == []


SEARCHES: dict[str, Callable[[Session], Any]] = {
    "a charge": lambda db: charges.page(db, which=charges.EVERY, typed="BLR-1"),
    "a payment": lambda db: listings.part(db, listings.RECHARGES, find="455069730011"),
    "a refund": lambda db: listings.part(db, listings.REFUNDS, find="REF-1"),
}
"""What a desk does all day with a word that may be the name of many things."""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("search", SEARCHES)
def test_a_search_goes_by_each_name_and_reads_no_table_from_end_to_end(db: Session, search: str) -> None:
    with asked(db.connection().engine) as every:
        SEARCHES[search](db)
    plan = db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {every[0].statement}", every[0].given).fetchall()
    read = [str(step[-1]) for step in plan]
    assert [step for step in read if re.match(r"SCAN (charging_sessions|recharge_orders|receipts)\b", step)] == []
    assert any(step.startswith("SEARCH") for step in read)
