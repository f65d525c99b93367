"""You: what the app knows about a driver, and every change of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import phonenumbers
import reflex as rx
from phonenumbers import PhoneNumberFormat
from reflex.event import EventSpec

from domain import accounts, attempts, firms, sign_ins, vehicles
from domain.accounts import AccountDeleted, FieldErrors
from domain.attempts import Locked
from domain.db import read, transact
from domain.models import Firm, Role, SignIn, User, Vehicle
from domain.pins import TooBusy
from domain.settings import settings
from domain.sign_ins import Refused
from evapp.components.money import moment, rated_kw, rupees
from evapp.state.cards import Cards
from evapp.state.effects import Effects
from evapp.state.visit import arrive, renewed
from evapp.texts import t
from evapp.texts.refusals import refusal
from evapp.web import auth

BESIDE = {"vehicle": vehicles.save, "firm": firms.save}
"""What a driver tells beside what he is called: a form of several fields, and what keeps it."""
SAVED = (*accounts.READ, *BESIDE)
EDITORS = (*SAVED, "pin", "logout", "delete")
"""What can be open for a change; one at a time."""
UNDONE = ("username", "email")
"""What can be taken back with a tap: a new phone number needed the PIN, and so would the old one."""
POSTED = ("pin", "delete")
"""Those the browser posts to /auth: what they come back with is in the flash."""
FIRST = {"pin": "pin", "delete": "pin", "vehicle": "name", "firm": "gstin", "logout": "stay"}
"""Where the focus goes in an editor that is not named after its field."""

BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "CrOS": "Chromebook",
    "Mac OS": "Mac",
    "Linux": "Linux",
}
"""What a browser's own words contain, the more telling first, and what people call it."""


@dataclass(frozen=True)
class Device:
    """A browser somebody is signed in with."""

    number: int
    name: str
    used: str
    here: bool


class Profile(rx.State):
    """The page's facts, and the one editor that is open."""

    loaded: bool = False
    username: str = ""
    phone: str = ""
    """As people read it."""
    phone_digits: str = ""
    """As people type it after +91."""
    email: str = ""
    digits: str = ""
    """Of a PIN: how many."""
    pin: str = ""
    """So many dots."""
    operator: bool = False
    vehicle: str = ""
    """In one line; empty: he told of none."""
    vehicle_typed: dict[str, str] = {}
    """As people type it: name, battery, ac, dc."""
    firm: str = ""
    """In one line; empty: he told of none."""
    firm_typed: dict[str, str] = {}
    """As people type it: gstin, name, address."""
    waivable: str = ""
    """What is left in the wallet and cannot be paid back; empty: nothing, or it can."""
    waivable_paise: str = ""
    devices: list[Device] = []

    editing: str = ""
    """One of EDITORS; empty: none is open."""
    errors: dict[str, str] = {}
    """Field → sentence."""
    error: str = ""
    """One sentence about the open editor as a whole."""
    note: str = ""
    """What a posted form did."""
    saved: str = ""
    """The editor that kept something just now; its row says so."""
    _before: str = ""
    """What stood there until then."""

    @rx.event
    async def load(self) -> EventSpec | None:
        """Show the page /profile, and what its posted forms came back with."""
        again = await renewed(self)
        if await arrive(self, Profile, Cards) is None:
            return None
        flashes = {form: flash for form in POSTED if (flash := auth.flash_of(self, form))}
        if again and not flashes:
            return None
        self._open("")
        for form, flash in flashes.items():
            if not flash["note"]:
                return self._open(form, flash["errors"])
            self.note = flash.get("note", "") or self.note
        return None

    @rx.event
    def edit(self, editor: str) -> EventSpec:
        """Open one editor, or none for "". What it changes is guarded when it is saved."""
        return self._open(editor if editor in EDITORS else "")

    @rx.event
    async def save(self, form: dict[str, Any]) -> EventSpec | None:
        """Keep a new username, phone, e-mail, car or firm; a new phone needs the PIN, since one signs in with it."""
        user = await auth.guard(self)
        field = self.editing
        if user is None or not isinstance(form, dict):
            return None
        if field not in SAVED:
            return None
        return await self._keep(user, field, form)

    @rx.event
    async def undo(self) -> EventSpec | None:
        """Put back what stood there before the last change."""
        user = await auth.guard(self)
        field, self.saved = self.saved, ""
        if user is None or field not in UNDONE:
            return None
        return await self._keep(user, field, {field: self._before}, undone=True)

    async def _keep(
        self, user: User, field: str, form: Mapping[str, object], *, undone: bool = False
    ) -> EventSpec | None:
        address = auth.scope_of(self).get("ev.address", "")
        try:
            await transact(attempts.knock, "profile", address)
            if field in BESIDE:
                await transact(BESIDE[field], user.id, form)
            elif field == "phone":
                await read(accounts.may_have, user.id, field, form.get(field))
                device = auth.scope_of(self).get("ev.device")
                attempt = await auth.proven(user, form.get("pin"), address, device)
                await transact(accounts.change_phone, attempt, form.get(field))
            else:
                await transact(accounts.update, user.id, field, form.get(field))
        except FieldErrors as error:
            return self._open(field, {name: t(sentence) for name, sentence in error.errors.items()})
        except (Locked, TooBusy, Refused) as error:
            return self._open(field, {"": refusal(error)})
        except AccountDeleted:  # in another tab, in this very moment: the next event leaves by the gate
            return None
        await self._refresh(user.id)
        focus = self._open("", closed=field)
        if undone:
            (await self.get_state(Effects))._say(t("It is as it was before."))
        else:
            self.saved, self._before = field, getattr(user, field, "")
        return focus

    @rx.event
    async def revoke(self, number: int) -> None:
        """Sign another of the driver's own devices out."""
        user = await auth.guard(self)
        if user is None or type(number) is not int or not 0 < number < 2**31:
            return
        if await transact(sign_ins.revoke, user.id, number):
            (await self.get_state(Effects))._say(t("That device is signed out."))
        await self._refresh(user.id)

    @rx.event
    async def revoke_others(self) -> None:
        """Sign every other device of the driver out."""
        user = await auth.guard(self)
        if user is None:
            return
        mine = auth.scope_of(self).get("ev.sign_in") or ""
        if await transact(sign_ins.revoke_others, user.id, mine):
            (await self.get_state(Effects))._say(t("Your other devices are signed out."))
        await self._refresh(user.id)

    async def _refresh(self, user_id: int) -> None:
        user = await read(_user, user_id)
        mine = auth.scope_of(self).get("ev.sign_in")
        self.username, self.email = user.username, user.email
        self.digits, self.pin = str(settings().pin_length), "•" * settings().pin_length
        self.operator = user.role == Role.OPERATOR
        self.phone, self.phone_digits = _phone_words(user.phone)
        car = await read(vehicles.of, user_id)
        self.vehicle, self.vehicle_typed = _car_words(car), _car_typed(car)
        left_paise = await read(accounts.waivable, user_id)
        self.waivable, self.waivable_paise = (rupees(left_paise), str(left_paise)) if left_paise else ("", "")
        firm = await read(firms.of, user_id)
        self.firm, self.firm_typed = _firm_words(firm), _firm_typed(firm)
        self.devices = [_device(s, here=s.token_hash == mine) for s in await read(sign_ins.sign_ins, user_id)]
        self.loaded = True

    def _open(self, editor: str, errors: Mapping[str, str] = {}, *, closed: str = "") -> EventSpec:
        """Open an editor, or close the open one; the focus goes to what must be typed, or back to its button."""
        closed = closed or self.editing
        self.editing, self.note, self.saved = editor, "", ""
        self.error = errors.get("", "")
        self.errors = {field: sentence for field, sentence in errors.items() if field}
        first = FIRST.get(editor, editor)
        return rx.set_focus(next(iter(self.errors), first) if editor else f"edit-{closed}")


