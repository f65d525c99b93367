"""Rows a part at a time: none is missed and none comes twice, whatever is added meanwhile."""

import pytest
from sqlmodel import Session

from domain import chargers, findings, listings, tokens
from domain.chargers import ChargerUnknown


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
