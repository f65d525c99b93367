"""People: who may join, what they may change, and how they leave."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from domain import accounts, attempts, firms, sign_ins, wallet
from domain.accounts import FieldErrors, NotDeleted, Registration
from domain.attempts import Attempt
from domain.db import Database, read, transact
from domain.events import SignedOut
from domain.models import Charger, ChargingSession, RechargeOrder, Role, SessionState, SignIn, SignInAttempt, User, now
from domain.sign_ins import Browser, Refused, hash_token
from tests.money import house

GOOD = {
    "username": "Asha",
    "phone": "98450 12345",
    "email": "asha@example.in",
    "pin": "482913",
    "pin_again": "482913",
}
ASHA = Registration("asha", "+919845012345", "asha@example.in", "482913")
RAVI = Registration("ravi", "+919845012346", "", "482913")


@pytest.fixture
def user(db: Session) -> User:
    return accounts.register(db, ASHA, "kept", browser("first"))


def browser(token: str) -> Browser:
    return Browser(hash_token(token), "Chrome", "203.0.113.7")


def right_pin(db: Session, user: User) -> Attempt:
    return attempts.attempt(db, "pin", user_id=user.id, address="203.0.113.7")


def errors_of(work: Any, *args: Any) -> dict[str, str]:
    with pytest.raises(FieldErrors) as wrong:
        work(*args)
    return wrong.value.errors


def test_a_form_is_read_into_one_spelling() -> None:
    assert accounts.registration(GOOD) == ASHA


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"username": "a"}, {"username"}),
        ({"phone": "12345"}, {"phone"}),
        ({"email": "asha@"}, {"email"}),
        ({"pin": "123456", "pin_again": "123456"}, {"pin"}),
        ({"pin": "012345", "pin_again": "012345"}, {"pin"}),
        ({"pin_again": "482914"}, {"pin_again"}),
        ({"username": "", "phone": "", "pin": ""}, {"username", "phone", "pin"}),
        ({name: None for name in GOOD}, {"username", "phone", "pin"}),
        ({name: ["x"] for name in GOOD}, {"username", "phone", "email", "pin"}),
    ],
)
def test_every_field_that_will_not_do_gets_its_sentence(change: dict[str, object], fields: set[str]) -> None:
    errors = errors_of(accounts.registration, GOOD | change)
    assert set(errors) == fields
    assert all(sentence.endswith(".") for sentence in errors.values())


def test_a_new_user_has_an_empty_wallet_and_is_signed_in(db: Session, user: User) -> None:
    assert wallet.balance(db, user.id or 0) == wallet.Balance(0, 0, 0)
    found = sign_ins.who(db, hash_token("first"))
    assert found and found[0] == user


def test_a_taken_name_and_number_are_refused_at_once(db: Session, user: User) -> None:
    assert errors_of(accounts.register, db, ASHA, "kept") == accounts.TAKEN
    phone_only = Registration("asha2", ASHA.phone, "", "482913")
    assert errors_of(accounts.register, db, phone_only, "kept") == {"phone": accounts.TAKEN["phone"]}


async def test_six_spellings_of_one_phone_at_once_are_one_account(database: Database) -> None:
    spellings = ("9845012345", "09845012345", "+91 98450 12345", "919845012345", "98450-12345", "९८४५०१२३४५")
    forms = [
        accounts.registration(GOOD | {"username": f"asha{n}", "phone": phone}) for n, phone in enumerate(spellings)
    ]
    results = await asyncio.gather(
        *(transact(accounts.register, form, "kept") for form in forms), return_exceptions=True
    )
    assert sum(isinstance(result, User) for result in results) == 1
    assert [r.errors for r in results if isinstance(r, FieldErrors)] == [{"phone": accounts.TAKEN["phone"]}] * 5
    assert len(await read(accounts.find, "asha")) == 1


def test_people_change_what_they_are_called(db: Session, user: User) -> None:
    user_id = user.id or 0
    accounts.update(db, user_id, "username", " Asha_R ")
    accounts.update(db, user_id, "phone", "98450 99999")
    accounts.update(db, user_id, "email", "")
    assert (user.username, user.phone, user.email) == ("asha_r", "+919845099999", "")


def test_a_change_is_checked_like_a_registration(db: Session, user: User) -> None:
    ravi = accounts.register(db, RAVI, "kept")
    assert errors_of(accounts.update, db, ravi.id, "username", "ASHA") == {"username": accounts.TAKEN["username"]}
    assert errors_of(accounts.update, db, ravi.id, "phone", "०९८४५०१२३४५") == {"phone": accounts.TAKEN["phone"]}
    assert errors_of(accounts.update, db, ravi.id, "email", "ravi@").keys() == {"email"}
    assert errors_of(accounts.update, db, ravi.id, "username", {"a": 1}).keys() == {"username"}
    assert accounts.update(db, ravi.id or 0, "username", "Ravi").username == "ravi", "one's own name is not taken"


@pytest.mark.parametrize("field", ["pin_hash", "role", "id", "blocked_at", ""])
def test_nothing_else_can_be_changed(db: Session, user: User, field: str) -> None:
    with pytest.raises(KeyError):
        accounts.update(db, user.id or 0, field, "operator")


def test_a_new_pin_ends_every_other_sign_in(db: Session, user: User) -> None:
    sign_ins.start(db, user, browser("desk"))
    accounts.change_pin(db, right_pin(db, user), "new", browser("again"))
    assert user.pin_hash == "new"
    assert sign_ins.who(db, hash_token("first")) is None
    assert sign_ins.who(db, hash_token("desk")) is None
    assert sign_ins.who(db, hash_token("again"))
    (event,) = [event for event in db.info["events"] if isinstance(event, SignedOut)]
    assert set(event.token_hashes) == {hash_token("first"), hash_token("desk")}


def test_a_new_pin_forgets_what_devices_guessed_at_the_old_one(db: Session, user: User) -> None:
    """Or they would be counted against the devices that are known by the new one; an account's own lock stays."""
    device = attempts.Device(user.id or 0, "a" * 32, attempts.pin_mark(user))
    attempts.attempt(db, "pin", user_id=user.id, address="203.0.113.7", device=device)
    user.failures = 3
    accounts.change_pin(db, attempts.attempt(db, "pin", user_id=user.id, address="", device=device), "n", browser("b"))
    attempts.attempt(db, "pin", user_id=user.id, address="203.0.113.7", device=device._replace(number="b" * 32))
    assert db.exec(select(SignInAttempt).where(SignInAttempt.user_id == user.id)).all() == []
    assert user.failures == 4


