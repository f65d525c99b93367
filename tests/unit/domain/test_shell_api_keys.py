"""The operator's words for keys of the REST API."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from domain import api_keys, trail
from domain.db import Database
from domain.models import now
from domain.settings import settings
from tests.unit.domain.test_shell import Said, here, run

__all__ = ["here", "run"]


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch, here: Path) -> Iterator[Database]:
    monkeypatch.setattr(settings(), "database_url", database_url)
    with closing(Database(database_url)) as database:
        yield database


def test_a_key_is_shown_once_and_ended(run, database: Database) -> None:  # type: ignore[no-untyped-def]
    said: Said = run('apikey create "Night shift" --scope chargers:read --scope chargers:call --until 2099-12-31')
    [key] = re.findall(r"evk_\S{43,}", said.out)
    prefix = key[:12]
    row = database.now(api_keys.who, key, now())[0]
    assert row is not None and api_keys.scopes(row) == {"chargers:read", "chargers:call"}
    listed = run("apikey list").out
    assert all(word in listed for word in (prefix, "Night shift", "good", "2099-12-31", "chargers:call"))
    assert key not in listed
    assert "opens nothing any more" in run(f"apikey revoke {prefix}").out
    assert database.now(api_keys.who, key, now())[0] is None
    assert "revoked" in run("apikey list").out
    acts = database.now(trail.entries, subject=f"apikey:{prefix}")[0]
    assert [(act.actor_kind, act.action) for act in acts] == [("shell", "apikey revoke"), ("shell", "apikey create")]
    assert key not in str([act.model_dump() for act in acts])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("apikey create x", "--scope"),
        ("apikey create x --all --scope trail:read", "--scope"),
        ("apikey create x --scope money:all", "Nothing is called money:all"),
        ("apikey create x --all --until 2020-01-01", "ends later than now"),
        ("apikey revoke evk_nosuch", "No key begins with"),
    ],
)
def test_mistakes_are_sentences(run, database: Database, line: str, says: str) -> None:  # type: ignore[no-untyped-def]
    said: Said = run(line)
    assert (said.code, says in said.err) == (2, True), said.err
    assert database.now(api_keys.everything)[0] == []
