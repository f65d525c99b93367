"""What somebody must look at, and what came of it; nothing of it is mended by itself."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import reflex as rx
from sqlmodel import Session, col, select

from domain import findings, operators, trail
from domain.db import read, storable, transact
from domain.models import Finding, User
from evapp.components.money import counted, moment
from evapp.state.effects import Effects
from evapp.state.ops import operator, visit
from evapp.state.ops_deed import PIN_WANTED, text
from evapp.state.visit import renewed
from evapp.texts import t
from evapp.texts.findings import advice, title
from evapp.web import auth

PAGE = 30
OPEN, FREE, MINE, RESOLVED = "open", "free", "mine", "resolved"
WHICH = (OPEN, FREE, MINE, RESOLVED)

OF_CHARGERS = (
    "boot-loop",
    "certificate-wanted",
    "driver-report",
    "energy-scale",
    "local-list",
    "mute",
    "one-identity",
    "orphan-stop",
    "security",
)
"""Kinds whose ref begins with a charger's id."""
_SESSION = re.compile(r"[A-Z0-9]{16}")


@dataclass(frozen=True)
class Row:
    """One finding in words."""

    number: int
    title: str
    todo: str
    """What to do about it."""
    kind: str
    ref: str
    link: str
    detail: str
    since: str
    taken: str
    """Who is at it, and since when; empty: nobody."""
    taken_by: str
    mine: bool
    resolved: str
    """Who looked, and when."""
    resolution: str


@dataclass(frozen=True)
class Kind:
    """One kind, and how many of it wait."""

    kind: str
    words: str


class OpsFindings(rx.State):
    """The page /ops/findings."""

    loaded: bool = False
    rows: list[Row] = []
    more: bool = False
    which: str = OPEN
    kinds: list[Kind] = []
    """Those of which some wait, and the one that is shown."""
    kind: str = ""
    """The kind that is shown; empty: all."""
    resolving: int = 0
    """The number of the finding that is being resolved."""
    error: str = ""
    _limit: int = PAGE

    @rx.event
    async def load(self) -> None:
        """Show the page; `?kind=` names what is sought."""
        if not await renewed(self):
            self.resolving, self.error, self._limit = 0, "", PAGE
            if kind := storable(self.router.url.query_parameters.get("kind", ""), 30):
                self.kind, self.which = kind, OPEN
        await visit(self, OpsFindings)

    @rx.event
    async def choose(self, which: str) -> None:
        """Those to look at, those that nobody is at, one's own, or those somebody looked at."""
        user = await operator(self)
        if user is not None and which in WHICH:
            self.which, self.resolving, self.error, self._limit = which, 0, "", PAGE
            await self._refresh(user.id)

    @rx.event
    async def choose_kind(self, kind: str) -> None:
        """Those of one kind, or of all."""
        user = await operator(self)
        if user is not None and isinstance(kind, str):
            self.kind, self.resolving, self.error, self._limit = storable(kind, 30), 0, "", PAGE
            await self._refresh(user.id)

    @rx.event
    async def take(self, number: int) -> None:
        """Be at it from now on, so that nobody else begins."""
        await self._turn(findings.take, number)

    @rx.event
    async def let_go(self, number: int) -> None:
        """Leave it to whoever comes next."""
        await self._turn(findings.let_go, number)

    async def _turn(self, work: Callable[..., Finding], number: object) -> None:
        user = await operator(self)
        row = next((row for row in self.rows if row.number == number), None)
        if user is None or row is None:
            return
        token_hash = auth.scope_of(self).get("ev.sign_in") or ""
        self.error = ""
        try:
            await transact(_turned, token_hash, work, row)
        except findings.Changed as error:
            self.error = t(error.args[0])
        except operators.NotAnOperator:  # dismissed in this very moment: the next event learns it
            return
        await self._refresh(user.id)

    @rx.event
    async def show_more(self) -> None:
        """Thirty older ones."""
        user = await operator(self)
        if user is not None and self.more:
            self._limit += PAGE
            await self._refresh(user.id)

    @rx.event
    async def open(self, number: int) -> None:
        """Show the note's field of one finding, or put it away."""
        if await operator(self) is not None and type(number) is int:
            self.resolving, self.error = (0 if number == self.resolving else number), ""

    @rx.event
    async def resolve(self, form: dict[str, object]) -> None:
        """Somebody has looked, and says what came of it."""
        user = await operator(self)
        row = next((row for row in self.rows if row.number == self.resolving), None)
        if user is None or row is None:
            return
        if not (note := text(form, "note", 500)):
            self.error = t("Say what came of it; it is kept with your name.")
            return
        token_hash = auth.scope_of(self).get("ev.sign_in") or ""
        try:
            first = await transact(_resolve, token_hash, row, note)
        except findings.Changed as error:
            await self._refresh(user.id)
            self.error = t(error.args[0])
            return
        except operators.PinWanted:
            self.error = t(PIN_WANTED)
            return
        except operators.NotAnOperator:  # dismissed in this very moment: the next event learns it
            return
        self.resolving, self.error = 0, ""
        said = t("Resolved.") if first else t("Somebody was faster; the first note stands.")
        (await self.get_state(Effects))._say(said)
        await self._refresh(user.id)

    async def _refresh(self, user_id: int) -> None:
        found, names, waiting = await read(_shown, self.which, self.kind, user_id, self._limit + 1)
        self.rows = [_row(one, names, user_id) for one in found[: self._limit]]
        self.more, self.loaded = len(found) > self._limit, True
        self.kinds = [Kind(kind, f"{title(kind)} ({counted(many)})") for kind, many in waiting.items()]
        if self.kind and self.kind not in waiting:
            self.kinds = [*self.kinds, Kind(self.kind, title(self.kind))]


