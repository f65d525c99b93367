"""What every command of the operator's shell is made of: its words, its work, and how typed values are read."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import uuid4

from sqlmodel import Session

from domain import plugs, trail
from domain.db import Database, opened
from domain.events import Event
from domain.india import INDIA, in_our_years
from domain.money import AmountError, parse_rupees
from domain.recharges import PaymentGateway

P = ParamSpec("P")
T = TypeVar("T")


class Mistake(Exception):
    """What was typed cannot be done; the argument is a sentence for the operator."""


class Failed(Exception):
    """It was done, and the outcome is bad news; the argument is a sentence for the operator."""


@dataclass
class Shell:
    """One call of the shell: its database, the way to the payment gateway, what its transactions announced, and a name
    of its own."""

    database: Database
    gateway: Callable[[], AbstractAsyncContextManager[PaymentGateway]]
    words: str = ""
    """The command's, by which the trail names what it did."""
    events: list[Event] = field(default_factory=list)
    key: str = field(default_factory=lambda: uuid4().hex)
    """Makes whatever this call moves happen once, however often its transaction is run."""

    def read(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A query. It keeps nobody from writing: on SQLite every start, stop and sample would wait for its end."""
        return self.database.read_now(work, *args, **kwargs)

    def do(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One transaction that changes something."""
        result, events = self.database.now(work, *args, **kwargs)
        self.events += events
        return result

    def act(
        self,
        subject: str,
        detail: str | Mapping[str, object],
        work: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """One transaction that changes something, with its line in the trail; both or neither."""
        return self.act_once(lambda db: False, subject, detail, work, *args, **kwargs)

    def act_once(
        self,
        known: Callable[[Session], object],
        subject: str,
        detail: str | Mapping[str, object],
        work: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The same for a wish that has a name: where it was done before, which is then `known`, its line is there."""

        def written(db: Session) -> T:
            before = known(db)
            done = work(db, *args, **kwargs)
            if not before:
                trail.note(db, trail.shell(), self.words, subject, detail)
            return done

        return self.do(written)

    def ask(self, work: Callable[[PaymentGateway], Awaitable[T]]) -> T:
        """Let the payment gateway be asked, with the transactions that follow from its answers."""

        async def heard(*events: Event) -> None:
            self.events += events

        async def asked() -> T:
            async with opened(self.database.url, heard), self.gateway() as gateway:
                return await work(gateway)

        return asyncio.run(asked())


Work = Callable[[Shell, argparse.Namespace], Iterable[str]]


@dataclass(frozen=True)
class Argument:
    """One value of a command, as argparse takes it."""

    name: str
    help: str
    options: dict[str, Any] = field(default_factory=dict)


def argument(name: str, help: str, **options: Any) -> Argument:
    """A value; with dashes in front of its name it may be left out."""
    return Argument(name, help, options)


@dataclass(frozen=True)
class Command:
    """What an operator types, what it is for, and what it does; `work` gives the lines to show."""

    words: str
    help: str
    work: Work
    arguments: tuple[Argument, ...] = ()
    ends_connections: bool = False
    """Whether a running server must end something at once, so that it matters when none hears of it."""


def text(longest: int, least: int = 0) -> Callable[[str], str]:
    """Text that fits its column; with `least`, such that there is something to read."""

    def read(typed: str) -> str:
        if not typed.isprintable() or len(typed) > longest:
            raise argparse.ArgumentTypeError(f"at most {longest} characters, and none that cannot be printed")
        if len(typed.strip()) < least:
            raise argparse.ArgumentTypeError(f"at least {least} character that can be seen")
        return typed.strip()

    return read


def number(least: int, most: int) -> Callable[[str], int]:
    """A whole number between these."""

    def read(typed: str) -> int:
        if not (typed.isascii() and typed.isdigit() and len(typed) < 19 and least <= int(typed) <= most):
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most}")
        return int(typed)

    return read


def watts(typed: str) -> int:
    """W from typed kW."""
    try:
        power_w = int(Decimal(typed) * 1000) if typed.isascii() else -1
    except (ArithmeticError, ValueError):
        power_w = -1
    if not 0 < power_w <= plugs.MOST_W:
        raise argparse.ArgumentTypeError("a power in kW, such as 7.4")
    return power_w


def rupees(typed: str) -> int:
    """Paise from typed rupees."""
    try:
        return parse_rupees(typed)
    except AmountError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def signed_rupees(typed: str) -> int:
    """Paise, with a minus in front to take them away."""
    return -rupees(typed[1:]) if typed.startswith("-") else rupees(typed)


def moment(typed: str) -> datetime:
    """A day or a time; Indian time unless it names another zone."""
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        raise argparse.ArgumentTypeError("a day or time such as 2026-12-01 or 2026-12-01T06:00") from None
    return in_our_years(at if at.tzinfo else at.replace(tzinfo=INDIA))


def columns(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A table with aligned columns; only its head when there is nothing in it."""
    table = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[n]) for row in table) for n in range(len(head))]
    for row in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def clock(at: datetime | None) -> str:
    """A moment in India, to the second."""
    return in_our_years(at).astimezone(INDIA).strftime("%Y-%m-%d %H:%M:%S") if at else "-"
