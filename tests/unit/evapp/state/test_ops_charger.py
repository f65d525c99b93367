"""An operator at one charger: its keys, its messages, what it is asked, without browsers."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from domain import chargers, charging, journal, safety, trail, wallet
from domain.bus import ChargerOffline, ChargerUnreachable, LocalBus, use
from domain.charging import Limit
from domain.db import database, read, transact
from domain.events import Call, Command, Reply
from domain.models import ChargingSession, SessionState, now
from evapp.components.money import moment
from evapp.state import ops_messages
from evapp.state.ops_charger import OpsCharger
from evapp.state.ops_deed import NOT_KEPT, REASON_WANTED
from evapp.state.ops_messages import OpsMessages
from evapp.state.ops_sessions import OpsSessions
from evapp.texts import t
from tests.money import house
from tests.unit.evapp.state.test_ops import PageOf, lines, open_changes, page, people, scope

__all__ = ["page", "people", "scope"]


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
        ({"action": "reset", "payload": "{}"}, "Enter the name of an OCPP message, like Reset."),
        ({"action": ["Reset"], "payload": "{}"}, "Enter the name of an OCPP message, like Reset."),
        ({"action": "Reset; DROP", "payload": "{}"}, "Enter the name of an OCPP message, like Reset."),
        ({"action": "Reset", "payload": "{"}, 'The payload must be a JSON object, like {"type": "Soft"}.'),
        ({"action": "Reset", "payload": "[1]"}, 'The payload must be a JSON object, like {"type": "Soft"}.'),
        ({"action": "Reset", "payload": "[" * 9_000}, 'The payload must be a JSON object, like {"type": "Soft"}.'),
        (
            {"action": "Reset", "payload": '{"a":' * 60 + "1" + "}" * 60},
            'The payload must be a JSON object, like {"type": "Soft"}.',
        ),
        ({"action": "Reset", "payload": 7}, 'The payload must be a JSON object, like {"type": "Soft"}.'),
        ("Reset", "Enter the name of an OCPP message, like Reset."),
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
    assert (state.error, state.asking, await lines()) == ("Enter your PIN again. Nothing was done.", False, [])


async def test_a_question_whose_process_ended_is_given_up(
    page: PageOf, people: dict[str, int], charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = await messages(page)
    await state.command({"action": "GetConfiguration", "payload": ""})
    await state._refresh(people["ravi"])
    assert (state.asking, state.answered) == (True, "")
    later = now() + ops_messages.LOST + timedelta(seconds=1)
    monkeypatch.setattr(ops_messages, "now", lambda: later)
    await state._refresh(people["ravi"])
    assert not state.asking
    assert state.answered == "The answer did not come here. What was said stands under Messages."


async def test_answers_are_said_in_sentences(people: dict[str, int], charger: Charger) -> None:
    charger.answer = Reply(
        "", {"configurationKey": [{"key": "HeartbeatInterval", "value": "300"}], "unknownKey": ["Nope"]}
    )
    said, answer = await ops_messages._asked("A-1", "GetConfiguration", {})
    assert (said, answer) == ("Answered", "HeartbeatInterval = 300\nNope is not known there")
    with pytest.raises(ChargerOffline):
        await ops_messages.bus().call("B-1", Call("Reset", {}), 1)
    assert (await ops_messages._asked("B-1", "Reset", {}))[0] == "B-1 is not connected. It was not asked."


class Cut(LocalBus):
    """A bus on which other processes cannot be reached."""

    async def call(self, charger_id: str, command: Command, timeout: float) -> Reply:
        raise ChargerUnreachable(charger_id)


async def test_an_operator_hears_that_there_is_no_way_to_a_charger(people: dict[str, int]) -> None:
    use(Cut())
    said, _ = await ops_messages._asked("A-1", "Reset", {})
    assert said == (
        "A-1 is connected to another process, and there is no way to it now. It may have been asked, or not."
    )


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


async def test_what_it_said_of_its_own_safety_is_shown_the_newest_first(page: PageOf, charger: Charger) -> None:
    """The white paper's SecurityEventNotification; one without a detail, too."""
    at = now()
    for kind, detail in (("FirmwareUpdated", ""), ("TamperDetectionActivated", "The lid was opened")):
        await transact(safety.report, "A-1", kind=kind, detail=detail, at=at, received_at=at)
    state = await page(OpsCharger, id="A-1")
    await state._refresh(0)
    assert [fact.name for fact in state.security] == [moment(at)] * 2
    assert [fact.value for fact in state.security] == [
        "TamperDetectionActivated: The lid was opened",
        "FirmwareUpdated",
    ]


async def test_a_charger_retires_and_comes_back(page: PageOf, charger: Charger) -> None:
    state = await page(OpsCharger, id="A-1")
    for retired in (True, False):
        await state.retire({"reason": "Moved"})
        await state.do()
        assert state.retired is retired
    assert [action for action, _ in await lines()] == ["charger add", "charger retire"]


async def test_one_where_somebody_charges_does_not_retire(page: PageOf, charger: Charger) -> None:
    await transact(house.charge, await transact(house.driver, "kiran"))
    state = await page(OpsCharger, id="TEST-1")
    await state.retire({"reason": "Moved"})
    await state.do()
    assert (state.retired, "Stop it first" in state.error) == (False, True)


