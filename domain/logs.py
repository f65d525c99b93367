"""Logs for people and machines: one line an event, structured, without secrets, whoever writes it."""

import logging
import re
import time
from collections import defaultdict
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any, TextIO

import structlog

from domain.redaction import CREDENTIALS, HIDDEN, by_name, hidden
from domain.throttle import Sparingly

OF_A_LIBRARY = 30
"""Lines of one logger in a minute: strangers cause them."""
LONGEST = 16_000
"""Characters of one text; a stranger may say a megabyte."""

_VALUES = (
    (re.compile(r"DETAIL: +(?:Failing row|Key) [^\n]*"), f"DETAIL: {HIDDEN}"),
    (re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}"), HIDDEN),
    (re.compile(r"\b((?:O-)?Bearer|Basic) [^\s\"',;]+"), rf"\1 {HIDDEN}"),
    (CREDENTIALS, f"://{HIDDEN}@"),
    (
        re.compile(
            r"(?i)\b((?>\w*(?:token|secret|passw|passphrase|psk|pwd|authorization|cookie|vpa|(?<![^\W_])pin(?![^\W_])))\w*+)"
            r"(\\?[\"']?\s*[:=]\s*)(?!\[hidden\])(\\?\"[^\"]*\"|\\?'[^']*'|[^\s&,;)}\]]+)"
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"(?<![\w.+-])[\w.+-]{2,}+@[A-Za-z][\w.+-]+"), HIDDEN),
    (re.compile(r"(?<![\w.])(?:\+|%2B)?(?:91[\s-]?)?[6-9]\d{4}[\s-]?\d(\d{4})(?![\w.])"), r"…\1"),
)
"""What is recognised without a name, in any text: rows that PostgreSQL quotes, hashes of PINs, credentials, what
follows the name of a secret, mail addresses and VPAs, and Indian phone numbers, of which the end stays.

None searches the same part of a text again and again: a name or an address is taken whole or not at all, from where
it begins. Strangers write into logs, and by the square of its length a megabyte would hold up a process for hours.
"""
_SUSPECT = re.compile(r"[:=@$]|\d{5}|Bearer |Basic ")
"""One of these is in everything that is recognised; most texts have none, and a reconnecting fleet logs a lot."""


def first_line(error: BaseException) -> str:
    """What an error says, in a line; its name where it says nothing."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def redacted(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets by their names and by their looks, and all of a phone number but its end."""
    for name, value in event.items():
        shown = by_name(name)
        event[name] = shown(value) if shown else hidden(value, _readable)
    return event


def _readable(text: str) -> str:
    """Not too long, and without what looks like a secret."""
    text = _cut(text)
    if _SUSPECT.search(text):
        for looks, instead in _VALUES:
            text = looks.sub(instead, text)
    return text


def _cut(text: str) -> str:
    """Without its middle: a traceback says at its end what happened. The end begins with a whole line, so that no
    secret in it is without its name."""
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    end = text[-half:].partition("\n")[2]
    return f"{text[:half]} [cut from {len(text)}]\n{end}"


_FIRST = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
)
_LAST = (
    structlog.processors.format_exc_info,
    structlog.processors.UnicodeDecoder(),
    redacted,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.JSONRenderer(),
)


def configure(stream: TextIO | None = None) -> None:
    """JSON, which writes a traceback into one line too, without local variables; to standard output, or `stream`."""
    structlog.configure(processors=[*_FIRST, *_LAST], logger_factory=structlog.PrintLoggerFactory(stream))


class Sparing(logging.Filter):
    """Lets each logger have so many lines in a minute; its next one says how many were left out."""

    def __init__(self, most: int = OF_A_LIBRARY, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._of: defaultdict[str, Sparingly] = defaultdict(partial(Sparingly, most, clock))

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line is written."""
        sparingly = self._of[record.name]
        if not sparingly.once_more():
            return False
        if left_out := sparingly.left_out():
            record.msg, record.args = f"{record.getMessage()} ({left_out} left out before)", ()
        return True


def take_over(stream: TextIO | None = None) -> None:
    """Let what libraries log go the same way: same line, same ids, same redaction; from warnings on, and sparingly.

    For servers only. A command line that a person reads keeps its own.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_FIRST, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_LAST],
        )
    )
    handler.addFilter(Sparing())
    for name in tuple(logging.root.manager.loggerDict):
        theirs = logging.getLogger(name)
        theirs.handlers.clear()
        theirs.propagate = True
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
