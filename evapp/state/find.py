"""Finding a charger by what its sticker says, however it is typed."""

from collections.abc import Sequence
from dataclasses import dataclass

import reflex as rx
from reflex.event import EventSpec
from sqlmodel import Session

from domain import chargers, favourites, history, offers, stickers, typed_ids
from domain.chargers import BUSY, FAULT, FREE, NO_CONTACT, OFF
from domain.db import read
from domain.models import now
from domain.settings import settings
from evapp.components.money import per_kwh, rated_kw
from evapp.state.visit import arrive, renewed
from evapp.texts import at, later, t
from evapp.web import auth
from evapp.web.live import hub

WORDS = {
    FREE: ("free", later("Free")),
    BUSY: ("in_use", later("In use")),
    FAULT: ("faulted", later("Out of order")),
    OFF: ("faulted", later("Switched off")),
    NO_CONTACT: ("silent", later("No contact")),
}
"""State of a charger or connector → dot, word."""

LONGEST_ADDRESS = 300
BEST_FIRST = (FREE, BUSY, FAULT, OFF, NO_CONTACT)


@dataclass(frozen=True)
class Known:
    """A charger the driver has used, with what it is doing now."""

    id: str
    place: str
    shown: str
    words: str
    price: str


class Find(rx.State):
    """The search, and the chargers the driver knows: each list free ones first, those without contact last."""

    error: str = ""
    suggestions: list[str] = []
    place: str = ""
    """The place that was typed, where chargers stand."""
    there: list[Known] = []
    """Those of it."""
    _there: tuple[str, ...] = ()
    favourites: list[Known] = []
    known: list[Known] = []
    loaded: bool = False

    @rx.event
    async def load(self) -> EventSpec | None:
        """Show the page /charge; `?charger=` is what a browser asks for that had not loaded our script yet."""
        again, asked = await renewed(self), self.router.url.query_parameters.get("charger", "")
        self._show()
        user = await arrive(self, Find)
        if user is None or not asked or again:
            return None
        return await self._find(asked, user.id, replace=True)

    @rx.event
    async def find(self, form: dict[str, object]) -> EventSpec | None:
        """Go to the charger that was meant, or say which IDs are close."""
        user = await auth.guard(self)
        if user is None:
            return None
        given = form.get("charger") if isinstance(form, dict) else None
        return await self._find(given if isinstance(given, str) else "", user.id)

    async def _find(self, given: str, user_id: int, *, replace: bool = False) -> EventSpec | None:
        """`replace`: the way back does not lead to the search again."""
        typed = _typed(given)
        if not typed_ids.find_key(typed):
            self._show(error=t("Type the ID printed under the QR code, like DEMO-1."))
            return rx.set_focus("charger")
        found = await read(typed_ids.find, typed)
        if found.charger_id is not None:
            self._show()
            return rx.redirect(at(f"/c/{found.charger_id}"), replace=replace)
        if found.at_place:
            self._show(place=typed, there=found.at_place)
            await self._refresh(user_id)
            return None
        self._show(t("No charger {typed}. Check the ID on its sticker.", typed=typed), found.suggestions)
        return rx.set_focus("charger")

    def _show(
        self, error: str = "", suggestions: Sequence[str] = (), place: str = "", there: tuple[str, ...] = ()
    ) -> None:
        """What the last search came to takes the place of the one before."""
        self.error, self.suggestions = error, list(suggestions)
        self.place, self._there, self.there = place, there, []

    async def _refresh(self, user_id: int) -> None:
        self.favourites, self.known = await read(_known, user_id)
        self.there = await read(_rows, self._there)
        self.loaded = True
        shown = [one.id for one in (*self.favourites, *self.known, *self.there)]
        hub.follow(self.router.session.client_token, shown)


def _known(db: Session, user_id: int) -> tuple[list[Known], list[Known]]:
    """The favourites, and the other chargers used last."""
    starred = favourites.of(db, user_id)
    recent = [charger_id for charger_id in history.used_chargers(db, user_id) if charger_id not in starred]
    return _rows(db, starred), _rows(db, recent)


def _rows(db: Session, ids: Sequence[str]) -> list[Known]:
    views = offers.of(db, ids)
    views.sort(key=lambda view: BEST_FIRST.index(view.state))
    return [known_row(view) for view in views]


def known_row(view: chargers.ChargerView) -> Known:
    """A charger as a line of a list."""
    shown, later_word = WORDS[view.state]
    word = t(later_word)
    power = max((c.max_power_w for c in view.connectors), default=0)
    return Known(
        id=view.id,
        place=view.place or view.name or view.id,
        shown=shown,
        words=f"{word} · {rated_kw(power)} kW" if power else word,
        price=per_kwh(view.price.at(now())),
    )


def _typed(typed: str) -> str:
    """What was typed, or the ID in a sticker's address that was pasted."""
    try:
        return stickers.scanned(settings().url, typed[:LONGEST_ADDRESS])
    except stickers.NotOurs:
        return typed.strip()[:60]
