"""The steps of a request, a command or a payment; nothing at all until a collector is named (docs/adr/0014).

Every kind of step is declared here, in docs/operate.md and nowhere else; domain/otlp.py sends them.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from domain.settings import Settings, SettingsError

KINDS: dict[str, "Kind"] = {}
"""By name."""

Role = Literal["internal", "server", "client"]
"""Whether a step is within a process, or answers somebody outside it, or asks somebody."""


class Span:
    """A step that nobody is told of."""

    def __enter__(self) -> "Span":
        return self

    def __exit__(self, error: type[BaseException] | None = None, *_: object) -> None:
        return None

    def came_to(self, outcome: str, *, well: bool = True) -> None:
        """How it ended; a step that an exception ends is told by the exception's name."""

    def traceparent(self) -> str:
        """What another process needs to go on with this trace (W3C Trace Context); empty without one."""
        return ""


NONE = Span()
Begin = Callable[["Kind", str, str, dict[str, str | int]], Span]


@dataclass(frozen=True)
class Kind:
    """A kind of step."""

    name: str
    says: str
    role: Role = "internal"

    def __post_init__(self) -> None:
        KINDS[self.name] = self

    def span(self, action: str, follows: str = "", **ids: str | int) -> Span:
        """A step from here to the end of its `with`. `action` is of a fixed list, and `ids` are of chargers and
        charges: nothing of a person, no sum and no payload. `follows` is the traceparent of another process."""
        return NONE if _begin is None else _begin(self, action, follows, ids)


REQUEST = Kind("request", "A request of a browser or a program, by the first part of its path.", "server")
OPERATION = Kind("operation", "What a program asked of the REST API, by the operation's name.")
SENT = Kind("sent", "A command on its way to the process that holds the charger, and its answer's way back.", "client")
COMMAND = Kind("command", "A command in the process that holds the charger.")
CALL = Kind("call", "What a charger was asked, from standing in line to its answer.", "client")
MESSAGE = Kind(
    "message", "A message of a charger that the direct path left: samples and heartbeats seldom are.", "server"
)
PHONEPE = Kind("phonepe", "A request to PhonePe, by the last part of its path.", "client")
SETTLEMENT = Kind("settlement", "The bill of a charge, within its transaction.")

_begin: Begin | None = None


@asynccontextmanager
async def told(settings: Settings, process: str) -> AsyncIterator[None]:
    """Tell the collector of the settings, if they name one, for as long as the context lasts.

    `process` names what runs here: web or csms.

    Raises:
        SettingsError: the packages for it are not installed.
    """
    global _begin
    if not settings.otlp_endpoint:
        yield
        return
    try:
        from domain import otlp  # only who names a collector needs its packages
    except ImportError as error:
        raise SettingsError(
            "EVAPP_OTLP_ENDPOINT needs packages that are not installed: pip install -r requirements-otel.txt."
        ) from error
    async with otlp.sending(settings.otlp_endpoint, process) as _begin:
        try:
            yield
        finally:
            _begin = None
