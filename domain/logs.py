"""Logs for people and machines: one line an event, structured, without secrets, whoever writes it."""

import logging
import re
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

SECRET = ("pin", "token", "secret", "password", "authorization", "cookie", "vpa")
"""Names of values that no log keeps, also as parts of longer names."""
HIDDEN = "[hidden]"

_VALUES = (
    (re.compile(r"DETAIL: +(?:Failing row|Key) [^\n]*"), f"DETAIL: {HIDDEN}"),
    (re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}"), HIDDEN),
    (re.compile(r"\b((?:O-)?Bearer|Basic) [^\s\"',;]+"), rf"\1 {HIDDEN}"),
    (re.compile(r"://[^/\s:@]*:[^/\s@]+@"), f"://{HIDDEN}@"),
    (
        re.compile(
            r"(?i)\b((?:\w*_)?pin(?:_\w+)?|\w*(?:token|secret|password|authorization|cookie|vpa)\w*)"
            r"(\\?[\"']?\s*[:=]\s*)(?!\[hidden\])(\\?\"[^\"]*\"|\\?'[^']*'|[^\s&,;)}\]]+)"
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"[\w.+-]{2,}@[A-Za-z][\w.-]+"), HIDDEN),
    (re.compile(r"(?<![\w.])(?:\+|%2B)?(?:91[\s-]?)?[6-9]\d{4}[\s-]?\d(\d{4})(?![\w.])"), r"…\1"),
)
"""What is recognised without a name, in any text: rows that PostgreSQL quotes, hashes of PINs, credentials, what
follows the name of a secret, mail addresses and VPAs, and Indian phone numbers, of which the end stays."""
_SUSPECT = re.compile(r"[:=@$]|\d{5}|Bearer |Basic ")
"""One of these is in everything that is recognised; most texts have none, and a reconnecting fleet logs a lot."""


def first_line(error: BaseException) -> str:
    """What an error says, in a line; its name where it says nothing."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def redacted(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets by their names and by their looks, and all of a phone number but its end."""
    for name, value in event.items():
        event[name] = _clean(name, value)
    return event


def _clean(name: str, value: Any) -> Any:
    folded = name.casefold()
    if any(word in folded for word in SECRET):
        return HIDDEN
    if "phone" in folded:
        return f"…{str(value)[-4:]}"
    return _without_secrets(value)


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        if not _SUSPECT.search(value):
            return value
        for looks, instead in _VALUES:
            value = looks.sub(instead, value)
        return value
    if isinstance(value, dict):
        return {name: _clean(str(name), inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_without_secrets(inner) for inner in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _without_secrets(str(value))


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


def take_over(stream: TextIO | None = None) -> None:
    """Let what libraries log go the same way: same line, same ids, same redaction; from warnings on.

    For servers only. A command line that a person reads keeps its own.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_FIRST, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_LAST],
        )
    )
    for name in tuple(logging.root.manager.loggerDict):
        theirs = logging.getLogger(name)
        theirs.handlers.clear()
        theirs.propagate = True
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