async def test_it_is_described_and_followed_without_a_pin(page: PageOf, charger: Charger) -> None:
    await transact(open_changes, now() - timedelta(hours=1))
    state = await page(OpsCharger, id="A-1")
    await state.describe({"name": "North", "place": "Gate 2"})
    assert (state.name, state.place, state.group, state.error) == ("North", "Gate 2", "", "")
    talk = await messages(page)
    await talk.follow(True)
    assert talk.trace
    await talk.follow("yes")
    assert [action for action, _ in await lines()] == ["charger trace", "charger describe"]


@pytest.mark.parametrize("form", [{"name": "N\u00adorth"}, {"place": "x" * 201}, {"group": "malls\u200e"}])
async def test_what_cannot_be_kept_is_refused_and_wipes_nothing(
    page: PageOf, charger: Charger, form: dict[str, str]
) -> None:
    about = {"name": "North", "place": "Gate 2", "group": "malls"}
    state = await page(OpsCharger, id="A-1")
    await state.describe(about)
    await state.edit("about")
    await state.describe({**about, **form})
    assert (state.name, state.place, state.group) == ("North", "Gate 2", "malls")
    assert (state.error, state.editing, len(await lines())) == (t(NOT_KEPT), "about", 1)


async def test_joiners_of_indian_scripts_are_kept(page: PageOf, charger: Charger) -> None:
    place, name = "ಸಾಫ್ಟ್\u200cವೇರ್ ಪಾರ್ಕ್", "क्\u200dष"
    state = await page(OpsCharger, id="A-1")
    await state.describe({"name": name, "place": place})
    assert (state.name, state.place, state.error) == (name, place, "")


async def test_a_reason_that_cannot_be_kept_is_not_called_missing(page: PageOf, charger: Charger) -> None:
    state = await page(OpsCharger, id="A-1")
    for reason, error in (("A \u00adboard", NOT_KEPT), ("\u200d", REASON_WANTED), (["x"], REASON_WANTED)):
        await state.retire({"reason": reason})
        assert (state.error, state.question) == (t(error), "")


async def test_its_group_is_its_price_and_needs_the_pin(page: PageOf, charger: Charger) -> None:
    malls = {"name": "North", "place": "Gate 2", "group": "malls"}
    state = await page(OpsCharger, id="A-1")
    await state.describe(malls)
    assert (state.name, state.group, state.error) == ("North", "malls", "")
    await transact(open_changes, now() - timedelta(hours=1))
    for other in ({**malls, "group": "yards"}, {**malls, "group": ""}):
        await state.describe({**other, "name": "South"})
        assert (state.name, state.group, state.error) == ("North", "malls", "Enter your PIN again. Nothing was done.")
    for same in (malls, {**malls, "group": None}):
        await state.describe({**same, "name": "South"})
        assert (state.name, state.group, state.error) == ("South", "malls", "")
    told = [json.loads(entry.detail) for entry in await read(trail.entries)]
    assert told == [{"name": "South", "place": "Gate 2"}] * 2 + [malls]


async def test_messages_are_shown_newest_first_and_as_text(page: PageOf, charger: Charger) -> None:
    said = [journal.Line("A-1", "in", "Heartbeat", str(n), f"[2,{n},<b>]", "", now()) for n in range(35)]
    await database().append(journal.write, said)
    state = await messages(page)
    await state._refresh(0)
    assert (len(state.messages), state.messages[0].frame, state.more) == (30, "[2,34,<b>]", True)
    await state.show_more()
    assert (len(state.messages), state.more) == (35, False)


async def test_an_answer_stands_above_its_question(page: PageOf, charger: Charger) -> None:
    asked = journal.Line("A-1", "in", "Authorize", "1", "[2]", "mended", now(), "[3]", now() + timedelta(seconds=2))
    await database().append(journal.write, [asked])
    state = await messages(page)
    await state._refresh(0)
    answer, question = state.messages
    assert (answer.incoming, answer.action, answer.frame, answer.repairs) == (False, "Authorize", "[3]", "")
    assert (question.incoming, question.frame, question.repairs) == (True, "[2]", "mended")
    assert answer.when != question.when


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


async def test_a_list_that_is_cut_does_not_say_that_it_ends(
    page: PageOf, charger: Charger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The three hundredth message was called the end, whatever older ones said of a bill in doubt."""
    monkeypatch.setattr(ops_messages, "MOST", 2)
    state = await messages(page)
    state._limit = 2
    said = [journal.Line("A-1", "in", "Heartbeat", str(n), "[2]", "", now()) for n in range(3)]
    for lines_, cut in ((said[:2], False), (said[2:], True)):
        await database().append(journal.write, lines_)
        await state._refresh(0)
        assert (len(state.messages), state.more, state.cut) == (2, False, cut)
    assert state.address == "/api/v1/chargers/A-1/messages"


@pytest.mark.parametrize(("action", "calm"), [("TriggerMessage", True), ("Reset", False)])
async def test_only_what_may_hurt_is_asked_about_in_red(
    page: PageOf, charger: Charger, action: str, calm: bool
) -> None:
    state = await messages(page)
    await state.command({"action": action, "payload": "{}"})
    assert (state.question != "", state.calm) == (True, calm)
