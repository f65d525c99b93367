"""Sign-ins: a token opens one, time and its owner end it, and whoever watches hears of it."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlmodel import Session, select

from domain import attempts, sign_ins
from domain.accounts import Registration, block, register, unblock
from domain.db import Database
from domain.events import SignedOut
from domain.models import SignIn, User, now
from domain.settings import settings
from domain.sign_ins import ABSOLUTE, BRIEF, IDLE, Browser, Refused, hash_token

NOON = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def user(db: Session) -> User:
    return register(db, Registration("asha", "+919845012345", "", ""), "kept")


def browser(token: str, before: str = "") -> Browser:
    return Browser(hash_token(token), "Chrome", "203.0.113.7", before)


def signed_out(db: Session) -> list[SignedOut]:
    return [event for event in db.info.get("events", []) if isinstance(event, SignedOut)]


def right_pin(db: Session) -> attempts.Attempt:
    return attempts.attempt(db, "login", login="asha", address="203.0.113.7", at=NOON)


def test_a_token_is_long_and_never_the_same() -> None:
    tokens = {sign_ins.new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43


def test_only_the_hash_of_a_token_is_kept(db: Session, user: User) -> None:
    token = sign_ins.new_token()
    sign_ins.signed_in(db, right_pin(db), browser(token), NOON)
    row = db.exec(select(SignIn)).one()
    assert token not in repr(row.model_dump())
    assert row.token_hash == hash_token(token)
    assert sign_ins.who(db, token, NOON) is None, "the hash's owner alone does not get in"
    found = sign_ins.who(db, hash_token(token), NOON)
    assert found == (user, row)


def test_another_secret_key_ends_no_sign_in(db: Session, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/operate.md says so to whoever changes it."""
    sign_ins.signed_in(db, right_pin(db), browser("token"), NOON)
    monkeypatch.setattr(settings(), "secret_key", SecretStr("another secret of more than 32 characters"))
    assert sign_ins.who(db, hash_token("token"), NOON) is not None


def test_what_a_browser_says_of_itself_is_kept_on_one_line(db: Session, user: User) -> None:
    shouting = Browser("hash", "Mozilla\r\n\x1b[31m\x00" + "x" * 900, "1" * 99)
    row = sign_ins.start(db, user, shouting, NOON)
    assert row.user_agent == "Mozilla[31m" + "x" * 189
    assert len(row.address) == 45


def test_who_did_not_ask_to_be_kept_signed_in_is_out_the_same_day(db: Session, user: User) -> None:
    sign_ins.start(db, user, Browser(hash_token("t"), "", "", kept=False), NOON)
    assert not sign_ins.kept(db, hash_token("t"))
    sign_ins.seen(db, hash_token("t"), NOON + BRIEF - MINUTE)
    assert sign_ins.who(db, hash_token("t"), NOON + BRIEF - MINUTE)
    assert sign_ins.who(db, hash_token("t"), NOON + BRIEF) is None
    sign_ins.start(db, user, browser("u"), NOON)
    assert sign_ins.kept(db, hash_token("u"))
    assert not sign_ins.kept(db, hash_token("nobody's"))


def test_a_sign_in_ends_when_it_is_left_idle(db: Session, user: User) -> None:
    sign_ins.start(db, user, browser("t"), NOON)
    assert sign_ins.who(db, hash_token("t"), NOON + IDLE - MINUTE)
    assert sign_ins.who(db, hash_token("t"), NOON + IDLE) is None


def test_a_sign_in_that_is_used_lives_on_but_not_for_ever(db: Session, user: User) -> None:
    sign_ins.start(db, user, browser("t"), NOON)
    at = NOON
    while at < NOON + ABSOLUTE - MINUTE:
        sign_ins.seen(db, hash_token("t"), at)
        assert sign_ins.who(db, hash_token("t"), at)
        at += IDLE - MINUTE
    assert sign_ins.who(db, hash_token("t"), NOON + ABSOLUTE) is None
    sign_ins.seen(db, hash_token("t"), NOON + ABSOLUTE)
    assert sign_ins.who(db, hash_token("t"), NOON + ABSOLUTE) is None


def test_its_last_use_is_written_only_now_and_then(db: Session, user: User) -> None:
    row = sign_ins.start(db, user, browser("t"), NOON)
    sign_ins.seen(db, hash_token("t"), NOON + 4 * MINUTE)
    assert row.seen_at == NOON
    sign_ins.seen(db, hash_token("t"), NOON + 6 * MINUTE)
    assert row.seen_at == NOON + 6 * MINUTE


def test_signing_out_ends_it_and_says_so(db: Session, user: User) -> None:
    sign_ins.start(db, user, browser("t"), NOON)
    sign_ins.sign_out(db, hash_token("t"), NOON)
    assert sign_ins.who(db, hash_token("t"), NOON) is None
    assert signed_out(db) == [SignedOut((hash_token("t"),))]
    sign_ins.sign_out(db, hash_token("t"), NOON)
    sign_ins.sign_out(db, "unknown", NOON)
    assert len(signed_out(db)) == 1


