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

from domain import chargers, charging, findings, journal, operators, pins, recharges, sign_ins, tariffs, trail, wallet
from domain.bus import ChargerOffline, LocalBus, use
from domain.charging import Limit
from domain.db import database, opened, read, transact
from domain.events import Call, Command, Reply
from domain.models import ChargingSession, Role, SessionState, SignIn, Tariff, TrailEntry, User, now
from domain.prices import Band
from domain.recharges import OrderStatus
from domain.sign_ins import Browser, hash_token
from evapp.state import ops_messages
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
    return str((await page.get_state(Effects))._sentence)


# Who is shown anything

HANDLERS: tuple[tuple[type[rx.State], str, tuple[Any, ...]], ...] = (
    (Fleet, "load", ()),
    (Fleet, "choose", ("silent",)),
    (Fleet, "search", ({"charger": "A"},)),
    (Fleet, "show_more", ()),
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
    (OpsFindings, "show_more", ()),
    (OpsFindings, "open", (1,)),
    (OpsFindings, "resolve", ({"note": "x"},)),
    (OpsUsers, "load", ()),
    (OpsUsers, "find", ({"who": "a"},)),
    (OpsUser, "load", ()),
    (OpsUser, "edit", ("pin",)),
    (OpsUser, "adjust", ({"way": "give", "rupees": "5", "reason": "x"},)),
    (OpsUser, "block", ({"reason": "x"},)),
    (OpsUser, "reset_pin", ({"reason": "x"},)),
    (OpsUser, "do", ()),
    (OpsTariffs, "load", ()),
    (OpsTariffs, "choose", ("group",)),
    (OpsTariffs, "set_price", ({"rupees": "1"},)),
    (OpsRefunds, "load", ()),
    (OpsRefunds, "choose", ("refunds",)),
    (OpsRefunds, "show_more", ()),
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
    assert (state.error, state.balance) == ("Give your PIN again. Nothing was done.", "₹0.00")
    assert (await lines(), (await page(Ops)).until) == ([], "")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        (GIFT | {"rupees": "-50"}, "Write the amount in digits, like 750 or 750.50."),
        (GIFT | {"rupees": "५०"}, "Write the amount in digits, like 750 or 750.50."),
        (GIFT | {"rupees": ["50"]}, "Write the amount in digits, like 750 or 750.50."),
        (GIFT | {"rupees": "0"}, "Choose an amount up to ₹1,00,000.00."),
        (GIFT | {"rupees": "100001"}, "Choose an amount up to ₹1,00,000.00."),
        (GIFT | {"way": "both"}, "Choose an amount up to ₹1,00,000.00."),
        (GIFT | {"reason": "   "}, "Say why; it is kept."),
        (GIFT | {"reason": "x" * 201}, "Say why; it is kept."),
        (GIFT | {"reason": "a\u202eb"}, "Say why; it is kept."),
        ([], "Write the amount in digits, like 750 or 750.50."),
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
    assert (state.error, await lines()) == ("The wallet has less than that free. Nothing was moved.", [])


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


async def test_people_are_found_by_what_they_say(page: PageOf, people: dict[str, int]) -> None:
    state = await page(OpsUsers)
    await state.find({"who": "ash"})
    assert [one.username for one in state.people] == ["asha"]
    await state.find({"who": "ravi"})
    assert [one.state for one in state.people] == ["Operator"]
    await state.find({"who": "%"})
    assert (state.people, state.sought) == ([], True)


# One charger


class Charger:
    """What a charger was asked, and its answer."""

    def __init__(self) -> None:
        self.asked: list[Command] = []
        self.answer = Reply("Accepted", {"status": "Accepted"})

    async def call(self, command: Command) -> Reply:
        self.asked.append(command)
        return self.answer


@pytest.fixture
async def charger(people: dict[str, int]) -> AsyncIterator[Charger]:
    bus, one = LocalBus(), Charger()
    use(bus)
    await transact(chargers.add, "A-1", place="Gate")
    async with bus.attach("A-1", one.call):
        yield one


async def messages(page: PageOf) -> Any:
    state = await page(OpsMessages)
    state._look_at("A-1")
    return state


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"action": "reset", "payload": "{}"}, "Write the name of an OCPP message, like Reset."),
        ({"action": ["Reset"], "payload": "{}"}, "Write the name of an OCPP message, like Reset."),
        ({"action": "Reset; DROP", "payload": "{}"}, "Write the name of an OCPP message, like Reset."),
        ({"action": "Reset", "payload": "{"}, 'The payload must be a JSON object, like {"type": "Soft"}.'),
        ({"action": "Reset", "payload": "[1]"}, 'The payload must be a JSON object, like {"type": "Soft"}.'),
        ({"action": "Reset", "payload": "[" * 9_000}, 'The payload must be a JSON object, like {"type": "Soft"}.'),
        ({"action": "Reset", "payload": 7}, 'The payload must be a JSON object, like {"type": "Soft"}.'),
        ("Reset", "Write the name of an OCPP message, like Reset."),
    ],
)
async def test_what_is_no_command_is_not_sent(page: PageOf, charger: Charger, form: Any, error: str) -> None:
    state = await messages(page)
    await state.command(form)
    assert (state.error, state.question, charger.asked, await lines()) == (error, "", [], [])


