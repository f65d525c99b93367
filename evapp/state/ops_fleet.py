"""The fleet: every charger with what it does now, how long ago it was heard, and what is wrong with it."""

from dataclasses import dataclass

import reflex as rx

from domain import fleet
from domain.chargers import BUSY
from domain.db import read
from domain.fleet import Counts, Seen
from domain.models import now
from evapp.components.money import counted, duration
from evapp.state.find import WORDS
from evapp.state.ops import operator, visit
from evapp.state.ops_deed import text
from evapp.texts import later, t
from evapp.web.live import CHARGERS

MOST = 150
"""Rows that are shown at once, since each change reads them anew; behind them the list goes on by itself."""

FLAGS = {
    "skew": later("Clock is wrong"),
    "boot_loop": later("Boots again and again"),
    "repairs": later("Messages repaired"),
    "unanswered": later("Calls unanswered"),
}
"""What of its health wants to be looked at."""


@dataclass(frozen=True)
class Row:
    """One charger in words."""

    id: str
    name: str
    shown: str
    words: str
    plugs: str
    heard: str
    flags: str


class Fleet(rx.State):
    """The page /ops."""

    loaded: bool = False
    counts: list[str] = []
    rows: list[Row] = []
    more: bool = False
    which: str = fleet.EVERY
    typed: str = ""
    after: str = ""
    """The ID behind which the list begins; empty: with the first."""
    _limit: int = fleet.PAGE

    @rx.event
    async def load(self) -> None:
        """Show the page."""
        self._begin()
        await visit(self, Fleet, topics=(CHARGERS,))

    @rx.event
    async def choose(self, which: str) -> None:
        """Show the chargers of one filter."""
        user = await operator(self)
        if user is not None and which in fleet.FILTERS:
            self.which = which
            self._begin()
            await self._refresh(user.id)

    @rx.event
    async def search(self, form: dict[str, object]) -> None:
        """Show those with these words in ID, name or place."""
        if user := await operator(self):
            self.typed = text(form, "charger", 60)
            self._begin()
            await self._refresh(user.id)

    @rx.event
    async def show_more(self) -> None:
        """Thirty more below those shown; where these are as many as are shown at once, in their place."""
        user = await operator(self)
        if user is None or not self.more:
            return
        if len(self.rows) >= MOST:
            self._begin(self.rows[-1].id)
        else:
            self._limit += fleet.PAGE
        await self._refresh(user.id)

    @rx.event
    async def go_back(self) -> None:
        """Begin with the first again."""
        if user := await operator(self):
            self._begin()
            await self._refresh(user.id)

    def _begin(self, after: str = "") -> None:
        self.after, self._limit = after, fleet.PAGE

    async def _refresh(self, user_id: int) -> None:
        sought = {"which": self.which, "typed": self.typed, "after": self.after}
        found = await read(fleet.page, limit=self._limit + 1, **sought)
        self.rows, self.more = [_row(seen) for seen in found[: self._limit]], len(found) > self._limit
        self.counts = _counts(await read(fleet.counts))
        self.loaded = True


def _counts(found: Counts) -> list[str]:
    return [
        t("{count} in all", count=counted(found.all)),
        t("{count} in contact", count=counted(found.in_contact)),
        t("{count} charging", count=counted(found.charging)),
        t("{count} out of order", count=counted(found.faulted)),
    ]


def _row(seen: Seen) -> Row:
    charger = seen.charger
    shown, word = shown_as(seen)
    several = len(seen.plugs) > 1
    return Row(
        id=charger.id,
        name=charger.place or charger.name,
        shown=shown,
        words=word,
        plugs=" · ".join(f"{plug.number} {t(WORDS[state][1])}" for plug, state in seen.plugs) if several else "",
        heard=heard_words(seen),
        flags=" · ".join(t(FLAGS[flag]) for flag in seen.flags),
    )


def shown_as(seen: Seen) -> tuple[str, str]:
    """Dot and word of a charger."""
    if seen.charger.retired_at is not None:
        return "silent", t("Retired")
    if seen.charging and seen.state == BUSY:
        return "charging", t("Charging")
    shown, word = WORDS[seen.state]
    return shown, t(word)


def heard_words(seen: Seen) -> str:
    """How long ago it last said something."""
    at = seen.charger.heard_at
    if at is None:
        return t("Never heard")
    return t("Heard {time} ago", time=ago(int((now() - at).total_seconds())))


def ago(seconds: int) -> str:
    """A time past in its largest unit: 38 s, 4 min, 1 h 04 m, 12 days."""
    days = seconds // 86_400
    return t("{days} days", days=days) if days > 1 else duration(seconds)
