"""You: every change is guarded, checked and kept, whatever the event carries."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import reflex as rx
from starlette.responses import Response

from domain import pins, sign_ins, wallet
from domain.accounts import Registration, free_phone, register
from domain.db import opened, read, transact
from domain.models import User
from domain.sign_ins import Browser, hash_token
from evapp.state.effects import Effects
from evapp.state.profile import Profile, _name
from evapp.web import auth, flash

PIN = "482913"
ASHA = Registration("asha", "+919845012345", "asha@example.in", PIN)
CHROME = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36"


@pytest.fixture
async def asha(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[User]:
    monkeypatch.setattr(pins, "COST", 4)
    async with opened(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}"):
        browser = Browser(hash_token("phone"), CHROME, "203.0.113.7")
        yield await transact(register, ASHA, await pins.hash(PIN), browser)


@pytest.fixture
async def profile(asha: User, scope: dict[str, Any]) -> Profile:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state: Profile = await root.get_state(Profile)
    await state.load()
    return state


async def said(profile: Profile) -> str:
    effects = await profile.get_state(Effects)
    return effects._sentence


async def left_to(profile: Profile) -> str:
    effects = await profile.get_state(Effects)
    return effects._path


async def stored() -> User:
    return await read(lambda db: db.get_one(User, 1))


async def test_a_number_that_was_freed_is_none_and_another_may_be_added(profile: Profile) -> None:
    await transact(free_phone, 1)
    await profile.load()
    assert (profile.phone, profile.phone_digits, profile.username) == ("", "", "asha")
    profile.edit("phone")
    await profile.save({"phone": "98450 54321", "pin": PIN})
    assert (profile.phone, profile.errors) == ("+91 98450 54321", {})


async def test_it_shows_what_the_app_knows(profile: Profile) -> None:
    assert (profile.username, profile.phone, profile.email) == ("asha", "+91 98450 12345", "asha@example.in")
    assert profile.phone_digits == "9845012345"
    assert [(d.name, d.used, d.here) for d in profile.devices] == [("Chrome on Android", "This device", True)]
    assert profile.loaded


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [("username", " Asha_R", "asha_r"), ("email", "", ""), ("email", "a@example.in", "a@example.in")],
)
async def test_a_change_is_kept_and_said(profile: Profile, field: str, typed: str, kept: str) -> None:
    profile.edit(field)
    await profile.save({field: typed})
    assert getattr(await stored(), field) == getattr(profile, field) == kept
    assert (profile.editing, profile.errors, profile.error, profile.saved) == ("", {}, "", field)


async def test_a_change_is_taken_back_once(profile: Profile) -> None:
    profile.edit("username")
    await profile.save({"username": "asha_r"})
    await profile.undo()
    assert (await stored()).username == profile.username == "asha"
    assert (await said(profile), profile.saved) == ("It is as it was before.", "")
    await profile.undo()
    assert (await stored()).username == "asha"


async def test_a_new_number_is_not_taken_back_without_the_pin(profile: Profile) -> None:
    profile.edit("phone")
    await profile.save({"phone": "98450 99999", "pin": PIN})
    assert profile.saved == "phone"
    await profile.undo()
    assert (await stored()).phone == "+919845099999"


async def test_a_pin_that_was_changed_meanwhile_changes_no_number(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when its owner takes it from a thief who has the old one."""
    proven = auth.proven

    async def slowly(*given: Any) -> Any:
        attempt = await proven(*given)
        pin_hash = await pins.hash("705318")
        await transact(lambda db: setattr(db.get_one(User, 1), "pin_hash", pin_hash))
        return attempt

    monkeypatch.setattr(auth, "proven", slowly)
    profile.edit("phone")
    await profile.save({"phone": "98450 99999", "pin": PIN})
    assert profile.error == "That username or phone and PIN do not match."
    assert (await stored()).phone == ASHA.phone


async def test_the_right_pin_with_a_number_that_will_not_do_is_no_wrong_one(profile: Profile) -> None:
    await transact(register, Registration("ravi", "+919845088888", "", PIN), await pins.hash(PIN))
    profile.edit("phone")
    for typed in ("98450 88888", "12") * 5:
        await profile.save({"phone": typed, "pin": PIN})
        assert list(profile.errors) == ["phone"]
    assert (await stored()).failures == 0


