"""The cards whose charges a driver pays, and his way to block one that is lost."""

from dataclasses import dataclass

import reflex as rx
import structlog
from reflex.event import EventSpec

from domain import tokens
from domain.db import read, transact
from domain.models import TokenStatus, now
from evapp.state.effects import Effects
from evapp.texts import later, t
from evapp.web import auth

log = structlog.get_logger()

WORDS = {
    TokenStatus.ACCEPTED: later("You pay for what it charges."),
    TokenStatus.BLOCKED: later("Blocked. Nobody can charge with it."),
    TokenStatus.EXPIRED: later("Expired. Nobody can charge with it."),
}


@dataclass(frozen=True)
class Card:
    """A card (RFID) by the number that chargers read of it."""

    tag: str
    state: str
    good: bool
    """It begins charges, and can be blocked."""


class Cards(rx.State):
    """A part of the page /profile, for those who have a card."""

    own: list[Card] = []
    asked: str = ""
    """The card about which it is asked whether it shall be blocked; empty: none."""

    @rx.event
    def ask(self, tag: str) -> EventSpec:
        """Ask whether one shall be blocked, or for "" about none any more. What that does is guarded."""
        self.asked = tag if self._has(tag) else ""
        return rx.set_focus("keep-card" if self.asked else "cards")

    @rx.event
    async def block(self, tag: str) -> EventSpec | None:
        """Let nobody charge with one of them; only an operator undoes it."""
        user = await auth.guard(self)
        if user is None or not self._has(tag):
            return None
        if await transact(tokens.lost, user.id, tag):
            log.info("card blocked by its driver", user=user.id)
            (await self.get_state(Effects))._say(t("Card {card} is blocked.", card=tag))
        await self._refresh(user.id)
        return self.ask("")  # type: ignore[operator]

    def _has(self, tag: object) -> bool:
        return tag in [card.tag for card in self.own]

    async def _refresh(self, user_id: int) -> None:
        rows = await read(lambda db: [(one.tag, tokens.status(db, one, now())) for one in tokens.of_user(db, user_id)])
        self.own = [Card(tag, t(WORDS[TokenStatus(it)]), it == TokenStatus.ACCEPTED) for tag, it in rows]
