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
from domain.redaction import HIDDEN, hidden

log = structlog.get_logger()

UNWRITTEN = ("MeterValues", "Heartbeat")
"""The sample is the record of the first, the charger's `heard_at` of the second; written only while traced."""
KEY, KEY_IN_TEXT, ADDRESSED = '"key"', '\\"key\\"', "@"
"""Signs of a secret: the first two name the setting beside its value, the last ends a password in an address."""
ESCAPE = "\\u"
"""How JSON may spell either of them instead."""
LINGER_S = 0.05
"""Nobody waits for the journal, and what gathers meanwhile is one transaction instead of many."""


class Journal:
    """The message journal as the sockets see it: they note and go on."""

    def __init__(self) -> None:
        self.traced: frozenset[str] = frozenset()
        """Chargers whose every message is written down."""
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
    """The frame without the value of any setting that is a secret, such as AuthorizationKey (payments.md 4.2), and
    without the password in any address."""
    folded = frame.lower()
    if KEY not in folded and KEY_IN_TEXT not in folded and ADDRESSED not in frame and ESCAPE not in frame:
        return frame
    try:
        return json.dumps(hidden(json.loads(frame)))
    except (ValueError, RecursionError):
        return f"{HIDDEN}: may hold a secret and is no JSON"
