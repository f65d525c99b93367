"""What operators did is written with the act, without secrets, and is found again."""

import json

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from domain import trail
from domain.db import Database
from domain.models import ActorKind, TrailEntry, now


def test_an_act_is_kept_with_who_what_whom_and_why(db: Session) -> None:
    moment = now()
    trail.note(db, trail.user(7), "wallet adjust", "user:9", "Paid twice at the counter.", moment)
    [entry] = trail.entries(db)
    assert (entry.actor_kind, entry.actor_id, entry.action, entry.subject, entry.detail, entry.at) == (
        "user", "7", "wallet adjust", "user:9", "Paid twice at the counter.", moment,
    )  # fmt: skip


def test_facts_are_kept_as_json_without_secrets(db: Session) -> None:
    facts = {
        "action": "ChangeConfiguration",
        "payload": {"key": "AuthorizationKey", "value": "A1B2C3"},
        "settings": [{"key": "HeartbeatInterval", "value": "300"}, {"key": "WifiPassword", "value": "hunter2"}],
        "new_pin": "314159",
        "phone": "+919845012345",
        "at": now(),
    }
    trail.note(db, trail.shell(), "call ChangeConfiguration", "charger:C", facts)
    kept = json.loads(trail.entries(db)[0].detail)
    assert kept["payload"] == {"key": "AuthorizationKey", "value": "[hidden]"}
    assert kept["settings"] == [
        {"key": "HeartbeatInterval", "value": "300"},
        {"key": "WifiPassword", "value": "[hidden]"},
    ]
    assert (kept["new_pin"], kept["phone"]) == ("[hidden]", "…2345")


@pytest.mark.parametrize(
    "facts",
    [
        {"key": "WebSocketPingInterval", "value": "60"},
        {"key": "AuthorizationCacheEnabled", "value": "true"},
        {"listVersion": 2, "localAuthorizationList": [{"idTag": "04A1B2"}]},
    ],
)
def test_what_only_sounds_like_a_secret_is_kept(db: Session, facts: dict[str, object]) -> None:
    trail.note(db, trail.shell(), "call", "charger:C", facts)
    assert json.loads(trail.entries(db)[0].detail) == facts


def test_an_address_is_kept_without_its_password(db: Session) -> None:
    facts = {
        "payload": {"location": "ftp://u:hunter2@files.example/a", "log": [{"remoteLocation": "sftp://u:hunter2@h"}]}
    }
    trail.note(db, trail.shell(), "call GetDiagnostics", "charger:C", facts)
    trail.note(db, trail.shell(), "charger retire", "charger:C", "See ftp://u:hunter2@files.example/a")
    first, second = trail.entries(db)
    assert "hunter2" not in first.detail + second.detail
    assert json.loads(second.detail)["payload"]["location"] == "ftp://[hidden]@files.example/a"


def test_the_newest_come_first_and_the_older_ones_after_them(db: Session) -> None:
    for n in range(5):
        trail.note(db, trail.user(7 + n % 2), "charger trace", f"charger:C{n}")
    newest = trail.entries(db, limit=2)
    assert [entry.subject for entry in newest] == ["charger:C4", "charger:C3"]
    older = trail.entries(db, before=newest[-1].id, limit=9)
    assert [entry.subject for entry in older] == ["charger:C2", "charger:C1", "charger:C0"]
    assert [entry.subject for entry in trail.entries(db, subject="charger:C1")] == ["charger:C1"]
    assert [entry.subject for entry in trail.entries(db, actor=trail.user(8))] == ["charger:C3", "charger:C1"]


def test_what_no_database_takes_is_taken_out_and_what_is_too_long_is_cut(db: Session) -> None:
    trail.note(db, trail.key("k" * 200), "a" * 99, "s" * 200, "nul \x00 and \ud800 and " + "long " * 1_000)
    [entry] = trail.entries(db)
    assert (len(entry.actor_id), len(entry.action), len(entry.subject), len(entry.detail)) == (80, 60, 100, 2_000)
    assert entry.detail.startswith("nul  and ? and long")


def test_only_known_kinds_of_actors_act(db: Session) -> None:
    db.add(TrailEntry(actor_kind="cat", actor_id="7", action="sleep", subject="sofa:1"))
    with pytest.raises(IntegrityError):
        db.flush()


async def test_an_act_that_fails_leaves_no_trace(database: Database) -> None:
    def act(db: Session) -> None:
        trail.note(db, trail.Actor(ActorKind.SHELL, "root"), "wallet adjust", "user:9")
        raise ValueError

    with pytest.raises(ValueError):
        await database.transact(act)
    assert await database.read(lambda db: db.exec(select(TrailEntry)).all()) == []


def test_whoever_has_no_name_on_this_machine_is_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise OSError

    assert str(trail.shell()).startswith("shell:")
    monkeypatch.setattr("getpass.getuser", nameless)
    assert str(trail.shell()) == "shell:nobody"
