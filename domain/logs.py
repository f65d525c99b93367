"""Logs for people and machines: one line an event, structured, without secrets."""

from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

SECRET = ("pin", "token", "secret", "password", "authorization", "cookie", "vpa")
"""Names of values that no log keeps, also as parts of longer names."""


def redacted(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets by their names, and all of a phone number but its end."""
    for name, value in event.items():
        if any(word in name.casefold() for word in SECRET):
            event[name] = "[hidden]"
        elif "phone" in name.casefold():
            event[name] = f"…{str(value)[-4:]}"
    return event


def configure(stream: TextIO | None = None) -> None:
    """JSON, which writes a traceback into one line too, without local variables; to standard output, or `stream`."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redacted,
            structlog.processors.UnicodeDecoder(),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
