"""What a driver asked to be told: said once on whatever page is open, and kept at home until he puts it away."""

from dataclasses import dataclass

import reflex as rx

from domain import recharges, vacancies
from domain.db import read, transact
from domain.models import OrderState, VacancyWish
from evapp.components.money import clock
from evapp.state.effects import Effects
from evapp.texts import bare, news, t
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

    freed: list[Freed] = []
    waiting: list[Waited] = []
    _told: frozenset[tuple[str, str]] | None = None
    """What this tab knows already; None until it has looked."""
    _awaited: frozenset[str] = frozenset()
    """Payments that were on their way when this tab looked last."""

    @rx.event
    async def dismiss(self, charger_id: str) -> None:
        """Put one away, or wait for it no longer."""
        user = await auth.guard(self)
        known = [*(one.charger_id for one in self.freed), *(one.charger_id for one in self.waiting)]
        if user is None or charger_id not in known:
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
        new = told - self._told if self._told is not None else frozenset()
        freed, arrived = sorted(sentence for _, sentence in new), await self._arrived(user_id)
        if news := [*freed, *arrived.values()]:
            shown = not freed and arrived.keys() == {self._paid()}
            (await self.get_state(Effects))._say(" ".join(news), "quiet" if shown else "success")
        self._told = told

    def _paid(self) -> str:
        """The payment that the page itself tells of: the wallet's, when a driver comes back from it."""
        url = self.router.url
        return url.query_parameters.get("paid", "") if bare(url.path) == "/wallet" else ""

    async def _arrived(self, user_id: int) -> dict[str, str]:
        """A sentence for each payment that was on its way and is in the wallet now."""
        sentences = {}
        awaited = frozenset(order.merchant_order_id for order in await read(recharges.of_user, user_id))
        for order_id in sorted(self._awaited - awaited):
            order = await read(recharges.owned, user_id, order_id)
            if order.state == OrderState.CREDITED:
                sentences[order_id] = news.added(order.amount_paise)
        self._awaited = awaited
        return sentences


def _freed(row: VacancyWish) -> Freed:
    at = row.told_at or row.created_at
    return Freed(row.charger_id, news.freed(row.charger_id, at))
