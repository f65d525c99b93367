"""What an operator must look at is kept once each, until somebody has looked."""

import pytest
from sqlalchemy.exc import NoResultFound
from sqlmodel import Session

from domain import accounts, findings, trail
from domain.models import Finding
from tests.money import house


def test_a_finding_is_kept_once_and_the_first_words_stay(db: Session) -> None:
    findings.note(db, "review", "S1", "first")
    findings.note(db, "review", "S1", "again")
    findings.note(db, "review", "S2", "another")
    findings.note(db, "conflict", "S1", "another kind")
    assert [(f.kind, f.ref, f.detail) for f in findings.unresolved(db)] == [
        ("review", "S1", "first"),
        ("review", "S2", "another"),
        ("conflict", "S1", "another kind"),
    ]


def test_a_resolved_one_is_gone_and_does_not_come_back(db: Session) -> None:
    findings.note(db, "review", "S1", "first")
    [finding] = findings.unresolved(db)
    assert findings.resolve(db, finding.id or 0, trail.user(7), "The cable was replaced.")
    assert findings.unresolved(db) == []
    findings.note(db, "review", "S1", "again")
    assert findings.unresolved(db) == []


def test_what_comes_again_and_again_is_counted_since_somebody_looked(db: Session) -> None:
    for last in "abc":
        findings.count(db, "orphan-stop", "B:more", f"more came. The last: {last}")
    [finding] = findings.unresolved(db)
    assert finding.detail == "3 more came. The last: c"
    findings.resolve(db, finding.id or 0, trail.user(7), "")
    findings.count(db, "orphan-stop", "B:more", "more came. The last: d")
    assert [one.detail for one in findings.unresolved(db)] == ["1 more came. The last: d"]


def test_those_of_a_kind_are_counted_while_nobody_has_looked(db: Session) -> None:
    for ref in ("A%1:5", "A%1:6", "A%1:7", "AB1:5"):
        findings.note(db, "orphan-stop", ref, "")
    findings.note(db, "review", "A%1:8", "")
    findings.resolve(db, findings.unresolved(db)[0].id or 0, trail.user(7), "")
    assert findings.waiting(db, "orphan-stop", "A%1:") == 2
    assert findings.known(db, "orphan-stop", "A%1:5")
    assert not findings.known(db, "orphan-stop", "A%1:9")


def test_long_ones_are_cut_and_still_the_same(db: Session) -> None:
    for _ in range(2):
        findings.note(db, "orphan-stop", "x" * 150, "y" * 600)
    [finding] = findings.unresolved(db)
    assert (len(finding.ref), len(finding.detail)) == (100, 500)


def test_resolving_nothing_is_an_error(db: Session) -> None:
    with pytest.raises(NoResultFound):
        findings.resolve(db, 7, trail.shell())


def test_what_is_true_again_is_open_again_with_its_newest_words(db: Session) -> None:
    findings.renew(db, "audit", "books", "two rows")
    [first] = findings.unresolved(db)
    findings.renew(db, "audit", "books", "three rows")
    assert [(f.id, f.detail) for f in findings.unresolved(db)] == [(first.id, "three rows")]
    findings.resolve(db, first.id or 0, trail.shell(), "Booked by hand.")
    findings.renew(db, "audit", "books", "four rows")
    [again] = findings.unresolved(db)
    assert (again.id, again.detail, again.resolved_by, again.resolution) == (first.id, "four rows", None, None)


def test_who_looked_and_what_came_of_it_is_kept_once(db: Session) -> None:
    findings.note(db, "review", "S1", "first")
    [finding] = findings.unresolved(db)
    assert findings.resolve(db, finding.id or 0, trail.user(7), "The cable was replaced.")
    assert not findings.resolve(db, finding.id or 0, trail.key(3), "So it was.")
    kept = db.get_one(Finding, finding.id)
    assert (kept.resolved_by, kept.resolution) == ("user:7", "The cable was replaced.")
    [entry] = trail.entries(db)
    assert (entry.action, entry.subject) == ("findings resolve", f"finding:{finding.id}")
    assert entry.detail == "review S1. The cable was replaced."


