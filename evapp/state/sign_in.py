"""What the sign-in and register pages show: where the driver comes from, and what the last try came back with."""

import re
from urllib.parse import unquote

import reflex as rx
from reflex.event import EventSpec

from domain import accounts, chargers, identity, typed_ids
from domain.chargers import ChargerUnknown
from domain.db import read
from domain.models import now
from domain.settings import settings
from evapp.components.money import per_kwh
from evapp.state.effects import Effects
from evapp.texts import bare, t
from evapp.web import auth
from evapp.web.forms import KEEP

CHARGER_PAGE = re.compile(r"/c/([^/?#]+)")


class SignIn(rx.State):
    """The forms themselves are posted to /auth/login and /auth/register; this only reads the flash."""

    next_path: str = ""
    """Where to go after it; the server checks it again."""
    note: str = ""
    """What the sign-in is for, when the driver comes from a charger; or what just happened."""

    flash_login: str = ""
    flash_username: str = ""
    flash_phone: str = ""
    flash_email: str = ""
    digits: str = ""
    """Of a PIN: how many."""
    keep: bool = True
    """Whether the box "keep me signed in" is ticked to begin with."""
    error: str = ""
    """One sentence about the form as a whole."""
    errors: dict[str, str] = {}
    """Field → sentence."""

    @rx.event
    async def arrive(self) -> EventSpec | None:
        """Show what the last post left behind; somebody who is signed in already goes on."""
        self.next_path = self.router.url.query_parameters.get("next", "")
        self.digits = str(settings().pin_length)
        form = bare(self.router.url.path).strip("/")
        flash = auth.flash_of(self, form)
        self.note = flash.get("note") or await _note(self.next_path)
        fields, errors = flash.get("fields", {}), flash.get("errors", {})
        for name in ("login", "username", "phone", "email"):
            setattr(self, f"flash_{name}", fields.get(name, ""))
        self.keep = not fields or fields.get("keep") == KEEP
        if form == "register" and errors and errors.keys().isdisjoint(("pin", "pin_again")):
            # No flash holds a PIN (evapp/web/flash.py), and whoever reads of another field alone would overlook that.
            errors["pin"] = t("Enter your PIN again, in both fields: for safety a page never shows it again.")
        self.error = errors.pop("", "")
        self.errors = errors
        if await auth.signed_in(self):
            (await self.get_state(Effects))._leave(auth.gate_to(self.next_path))
            return None
        return rx.set_focus(next(iter(errors))) if errors else None

    @rx.event
    def check(self, field: str, typed: str) -> None:
        """Say beside a field that what was typed there has not the form of one, as soon as it is left.

        Whether a name is taken is said by the posted form alone, whose tries are counted (docs/security.md).
        """
        if not isinstance(field, str) or field not in accounts.READ or not isinstance(typed, str):
            return
        wrong = {name: sentence for name, sentence in self.errors.items() if name != field}
        if typed.strip():
            try:
                accounts.READ[field](typed)
            except identity.Unusable as error:
                wrong[field] = t(error.args[0])
        self.errors = wrong


async def _note(path: str) -> str:
    """What somebody who came from a charger's page signs in for, and what a kWh costs there. Of an address that a
    stranger wrote nothing is repeated but what may be an ID."""
    charger = CHARGER_PAGE.match(bare(path))
    if charger is None:
        return ""
    typed = unquote(charger[1])[:60]
    found = await read(typed_ids.exact, typed)
    try:
        view = await read(chargers.view, found or "")
    except ChargerUnknown:
        return t("Sign in to charge at {charger}", charger=typed) if chargers.IDENTITY.fullmatch(typed) else ""
    return t("Sign in to charge at {charger} · {price}", charger=view.id, price=per_kwh(view.price.at(now())))