def _shown(
    db: Session, which: str, kind: str, user_id: int, limit: int
) -> tuple[list[Finding], dict[str, str], dict[str, int]]:
    taken_by = {FREE: findings.NOBODY, MINE: str(trail.user(user_id))}.get(which)
    found = findings.page(db, kind=kind, taken_by=taken_by, resolved=which == RESOLVED, limit=limit)
    names = usernames(db, [actor for one in found for actor in (one.taken_by, one.resolved_by)])
    return found, names, findings.kinds(db)


def _turned(db: Session, token_hash: str, work: Callable[..., Finding], row: Row) -> None:
    """Who is at a finding moves nothing and is undone by another tap: it needs no PIN."""
    by = operators.allowed(db, token_hash, pin=False)
    work(db, row.number, trail.user(by.id), seen=row.taken_by or None)


def _resolve(db: Session, token_hash: str, row: Row, note: str) -> bool:
    """What a finding warns of is money and safety, so that whoever puts it away gives the PIN as for any deed."""
    by = operators.allowed(db, token_hash)
    return findings.resolve(db, row.number, trail.user(by.id), note, read=row.detail)


def usernames(db: Session, actors: list[str | None]) -> dict[str, str]:
    """Names of those who act as `user:<number>`."""
    numbers = {int(actor.removeprefix("user:")) for actor in actors if actor and re.fullmatch(r"user:\d{1,9}", actor)}
    known = db.exec(select(User.id, User.username).where(col(User.id).in_(numbers)))
    return {f"user:{number}": username for number, username in known}


def _row(found: Finding, names: dict[str, str], user_id: int) -> Row:
    by, at_it = (names.get(actor or "", actor or "") for actor in (found.resolved_by, found.taken_by))
    return Row(
        number=found.id,
        title=title(found.kind),
        todo=advice(found.kind),
        kind=found.kind,
        ref=found.ref,
        link=_link(found),
        detail=found.detail,
        since=t("Since {time}", time=moment(found.created_at)),
        taken=t("{name} is at it, since {time}", name=at_it, time=moment(found.taken_at)) if found.taken_at else "",
        taken_by=found.taken_by or "",
        mine=found.taken_by == str(trail.user(user_id)),
        resolved=t("{name}, {time}", name=by, time=moment(found.resolved_at)) if found.resolved_at else "",
        resolution=found.resolution or "",
    )


def _link(found: Finding) -> str:
    """Where what it is about can be looked at."""
    if found.kind in OF_CHARGERS:
        return f"/ops/c/{found.ref.partition(':')[0]}"
    if found.ref.startswith(("RCH-", "REF-")):
        return f"/ops/refunds?find={quote(found.ref, safe='')}"
    return f"/ops/sessions?find={found.ref}" if _SESSION.fullmatch(found.ref) else ""
