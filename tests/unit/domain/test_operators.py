"""Who is an operator, how long a PIN opens everything, and that no act goes unwritten."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from domain import attempts, chargers, operators, pins, sign_ins, trail, wallet
from domain.db import Database
from domain.events import SignedOut
from domain.models import Role, SignIn, TrailEntry, User, now
from domain.operators import Act, NotAnOperator, OwnMoney, PinWanted
from domain.sign_ins import Browser, Refused, hash_token
from tests.money import house
from tests.money.house import Heard

SHELL = trail.shell()


@pytest.fixture
def ravi(db: Session) -> int:
    """An operator who is signed in."""
    user_id = house.driver(db, "ravi")
    operators.appoint(db, user_id, SHELL)
    sign_ins.start(db, db.get_one(User, user_id), Browser(hash_token("desk"), "", ""))
    return user_id


def gives_pin(db: Session, user_id: int, before: str = "desk", after: str = "desk-2") -> None:
    attempt = attempts.attempt(db, "pin", user_id=user_id, address="203.0.113.7")
    operators.step_up(db, attempt, Browser(hash_token(after), "", "", before=hash_token(before)))


ADJUST = Act("wallet adjust", "user:9", {"paise": 100, "reason": "He waited."})


def test_an_operator_is_made_and_unmade_and_must_sign_in_anew_each_time(db: Session) -> None:
    user_id = house.driver(db, "ravi")
    for role, become in ((Role.OPERATOR, operators.appoint), (Role.DRIVER, operators.dismiss)):
        sign_ins.start(db, db.get_one(User, user_id), Browser(hash_token(role), "", ""))
        become(db, user_id, SHELL)
        assert db.get_one(User, user_id).role == role
        assert sign_ins.who(db, hash_token(role)) is None
    assert [(e.action, e.subject) for e in trail.entries(db)] == [
        ("user make-driver", f"user:{user_id}"),
        ("user make-operator", f"user:{user_id}"),
    ]


def test_who_is_one_already_is_left_alone(db: Session, ravi: int) -> None:
    before = len(trail.entries(db))
    operators.appoint(db, ravi, SHELL)
    assert sign_ins.who(db, hash_token("desk")) is not None
    assert len(trail.entries(db)) == before
    assert db.get_one(User, ravi).role == Role.OPERATOR


def test_only_an_operators_token_finds_one(db: Session, ravi: int) -> None:
    driver = house.driver(db, "asha")
    sign_ins.start(db, db.get_one(User, driver), Browser(hash_token("phone"), "", ""))
    assert operators.signed_in(db, hash_token("desk"))[0].id == ravi
    for token in ("phone", "nobody's", ""):
        with pytest.raises(NotAnOperator):
            operators.signed_in(db, hash_token(token))


def test_the_pin_opens_everything_for_ten_minutes_under_a_new_token(db: Session, ravi: int) -> None:
    asha = house.driver(db, "asha")
    with pytest.raises(PinWanted):
        operators.act(db, hash_token("desk"), ADJUST, wallet.adjust, asha, 100, key="k", reason="He waited.")
    gives_pin(db, ravi)
    with pytest.raises(NotAnOperator):
        operators.act(db, hash_token("desk"), ADJUST, wallet.adjust, asha, 100, key="k", reason="He waited.")
    operators.act(db, hash_token("desk-2"), ADJUST, wallet.adjust, asha, 100, key="k", reason="He waited.")
    assert wallet.balance(db, asha).balance_paise == 100
    entry = trail.entries(db)[0]
    assert (entry.actor_kind, entry.actor_id, entry.action, entry.subject) == (
        "user",
        str(ravi),
        *(ADJUST.action, "user:9"),
    )
    assert entry.detail == '{"paise": 100, "reason": "He waited."}'


def test_after_ten_minutes_it_is_wanted_again(db: Session, ravi: int) -> None:
    gives_pin(db, ravi)
    [sign_in] = sign_ins.sign_ins(db, ravi)
    at = sign_in.stepped_up_at
    assert at is not None
    assert operators.open_until(sign_in, at + operators.STEP_UP - timedelta(seconds=1)) == at + operators.STEP_UP
    assert operators.open_until(sign_in, at + operators.STEP_UP) is None
    sign_in.stepped_up_at = now() - operators.STEP_UP
    db.add(sign_in)
    db.flush()
    with pytest.raises(PinWanted):
        operators.act(db, hash_token("desk-2"), ADJUST, wallet.adjust, ravi, 100, key="k", reason="He waited.")
    assert wallet.balance(db, ravi).balance_paise == 0


def test_another_sign_in_of_the_same_operator_stays_closed(db: Session, ravi: int) -> None:
    sign_ins.start(db, db.get_one(User, ravi), Browser(hash_token("phone"), "", ""))
    gives_pin(db, ravi)
    with pytest.raises(PinWanted):
        operators.act(db, hash_token("phone"), ADJUST, wallet.adjust, ravi, 1, key="k", reason="He waited.")


def test_what_needs_no_pin_is_written_down_too(db: Session, ravi: int) -> None:
    chargers.add(db, "BLR-1")
    act = Act("charger trace", "charger:BLR-1", "on", pin=False)
    operators.act(db, hash_token("desk"), act, chargers.trace, "BLR-1", True)
    assert chargers.info(db, "BLR-1").trace
    assert trail.entries(db)[0].action == "charger trace"


def test_a_drivers_pin_opens_nothing(db: Session) -> None:
    driver = house.driver(db, "asha")
    sign_ins.start(db, db.get_one(User, driver), Browser(hash_token("phone"), "", ""))
    with pytest.raises(Refused):
        gives_pin(db, driver, "phone")
    assert [one.stepped_up_at for one in db.exec(select(SignIn))] == [None]


def test_a_pin_that_was_changed_meanwhile_opens_nothing(db: Session, ravi: int) -> None:
    attempt = attempts.attempt(db, "pin", user_id=ravi, address="203.0.113.7")
    db.get_one(User, ravi).pin_hash = "another"
    with pytest.raises(Refused):
        operators.step_up(db, attempt, Browser(hash_token("new"), "", "", before=hash_token("desk")))


async def test_the_old_token_is_announced_as_ended(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "COST", 4)
    heard = Heard(database)
    ravi = await database.transact(house.driver, "ravi")
    await database.transact(operators.appoint, ravi, SHELL)
    await database.transact(lambda db: sign_ins.start(db, db.get_one(User, ravi), Browser(hash_token("desk"), "", "")))
    await database.transact(gives_pin, ravi)
    assert heard.of(SignedOut)[-1] == SignedOut((hash_token("desk"),))


async def test_an_act_that_is_refused_leaves_no_line(database: Database) -> None:
    def refused(db: Session) -> None:
        raise ValueError

    def prepared(db: Session) -> None:
        user_id = house.driver(db, "ravi")
        operators.appoint(db, user_id, SHELL)
        sign_ins.start(db, db.get_one(User, user_id), Browser(hash_token("desk"), "", ""))
        gives_pin(db, user_id)

    await database.transact(prepared)
    with pytest.raises(ValueError):
        await database.transact(operators.act, hash_token("desk-2"), ADJUST, refused)
    kept = await database.read(lambda db: db.exec(select(TrailEntry)).all())
    assert [entry.action for entry in kept] == ["user make-operator"]


def test_an_act_that_would_give_its_doer_money_is_refused(db: Session, ravi: int) -> None:
    gives_pin(db, ravi)
    asha, written = house.driver(db, "asha"), len(trail.entries(db))
    for gains, refused in ((ravi, True), (asha, False), (None, False)):
        act = Act("wallet adjust", f"user:{gains}", "", gains=gains)
        if refused:
            with pytest.raises(OwnMoney):
                operators.act(db, hash_token("desk-2"), act, chargers.add, "BLR-1")
            assert len(trail.entries(db)) == written
        else:
            operators.act(db, hash_token("desk-2"), act, chargers.add, "BLR-1")
    assert len(trail.entries(db)) == written + 2