@pytest.mark.parametrize("typed", ["as\x00ha", "\ud800"])
def test_what_no_database_takes_is_looked_for_without(db: Session, user: User, typed: str) -> None:
    """PostgreSQL refused it, and an operator's page failed."""
    assert accounts.find(db, typed) == ([user] if "as" in typed else [])


def test_two_pin_changes_at_once_are_one(db: Session, user: User) -> None:
    first, second = right_pin(db, user), right_pin(db, user)
    accounts.change_pin(db, first, "new", browser("a"))
    with pytest.raises(Refused):
        accounts.change_pin(db, second, "newer", browser("b"))
    assert user.pin_hash == "new"


def test_a_pin_that_is_kept_was_no_wrong_guess(db: Session, user: User) -> None:
    kept, attempt = user.pin_hash, right_pin(db, user)
    assert user.failures == 1
    accounts.keep_pin(db, attempt)
    assert (user.failures, user.pin_hash) == (0, kept)
    assert sign_ins.who(db, hash_token("first"))


def test_an_operators_new_pin_opens_the_lock_and_ends_the_sign_ins(db: Session, user: User) -> None:
    user.failures, user.locked_until = attempts.LAST, attempts.NEVER
    accounts.reset_pin(db, user.id or 0, "new")
    assert (user.failures, user.locked_until, user.pin_hash) == (0, None, "new")
    assert sign_ins.who(db, hash_token("first")) is None


def test_an_operators_new_pin_opens_the_locks_of_known_devices(db: Session, user: User) -> None:
    """Who forgot his PIN has tried it on his own phone, whose tries count apart."""
    device, at = attempts.Device(user.id or 0, "phone", attempts.pin_mark(user)), now()
    for _ in range(attempts.ROUND):
        attempts.attempt(db, "pin", user_id=user.id, address="203.0.113.7", device=device, at=at)
    with pytest.raises(attempts.Locked):
        attempts.attempt(db, "pin", user_id=user.id, address="203.0.113.8", device=device, at=at)
    accounts.reset_pin(db, user.id or 0, "new")
    assert attempts.attempt(db, "pin", user_id=user.id, address="203.0.113.8", device=device, at=at).pin_hash == "new"


def test_a_number_with_a_new_owner_is_free_again(db: Session, user: User) -> None:
    """Who has the number now may register; the account of before keeps its money, its PIN and its sign-ins."""
    house.give(db, user.id or 0, 60_000)
    freed = accounts.free_phone(db, user.id or 0)
    newcomer = accounts.register(db, Registration("ravi", ASHA.phone, "", "482913"), "other")
    assert [wallet.balance(db, one.id or 0).balance_paise for one in (freed, newcomer)] == [60_000, 0]
    assert (freed.pin_hash, newcomer.phone) == ("kept", ASHA.phone)
    assert sign_ins.who(db, hash_token("first"))
    assert errors_of(accounts.may_have, db, newcomer.id, "phone", freed.phone).keys() == {"phone"}
    right = attempts.attempt(db, "login", login=ASHA.phone, address="203.0.113.9")
    assert right.user_id == newcomer.id