async def test_a_car_is_kept_said_and_forgotten(profile: Profile) -> None:
    profile.edit("vehicle")
    await profile.save({"name": "Nexon EV", "battery": "x", "ac": "7.2", "dc": ""})
    assert profile.errors == {"battery": "Enter the battery in kWh, like 30.2."}
    await profile.save({"name": "Nexon EV", "battery": "30.2", "ac": "7.2", "dc": ""})
    assert (profile.vehicle, profile.saved) == ("Nexon EV · 30.2 kWh · AC 7.2 kW", "vehicle")
    assert profile.vehicle_typed == {"name": "Nexon EV", "battery": "30.2", "ac": "7.2", "dc": ""}
    profile.edit("vehicle")
    await profile.save({"name": "", "battery": "", "ac": "", "dc": ""})
    assert profile.vehicle == ""


async def test_a_firm_is_kept_said_and_forgotten(profile: Profile) -> None:
    profile.edit("firm")
    await profile.save({"gstin": "33AABCK4567Q1Z2", "name": "Kaveri Cabs", "address": "Chennai"})
    assert list(profile.errors) == ["gstin"]
    await profile.save({"gstin": "33aabck4567q1z1", "name": "Kaveri Cabs", "address": "Chennai"})
    assert (profile.firm, profile.saved) == ("Kaveri Cabs · 33AABCK4567Q1Z1", "firm")
    assert profile.firm_typed == {"gstin": "33AABCK4567Q1Z1", "name": "Kaveri Cabs", "address": "Chennai"}
    profile.edit("firm")
    await profile.save({"gstin": "", "name": "", "address": ""})
    assert profile.firm == ""


async def test_what_cannot_be_paid_back_may_be_given_up(profile: Profile) -> None:
    assert (profile.waivable, profile.waivable_paise) == ("", "")
    await transact(wallet.adjust, 1, 60, key="k", reason="for a test")
    profile.edit("delete")
    await profile.load()
    assert (profile.waivable, profile.waivable_paise) == ("₹0.60", "60")


async def test_a_new_number_needs_the_pin(profile: Profile) -> None:
    profile.edit("phone")
    await profile.save({"phone": "98450 99999"})
    assert profile.errors == {"pin": "Enter your PIN."}
    await profile.save({"phone": "98450 99999", "pin": "918273"})
    assert profile.errors == {"pin": "This is not your PIN."}
    assert (await stored()).phone == ASHA.phone
    await profile.save({"phone": "98450 99999", "pin": PIN})
    assert (await stored()).phone == "+919845099999"
    assert profile.phone == "+91 98450 99999"
    assert (await stored()).failures == 0


async def test_guessing_the_pin_for_a_new_number_locks(profile: Profile) -> None:
    profile.edit("phone")
    for _ in range(5):
        await profile.save({"phone": "98450 99999", "pin": "918273"})
    await profile.save({"phone": "98450 99999", "pin": PIN})
    assert profile.error.startswith("Too many tries.")
    assert (await stored()).phone == ASHA.phone


@pytest.mark.parametrize(
    ("field", "typed", "why"),
    [
        ("username", "a", "3 to 30"),
        ("username", "ravi", "taken"),
        ("username", "<script>", "3 to 30"),
        ("email", "a@", "e-mail"),
        ("username", None, "3 to 30"),
        ("username", {"$ne": 1}, "3 to 30"),
        ("email", ["a@example.in"], "e-mail"),
        ("email", "a@example.in\r\nBcc: b@example.in", "e-mail"),
    ],
)
async def test_what_will_not_do_stands_beside_the_field(profile: Profile, field: str, typed: object, why: str) -> None:
    await transact(register, Registration("ravi", "+919845012346", "", PIN), "kept")
    profile.edit(field)
    before = getattr(await stored(), field)
    await profile.save({field: typed})
    assert why in profile.errors[field]
    assert profile.editing == field
    assert getattr(await stored(), field) == before


@pytest.mark.parametrize("form", [None, 5, "username=x", [], {}, {"role": "operator"}, {"pin_hash": "x"}])
@pytest.mark.parametrize("editor", ["", "username", "pin", "delete", "role", "pin_hash", "blocked_at"])
async def test_a_forged_form_changes_nothing(profile: Profile, form: Any, editor: str) -> None:
    before = (await stored()).model_dump()
    profile.edit(editor)
    assert profile.editing in ("", "username", "pin", "delete")
    await profile.save(form)
    profile.editing = editor
    await profile.save(form)
    assert (await stored()).model_dump() == before


