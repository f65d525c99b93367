"""What a driver asked to be told: said once on whatever page is open, and kept at home until he puts it away."""

from dataclasses import dataclass

import reflex as rx

from domain import vacancies
from domain.db import read, transact
from domain.models import VacancyWish
from evapp.components.money import clock
from evapp.state.effects import Effects
from evapp.texts import t
from evapp.web import auth


@dataclass(frozen=True)
class Freed:
    """A charger that became free while the driver waited for it."""

    charger_id: str
    sentence: str


@dataclass(frozen=True)
class Waited:
    """A charger that the driver is told of when it is free."""

    charger_id: str
    until: str


class Notices(rx.State):
    """The chargers that became free, and those the driver waits for; every page watches them."""

    freed: list[Freed] = []  # noqa: RUF012 - a default that Reflex copies
    waiting: list[Waited] = []  # noqa: RUF012 - likewise
    _told: frozenset[tuple[str, str]] | None = None
    """What this tab knows already; None until it has looked."""

    @rx.event
    async def dismiss(self, charger_id: str) -> None:
        """Put one away, or wait for it no longer."""
        user = await auth.guard(self)
        known = [*(one.charger_id for one in self.freed), *(one.charger_id for one in self.waiting)]
        if user is None or user.id is None or charger_id not in known:
            return
        await transact(vacancies.forget, user.id, charger_id)
        await self._refresh(user.id)

    async def _refresh(self, user_id: int) -> None:
        rows = await read(vacancies.told, user_id)
        self.freed = [_freed(row) for row in rows]
        self.waiting = [
            Waited(row.charger_id, t("You are told when it is free, until {time}.", time=clock(row.expires_at)))
            for row in await read(vacancies.waiting, user_id)
        ]
        told = frozenset((one.charger_id, one.sentence) for one in self.freed)
        if self._told is not None and (new := told - self._told):
            (await self.get_state(Effects))._say(" ".join(sorted(sentence for _, sentence in new)))
        self._told = told


def _freed(row: VacancyWish) -> Freed:
    at = row.told_at or row.created_at
    return Freed(row.charger_id, t("{charger} became free at {time}.", charger=row.charger_id, time=clock(at)))
