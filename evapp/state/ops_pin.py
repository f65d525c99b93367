"""Where an operator gives the PIN again, which opens everything for some minutes."""

import reflex as rx

from evapp.state.ops import operator
from evapp.web import auth
from evapp.web.live import hub


class OpsPin(rx.State):
    """The form itself is posted to /auth/step-up; this only reads the flash."""

    next_path: str = ""
    """As the address says it; the door of the form goes to paths of ours alone."""
    error: str = ""
    wrong: str = ""
    """What is wrong with the PIN."""

    @rx.event
    async def load(self) -> None:
        """Show the page /ops/pin; the hub does not watch it, since the answer ends this very sign-in's token."""
        self.next_path = self.router.url.query_parameters.get("next", "")
        errors = auth.flash_of(self, "step-up").get("errors", {})
        self.error, self.wrong = errors.get("", ""), errors.get("pin", "")
        hub.forget(self.router.session.client_token)
        await operator(self)