def test_what_waits_is_what_nobody_has_resolved(db: Session) -> None:
    findings.note(db, "mismatch", "RCH-1", "first")
    assert findings.waits(db, "mismatch", "RCH-1")
    assert not findings.waits(db, "mismatch", "RCH-2")
    [finding] = findings.unresolved(db)
    findings.resolve(db, finding.id or 0, trail.shell(), "Sent back by hand.")
    assert not findings.waits(db, "mismatch", "RCH-1")


def test_money_for_somebody_who_has_left_is_told_beside_what_waits(db: Session) -> None:
    """What was resolved is done with, and is not told again."""
    asha = house.driver(db, "asha")
    findings.refund_due(db, asha, "S1", "₹1.00 came back to")
    assert findings.unresolved(db) == []
    accounts.block(db, asha)
    for rupees in (2, 3):
        findings.refund_due(db, asha, "S1", f"₹{rupees}.00 came back to")
    [finding] = findings.unresolved(db)
    gone = "a driver who is blocked or has left; they may have to go back."
    assert finding.detail == f"₹2.00 came back to {gone} ₹3.00 came back to {gone}"
    findings.resolve(db, finding.id or 0, trail.shell(), "Sent back.")
    findings.refund_due(db, asha, "S1", "₹4.00 came back to")
    assert [one.detail for one in findings.unresolved(db)] == [f"₹4.00 came back to {gone}"]


def test_a_page_of_one_kind_has_the_newest_that_wait(db: Session) -> None:
    for n in range(4):
        findings.note(db, "orphan-stop", f"A-1:{n}", "d")
        findings.note(db, "review", f"S{n}", "d")
    newest = findings.page(db, kind="orphan-stop")[0]
    findings.resolve(db, newest.id or 0, trail.shell(), "Seen.")
    assert [one.ref for one in findings.page(db, kind="orphan-stop", limit=2)] == ["A-1:2", "A-1:1"]


ASHA, RAVI = trail.user(1), trail.user(2)


def test_who_is_at_a_finding_is_known_to_the_others(db: Session) -> None:
    findings.note(db, "mute", "BLR-1", "x")
    findings.note(db, "mute", "BLR-2", "x")
    [_, first] = findings.page(db)
    findings.take(db, first.id, ASHA, seen=None)
    assert [one.ref for one in findings.page(db, taken_by="user:1")] == ["BLR-1"]
    assert [one.ref for one in findings.page(db, taken_by=findings.NOBODY)] == ["BLR-2"]
    with pytest.raises(findings.Changed, match="faster"):
        findings.take(db, first.id, RAVI, seen=None)
    findings.take(db, first.id, RAVI, seen="user:1")
    with pytest.raises(findings.Changed, match="faster"):
        findings.let_go(db, first.id, ASHA, seen="user:1")
    findings.let_go(db, first.id, RAVI, seen="user:2")
    assert len(findings.page(db, taken_by=findings.NOBODY)) == 2
    assert [(act.action, act.actor_id) for act in trail.entries(db)] == [
        ("findings let-go", "2"),
        ("findings take", "2"),
        ("findings take", "1"),
    ]


def test_nobody_begins_what_is_resolved(db: Session) -> None:
    findings.note(db, "mute", "BLR-1", "x")
    [one] = findings.page(db)
    findings.resolve(db, one.id, ASHA)
    with pytest.raises(findings.Changed, match="has resolved it"):
        findings.take(db, one.id, RAVI, seen=None)


def test_what_is_true_again_is_there_for_everybody(db: Session) -> None:
    findings.note(db, "mute", "BLR-1", "x")
    [one] = findings.page(db)
    findings.take(db, one.id, ASHA, seen=None)
    findings.renew(db, "mute", "BLR-1", "still")
    assert one.taken_by == "user:1"
    findings.resolve(db, one.id, ASHA)
    findings.renew(db, "mute", "BLR-1", "again")
    assert (one.taken_by, one.taken_at) == (None, None)


def test_how_many_of_each_kind_wait(db: Session) -> None:
    for kind, ref in (("review", "S1"), ("mute", "A"), ("mute", "B"), ("audit", "x")):
        findings.note(db, kind, ref, "x")
    findings.resolve(db, findings.page(db, kind="audit")[0].id, ASHA)
    assert list(findings.kinds(db).items()) == [("mute", 2), ("review", 1)]
