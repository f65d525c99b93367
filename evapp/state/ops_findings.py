"""What somebody must look at, and what came of it; nothing of it is mended by itself."""

import re
from dataclasses import dataclass
from urllib.parse import quote

import reflex as rx
from sqlmodel import Session

from domain import findings, operators, trail
from domain.db import read, transact
from domain.models import Finding, User
from evapp.components.money import moment
from evapp.state.effects import Effects
from evapp.state.ops import operator, visit
from evapp.state.ops_deed import PIN_WANTED, text
from evapp.state.visit import renewed
from evapp.texts import later, t
from evapp.web import auth

PAGE = 30
OPEN, RESOLVED = "open", "resolved"

KINDS = {
    "audit": later("A rule of the ledger is broken"),
    "boot-loop": later("A charger boots again and again"),
    "certificate-wanted": later("A charger wants a certificate"),
    "clock-ahead": later("A clock of ours was ahead"),
    "conflict": later("A second stop with another meter"),
    "driver-report": later("A driver reports a fault"),
    "energy-scale": later("A charger counts kWh and calls them Wh"),
    "local-list": later("A charger had another list of cards"),
    "mismatch": later("A payment of another amount"),
    "mute": later("A charger answers and tells nothing"),
    "one-identity": later("Two boards use one identity"),
    "orphan-hold": later("Money is held for what is over"),
    "orphan-stop": later("A stop that belongs to no charge"),
    "overdue": later("Something is late and nobody does it"),
    "refund-due": later("Money came in for somebody who left"),
    "refund-late": later("Paid back after all, maybe twice"),
    "refund-mismatch": later("Another amount was paid back"),
    "refund-slow": later("A refund takes too long"),
    "refund-undone": later("A refund was taken back"),
    "review": later("A bill to look at"),
    "security": later("A charger reports tampering"),
    "stop-unanswered": later("A charger does not stop"),
    "unconfirmed": later("A payment that nobody confirms"),
    "unsettled": later("A charge without a bill"),
}
"""What happened; docs/operate.md says what to do."""
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
GATEWAY, SETTLED = later("PhonePe says something else"), later("The settlement report says something else")
_SESSION = re.compile(r"[A-Z0-9]{16}")


@dataclass(frozen=True)
class Row:
    """One finding in words."""

    number: int
    title: str
    kind: str
    ref: str
    link: str
    detail: str
    since: str
    resolved: str
    """Who looked, and when."""
    resolution: str


class OpsFindings(rx.State):
    """The page /ops/findings."""

    loaded: bool = False
    rows: list[Row] = []
    more: bool = False
    which: str = OPEN
    resolving: int = 0
    """The number of the finding that is being resolved."""
    error: str = ""
    _limit: int = PAGE

    @rx.event
    async def load(self) -> None:
        """Show the page."""
        if not await renewed(self):
            self.resolving, self.error, self._limit = 0, "", PAGE
        await visit(self, OpsFindings)

    @rx.event
    async def choose(self, which: str) -> None:
        """Those to look at, or those somebody looked at."""
        user = await operator(self)
        if user is not None and which in (OPEN, RESOLVED):
            self.which, self.resolving, self._limit = which, 0, PAGE
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
        found = await read(findings.page, resolved=self.which == RESOLVED, limit=self._limit + 1)
        names = await read(usernames, [one.resolved_by for one in found])
        self.rows = [_row(one, names) for one in found[: self._limit]]
        self.more, self.loaded = len(found) > self._limit, True


def _resolve(db: Session, token_hash: str, row: Row, note: str) -> bool:
    """What a finding warns of is money and safety, so that whoever puts it away gives the PIN as for any deed."""
    by = operators.allowed(db, token_hash)
    return findings.resolve(db, row.number, trail.user(by.id), note, read=row.detail)


def title(kind: str) -> str:
    """What happened, in a few words; a kind nobody described is its own name."""
    if kind.startswith("gateway-"):
        return t(GATEWAY)
    if kind.startswith("settled-"):
        return t(SETTLED)
    return t(KINDS[kind]) if kind in KINDS else kind


def usernames(db: Session, actors: list[str | None]) -> dict[str, str]:
    """Names of those who act as `user:<number>`."""
    numbers = {int(actor.removeprefix("user:")) for actor in actors if actor and re.fullmatch(r"user:\d{1,9}", actor)}
    people = [db.get(User, number) for number in numbers]
    return {f"user:{one.id}": one.username for one in people if one is not None}


def _row(found: Finding, names: dict[str, str]) -> Row:
    by = names.get(found.resolved_by or "", found.resolved_by or "")
    return Row(
        number=found.id,
        title=title(found.kind),
        kind=found.kind,
        ref=found.ref,
        link=_link(found),
        detail=found.detail,
        since=t("Since {time}", time=moment(found.created_at)),
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