async def test_a_command_is_written_down_before_it_is_sent(page: PageOf, charger: Charger) -> None:
    state = await messages(page)
    await state.command({"action": "Reset", "payload": '{"type": "Hard"}'})
    assert state.question == 'Send Reset to A-1? {"type": "Hard"}'
    after = await state.do()
    assert (await lines(), state.asking, after) == ([("call Reset", "charger:A-1")], True, OpsMessages.send)
    answered = await ops_messages._asked("A-1", *state._call)
    assert charger.asked == [Call("Reset", {"type": "Hard"})]
    assert answered[0] == "Accepted"


async def test_what_changes_nothing_is_sent_without_a_question(page: PageOf, charger: Charger) -> None:
    state = await messages(page)
    assert await state.command({"action": "GetConfiguration", "payload": ""}) == OpsMessages.send
    assert (state.question, await lines()) == ("", [("call GetConfiguration", "charger:A-1")])


async def test_even_a_question_needs_the_pin(page: PageOf, charger: Charger) -> None:
    await transact(open_changes, now() - timedelta(hours=1))
    state = await messages(page)
    assert await state.command({"action": "GetConfiguration", "payload": "{}"}) is None
    assert (state.error, state.asking, await lines()) == ("Give your PIN again. Nothing was done.", False, [])


async def test_answers_are_said_in_sentences(people: dict[str, int], charger: Charger) -> None:
    charger.answer = Reply(
        "", {"configurationKey": [{"key": "HeartbeatInterval", "value": "300"}], "unknownKey": ["Nope"]}
    )
    said, answer = await ops_messages._asked("A-1", "GetConfiguration", {})
    assert (said, answer) == ("Answered", "HeartbeatInterval = 300\nNope is not known there")
    with pytest.raises(ChargerOffline):
        await ops_messages.bus().call("B-1", Call("Reset", {}), 1)
    assert (await ops_messages._asked("B-1", "Reset", {}))[0] == "B-1 is not connected. It was not asked."


async def test_the_password_in_a_command_is_not_in_the_trail(page: PageOf, charger: Charger) -> None:
    state = await messages(page)
    typed = {"key": "AuthorizationKey", "value": "DEADBEEFDEADBEEF"}
    await state.command({"action": "ChangeConfiguration", "payload": json.dumps(typed)})
    await state.do()
    [entry] = await read(trail.entries)
    assert json.loads(entry.detail) == {"key": "AuthorizationKey", "value": "[hidden]"}


async def test_a_new_key_is_shown_once_and_works(page: PageOf, charger: Charger) -> None:
    state = await page(OpsCharger, id="A-1")
    await state.new_key({"reason": "A new board"})
    await state.do()
    key = state.secret
    await read(chargers.admit, "A-1", key.encode(), accept_unknown=False)
    [entry] = await read(trail.entries)
    assert (entry.action, entry.detail) == ("charger set-key", "A new board")