def test_letting_somebody_in_again_opens_the_locks_too(db: Session, user: User) -> None:
    accounts.block(db, user.id or 0)
    user.failures, user.locked_until = attempts.LAST, attempts.NEVER
    accounts.unblock(db, user.id or 0)
    assert (user.failures, user.locked_until, user.blocked_at) == (0, None, None)
    assert right_pin(db, user).pin_hash == "kept"


def test_who_leaves_leaves_no_name_behind(db: Session, user: User) -> None:
    user_id = user.id or 0
    firms.save(db, user_id, {"gstin": "33AABCK4567Q1Z1", "name": "Asha's Cabs", "address": "7 Anna Salai"})
    accounts.delete(db, right_pin(db, user))
    assert firms.of(db, user_id) is None
    row = db.exec(select(User)).one()
    assert "asha" not in repr(row.model_dump())
    assert "9845012345" not in repr(row.model_dump())
    assert row.pin_hash == ""
    assert sign_ins.who(db, hash_token("first")) is None
    assert {(s.user_agent, s.address) for s in db.exec(select(SignIn))} == {("", "")}
    assert wallet.balance(db, user_id).balance_paise == 0, "the ledger stays"
    assert attempts.attempt(db, "login", login="asha", address="203.0.113.7").user_id is None
    again = accounts.register(db, ASHA, "kept")
    assert again.id != user_id
    with pytest.raises(LookupError):
        accounts.unblock(db, user_id)


def charge(db: Session, user: User, state: SessionState, **more: Any) -> None:
    db.add(Charger(id="BLR-1", find_key="BLR1"))
    db.flush()
    db.add(
        ChargingSession(
            ref="R",
            user_id=user.id,
            charger_id="BLR-1",
            connector_number=1,
            state=state,
            tag="T",
            paise_per_kwh=1800,
            **more,
        )
    )
    db.flush()


def order(db: Session, user: User) -> None:
    db.add(
        RechargeOrder(
            merchant_order_id="M1",
            user_id=user.id or 0,
            amount_paise=50_000,
            client_nonce="n",
            expires_at=now() + timedelta(hours=1),
        )
    )
    db.flush()


def owe(db: Session, user: User) -> None:
    wallet.post(db, "session:1", "charging", {wallet.due_code(user.id or 0): -1_180, wallet.REVENUE: 1_180})


@pytest.mark.parametrize(
    ("unfinished", "sentence"),
    [
        (lambda db, user: charge(db, user, SessionState.CHARGING), "charge is not finished"),
        (lambda db, user: charge(db, user, SessionState.REQUESTED), "charge is not finished"),
        (lambda db, user: charge(db, user, SessionState.INTERRUPTED), "waits for its final reading"),
        (lambda db, user: charge(db, user, SessionState.SETTLED, idle_since=now()), "Unplug it"),
        (order, "payment is on its way"),
        (owe, "You owe ₹11.80"),
        (lambda db, user: wallet.adjust(db, user.id, 12_350, key="k", reason="goodwill"), "₹123.50 left"),
    ],
)
def test_nobody_leaves_with_something_unfinished(db: Session, user: User, unfinished: Any, sentence: str) -> None:
    unfinished(db, user)
    with pytest.raises(NotDeleted, match=sentence):
        accounts.may_leave(db, user.id or 0)
    with pytest.raises(NotDeleted, match=sentence):
        accounts.delete(db, right_pin(db, user))
    assert user.username == "asha"


def test_a_charge_that_ended_holds_nobody_back(db: Session, user: User) -> None:
    charge(db, user, SessionState.SETTLED)
    assert not accounts.charging(db, user.id or 0)
    accounts.delete(db, right_pin(db, user))


@pytest.mark.parametrize("text", ["asha", "ASH", "98450 12345", "+919845012345", "example.in"])
def test_an_operator_finds_people_by_what_they_say(db: Session, user: User, text: str) -> None:
    accounts.register(db, RAVI, "kept")
    assert accounts.find(db, text) == [user]


def test_an_operator_finds_people_by_number_and_nobody_by_wildcards(db: Session, user: User) -> None:
    assert user in accounts.find(db, str(user.id))
    for text in ("%", "_", "' OR 1=1 --", "9" * 40, "²"):
        assert accounts.find(db, text) == []


@pytest.mark.parametrize(
    ("known", "standing"),
    [
        ({}, ""),
        ({"role": Role.OPERATOR}, accounts.OPERATOR),
        ({"role": Role.OPERATOR, "locked_until": now() + timedelta(hours=1)}, accounts.LOCKED),
        ({"locked_until": now() - timedelta(hours=1)}, ""),
        ({"role": Role.OPERATOR, "locked_until": now() + timedelta(hours=1), "blocked_at": now()}, accounts.BLOCKED),
        ({"blocked_at": now(), "pin_hash": ""}, accounts.DELETED),
    ],
)
def test_what_keeps_somebody_out_comes_before_what_he_is(known: dict[str, Any], standing: str) -> None:
    user = User(**{"username": "asha", "phone": "+919845012345", "pin_hash": "kept", **known})
    assert accounts.standing(user, now()) == standing
