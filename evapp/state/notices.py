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


class Notices(rx.State):
    """The chargers that became free; every page watches them."""

    freed: list[Freed] = []  # noqa: RUF012 - a default that Reflex copies
    _told: frozenset[tuple[str, str]] | None = None
    """What this tab knows already; None until it has looked."""

    @rx.event
    async def dismiss(self, charger_id: str) -> None:
        """Put one away."""
        user = await auth.guard(self)
        if user is None or user.id is None or charger_id not in [one.charger_id for one in self.freed]:
            return
        await transact(vacancies.forget, user.id, charger_id)
        await self._refresh(user.id)

    async def _refresh(self, user_id: int) -> None:
        rows = await read(vacancies.told, user_id)
        self.freed = [_freed(row) for row in rows]
        told = frozenset((one.charger_id, one.sentence) for one in self.freed)
        if self._told is not None and (new := told - self._told):
            (await self.get_state(Effects))._say(" ".join(sorted(sentence for _, sentence in new)))
        self._told = told


def _freed(row: VacancyWish) -> Freed:
    at = row.told_at or row.created_at
    return Freed(row.charger_id, t("{charger} became free at {time}.", charger=row.charger_id, time=clock(at)))
