"""The journal: any text is kept, old lines go."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from domain import chargers, journal
from domain.bulk import Bulk
from domain.db import Database
from domain.events import MessagesKept
from domain.models import OcppMessage, now
from tests.money.house import Heard


def line(frame: str = "[]", *, action: str = "Heartbeat", days: float = 0) -> journal.Line:
    return journal.Line("C-1", "in", action, "id", frame, "", now() - timedelta(days=days))


def test_any_text_is_kept(db: Session) -> None:
    odd = "\x00a\ud800é" * 3
    journal.write(Bulk.within(db), [line(odd, action=odd * 20), line("x" * 300_000)])
    first, second = db.exec(select(OcppMessage).order_by(OcppMessage.id)).all()  # type: ignore[arg-type]
    assert first.frame == "a?é" * 3
    assert len(first.action) == 50
    assert len(second.frame) == 300_000
    assert (first.answer, first.answered_at) == (None, None)


def test_an_answer_is_kept_with_its_question(db: Session) -> None:
    asked = line("[2]")
    asked.answer, asked.answered_at = "\x00[3,\ud800]", asked.at + timedelta(milliseconds=20)
    journal.write(Bulk.within(db), [asked])
    (kept,) = journal.of(db, "C-1")
    assert (kept.frame, kept.answer) == ("[2]", "[3,?]")
    assert (kept.created_at, kept.answered_at) == (asked.at, asked.answered_at)


def test_old_lines_go(db: Session) -> None:
    journal.write(Bulk.within(db), [line("old", days=31), line("young", days=29)])
    assert journal.prune(db, now() - timedelta(days=30)) == 1
    assert journal.prune(db, now() - timedelta(days=30)) == 0
    assert [row.frame for row in journal.of(db, "C-1")] == ["young"]


def test_many_old_lines_go_in_parts(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PRUNED_AT_ONCE", 2)
    journal.write(Bulk.within(db), [*(line(str(n), days=31) for n in range(3)), line("young")])
    before = now() - timedelta(days=30)
    assert [journal.prune(db, before) for _ in range(3)] == [2, 1, 0]
    assert [row.frame for row in journal.of(db, "C-1")] == ["young"]


def test_lines_of_a_clock_that_was_ahead_keep_no_older_ones(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PRUNED_AT_ONCE", 2)
    lines = [line("ahead", days=-400), line("ahead", days=-2), line("old", days=31), line("soon", days=-0.9)]
    journal.write(Bulk.within(db), lines)
    before = now() - timedelta(days=30)
    assert [journal.prune(db, before) for _ in range(3)] == [2, 1, 0]
    assert [row.frame for row in journal.of(db, "C-1")] == ["soon"]


def test_who_is_traced(db: Session) -> None:
    for charger_id in ("C-1", "C-2"):
        chargers.add(db, charger_id)
    chargers.trace(db, "C-2", True)
    assert journal.traced(db) == {"C-2"}


async def test_whoever_follows_a_traced_charger_is_told(database: Database) -> None:
    heard = Heard(database)
    said = [journal.Line(name, "in", "Heartbeat", "1", "[]", "", now()) for name in ("A", "B", "A")]
    await database.append(journal.write, said, frozenset({"A", "C"}))
    assert heard.events == [MessagesKept("A")]
    await database.append(journal.write, said)
    assert heard.events == [MessagesKept("A")]


async def test_older_lines_follow_the_newer_ones(database: Database) -> None:
    await database.append(
        journal.write, [journal.Line("A", "in", "Heartbeat", str(n), f"[{n}]", "", now()) for n in range(4)]
    )
    first = await database.read(journal.of, "A", 2)
    rest = await database.read(journal.of, "A", 9, before=first[-1].id)
    assert [line.frame for line in (*first, *rest)] == ["[3]", "[2]", "[1]", "[0]"]
