"""The operators' pages without browsers: whom they show anything, what they ask before a deed, what they refuse."""

import json
import pickle
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import reflex as rx
from sqlmodel import Session, select

from domain import chargers, findings, operators, pins, sign_ins, trail
from domain.db import opened, read, transact
from domain.models import Role, SignIn, TrailEntry, User, now
from domain.patience import CommitUnknown
from domain.sign_ins import Browser, hash_token
from evapp.state import ops_deed
from evapp.state.effects import Effects
from evapp.state.ops import NOTHING, Ops
from evapp.state.ops_charger import OpsCharger
from evapp.state.ops_findings import OpsFindings
from evapp.state.ops_fleet import Fleet
from evapp.state.ops_messages import OpsMessages
from evapp.state.ops_refunds import OpsRefunds
from evapp.state.ops_sessions import OpsSessions
from evapp.state.ops_tariffs import OpsTariffs
from evapp.state.ops_trail import OpsTrail
from evapp.state.ops_user import OpsUser
from evapp.state.ops_users import OpsUsers
from evapp.web import auth
from tests.money import house

PageOf = Callable[..., Awaitable[Any]]


def join(db: Session, name: str, role: Role = Role.DRIVER) -> int:
    """Somebody who is signed in under his own name."""
    user_id = house.driver(db, name)
    user = db.get_one(User, user_id)
    user.role = role
    db.add(user)
    sign_ins.start(db, user, Browser(hash_token(name), "Firefox", ""))
    return user_id


def open_changes(db: Session, at: Any = None) -> None:
    for sign_in in db.exec(select(SignIn).where(SignIn.token_hash == hash_token("ravi"))):
        sign_in.stepped_up_at = at or now()
        db.add(sign_in)


