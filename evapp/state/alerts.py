"""Whether this device says by a notice of its own what happens while evapp is open in the background."""

import reflex as rx

from evapp.web import auth

GRANTED = "granted"
PERMISSIONS = (GRANTED, "denied", "default", "none")
"""What browsers say of notices; `none`: this one has none."""


class Alerts(rx.State):
    """The choice is the device's: another one has another screen, and its own permission."""

    on: str = rx.LocalStorage("", name="evapp_alerts", sync=True)
    permission: str = ""
    """One of PERMISSIONS; empty: not known yet."""

    @rx.event
    async def seen(self, permission: str) -> None:
        """What the browser allows, as the page found it."""
        if await auth.guard(self) is not None and permission in PERMISSIONS:
            self.permission = permission

    @rx.event
    async def answered(self, permission: str) -> None:
        """What the driver answered when the browser asked."""
        if await auth.guard(self) is not None and permission in PERMISSIONS:
            self.permission = permission
            self.on = "yes" if permission == GRANTED else ""

    @rx.event
    async def turn_off(self) -> None:
        """Say nothing more by notices on this device."""
        if await auth.guard(self) is not None:
            self.on = ""
