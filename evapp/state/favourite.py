"""The star on a charger's page."""

import reflex as rx

from domain import favourites
from domain.chargers import ChargerUnknown
from domain.db import read, transact
from evapp.state.effects import Effects
from evapp.texts import t
from evapp.web import auth


class Favourite(rx.State):
    """Whether the charger of the page is one of the driver's favourites."""

    on: bool = False
    _charger_id: str = ""

    @rx.event
    async def toggle(self) -> None:
        """Set the star, or take it off."""
        user = await auth.guard(self)
        if user is None or not self._charger_id:
            return
        effects = await self.get_state(Effects)
        try:
            await transact(favourites.mark, user.id, self._charger_id, not self.on)
        except favourites.TooMany as error:
            effects._say(t(error.args[0]), "message")
        except ChargerUnknown:
            return
        await self._refresh(user.id)

    def _look_at(self, charger_id: str) -> None:
        self._charger_id = charger_id

    async def _refresh(self, user_id: int) -> None:
        self.on = await read(favourites.is_one, user_id, self._charger_id)
