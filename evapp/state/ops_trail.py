"""What operators did, to whom and why; lines are only ever added."""

from dataclasses import dataclass

import reflex as rx
from sqlmodel import Session

from domain import trail
from domain.db import read
from domain.models import ActorKind, TrailEntry
from evapp.components.money import moment
from evapp.state.ops import operator, visit
from evapp.state.ops_deed import text
from evapp.state.ops_findings import usernames
from evapp.texts import later, t

PAGE = 40
ACTORS = {ActorKind.SHELL: later("{name}, at the shell"), ActorKind.KEY: later("Key {name} of the API")}
LINKS = {
    "charger": "/ops/c/",
    "user": "/ops/users/",
    "session": "/ops/sessions?find=",
    "order": "/ops/refunds?find=",
    "refund": "/ops/refunds?find=",
}


@dataclass(frozen=True)
class Row:
    """One act in words."""

    number: int
    who: str
    by: str
    """Whoever did it, as the trail names him: user:7, shell:root, key:evk_…"""
    action: str
    subject: str
    link: str
    detail: str
    when: str


class OpsTrail(rx.State):
    """The page /ops/trail."""

    loaded: bool = False
    rows: list[Row] = []
    more: bool = False
    about: str = ""
    """The subject whose acts are shown; empty: all."""
    by: str = ""
    """Of whom they are; empty: of everybody."""
    by_name: str = ""

    @rx.event
    async def load(self) -> None:
        """Show the page; `?about=` names one subject, `?by=` whoever acted."""
        asked = self.router.url.query_parameters
        self.about, self.by = asked.get("about", "")[:100], asked.get("by", "")[:100]
        await visit(self, OpsTrail)

    @rx.event
    async def search(self, form: dict[str, object]) -> None:
        """Show what was done to one subject."""
        if user := await operator(self):
            self.about = text(form, "about", 100)
            await self._refresh(user.id)

    @rx.event
    async def show_more(self) -> None:
        """Forty older lines below those shown."""
        if await operator(self) is not None and self.rows and self.more:
            older = await read(_rows, self.about, self.by, self.rows[-1].number)
            self.rows, self.more = [*self.rows, *older[:PAGE]], len(older) > PAGE

    async def _refresh(self, user_id: int) -> None:
        found = await read(_rows, self.about, self.by, None)
        self.rows, self.more, self.loaded = found[:PAGE], len(found) > PAGE, True
        self.by_name = found[0].who if found else self.by


def _rows(db: Session, about: str, by: str, before: int | None) -> list[Row]:
    found = trail.entries(db, before=before, limit=PAGE + 1, subject=about, actor=trail.actor(by))
    names = usernames(db, [f"user:{entry.actor_id}" for entry in found if entry.actor_kind == ActorKind.USER])
    return [_row(entry, names) for entry in found]


def _row(entry: TrailEntry, names: dict[str, str]) -> Row:
    kind, _, name = entry.subject.partition(":")
    by = f"{entry.actor_kind}:{entry.actor_id}"
    who = t(ACTORS[ActorKind(entry.actor_kind)], name=entry.actor_id) if entry.actor_kind in ACTORS else names.get(by)
    return Row(
        number=entry.id,
        who=who or by,
        by=by,
        action=entry.action,
        subject=entry.subject,
        link=f"{LINKS[kind]}{name}" if kind in LINKS else "",
        detail=entry.detail,
        when=moment(entry.at),
    )
