"""Keys of the REST API: shown once, kept as a hash, good until they end."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlmodel import Session

from domain import api_keys
from domain.api_keys import SCOPES, NoKey
from domain.models import now


def test_a_key_is_kept_as_a_hash_and_known_again(db: Session) -> None:
    row, key = api_keys.create(db, " Export ", ["money:read", "sessions:read"])
    assert key.startswith(f"{row.prefix}_")
    assert len(key) > 43
    assert api_keys.who(db, key, now()) == row
    assert (row.name, api_keys.scopes(row)) == ("Export", {"sessions:read", "money:read"})
    stored = str(db.connection().execute(text("SELECT * FROM api_keys")).all())
    assert key[len(row.prefix) + 1 :] not in stored
    for wrong in (key[:-1], key + "x", row.prefix, row.digest, "", "\ud800"):
        assert api_keys.who(db, wrong, now()) is None


def test_a_key_ends_by_time_and_by_hand(db: Session) -> None:
    row, key = api_keys.create(db, "a day", ["trail:read"], now() + timedelta(days=1))
    assert api_keys.who(db, key, now() + timedelta(hours=23))
    assert api_keys.who(db, key, now() + timedelta(days=2)) is None
    at = now()
    assert api_keys.revoke(db, row.prefix, at).revoked_at == at
    assert api_keys.who(db, key, now()) is None
    assert api_keys.revoke(db, row.prefix).revoked_at == at
    with pytest.raises(NoKey, match="No key begins with 'evk_nosuch'"):
        api_keys.revoke(db, "evk_nosuch")
    assert [each.prefix for each in api_keys.everything(db)] == [row.prefix]


@pytest.mark.parametrize(
    ("name", "scopes", "days", "says"),
    [
        ("x", ["money:all"], 1, "Nothing is called money:all"),
        ("x", [], 1, "at least one scope"),
        (" ", ["trail:read"], 1, "needs a name"),
        ("x", ["trail:read"], -1, "ends later than now"),
    ],
)
def test_keys_that_cannot_be(db: Session, name: str, scopes: list[str], days: int, says: str) -> None:
    with pytest.raises(NoKey, match=says):
        api_keys.create(db, name, scopes, now() + timedelta(days=days))


def test_the_longest_key_has_room(db: Session) -> None:
    row, _ = api_keys.create(db, "all", tuple(SCOPES))
    assert api_keys.scopes(row) == SCOPES.keys()
    assert len(row.scopes) <= 500


def test_the_last_use_is_noted(db: Session) -> None:
    row, _ = api_keys.create(db, "x", ["trail:read"])
    at = now()
    api_keys.used(db, row.id or 0, at)
    api_keys.used(db, row.id or 0, at - timedelta(hours=1))
    assert row.used_at == at
