"""Telling the operator what is wrong with a charger."""

from typing import Any

import reflex as rx

from domain import faults
from domain.chargers import ChargerUnknown
from domain.db import transact
from evapp.texts import t
from evapp.web import auth


class FaultReport(rx.State):
    """The form on a charger's page."""

    sent: bool = False
    error: str = ""
    _charger_id: str = ""

    @rx.event
    async def send(self, form: dict[str, Any]) -> None:
        """Keep the report; the domain judges what the form holds."""
        user = await auth.guard(self)
        if user is None:
            return
        reason, words = (_text(form, name) for name in ("reason", "words"))
        self.error = ""
        try:
            await transact(faults.report, user.id, self._charger_id, reason, words)
        except faults.Refused as refusal:
            self.error = t(refusal.args[0])
        except ChargerUnknown:
            return
        else:
            self.sent = True

    def _look_at(self, charger_id: str) -> None:
        self._charger_id = charger_id

    async def _refresh(self, user_id: int) -> None:
        """Nothing of it changes by itself."""


def _text(form: object, name: str) -> str:
    value = form.get(name) if isinstance(form, dict) else None
    return value[: 2 * faults.LONGEST] if isinstance(value, str) else ""
