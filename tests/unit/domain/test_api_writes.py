"""Writes that their callers named: done once, and answered as before."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from domain import api_keys, api_writes
from domain.api_writes import KEPT, AnotherWrite, Answer, UnderWay
from domain.models import ApiWrite, now


@pytest.fixture
def key(db: Session) -> int:
    return api_keys.create(db, "x", ["trail:read"])[0].id or 0


def test_a_write_is_begun_once_and_answered_as_before(db: Session, key: int) -> None:
    assert api_writes.answered(db, key, "w", "f") is None
    assert api_writes.begin(db, key, "w", "f") is None
    for again in (api_writes.begin, api_writes.answered):
        with pytest.raises(UnderWay):
            again(db, key, "w", "f")
        with pytest.raises(AnotherWrite):
            again(db, key, "w", "g")
    api_writes.end(db, key, "w", Answer(201, "{}"))
    assert api_writes.begin(db, key, "w", "f") == api_writes.answered(db, key, "w", "f") == Answer(201, "{}")
    with pytest.raises(AnotherWrite):
        api_writes.begin(db, key, "w", "g")


def test_of_what_was_not_done_the_name_is_free(db: Session, key: int) -> None:
    api_writes.begin(db, key, "w", "f")
    api_writes.undone(db, key, "w")
    assert api_writes.begin(db, key, "w", "g") is None
    api_writes.end(db, key, "w", Answer(200, "{}"))
    api_writes.undone(db, key, "w")
    assert api_writes.begin(db, key, "w", "g") == Answer(200, "{}")


def test_answers_are_forgotten_in_parts(db: Session, key: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_writes, "PRUNED_AT_ONCE", 2)
    at = now()
    for age in range(5):
        db.add(ApiWrite(api_key_id=key, name=str(age), fingerprint="f", created_at=at - KEPT - timedelta(hours=age)))
    db.flush()
    assert [api_writes.forget(db, at) for _ in range(3)] == [2, 2, 0]
    assert api_writes.answered(db, key, "4", "f") is None
    assert db.get(ApiWrite, (key, "0")) is not None


def test_a_fingerprint_is_of_all_that_was_asked() -> None:
    told = {api_writes.fingerprint(*asked) for asked in (("a", "b"), ("ab",), ("a", "b", ""), ("b", "a"))}
    assert len(told) == 4
    assert api_writes.fingerprint("a", "b") == api_writes.fingerprint("a", "b")