@pytest.mark.parametrize("editor", [None, 5, ["username"], {}, "nonsense"])
async def test_a_forged_editor_opens_nothing(profile: Profile, editor: Any) -> None:
    profile.edit(editor)
    assert profile.editing == ""


async def test_nothing_is_kept_once_the_sign_in_has_ended(profile: Profile) -> None:
    await transact(sign_ins.sign_out, hash_token("phone"))
    profile.edit("username")
    await profile.save({"username": "mallory"})
    await profile.revoke(1)
    assert (await stored()).username == "asha"
    assert (await left_to(profile)).startswith("/auth/gate?next=")


async def test_another_own_device_can_be_signed_out(profile: Profile, asha: User) -> None:
    await transact(sign_ins.start, asha, Browser(hash_token("desk"), "Mozilla/5.0 (Windows NT) Firefox/144", ""))
    await profile.load()
    desk = next(device for device in profile.devices if not device.here)
    assert desk.name == "Firefox on Windows"
    assert desk.used.startswith("Last used ")
    await profile.revoke(desk.number)
    assert [device.here for device in profile.devices] == [True]
    assert await read(sign_ins.who, hash_token("desk")) is None
    assert await said(profile) == "That device is signed out."


async def test_all_other_devices_can_be_signed_out_at_once(profile: Profile, asha: User) -> None:
    ravi = await transact(register, Registration("ravi", "+919845012346", "", PIN), "kept")
    await transact(sign_ins.start, ravi, Browser(hash_token("his"), "", ""))
    for name in ("desk", "tablet"):
        await transact(sign_ins.start, asha, Browser(hash_token(name), "", ""))
    await profile.revoke_others()
    assert [device.here for device in profile.devices] == [True]
    assert await said(profile) == "Your other devices are signed out."
    assert await read(sign_ins.who, hash_token("desk")) is None
    assert await read(sign_ins.who, hash_token("phone"))
    assert await read(sign_ins.who, hash_token("his"))


@pytest.mark.parametrize("number", ["2", 2.0, True, None, -1, 0, 10**30, [2], {"id": 2}, 999])
async def test_nobody_elses_device_and_no_nonsense(profile: Profile, number: Any) -> None:
    ravi = await transact(register, Registration("ravi", "+919845012346", "", PIN), "kept")
    await transact(sign_ins.start, ravi, Browser(hash_token("his"), "", ""))
    await profile.revoke(number)
    await profile.revoke(2)
    assert await read(sign_ins.who, hash_token("his"))
    assert await said(profile) == ""


@pytest.mark.parametrize("form", ["pin", "delete"])
async def test_a_posted_form_comes_back_open_with_its_errors(
    profile: Profile, scope: dict[str, Any], form: str
) -> None:
    scope["ev.flash"] = left(form, errors={"pin": "This is not your PIN.", "": "Too many tries."})
    await profile.load()
    assert (profile.editing, profile.error) == (form, "Too many tries.")
    assert profile.errors == {"pin": "This is not your PIN."}


async def test_a_changed_pin_is_said_once_the_page_is_back(profile: Profile, scope: dict[str, Any]) -> None:
    scope["ev.flash"] = left("pin", note="Your PIN is changed.")
    await profile.load()
    assert (profile.editing, profile.note) == ("", "Your PIN is changed.")
    del scope["ev.flash"]
    await profile.load()
    assert profile.note == ""


def left(form: str, **what: Any) -> str:
    response = Response()
    flash.leave(response, form, **what)
    return response.headers["set-cookie"].partition("=")[2].partition(";")[0]


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (CHROME, "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Version/19.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) CriOS/141 Mobile Safari/604.1", "Chrome on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/141 Safari/537.36 Edg/141", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:144.0) Firefox/144.0", "Firefox on Mac"),
        ("curl/8", "A browser"),
        ("", "A browser"),
    ],
)
def test_people_recognise_their_devices(user_agent: str, name: str) -> None:
    assert _name(user_agent) == name


async def test_a_new_socket_leaves_an_open_editor_open(profile: Profile) -> None:
    """Who looks a PIN up in another app comes back to what was typed."""
    root = profile.parent_state
    assert root is not None
    profile.edit("pin")
    for socket, open_ in (("second", "pin"), ("second", "")):
        root.router = root.router.__class__.from_router_data({"sid": socket})
        await profile.load()
        assert profile.editing == open_