def test_signing_in_again_rotates(db: Session, user: User) -> None:
    sign_ins.signed_in(db, right_pin(db), browser("old"), NOON)
    sign_ins.signed_in(db, right_pin(db), browser("new", before=hash_token("old")), NOON)
    assert sign_ins.who(db, hash_token("old"), NOON) is None
    assert sign_ins.who(db, hash_token("new"), NOON)
    assert signed_out(db) == [SignedOut((hash_token("old"),))]


def test_people_see_and_end_their_own_sign_ins_only(db: Session, user: User) -> None:
    other = register(db, Registration("ravi", "+919845012346", "", ""), "kept")
    phone = sign_ins.start(db, user, browser("phone"), NOON)
    desk = sign_ins.start(db, user, browser("desk"), NOON + MINUTE)
    his = sign_ins.start(db, other, browser("his"), NOON)
    assert [s.id for s in sign_ins.sign_ins(db, user.id or 0, NOON + MINUTE)] == [desk.id, phone.id]
    assert not sign_ins.revoke(db, user.id or 0, his.id or 0)
    assert sign_ins.who(db, hash_token("his"), NOON)
    assert sign_ins.revoke(db, user.id or 0, phone.id or 0)
    assert [s.id for s in sign_ins.sign_ins(db, user.id or 0, NOON + MINUTE)] == [desk.id]


def test_the_blocked_are_out_until_they_are_let_in(db: Session, user: User) -> None:
    sign_ins.start(db, user, browser("t"), NOON)
    block(db, user.id or 0)
    assert sign_ins.who(db, hash_token("t"), NOON) is None
    assert signed_out(db) == [SignedOut((hash_token("t"),))]
    blocked = sign_ins.signed_in(db, right_pin(db), browser("u"), NOON)
    with pytest.raises(Refused, match="blocked"):
        sign_ins.refuse_blocked(blocked)
    unblock(db, user.id or 0)
    sign_ins.signed_in(db, right_pin(db), browser("u"), NOON)
    assert sign_ins.who(db, hash_token("u"), NOON)


def test_right_pins_of_the_blocked_are_kept_as_right(database: Database) -> None:
    """Each transaction is one of the door's: what it refuses is not kept."""
    asha = database.now(register, Registration("asha", "+919845012345", "", ""), "kept")[0].id or 0
    database.now(block, asha)
    for _ in range(2 * attempts.ROUND):
        attempt, _ = database.now(right_pin)
        database.now(sign_ins.signed_in, attempt, browser("u"), NOON)
    blocked = database.now(lambda db: db.get_one(User, asha))[0]
    assert (blocked.failures, blocked.locked_until) == (0, None)
    assert database.now(lambda db: db.exec(select(SignIn)).all())[0] == []


def test_only_the_blocked_are_refused(db: Session, user: User) -> None:
    sign_ins.refuse_blocked(user)


def test_who_still_is_signed_in_can_be_asked_of_many_at_once(db: Session, user: User) -> None:
    for token in ("here", "gone"):
        sign_ins.start(db, user, browser(token))
    sign_ins.start(db, user, browser("over"), now() - ABSOLUTE)
    sign_ins.start(db, user, browser("idle"), now() - IDLE)
    sign_ins.sign_out(db, hash_token("gone"))
    asked = [hash_token(token) for token in ("here", "gone", "over", "idle", "never")]
    assert sign_ins.alive(db, asked) == {hash_token("here")}
    block(db, user.id or 0)
    assert sign_ins.alive(db, asked) == set()


def test_what_ended_long_ago_is_forgotten(db: Session, user: User) -> None:
    """By its owner, by its age or unused: whence and with what he came is kept for 30 days after that."""
    at, long_ago = NOON + sign_ins.KEPT, NOON - MINUTE
    sign_ins.start(db, user, browser("alive"), at)
    for token, ended_at in (("ended", NOON), ("ended long ago", long_ago)):
        sign_ins.start(db, user, browser(token), NOON - IDLE / 2)
        sign_ins.sign_out(db, hash_token(token), ended_at)
    for token, ended_at in (("old", NOON), ("too old", long_ago)):
        sign_ins.start(db, user, browser(token), ended_at - ABSOLUTE).seen_at = ended_at - MINUTE
    sign_ins.start(db, user, browser("idle"), NOON - IDLE)
    sign_ins.start(db, user, browser("idle for long"), long_ago - IDLE)
    assert sign_ins.forget(db, at) == 3
    left = {hash_token(token) for token in ("alive", "ended", "old", "idle")}
    assert set(db.exec(select(SignIn.token_hash))) == left
