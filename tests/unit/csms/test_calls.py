"""The queue of questions to one charger: urgency, cancellation, gates."""

import asyncio
import json
from typing import Any

import pytest

from csms.calls import WORDS, Calls, Urgency
from domain.bus import CallRefused, ChargerSilent


class Line:
    """Calls whose frames end here."""

    def __init__(self, *, ready: bool = True) -> None:
        self.sent: list[list[Any]] = []
        self.missed = 0
        self.calls = Calls("C", self._say, self._miss)
        if ready:
            self.calls.open()

    async def _say(self, text: str, action: str, id_: str) -> None:
        self.sent.append(json.loads(text))

    def _miss(self) -> None:
        self.missed += 1

    def ask(self, action: str, urgency: Urgency = Urgency.SETUP, timeout: float = 5) -> "asyncio.Task[Any]":
        return asyncio.create_task(self.calls.call(action, {}, urgency=urgency, timeout=timeout))

    @property
    def actions(self) -> list[str]:
        return [frame[2] for frame in self.sent]


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_most_urgent_goes_next() -> None:
    """Q17."""
    line = Line()
    tasks = [line.ask("One"), line.ask("Two"), line.ask("Three", Urgency.OPERATOR), line.ask("Four", Urgency.DRIVER)]
    for number in range(4):
        await turn()
        assert len(line.sent) == number + 1
        assert line.calls.answered(line.sent[-1][1], {}) == line.sent[-1][2]
    await asyncio.gather(*tasks)
    assert line.actions == ["One", "Four", "Three", "Two"]


async def test_a_caller_who_gives_up_leaves_the_line() -> None:
    """His question is never sent: a driver who was told "no answer" must not start charging later."""
    line = Line()
    first, second, third = line.ask("One"), line.ask("Two"), line.ask("Three")
    await turn()
    second.cancel()
    line.calls.answered(line.sent[0][1], {})
    await turn()
    assert line.actions == ["One", "Three"]
    third.cancel()
    await asyncio.gather(first, second, third, return_exceptions=True)
    last = line.ask("Four")
    await turn()
    assert line.actions[-1] == "Four"
    last.cancel()


async def test_a_caller_who_gives_up_as_his_turn_comes_hands_it_on() -> None:
    """Q17: else the charger is never asked anything again on this socket, a driver's stop included."""
    line = Line(ready=False)
    first, second = line.ask("One"), line.ask("Two")
    await turn()
    line.calls.open()
    first.cancel()
    await turn()
    assert line.actions == ["Two"]
    line.calls.answered(line.sent[0][1], {})
    await second


async def test_nothing_is_sent_before_the_line_opens_or_while_an_answer_is_due() -> None:
    """Q9, Q18."""
    line = Line(ready=False)
    task = line.ask("One")
    await turn()
    line.calls.pause()
    line.calls.open()
    await turn()
    assert line.sent == []
    line.calls.resume()
    await turn()
    assert line.actions == ["One"]
    task.cancel()


async def test_an_answer_to_nothing_is_nobodys() -> None:
    """Q16: late, unknown, twice, of another type."""
    line = Line()
    assert line.calls.answered("x", {}) is None
    task = line.ask("One")
    await turn()
    id_ = line.sent[0][1]
    assert line.calls.failed([id_], "GenericError", "") is None
    assert line.calls.answered(id_, {"a": 1}) == "One"
    assert line.calls.answered(id_, {"a": 2}) is None
    assert await task == {"a": 1}
    assert line.calls.answered(id_, {"a": 3}) is None


async def test_errors_and_the_end_of_the_line_reach_the_caller() -> None:
    line = Line()
    task = line.ask("One")
    await turn()
    line.calls.failed(line.sent[0][1], "NotSupported", "No.")
    with pytest.raises(CallRefused, match="NotSupported: No"):
        await task
    open_, waiting = line.ask("Two", timeout=3_600), line.ask("Three", timeout=3_600)
    await turn()
    line.calls.close()
    async with asyncio.timeout(5):
        assert [type(e) for e in await asyncio.gather(open_, waiting, return_exceptions=True)] == [ChargerSilent] * 2
        with pytest.raises(ChargerSilent):
            await line.ask("Four", timeout=3_600)
    assert line.missed == 0, "a socket that went is no charger that does not answer"


@pytest.mark.parametrize(
    ("code", "description"), [("InternalError", "a" * 256_000), ("b" * 256_000, "")], ids=["words", "code"]
)
async def test_only_the_beginning_of_a_refusal_is_passed_on(code: str, description: str) -> None:
    """Whoever asked logs it and shows it."""
    line = Line()
    task = line.ask("One")
    await turn()
    line.calls.failed(line.sent[0][1], code, description)
    with pytest.raises(CallRefused) as refused:
        await task
    words = str(refused.value)
    assert len(words) == WORDS
    assert f"{code}: {description}".startswith(words)


async def test_silence_frees_the_line() -> None:
    """Q17."""
    line = Line()
    with pytest.raises(ChargerSilent):
        await line.ask("One", timeout=0.01)
    assert line.missed == 1
    task = line.ask("Two")
    await turn()
    assert line.actions == ["One", "Two"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert line.missed == 2, "whoever asked was in more of a hurry"
