"""The sign-in page: what the last try came back with, and where the driver was going."""

from typing import Any

import pytest
import reflex as rx
from starlette.responses import Response

from domain.db import transact
from evapp.state.effects import Effects
from evapp.state.sign_in import SignIn
from evapp.web import auth, flash
from tests.money.house import free_charger


@pytest.fixture
def scope(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    scope: dict[str, Any] = {}
    monkeypatch.setattr(auth, "scope_of", lambda state: scope)
    return scope


def at(address: str) -> rx.State:
    """A tab's states, opened at this address."""
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    root.router = root.router.__class__.from_router_data({"pathname": address, "asPath": address})
    return root


def left(form: str, **what: Any) -> str:
    response = Response()
    flash.leave(response, form, **what)
    return response.headers["set-cookie"].partition("=")[2].partition(";")[0]


@pytest.mark.usefixtures("asha")
@pytest.mark.parametrize("spelt", ["BLR-017", "blr017", "BLR%20017"])
async def test_what_a_charge_costs_is_said_before_an_account_is_asked_for(scope: dict[str, Any], spelt: str) -> None:
    """ui.md: from /c/ID, a line on top."""
    await transact(lambda db: free_charger(db, "BLR-017"))
    state = await at(f"/login?next=/c/{spelt}").get_state(SignIn)
    await state.arrive()
    assert state.note == "Sign in to charge at BLR-017 · ₹18.00/kWh"


@pytest.mark.usefixtures("asha", "scope")
@pytest.mark.parametrize("page", ["login", "register"])
async def test_words_that_are_no_chargers_id_are_not_repeated(page: str) -> None:
    """Whoever sends a link would speak there in our name."""
    state = await at(f"/{page}?next=/c/BLR.%20Your%20account%20is%20locked:%20call%2098450").get_state(SignIn)
    await state.arrive()
    assert state.note == ""


@pytest.mark.usefixtures("asha")
async def test_a_refused_form_comes_back_with_fields_and_sentences(scope: dict[str, Any]) -> None:
    scope["ev.flash"] = left(
        "register",
        typed={"username": "asha", "phone": "12", "pin": "482913"},
        errors={"phone": "Enter an Indian mobile number.", "": "Too many tries."},
    )
    state = await at("/register?next=/c/BLR-017").get_state(SignIn)
    await state.arrive()
    assert (state.flash_username, state.flash_phone, state.flash_login) == ("asha", "12", "")
    assert (state.error, state.errors["phone"]) == ("Too many tries.", "Enter an Indian mobile number.")
    assert (state.next_path, state.note) == ("/c/BLR-017", "Sign in to charge at BLR-017")


AGAIN = "Enter your PIN again, in both fields: for safety a page never shows it again."


@pytest.mark.usefixtures("asha")
@pytest.mark.parametrize(
    ("form", "errors", "sentence"),
    [
        ("register", {"email": "No address."}, AGAIN),
        ("register", {"": "Too many tries."}, AGAIN),
        ("register", {"email": "No address.", "pin": "Too easy."}, "Too easy."),
        ("register", {"pin_again": "These two differ."}, ""),
        ("register", {}, ""),
        ("login", {"login": "Enter your username."}, ""),
    ],
)
async def test_an_emptied_pin_is_said_where_nothing_else_is_said_of_it(
    scope: dict[str, Any], form: str, errors: dict[str, str], sentence: str
) -> None:
    scope["ev.flash"] = left(form, typed={"username": "asha"}, errors=errors)
    state = await at(f"/{form}").get_state(SignIn)
    await state.arrive()
    assert state.errors.get("pin", "") == sentence


async def test_another_forms_flash_is_not_shown(scope: dict[str, Any]) -> None:
    scope["ev.flash"] = left("register", errors={"phone": "Enter an Indian mobile number."})
    state = await at("/login").get_state(SignIn)
    await state.arrive()
    assert (state.error, state.errors) == ("", {})


async def test_a_note_is_shown(scope: dict[str, Any]) -> None:
    scope["ev.flash"] = left("login", note="You are signed out.")
    state = await at("/login").get_state(SignIn)
    await state.arrive()
    assert state.note == "You are signed out."


async def test_whoever_is_signed_in_goes_on(scope: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    async def somebody(state: rx.State) -> object:
        return object()

    monkeypatch.setattr(auth, "signed_in", somebody)
    state = await at("/login?next=//evil.example").get_state(SignIn)
    await state.arrive()
    effects = await state.get_state(Effects)
    assert effects._path == "/auth/gate?next=%2Fdashboard"


async def test_a_field_says_at_once_that_it_has_no_such_form(scope: dict[str, Any]) -> None:
    state = await at("/register").get_state(SignIn)
    state.check("username", "a!")
    state.check("phone", "12")
    assert set(state.errors) == {"username", "phone"}
    state.check("username", "Asha")
    state.check("phone", "")
    assert state.errors == {}


@pytest.mark.parametrize(
    ("field", "typed"), [("pin", "1"), ("role", "x"), (None, "x"), ("username", None), ("email", 3)]
)
async def test_what_is_no_field_of_it_is_not_looked_at(scope: dict[str, Any], field: Any, typed: Any) -> None:
    state = await at("/register").get_state(SignIn)
    state.check(field, typed)
    assert state.errors == {}


async def test_a_box_that_was_unticked_stays_so(scope: dict[str, Any]) -> None:
    state = await at("/login").get_state(SignIn)
    await state.arrive()
    assert state.keep
    scope["ev.flash"] = left("login", typed={"login": "asha"}, errors={"": "Too many tries."})
    await state.arrive()
    assert not state.keep
    scope["ev.flash"] = left("login", typed={"login": "asha", "keep": "yes"}, errors={"": "Too many tries."})
    await state.arrive()
    assert state.keep


@pytest.mark.parametrize(("scope_of_event", "way"), [({"ev.sign_in": None}, "/auth/gate?next=%2Fwallet"), ({}, "")])
async def test_a_page_that_was_left_already_leads_the_next_one_nowhere(
    monkeypatch: pytest.MonkeyPatch, scope_of_event: dict[str, Any], way: str
) -> None:
    """An event of the page before, worked when its websocket has gone, knows nobody; its wish would reach the page
    that the tab shows now, such as /login?next=/ops, and lead away from it."""
    monkeypatch.setattr(auth, "scope_of", lambda state: scope_of_event)
    root = at("/wallet")
    assert await auth.guard(root) is None
    assert (await root.get_state(Effects))._path == way
