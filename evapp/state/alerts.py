"""Whether this device says by a notice of its own what happens while nobody looks at evapp."""

import msgspec
import reflex as rx
import structlog

from domain import push
from domain.db import transact
from evapp.texts import t
from evapp.web import auth
from evapp.web.push import public_key

GRANTED = "granted"
PERMISSIONS = (GRANTED, "denied", "default", "none")
"""What browsers say of notices; `none`: this one has none."""
LONGEST = 4_000
"""Characters of a subscription as JSON."""


class Keys(msgspec.Struct):
    """What a push is sealed with, base64url (RFC 8291, 3.1)."""

    p256dh: str
    auth: str


class Subscription(msgspec.Struct):
    """A browser's PushSubscription, of which we take these (W3C Push API, 8)."""

    endpoint: str
    keys: Keys


log = structlog.get_logger()

_read = msgspec.json.Decoder(Subscription).decode


class Alerts(rx.State):
    """The choice is the device's: another one has another screen, and its own permission."""

    on: str = rx.LocalStorage("", name="evapp_alerts", sync=True)
    permission: str = ""
    """One of PERMISSIONS; empty: not known yet."""
    key: str = ""
    """With which a browser subscribes; empty: nothing is sent to one that has evapp closed."""
    closed: bool = False
    """It is told while evapp is closed, too."""
    why: str = ""
    """Why it is not, as far as we know."""

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
    async def wake(self) -> None:
        """A page is open on a device that is to be told: its browser gets the key and subscribes, again if it has
        before, since browsers end subscriptions by themselves, and signing in begins anew."""
        if await auth.signed_in(self) is not None:
            self.key = public_key()

    @rx.event
    async def subscribed(self, given: str) -> None:
        """What the browser's push service gave; empty where there is none."""
        sign_in = await auth.sign_in_of(self)
        if sign_in is None or not self.key:
            return
        self.closed, self.why = False, ""
        if not isinstance(given, str) or not 0 < len(given) <= LONGEST:
            return
        try:
            told = _read(given)
            await transact(push.subscribe, sign_in.id, sign_in.user_id, told.endpoint, told.keys.p256dh, told.keys.auth)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError, push.Refused) as error:
            log.info("browser not told while evapp is closed", user=sign_in.user_id, why=type(error).__name__)
            self.why = t(error.args[0]) if isinstance(error, push.Refused) else ""
            return
        self.closed = True

    @rx.event
    async def turn_off(self) -> None:
        """Say nothing more by notices on this device."""
        if await auth.guard(self) is None:
            return
        self.on, self.closed = "", False
        if sign_in := await auth.sign_in_of(self):
            await transact(push.unsubscribe, sign_in.id)