async def test_a_charger_retires_and_comes_back(page: PageOf, charger: Charger) -> None:
    state = await page(OpsCharger, id="A-1")
    for retired in (True, False):
        await state.retire({"reason": "Moved"})
        await state.do()
        assert state.retired is retired
    assert [action for action, _ in await lines()] == ["charger add", "charger retire"]


async def test_it_is_described_and_followed_without_a_pin(page: PageOf, charger: Charger) -> None:
    await transact(open_changes, now() - timedelta(hours=1))
    state = await page(OpsCharger, id="A-1")
    await state.describe({"name": "North", "place": "Gate 2", "group": "malls"})
    assert (state.name, state.place, state.group, state.error) == ("North", "Gate 2", "malls", "")
    talk = await messages(page)
    await talk.follow(True)
    assert talk.trace
    await talk.follow("yes")
    assert [action for action, _ in await lines()] == ["charger trace", "charger describe"]


async def test_messages_are_shown_newest_first_and_as_text(page: PageOf, charger: Charger) -> None:
    said = [journal.Line("A-1", "in", "Heartbeat", str(n), f"[2,{n},<b>]", "", now()) for n in range(35)]
    await database().append(journal.write, said)
    state = await messages(page)
    await state._refresh(0)
    assert (len(state.messages), state.messages[0].frame, state.more) == (30, "[2,34,<b>]", True)
    await state.show_more()
    assert (len(state.messages), state.more) == (35, False)


async def test_the_charge_of_another_charger_is_not_stopped_from_here(
    page: PageOf, charger: Charger, people: dict[str, int]
) -> None:
    def begun(db: Session) -> str:
        house.free_charger(db, "B-1")
        wallet.adjust(db, people["asha"], 60_000, key="k", reason="start")
        return charging.request_start(db, people["asha"], "B-1", 1, Limit()).ref

    ref = await transact(begun)
    state = await page(OpsCharger, id="A-1")
    await state.stop(ref)
    assert state.question == ""
    every = await page(OpsSessions)
    await every.stop(ref)
    assert every.question == "Stop the charge of asha at B-1? It has cost ₹0.00 so far."
    await every.do()
    assert await read(lambda db: list(db.exec(select(ChargingSession.state)))) == [SessionState.CANCELLED]
    assert await lines() == [("session stop", f"session:{ref}")]
    assert every.rows == []


# Prices, findings, the trail


async def test_a_price_is_read_before_it_holds(page: PageOf, people: dict[str, int]) -> None:
    state = await page(OpsTariffs, scope="group")
    form = {
        "group": "malls",
        "rupees": "18",
        "bands": "22:00-06:00=12.50\n",
        "start": "10",
        "idle_after": "10",
        "idle": "2",
        "reason": "Nights",
    }
    await state.set_price(form)
    assert state.question.startswith(
        "Chargers of the group malls without a price of their own. From now on: ₹12.50/kWh from 10:00 pm to 6:00 am."
    )
    assert await read(tariffs.everything) == []
    await state.do()
    [(tariff, price)] = await read(tariffs.everything)
    assert (tariff.group_name, price.bands, price.start_paise) == ("malls", (Band(1_320, 360, 1_250),), 1_000)
    assert await lines() == [("tariff set", "tariff:malls")]
    [row] = state.rows
    assert (row.rate, row.now) == ("₹18.00/kWh", True)


@pytest.mark.parametrize(
    ("scope_", "form", "error"),
    [
        ("all", {}, "Write the amount in digits, like 750 or 750.50."),
        ("group", {"rupees": "1"}, "Say for which chargers it holds."),
        ("charger", {"rupees": "1", "charger": "NOSUCH"}, "There is no charger of this ID."),
        ("all", {"rupees": "1", "bands": "at night=12"}, "Write hours like 22:00-06:00=12.50, one a line."),
        ("all", {"rupees": "1", "idle_after": "ten"}, "Write the minutes in digits, like 10."),
        (
            "all",
            {"rupees": "1", "begins": "2020-01-01T00:00"},
            "Choose a day and time from now on, or leave it empty for now.",
        ),
        ("all", {"rupees": "1", "begins": "soon"}, "Choose a day and time from now on, or leave it empty for now."),
    ],
)
async def test_what_is_no_price_is_not_asked_about(page: PageOf, scope_: str, form: Any, error: str) -> None:
    state = await page(OpsTariffs, scope=scope_)
    await state.set_price(form)
    assert (state.question, state.error) == ("", error)