@pytest.fixture
async def people(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[dict[str, int]]:
    monkeypatch.setattr(pins, "COST", 4)
    async with opened(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}"):
        asha = await transact(join, "asha")
        ravi = await transact(join, "ravi", Role.OPERATOR)
        await transact(open_changes)
        yield {"asha": asha, "ravi": ravi}


@pytest.fixture
def scope(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    scope: dict[str, Any] = {"ev.sign_in": hash_token("ravi")}
    monkeypatch.setattr(auth, "scope_of", lambda state: scope)
    return scope


@pytest.fixture
def page(people: dict[str, int], scope: dict[str, Any]) -> PageOf:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]

    async def page(cls: type[rx.State], **found: Any) -> Any:
        state = await root.get_state(cls)
        for name, value in found.items():
            setattr(state, name, value)
        return state

    return page


async def lines() -> list[tuple[str, str]]:
    """What the trail has, newest first."""
    return [(entry.action, entry.subject) for entry in await read(trail.entries)]


async def said(page: Any) -> str:
    """The sentence, which is on its way from now on."""
    effects = await page.get_state(Effects)
    effects._clean()
    return str(effects._sentence)


# Who is shown anything

HANDLERS: tuple[tuple[type[rx.State], str, tuple[Any, ...]], ...] = (
    (Fleet, "load", ()),
    (Fleet, "choose", ("silent",)),
    (Fleet, "search", ({"charger": "A"},)),
    (Fleet, "show_more", ()),
    (Fleet, "go_back", ()),
    (OpsCharger, "load", ()),
    (OpsCharger, "edit", ("key",)),
    (OpsCharger, "describe", ({"name": "x"},)),
    (OpsCharger, "new_key", ({"reason": "x"},)),
    (OpsCharger, "retire", ({"reason": "x"},)),
    (OpsCharger, "stop", ("REF",)),
    (OpsMessages, "choose", ("Reset",)),
    (OpsMessages, "follow", (True,)),
    (OpsMessages, "show_more", ()),
    (OpsMessages, "command", ({"action": "GetConfiguration", "payload": "{}"},)),
    (OpsSessions, "load", ()),
    (OpsSessions, "choose", ("",)),
    (OpsSessions, "search", ({"charge": "A"},)),
    (OpsSessions, "show_more", ()),
    (OpsSessions, "stop", ("REF",)),
    (OpsSessions, "open_bill", ("REF",)),
    (OpsSessions, "give_back", ({"rupees": "1", "reason": "x"},)),
    (OpsFindings, "load", ()),
    (OpsFindings, "choose", ("resolved",)),
    (OpsFindings, "choose_kind", ("mute",)),
    (OpsFindings, "take", (1,)),
    (OpsFindings, "let_go", (1,)),
    (OpsFindings, "show_more", ()),
    (OpsFindings, "open", (1,)),
    (OpsFindings, "resolve", ({"note": "x"},)),
    (OpsUsers, "load", ()),
    (OpsUsers, "find", ({"who": "a"},)),
    (OpsUser, "load", ()),
    (OpsUser, "edit", ("pin",)),
    (OpsUser, "show_more", ("lines",)),
    (OpsUser, "adjust", ({"way": "give", "rupees": "5", "reason": "x"},)),
    (OpsUser, "turn_card", ("04A2",)),
    (OpsUser, "block", ({"reason": "x"},)),
    (OpsUser, "reset_pin", ({"reason": "x"},)),
    (OpsUser, "do", ()),
    (OpsTariffs, "load", ()),
    (OpsTariffs, "search", ({"where": "A"},)),
    (OpsTariffs, "show_more", ()),
    (OpsTariffs, "end", (1,)),
    (OpsTariffs, "go_on", (1,)),
    (OpsTariffs, "choose", ("group",)),
    (OpsTariffs, "set_price", ({"rupees": "1"},)),
    (OpsTariffs, "withdraw", (1,)),
    (OpsRefunds, "load", ()),
    (OpsRefunds, "choose", ("refunds",)),
    (OpsRefunds, "search", ({"payment": "RCH-1"},)),
    (OpsRefunds, "show_more", ()),
    (OpsRefunds, "ask", ("RCH-1",)),
    (OpsRefunds, "open", ("RCH-1",)),
    (OpsRefunds, "request", ({"rupees": "1", "reason": "x"},)),
    (OpsTrail, "load", ()),
    (OpsTrail, "search", ({"about": "user:1"},)),
    (OpsTrail, "show_more", ()),
)


@pytest.mark.parametrize("who", ["asha", "", "nobody's"])
async def test_a_driver_and_a_stranger_get_nothing_of_any_handler(
    page: PageOf, people: dict[str, int], scope: dict[str, Any], who: str
) -> None:
    scope["ev.sign_in"] = hash_token(who) if who else None
    await transact(chargers.add, "A-1")
    await transact(findings.note, "review", "S1", "detail")
    before = await read(lambda db: db.exec(select(User)).all())
    for cls, name, given in HANDLERS:
        state = await page(cls)
        shown = state.dict(initial=False)[state.get_full_name()]
        await getattr(state, name)(*given)
        kept = {key for key, value in state.dict(initial=False)[state.get_full_name()].items() if value != shown[key]}
        assert kept <= {f"{var}_rx_state_" for var in ("which", "about", "id", "number", "phase")}, (cls, name)
        assert getattr(state, "question", "") == "", (cls, name)
    assert await lines() == []
    assert await read(lambda db: db.exec(select(User)).all()) == before
    ops = await page(Ops)
    assert (ops.here, ops.until) == (NOTHING if who != "nobody's" else "", "")


async def test_somebody_whose_sign_in_ended_is_sent_to_the_gate(page: PageOf, scope: dict[str, Any]) -> None:
    scope["ev.sign_in"] = hash_token("gone")
    state = await page(Fleet)
    await state.load()
    assert (await state.get_state(Effects))._path.startswith("/auth/gate?next=")


async def test_an_operator_who_was_dismissed_is_nobody(page: PageOf, people: dict[str, int]) -> None:
    state = await page(Fleet)
    await state.load()
    assert state.loaded
    await transact(operators.dismiss, people["ravi"], trail.shell())
    state.rows = []
    await state.choose("silent")
    assert state.which == ""


# Deeds


async def user_page(page: PageOf, user_id: int) -> Any:
    state = await page(OpsUser, number=user_id)
    await state._refresh(0)
    return state


GIFT = {"way": "give", "rupees": "50", "reason": "He waited  for an hour"}


async def test_money_moves_after_a_yes_once_with_its_reason(page: PageOf, people: dict[str, int]) -> None:
    state = await user_page(page, people["asha"])
    await state.adjust(GIFT)
    assert state.question == (
        "Give ₹50.00 to asha? The balance becomes ₹50.00, and the driver reads: He waited for an hour"
    )
    assert await lines() == []
    await state.do()
    await state.do()
    assert (state.question, state.balance, state.lines[0].what) == ("", "₹50.00", "He waited for an hour")
    assert await said(state) == "₹50.00 moved. The balance is ₹50.00."
    [entry] = await read(trail.entries)
    assert (entry.action, entry.subject, entry.actor_id) == (
        "wallet adjust",
        f"user:{people['asha']}",
        str(people["ravi"]),
    )
    assert json.loads(entry.detail) == {"paise": 5_000, "reason": "He waited for an hour"}


async def test_a_yes_that_nobody_knows_was_heard_may_be_said_again_and_moves_money_once(
    page: PageOf, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection to the database went during the commit, and he is told to try again."""
    state = await user_page(page, people["asha"])
    await state.adjust(GIFT)
    asked = state.question

    async def goes(*given: Any, **more: Any) -> None:
        await transact(*given, **more)
        raise CommitUnknown("The connection to the database went during a commit.")

    with monkeypatch.context() as patched:
        patched.setattr(ops_deed, "transact", goes)
        with pytest.raises(CommitUnknown):
            await state.do()
    assert state.question == asked
    await state.do()
    await state.do()
    assert (state.question, state.balance) == ("", "₹50.00")
    assert await lines() == [("wallet adjust", f"user:{people['asha']}")]


async def test_no_moves_nothing(page: PageOf, people: dict[str, int]) -> None:
    state = await user_page(page, people["asha"])
    await state.adjust(GIFT)
    state.cancel()
    await state.do()
    assert (state.question, state.balance, await lines()) == ("", "₹0.00", [])


async def test_without_a_fresh_pin_nothing_is_done(page: PageOf, people: dict[str, int]) -> None:
    state = await user_page(page, people["asha"])
    await state.adjust(GIFT)
    await transact(open_changes, now() - operators.STEP_UP - timedelta(seconds=1))
    await state.do()
    assert (state.error, state.balance) == ("Enter your PIN again. Nothing was done.", "₹0.00")
    assert (await lines(), (await page(Ops)).until) == ([], "")


NOT_KEPT = "That is too long, or has characters that cannot be seen. Nothing was done."


@pytest.mark.parametrize(
    ("form", "error"),
    [
        (GIFT | {"rupees": "-50"}, "Enter the amount in digits, like 750 or 750.50."),
        (GIFT | {"rupees": "५०"}, "Enter the amount in digits, like 750 or 750.50."),
        (GIFT | {"rupees": ["50"]}, "Enter the amount in digits, like 750 or 750.50."),
        (GIFT | {"rupees": "0"}, "Choose an amount up to ₹1,00,000.00."),
        (GIFT | {"rupees": "100001"}, "Choose an amount up to ₹1,00,000.00."),
        (GIFT | {"way": "both"}, "Choose an amount up to ₹1,00,000.00."),
        (GIFT | {"reason": "   "}, "Say why; it is kept."),
        (GIFT | {"reason": "x" * 201}, NOT_KEPT),
        (GIFT | {"reason": "a\u202eb"}, NOT_KEPT),
        ([], "Enter the amount in digits, like 750 or 750.50."),
    ],
)
async def test_what_is_no_adjustment_is_not_asked_about(
    page: PageOf, people: dict[str, int], form: Any, error: str
) -> None:
    state = await user_page(page, people["asha"])
    await state.adjust(form)
    assert (state.question, state.error) == ("", error)


async def test_no_more_is_taken_than_is_free(page: PageOf, people: dict[str, int]) -> None:
    state = await user_page(page, people["asha"])
    await state.adjust(GIFT | {"way": "take"})
    await state.do()
    assert (state.error, await lines()) == ("The wallet has only ₹0.00 available. Nothing was moved.", [])


async def test_blocking_and_letting_in_again(page: PageOf, people: dict[str, int]) -> None:
    state = await user_page(page, people["asha"])
    for blocked in (True, False):
        await state.block({"reason": "A stolen phone"})
        await state.do()
        assert state.blocked is blocked
    assert [action for action, _ in await lines()] == ["user unblock", "user block"]
    assert await read(sign_ins.who, hash_token("asha")) is None


async def test_a_new_pin_is_shown_once_and_nowhere_else(page: PageOf, people: dict[str, int]) -> None:
    state = await user_page(page, people["asha"])
    await state.reset_pin({"reason": "He came with his passport"})
    assert state.secret == ""
    await state.do()
    pin = state.secret
    kept = await read(lambda db: db.get_one(User, people["asha"]).pin_hash)
    assert await pins.matches(pin, kept)
    assert pin not in str(await read(lambda db: [e.detail for e in db.exec(select(TrailEntry))]))
    await state.edit("block")
    assert state.secret == ""


async def test_who_left_cannot_be_given_anything(page: PageOf, people: dict[str, int]) -> None:
    def leave(db: Session) -> None:
        db.get_one(User, people["asha"]).pin_hash = ""

    await transact(leave)
    state = await user_page(page, people["asha"])
    await state.adjust(GIFT)
    assert (state.gone, state.question) == (True, "")
    missing = await user_page(page, 99)
    assert missing.phase == "missing"


async def test_what_waits_for_a_yes_survives_another_process(page: PageOf, people: dict[str, int]) -> None:
    """With Redis the state of a page is pickled between two events."""
    state = await user_page(page, people["asha"])
    await state.adjust(GIFT)
    state._deed = pickle.loads(pickle.dumps(state._deed))
    await state.do()
    assert state.balance == "₹50.00"


async def test_a_new_socket_takes_no_secret_away(page: PageOf, people: dict[str, int]) -> None:
    """A new PIN or key is shown once: who loses the connection in that moment must still read it."""
    user = await page(OpsUser)
    root = user.parent_state
    await user.load()
    user.secret = "482913"
    for socket, shown in (("second", "482913"), ("second", "")):
        root.router = root.router.__class__.from_router_data({"sid": socket})
        await user.load()
        assert user.secret == shown
