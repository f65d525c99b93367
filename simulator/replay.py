"""Plays a charger's recorded traffic to a central system again: its frames, its order, its times."""

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

ANSWER_S = 30.0
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


class NoRecording(ValueError):
    """The file is not a recording; the message says where."""


@dataclass(slots=True)
class Recording:
    """What a charger said, and what it was billed.

    The file has a JSON object a line: `{"at": time, "from": "charger" or "csms", "frame": array or text}` in the order
    in which they were said, and `{"bill": {"transactionId": …, "energy_wh": …, "cost_paise": …}}` for each charge.
    """

    said: list[tuple[datetime, Any]] = field(default_factory=list)
    """When, and the charger's own frame."""
    transactions: dict[str, int] = field(default_factory=dict)
    """The number that a StartTransaction was given, by its message id."""
    answers: dict[str, Any] = field(default_factory=dict)
    """What it answered to an action that it was asked for."""
    bills: list[dict[str, int]] = field(default_factory=list)


def read(path: Path) -> Recording:
    """Raises NoRecording."""
    recording, asked, started = Recording(), dict[str, str](), set[str]()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            told = json.loads(line)
            if "bill" in told:
                recording.bills.append(dict(told["bill"]))
                continue
            _keep(recording, told["from"], datetime.fromisoformat(told["at"]), told["frame"], asked, started)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise NoRecording(f"{path.name}, line {number}: {error!r}") from None
    if not recording.said:
        raise NoRecording(f"{path.name}: the charger says nothing.")
    return recording


def _keep(recording: Recording, who: str, at: datetime, frame: Any, asked: dict[str, str], started: set[str]) -> None:
    call, id_ = isinstance(frame, list) and frame[0] == 2, str(frame[1]) if isinstance(frame, list) else ""
    match who, call:
        case "charger", True if frame[2] == "StartTransaction":
            started.add(id_)
            recording.said.append((at, frame))
        case "charger", _ if id_ in asked and not call:
            recording.answers[asked[id_]] = frame[2]
        case "charger", _:
            recording.said.append((at, frame))
        case "csms", True:
            asked[id_] = frame[2]
        case "csms", False if id_ in started:
            recording.transactions[id_] = frame[2]["transactionId"]
        case "csms", _:
            pass
        case _:
            raise ValueError(f"nobody is called {who}")


async def play(recording: Recording, url: str, heard: Callable[[Any, Any], None] = lambda *_: None) -> dict[int, int]:
    """Say it all, each frame after the answer to the one before; gives the transactions as they are numbered now.

    The recording ends now: every time in it is moved by the same span, so that durations and so the bills stay what
    they were, and the central system takes it for a queue from the time without a line (OCPP 1.6, 3.7).

    Raises:
        TimeoutError: a frame that must have an answer has none.
    """
    moved = datetime.now(UTC) - recording.said[-1][0]
    given: dict[int, int] = {}
    async with connect(url, subprotocols=[Subprotocol("ocpp1.6")], compression=None, proxy=None) as socket:
        await _tell_the_time(socket, recording)
        for _, frame in recording.said:
            text = _now(json.dumps(frame) if isinstance(frame, list) else frame, moved)
            text = json.dumps(_numbered(json.loads(text), given)) if isinstance(frame, list) else text
            await socket.send(text)
            if isinstance(frame, list) and frame[0] == 2:
                answer = await _answer(socket, frame[1], recording)
                heard(frame, answer)
                if (old := recording.transactions.get(str(frame[1]))) is not None:
                    given[old] = answer[2]["transactionId"]
    return given


async def _tell_the_time(socket: ClientConnection, recording: Recording) -> None:
    """A clock that was seen to be right is believed when it tells of the past (ocpp.md Q27)."""
    moment = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    told = {"type": "SettingSystemTime", "timestamp": moment, "techInfo": "replay"}
    await socket.send(json.dumps([2, "replay", "SecurityEventNotification", told]))
    await _answer(socket, "replay", recording)


async def _answer(socket: ClientConnection, id_: Any, recording: Recording) -> Any:
    """The answer to this message; what the central system asks meanwhile is answered as it was then."""
    async with asyncio.timeout(ANSWER_S):
        while True:
            frame = json.loads(await socket.recv())
            if frame[0] != 2 and frame[1] == id_:
                return frame
            if frame[0] == 2:
                known = recording.answers.get(frame[2])
                said = [4, frame[1], "NotSupported", "", {}] if known is None else [3, frame[1], known]
                await socket.send(json.dumps(said))


def _now(text: str, moved: timedelta) -> str:
    return _TIME.sub(lambda found: _moved(found[0], moved), text)


def _moved(time: str, by: timedelta) -> str:
    return (datetime.fromisoformat(time) + by).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _numbered(value: Any, given: dict[int, int]) -> Any:
    """The frame with the numbers that its transactions have now."""
    if isinstance(value, list):
        return [_numbered(inner, given) for inner in value]
    if not isinstance(value, dict):
        return value
    return {
        key: given.get(inner, inner) if key == "transactionId" and isinstance(inner, int) else _numbered(inner, given)
        for key, inner in value.items()
    }


def differences(recording: Recording, billed: Iterable[dict[str, int]]) -> list[str]:
    """What is billed now and was billed otherwise then; `billed` has the recording's transaction numbers."""
    now_billed = {bill["transactionId"]: bill for bill in billed}
    wrong = []
    for then in recording.bills:
        bill = now_billed.pop(then["transactionId"], None)
        if bill != then:
            wrong.append(f"transaction {then['transactionId']} was billed {then}, now {bill or 'not at all'}")
    return wrong + [f"transaction {number} is billed now and was not" for number in now_billed]
