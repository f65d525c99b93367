"""Whether to say how the app comes onto the phone's own screen: after the first charge, until it is put away."""

import reflex as rx

from domain import history
from domain.db import read
from evapp.web import auth


class Install(rx.State):
    """The hint on the home page; the browser remembers that it was put away, since another device is another screen."""

    due: bool = False
    """The driver has a charge behind him."""
    done: str = rx.LocalStorage("", name="evapp_install")

    @rx.event
    async def put_away(self) -> None:
        """Say it no more on this device."""
        if await auth.guard(self) is not None:
            self.done = "yes"

    async def _refresh(self, user_id: int) -> None:
        self.due = bool(await read(history.moments, user_id))
