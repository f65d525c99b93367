"""What every endpoint is: an address, what a key must be allowed, and work whose types tell what goes in and out."""

import enum
import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, TypeAdapter

from api.shapes import IN_ADDRESS, Filters, Given
from domain.recharges import PaymentGateway
from domain.trail import Actor

Q = TypeVar("Q", bound=Filters)
B = TypeVar("B", bound=Given | None)
_BRACES = re.compile(r"\{(\w+)\}")

SUBJECTS = {
    "charger_id": "charger",
    "ref": "session",
    "tag": "card",
    "user_id": "user",
    "order": "order",
    "refund_id": "refund",
    "finding_id": "finding",
}
"""What the trail calls that which stands in the braces of a path: as the shell and the operators' pages do."""


@dataclass(frozen=True, slots=True)
class Ask(Generic[Q, B]):
    """What one request asks, checked."""

    query: Q
    body: B
    actor: Actor
    """Whose key it came with, as the trail names him."""
    wish: str
    """A name of this request alone, under which money moves once: the same whenever it is sent again."""
    gateway: PaymentGateway
    learnt: Any = None
    """What `before` brought."""
    scopes: frozenset[str] = frozenset()
    """What its key may."""


class Kind(enum.Enum):
    """How an endpoint works."""

    READ = "read"
    WRITE = "write"
    """In one transaction with its answer and its line of the trail."""
    COMMAND = "command"
    """Over the network, between two transactions: at most once."""


@dataclass(frozen=True)
class Operation:
    """One endpoint.

    Its work is a function `(db, ask: Ask[filters, body], **path) -> answer`; that of a command is a coroutine without
    `db`. The docstring of the work is what the document says of it.
    """

    method: str
    path: str
    scope: str
    work: Callable[..., Any]
    action: str = ""
    """What the trail calls it; empty where nothing is done, or where the domain itself tells the trail."""
    named: bool = field(default=False, kw_only=True)
    """Whether it moves money or commands something: then it must bring an Idempotency-Key."""
    about: Callable[[Any], str] | None = field(default=None, kw_only=True)
    """Derives the trail's subject from the body, where the path has none."""
    status: int = field(default=200, kw_only=True)
    refuses: tuple[int, ...] = field(default=(), kw_only=True)
    """Statuses beyond those that every endpoint of its kind may answer with."""
    before: Callable[..., Awaitable[Any]] | None = field(default=None, kw_only=True)
    """Asked of the network before the transaction: `await before(ask, **path)` is then `ask.learnt`."""
    after: Callable[..., Any] | None = field(default=None, kw_only=True)
    """What follows by itself, once it is committed: the coroutine of `after(ask, answer)`."""

    @cached_property
    def kind(self) -> Kind:
        if self.method == "GET":
            return Kind.READ
        return Kind.COMMAND if inspect.iscoroutinefunction(self.work) else Kind.WRITE

    @cached_property
    def query(self) -> type[Filters]:
        """What may be asked behind the ? of its address."""
        asked: type[Filters] = get_args(get_type_hints(self.work)["ask"])[0]
        return asked

    @cached_property
    def body(self) -> type[Given] | None:
        """What is sent; None: nothing is."""
        sent = get_args(get_type_hints(self.work)["ask"])[1]
        return None if sent is type(None) else sent

    @cached_property
    def answers(self) -> type[BaseModel]:
        """What is given back."""
        told: type[BaseModel] = get_type_hints(self.work)["return"]
        return told

    @cached_property
    def of_path(self) -> dict[str, TypeAdapter[Any]]:
        """What stands in the braces of its path."""
        return {name: TypeAdapter(IN_ADDRESS[name]) for name in _BRACES.findall(self.path)}

    def subject(self, path: dict[str, Any], body: Given | None) -> str:
        """What the trail says it was done to."""
        if self.about is not None:
            return self.about(body)
        [(name, value)] = path.items()
        return f"{SUBJECTS[name]}:{value}"

    @property
    def name(self) -> str:
        """Its operationId: family and verb."""
        return f"{self.work.__module__.rpartition('.')[2]}_{self.work.__name__.rstrip('_')}"

    @property
    def says(self) -> str:
        """What it does."""
        return (self.work.__doc__ or "").strip()
