"""What there is to do while a charger is in use: be told when it is free, or take another one beside it."""

import reflex as rx

from domain import offers, vacancies
from domain.chargers import ChargerUnknown
from domain.db import read, transact
from evapp.components.money import clock
from evapp.state.effects import Effects
from evapp.state.find import Known, known_row
from evapp.texts import t
from evapp.web import auth


class Vacancy(rx.State):
    """The wait for the charger of the page, and the free ones of the same place."""

    until: str = ""
    """Until when the driver waits; empty: he does not."""
    beside: list[Known] = []
    _charger_id: str = ""

    @rx.event
    async def wait(self) -> None:
        """Be told as soon as this charger is free."""
        user = await auth.guard(self)
        if user is None:
            return
        try:
            await transact(vacancies.wish, user.id, self._charger_id)
        except vacancies.TooMany as error:
            (await self.get_state(Effects))._say(t(error.args[0]), "message")
        except ChargerUnknown:
            return
        await self._refresh(user.id)

    @rx.event
    async def leave(self) -> None:
        """Wait no longer."""
        if user := await auth.guard(self):
            await transact(vacancies.forget, user.id, self._charger_id)
            await self._refresh(user.id)

    def _look_at(self, charger_id: str) -> None:
        self._charger_id = charger_id

    async def _refresh(self, user_id: int) -> None:
        until = await read(vacancies.waits_until, user_id, self._charger_id)
        self.until = clock(until) if until is not None else ""
        try:
            self.beside = [known_row(view) for view in await read(offers.free_beside, self._charger_id)]
        except ChargerUnknown:
            self.beside = []