def _user(db: Any, user_id: int) -> User:
    user: User = db.get_one(User, user_id)
    return user


def _phone_words(phone: str) -> tuple[str, str]:
    """As people read it, and as they type it after +91; empty where the number was taken off the account."""
    if not phone.startswith("+"):
        return "", ""
    number = phonenumbers.parse(phone)
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL), str(number.national_number)


def _car_words(car: Vehicle | None) -> str:
    if car is None:
        return ""
    parts = (
        car.name,
        t("{energy} kWh", energy=rated_kw(car.battery_wh)) if car.battery_wh else "",
        t("AC {power} kW", power=rated_kw(car.ac_w)) if car.ac_w else "",
        t("DC {power} kW", power=rated_kw(car.dc_w)) if car.dc_w else "",
    )
    return " · ".join(part for part in parts if part)


def _car_typed(car: Vehicle | None) -> dict[str, str]:
    car = car or Vehicle(user_id=0)
    sizes = {"battery": car.battery_wh, "ac": car.ac_w, "dc": car.dc_w}
    return {"name": car.name, **{name: f"{size / 1000:g}" if size else "" for name, size in sizes.items()}}


def _firm_words(firm: Firm | None) -> str:
    return f"{firm.name} · {firm.gstin}" if firm is not None else ""


def _firm_typed(firm: Firm | None) -> dict[str, str]:
    firm = firm or Firm(user_id=0)
    return {"gstin": firm.gstin, "name": firm.name, "address": firm.address}


def _device(sign_in: SignIn, *, here: bool) -> Device:
    return Device(
        number=sign_in.id,
        name=_name(sign_in.user_agent),
        used=t("This device") if here else t("Last used {time}", time=moment(sign_in.seen_at)),
        here=here,
    )


def _name(user_agent: str) -> str:
    browser = next((name for sign, name in BROWSERS.items() if sign in user_agent), "")
    system = next((name for sign, name in SYSTEMS.items() if sign in user_agent), "")
    return t("{browser} on {system}", browser=browser, system=system) if browser and system else t("A browser")
