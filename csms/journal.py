"""Decides what of a conversation is written down, takes secrets out of it, and hands it on in batches."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog

from csms.batches import Batches
from domain import journal
from domain.db import database
from domain.logs import first_line
from domain.models import now

log = structlog.get_logger()

UNWRITTEN = ("MeterValues", "Heartbeat")
"""The sample is the record of the first, the charger's `heard_at` of the second; written only while traced."""
WITHHELD = "authorizationkey"
"""Configuration key that holds a charger's password."""
ESCAPE = "\\u"
"""What the name may be spelt in."""
HIDDEN = "(hidden)"
LINGER_S = 0.05
"""Nobody waits for the journal, and what gathers meanwhile is one transaction instead of many."""


class Journal:
    """The message journal as the sockets see it: they note and go on."""

    def __init__(self) -> None:
        self.traced: frozenset[str] = frozenset()
        """Chargers whose every message is written down."""
        self.unwritten = UNWRITTEN
        self._lines: Batches[journal.Line, None] = Batches(self._write, "journal", LINGER_S)

    def note(
        self,
        charger_id: str,
        direction: str,
        action: str,
        message_id: Any,
        frame: str,
        at: datetime,
        repairs: Sequence[str] = (),
        answer: str | None = None,
    ) -> None:
        """Write one frame down, soon, and what was answered to it now."""
        if action in UNWRITTEN and charger_id not in self.traced:
            return
        try:
            line = journal.Line(charger_id, direction, action, str(message_id), redacted(frame), "; ".join(repairs), at)
            if answer is not None:
                line.answer, line.answered_at = redacted(answer), now()
        except Exception as error:
            _missed(None, error)  # nobody waits for the journal, and it costs nobody his answer
        else:
            self._lines.hand(line, _missed)

    async def finished(self) -> None:
        """Wait until everything noted is written."""
        await self._lines.finished()

    async def _write(self, lines: Sequence[journal.Line]) -> None:
        await database().append(journal.write, lines, self.traced)


def _missed(_written: None, error: Exception | None) -> None:
    if error is not None:
        log.error("a message is missing in the journal", error=first_line(error))


def redacted(frame: str) -> str:
    """The frame without the value of any AuthorizationKey (payments.md 4.2)."""
    if WITHHELD not in frame.lower() and ESCAPE not in frame:
        return frame
    try:
        return json.dumps(_without_secrets(json.loads(frame)))
    except (ValueError, RecursionError):
        return f"{HIDDEN}: names {WITHHELD} and is no JSON"


def _without_secrets(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_secrets(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    if str(value.get("key", "")).lower() == WITHHELD and "value" in value:
        return {**value, "value": HIDDEN}
    return {key: _without_secrets(inner) for key, inner in value.items()}
