"""Rows a part at a time: none is missed and none comes twice, whatever is added meanwhile."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from domain import chargers, findings, listings, tokens
from domain.chargers import ChargerUnknown
from domain.models import ChargingSession, SessionState, now
from tests.asked import asked


def test_nothing_is_missed_while_rows_are_added(db: Session) -> None:
    for number in range(7):
        findings.note(db, "review", f"S{number}", "")
    seen, after = [], None
    while rows := listings.part(db, listings.FINDINGS, after=after, limit=3):
        seen += [row.ref for row in rows]
        after = rows[-1].id
        if len(seen) == 3:
            findings.note(db, "review", "S7", "")
    assert seen == [f"S{number}" for number in range(8)]


def test_keys_of_text_and_filters(db: Session) -> None:
    for tag in ("B", "A", "C"):
        tokens.add(db, tag)
    assert [row.tag for row in listings.part(db, listings.TOKENS, after="A")] == ["B", "C"]
    assert listings.part(db, listings.TOKENS, user_id=7) == []
    with pytest.raises(KeyError):
        listings.part(db, listings.TOKENS, colour="red")


def test_a_part_has_an_end(db: Session) -> None:
    for number in range(listings.MOST + 5):
        findings.note(db, "review", f"S{number}", "")
    assert len(listings.part(db, listings.FINDINGS, limit=10_000)) == listings.MOST + 1


def test_the_plugs_of_a_charger(db: Session) -> None:
    chargers.add(db, "BLR-1", connectors=2)
    assert [(row.number, ref) for row, ref in listings.connectors(db, "BLR-1")] == [(1, None), (2, None)]
    with pytest.raises(ChargerUnknown):
        listings.connectors(db, "NOSUCH")


def charge(db: Session, number: int, hours: float, state: SessionState = SessionState.SETTLED) -> ChargingSession:
    at = now() - timedelta(hours=hours)
    told = {"ref": f"S{number}", "charger_id": "BLR-1", "connector_number": 1, "tag": f"T{number}", "state": state}
    session = ChargingSession(**told, requested_at=at, paise_per_kwh=1_800)
    db.add(session)
    db.flush()
    return session


def parts(db: Session, limit: int = 2, **wanted: object) -> list[str]:
    """The refs of all parts, one behind the other."""
    refs: list[str] = []
    after = None
    while rows := listings.part(db, listings.SESSIONS, after=after, limit=limit, **wanted):
        refs += [row.ref for row in rows]
        after = rows[-1].id
    return refs


def test_charges_are_leafed_through_by_time_then_by_number(db: Session) -> None:
    chargers.add(db, "BLR-1")
    for number, hours in enumerate((5, 1, 3, 4, 2)):
        charge(db, number, hours)
    at = charge(db, 5, 3).requested_at
    charge(db, 6, 0).requested_at = at
    db.flush()
    assert parts(db) == ["S1", "S4", "S6", "S5", "S2", "S3", "S0"]
    assert parts(db, requested_since=at, requested_before=now() - timedelta(hours=1.5)) == ["S4", "S6", "S5"]


BY_TIME = {
    "ix_charging_sessions_requested_at_id": (listings.SESSIONS, "requested_since", "requested_before"),
    "ix_transfers_created_at_id": (listings.TRANSFERS, "booked_since", "booked_before"),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("after", [None, 7])
@pytest.mark.parametrize("index", BY_TIME)
def test_a_month_is_found_without_walking_past_all_others(db: Session, index: str, after: int | None) -> None:
    listing, since, before = BY_TIME[index]
    with asked(db.connection().engine) as every:
        listings.part(db, listing, after=after, **{since: now(), before: now()})
    [told] = every
    plan = db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {told.statement}", told.given).fetchall()
    steps = [str(step[-1]) for step in plan]
    assert any(f"USING INDEX {index}" in step for step in steps)
    assert not any(step.startswith("SCAN") or "TEMP B-TREE" in step for step in steps)
