"""What a connection needs to know of one version of OCPP, and what goes through that version's handlers."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from csms.calls import Urgency
from csms.fast import Hot
from domain.events import Command

if TYPE_CHECKING:
    from csms.connection import Connection


class Refusal(Exception):
    """What a CALLERROR says: a code of OCPP-J 1.6, table 7, and a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(slots=True)
class Request:
    """A charger's question, repaired, on its way through its handler."""

    action: str
    payload: dict[str, Any]
    received_at: datetime
    repairs: list[str]
    afterwards: list[Callable[[], Coroutine[Any, Any, Any]]] = field(default_factory=list)
    """What to do once it has its answer: nothing may be asked of a charger before (ocpp.md Q18)."""


Handler = Callable[["Connection", Request], Awaitable[dict[str, Any]]]
"""Does what a message asks for and gives the payload of its answer."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """One version of OCPP."""

    handlers: dict[str, Handler]
    hot: dict[str, Hot]
    """Actions of the direct path."""
    forgiving: frozenset[str]
    """Actions that get a CALLRESULT whatever they carry: a CALLERROR would cost money or stall a charger."""
    boot: str
    """The action with which a charger comes up."""
    schema: Callable[[str], dict[str, Any]]
    callable: frozenset[str]
    """Actions a central system may ask for."""
    flaw: Callable[[str, Any], str]
    """What is wrong with a payload; empty when nothing is."""
    translate: Callable[[Command], tuple[str, dict[str, Any], Urgency]]
    seconds: Callable[[str], float]
    """How long a charger may take to answer an action."""
    recorded: Callable[
        ["Connection", str, dict[str, Any], Callable[[], Awaitable[dict[str, Any]]]], Awaitable[dict[str, Any]]
    ]
    """Asks an action with a payload through the function given, and keeps what the answer means."""
    resync: Callable[["Connection"], Awaitable[None]]
    """What to ask a charger that came back without a boot."""