async def test_what_the_rules_say_to_a_price_is_shown(page: PageOf) -> None:
    state = await page(OpsTariffs)
    await state.set_price({"rupees": "1", "idle_after": "10"})
    await state.do()
    assert state.error.startswith("Idling needs both")
    assert await read(lambda db: db.exec(select(Tariff)).all()) == []


async def test_a_finding_is_resolved_with_a_note_and_a_name(page: PageOf, people: dict[str, int]) -> None:
    await transact(findings.note, "boot-loop", "A-1", "5 boots")
    state = await page(OpsFindings)
    await state._refresh(0)
    [row] = state.rows
    assert (row.title, row.link) == ("A charger boots again and again", "/ops/c/A-1")
    await state.open(row.number)
    await state.resolve({"note": " "})
    assert state.error == "Say what came of it; it is kept with your name."
    await state.resolve({"note": "The fuse was loose."})
    assert (state.rows, await said(state)) == ([], "Resolved.")
    await state.choose("resolved")
    [row] = state.rows
    assert row.resolution == "The fuse was loose."
    assert row.resolved.startswith("ravi, ")
    await state.open(row.number)
    await state.resolve({"note": "Again"})
    assert await said(state) == "Somebody was faster; the first note stands."


async def test_the_trail_names_who_did_it(page: PageOf, people: dict[str, int]) -> None:
    await transact(trail.note, trail.user(people["ravi"]), "user block", "user:9", "A stolen phone")
    await transact(trail.note, trail.key("ops-1"), "charger add", "charger:A-1", "")
    state = await page(OpsTrail)
    await state._refresh(0)
    assert [(row.who, row.link) for row in state.rows] == [
        ("Key ops-1 of the API", "/ops/c/A-1"),
        ("ravi", "/ops/users/9"),
    ]
    await state.search({"about": "user:9"})
    assert [row.action for row in state.rows] == ["user block"]


async def test_a_refund_is_requested_once_with_its_reason(page: PageOf, people: dict[str, int]) -> None:
    order = await house.placed(people["asha"])
    state = await page(OpsRefunds)
    await state._refresh(0)
    assert [(row.state, row.can_refund) for row in state.rows] == [("Not begun", False)]
    await state.open(order.merchant_order_id)
    assert state.refunding == ""
    paid = OrderStatus("OMO1", "COMPLETED", 50_000, "455069731511", "", "", "", {})
    await transact(recharges.apply, order.merchant_order_id, paid)
    await state._refresh(0)
    await state.open(order.merchant_order_id)
    await state.request({"rupees": "200", "reason": "He sold the car"})
    assert state.question.startswith("Send ₹200.00 back")
    await state.do()
    await state.do()
    [row] = state.rows
    assert (state.which, row.amount, row.state) == ("refunds", "₹200.00", "To be sent within a minute")
    assert (await read(wallet.balance, people["asha"])).balance_paise == 30_000
    assert await lines() == [("refund request", f"order:{order.merchant_order_id}")]
    state.refunding = order.merchant_order_id
    await state.request({"rupees": "999", "reason": "More"})
    await state.do()
    assert "on their way back already" in state.error


async def test_what_waits_for_a_yes_survives_another_process(page: PageOf, people: dict[str, int]) -> None:
    """With Redis the state of a page is pickled between two events."""
    state = await user_page(page, people["asha"])
    await state.adjust(GIFT)
    state._deed = pickle.loads(pickle.dumps(state._deed))
    await state.do()
    assert state.balance == "₹50.00"
