"""What a charger and we say to each other, as it is said, and what an operator asks it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import reflex as rx

from domain import chargers, journal, trail
from domain.bus import CALL_S, FAILURES, CallRefused, bus, told
from domain.db import read, transact
from domain.events import CALLS, Call
from domain.india import INDIA
from domain.models import OcppMessage, now
from domain.operators import Act
from domain.wire import too_deep
from evapp.components.money import day
from evapp.state.ops import operator
from evapp.state.ops_deed import Deed, Deeds, nothing
from evapp.texts import speaking, t
from evapp.texts.languages import of_path

PAGE = 30
MOST = 300
"""Lines of the journal that a page shows."""
LONGEST_FRAME = 4_000
LONGEST_PAYLOAD = 20_000
LOST = timedelta(seconds=CALL_S + 20)
"""After so long nobody waits for an answer any more: the process that asked has ended."""

COMMANDS: dict[str, dict[str, Any]] = {
    "Reset": {"type": "Soft"},
    "UnlockConnector": {"connectorId": 1},
    "ChangeAvailability": {"connectorId": 0, "type": "Inoperative"},
    "TriggerMessage": {"requestedMessage": "StatusNotification"},
    "GetConfiguration": {},
    "ChangeConfiguration": {"key": "HeartbeatInterval", "value": "300"},
    "ClearCache": {},
    "RemoteStopTransaction": {"transactionId": 1},
    "GetDiagnostics": {"location": "https://"},
    "UpdateFirmware": {"location": "https://", "retrieveDate": ""},
    "GetLocalListVersion": {},
    "SetChargingProfile": {},
    "ClearChargingProfile": {},
    "GetCompositeSchedule": {"connectorId": 1, "duration": 3600},
    "DataTransfer": {"vendorId": ""},
}
"""What is asked often, with a payload to begin with; every other message of OCPP 1.6 can be typed."""
QUESTIONS = ("GetConfiguration", "GetCompositeSchedule", "GetLocalListVersion", "GetInstalledCertificateIds")
"""Messages that change nothing, and so are sent without a question."""
HARMLESS = ("TriggerMessage", "ExtendedTriggerMessage")
"""Those that only make it speak."""


@dataclass(frozen=True)
class Message:
    """What was said once, in words."""

    incoming: bool
    action: str
    when: str
    frame: str
    repairs: str


class OpsMessages(Deeds, rx.State):
    """The messages of the charger that the page shows, and the command that is typed."""

    messages: list[Message] = []
    more: bool = False
    cut: bool = False
    """Whether there are more than a page shows."""
    address: str = ""
    """Where programs find all of them."""
    trace: bool = False
    action: str = "Reset"
    payload: str = json.dumps(COMMANDS["Reset"])
    asking: bool = False
    """Whether the charger is being asked."""
    answer: str = ""
    answered: str = ""
    """What the answer means, in a word."""
    _charger_id: str = ""
    _limit: int = PAGE
    _call: tuple[str, dict[str, Any]] | None = None
    _asked_at: datetime | None = None

    @rx.event
    async def choose(self, action: str) -> None:
        """Another message, with a payload to begin with."""
        if await operator(self) is not None and isinstance(action, str) and action in COMMANDS:
            self.action, self.payload = action, json.dumps(_begun(action))
            self.error = self.answer = self.answered = ""

    @rx.event
    async def follow(self, on: bool) -> None:
        """Keep every message, MeterValues and Heartbeat too, and show them as they come; or no longer."""
        user = await operator(self)
        if user is None or type(on) is not bool or not self._charger_id:
            return
        act = Act("charger trace", f"charger:{self._charger_id}", "on" if on else "off", pin=False)
        await self._perform(Deed(act, chargers.trace, (self._charger_id, on), refusals=(chargers.ChargerUnknown,)))
        await self._refresh(user.id)

    @rx.event
    async def show_more(self) -> None:
        """Older messages below those shown."""
        user = await operator(self)
        if user is not None and self.more:
            self._limit = min(MOST, self._limit + PAGE)
            await self._refresh(user.id)

    @rx.event
    async def command(self, form: dict[str, object]) -> Any:
        """Ask whether this shall be sent; what changes nothing is sent at once."""
        user = await operator(self)
        if user is None or self.asking or not self._charger_id:
            return None
        typed = form if isinstance(form, dict) else {}
        action, payload = typed.get("action"), typed.get("payload")
        self.action = action if isinstance(action, str) and action in CALLS else ""
        if not self.action:
            return self._refuse(t("Enter the name of an OCPP message, like Reset."))
        if (facts := _object(payload)) is None:
            return self._refuse(t('The payload must be a JSON object, like {"type": "Soft"}.'))
        self.payload = json.dumps(facts, ensure_ascii=False)
        self.answer = self.answered = ""
        act = Act(f"call {self.action}", f"charger:{self._charger_id}", facts)
        deed = Deed(act, nothing, calm=self.action in HARMLESS)
        self._call = self.action, facts
        if self.action in QUESTIONS:
            return await self._did(deed) if await self._perform(deed) else None
        question = t("Send {action} to {charger}?", action=self.action, charger=self._charger_id)
        self._ask(deed, f"{question} {self.payload}", t("Send {action}", action=self.action))
        return None

    @rx.event(background=True)
    async def send(self) -> None:
        """Put the question to the charger, once; its page goes on meanwhile."""
        async with self:
            call, self._call = self._call, None
            charger_id, language = self._charger_id, of_path(self.router.url.path)
            user = await operator(self)
            if user is None or call is None or not self.asking:
                self.asking = False
                return
        answered = answer = ""
        try:
            with speaking(language):
                answered, answer = await _asked(charger_id, *call)
            await transact(trail.note, trail.user(user.id), f"answer {call[0]}", f"charger:{charger_id}", answered)
        finally:
            async with self:
                self.asking, self.answered, self.answer = False, answered, answer

    async def _did(self, deed: Deed) -> Any:
        """The line is in the trail; now the charger is asked."""
        self.asking, self._asked_at = True, now()
        return OpsMessages.send

    def _look_at(self, charger_id: str) -> None:
        self._calm()
        self._charger_id, self._limit, self._call = charger_id, PAGE, None
        self.address = f"/api/v1/chargers/{quote(charger_id)}/messages"
        self.answer = self.answered = ""
        self.asking = False

    async def _refresh(self, user_id: int) -> None:
        if self.asking and self._asked_at is not None and now() - self._asked_at > LOST:
            self.asking, self.answered = False, t("The answer did not come here. What was said stands under Messages.")
        try:
            self.trace = (await read(chargers.info, self._charger_id)).trace
        except chargers.ChargerUnknown:
            return
        found = await read(journal.of, self._charger_id, self._limit + 1)
        self.messages = [message for line in found[: self._limit] for message in _messages(line)]
        self.more = len(found) > self._limit and self._limit < MOST
        self.cut = len(found) > self._limit and self._limit >= MOST


def _begun(action: str) -> dict[str, Any]:
    """A payload to begin with. Firmware is for the next night: with a date of the past it is installed at once."""
    payload = COMMANDS[action]
    if "retrieveDate" not in payload:
        return payload
    night = (now().astimezone(INDIA) + timedelta(days=1)).replace(hour=2, minute=0, second=0)
    return payload | {"retrieveDate": f"{night.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}


async def _asked(charger_id: str, action: str, payload: dict[str, Any]) -> tuple[str, str]:
    """What became of it in a sentence, and the answer itself."""
    try:
        reply = await bus().call(charger_id, Call(action, payload), CALL_S)
    except tuple(FAILURES) as error:
        return t(told(error, charger_id)), str(error) if isinstance(error, CallRefused) else ""
    said = reply.status or t("Answered")
    return said, _told(reply.payload)


def _told(payload: dict[str, Any]) -> str:
    """An answer to read: a line for each setting, or else the JSON."""
    settings = payload.get("configurationKey")
    if not isinstance(settings, list) or not all(isinstance(one, dict) for one in settings):
        return json.dumps(payload, indent=2, ensure_ascii=False)
    lines = [f"{one.get('key')} = {one.get('value', '')}" for one in settings]
    unknown = payload.get("unknownKey")
    return "\n".join([*lines, *(t("{key} is not known there", key=key) for key in unknown or [])])


def _object(typed: object) -> dict[str, Any] | None:
    if not isinstance(typed, str) or len(typed) > LONGEST_PAYLOAD:
        return None
    try:
        value = json.loads(typed or "{}")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and not too_deep(value) else None


def _messages(line: OcppMessage) -> list[Message]:
    """The answer first, since the newest stands above."""
    said = Message(line.direction == "in", line.action or "–", _when(line.created_at), _short(line.frame), line.repairs)
    if line.answer is None or line.answered_at is None:
        return [said]
    return [Message(False, said.action, _when(line.answered_at), _short(line.answer), ""), said]


def _when(at: datetime) -> str:
    return f"{day(at)}, {at.astimezone(INDIA):%H:%M:%S}"


def _short(frame: str) -> str:
    return frame[:LONGEST_FRAME]
