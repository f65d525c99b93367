"""Who is behind a request or a websocket, and the forms by which people come in, change their PIN and go."""

import asyncio
import hashlib
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import reflex as rx
import structlog
from itsdangerous import BadData, URLSafeSerializer
from reflex.config import get_config
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain import accounts, addresses, attempts, metrics, operators, pins, sign_ins
from domain.accounts import FieldErrors, NotDeleted
from domain.attempts import Attempt, Device, Locked
from domain.db import read, transact
from domain.models import Role, SignIn, User, now
from domain.settings import settings
from domain.sign_ins import Browser, Refused
from evapp.state.effects import Effects
from evapp.texts import at, bare, language, t
from evapp.texts.languages import LANGUAGES, moved
from evapp.texts.refusals import refusal
from evapp.web import flash, forms
from evapp.web.forms import local
from evapp.web.language import keep

COOKIE = "evapp_sign_in"
DEVICE = "evapp_device"
DEVICE_SECONDS = 400 * 24 * 3600
SLOW = (1.0, 3.0)
"""Seconds by which every answer waits while somebody guesses on a large scale."""

OUTCOMES = {Refused: "refused", Locked: "locked", pins.TooBusy: "too busy", NotDeleted: "refused"}
"""What became of a try to sign in, among the metrics."""

log = structlog.get_logger()
Door = Callable[[Request, dict[str, str]], Awaitable[Response]]

app: rx.App | None = None
"""Handed in by evapp.py; knows which websocket an event came by."""


# Who it is


def scope_of(state: rx.State) -> Mapping[str, Any]:
    """The ASGI scope of the websocket this event came by; empty once that has gone."""
    if app is None or app.sio is None or app.event_namespace is None:
        return {}
    environ = app.sio.get_environ(state.router.session.session_id, app.event_namespace.namespace)
    scope: Mapping[str, Any] = (environ or {}).get("asgi.scope", {})
    return scope


def flash_of(state: rx.State, form: str) -> dict[str, Any]:
    """What this form left behind a moment ago: `fields`, `errors`, `note`; empty when it left nothing."""
    return flash.read(scope_of(state).get("ev.flash"), form)


async def signed_in(state: rx.State) -> User | None:
    """The user behind this event, looked up each time."""
    return await _known(scope_of(state).get("ev.sign_in"))


async def sign_in_of(state: rx.State) -> SignIn | None:
    """The sign-in of the browser that this event came from."""
    found = await read(sign_ins.who, scope_of(state).get("ev.sign_in") or "")
    return found[1] if found else None


async def guard(state: rx.State) -> User | None:
    """The user behind this event, or None after sending the tab to the gate, which knows the cookie of that moment.

    Where the event's websocket has gone, nobody is known, and the tab shows another page already: it stays there.
    """
    user = await signed_in(state)
    if user is None and scope_of(state):
        url = state.router.url
        (await state.get_state(Effects))._leave(gate_to(url.path + (f"?{url.query}" if url.query else "")))
    return user


async def of_request(request: HTTPConnection) -> User | None:
    """The user behind a plain request."""
    return await _known(token_hash_of(request))


async def _known(token_hash: str | None) -> User | None:
    found = await read(sign_ins.who, token_hash) if token_hash else None
    if found is None or token_hash is None:
        return None
    user, sign_in = found
    if sign_in.seen_at < now() - sign_ins.FRESH:
        await transact(sign_ins.seen, token_hash)
    return user


def token_hash_of(connection: HTTPConnection) -> str | None:
    token = connection.cookies.get(flash.name(COOKIE))
    return sign_ins.hash_token(token) if token else None


def device_of(connection: HTTPConnection) -> Device | None:
    """The device that this browser says it is, if we said so."""
    try:
        known = _devices().loads(connection.cookies.get(flash.name(DEVICE), ""))
    except BadData:
        return None
    match known:
        case [int() as user_id, str() as number, str() as pin]:
            return Device(user_id, number, pin)
    return None


def address_of(connection: HTTPConnection) -> str:
    """Where a request comes from, behind as many proxies as Reflex is told of, if it is one of ours that asks."""
    peer = connection.client.host if connection.client else ""
    forwarded = connection.headers.getlist("x-forwarded-for")
    return addresses.source(peer, forwarded, get_config().trusted_proxy_hops, settings().proxies)


def gate_to(path: str) -> str:
    """The way to a page by the gate."""
    return at(f"/auth/gate?next={quote(local(path), safe='')}")


# The forms


def posted(form: str, page: str) -> Callable[[Door], Callable[[Request], Awaitable[Response]]]:
    """A door for a posted form: what it refuses goes back to its page in the flash, beside the field."""

    def door_of(door: Door) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                typed = await forms.fields(request)
            except forms.Unreadable as error:
                log.warning("form unreadable", form=form, status=error.status)
                return error.answer()
            try:
                return await door(request, typed)
            except FieldErrors as error:
                errors, why = {field: t(sentence) for field, sentence in error.errors.items()}, "fields"
            except (Refused, Locked, NotDeleted, pins.TooBusy) as error:
                if form == "login":
                    metrics.SIGN_INS.add(OUTCOMES[type(error)])
                errors, why = {"": refusal(error)}, type(error).__name__
            log.info("form refused", form=form, why=why, fields=sorted(filter(None, errors)))
            response = RedirectResponse(_leading(at(page), forms.onward(request, typed)), 303)
            flash.leave(response, form, typed=typed, errors=errors)
            return response

        return endpoint

    return door_of


@posted("register", "/register")
async def register(request: Request, typed: dict[str, str]) -> Response:
    """Only a form that could become an account counts as a try: whether a name is taken is what guessers want."""
    form = accounts.registration(typed)
    async with _place("register", address_of(request)):
        await transact(attempts.knock, "register", address_of(request))
        await read(accounts.check_free, {"username": form.username, "phone": form.phone})
        pin_hash = await pins.hash(form.pin)
    token = sign_ins.new_token()
    browser = _browser(request, token, kept=_kept(typed))
    user = await transact(accounts.register, form, pin_hash, browser, language().code)
    log.info("registered", user=user.id)
    return _in(_home(user, forms.onward(request, typed)), request, browser, token, user)


@posted("login", "/login")
async def login(request: Request, typed: dict[str, str]) -> Response:
    wanted = {"login": t("Enter your username or phone number."), "pin": t("Enter your PIN.")}
    if errors := {field: sentence for field, sentence in wanted.items() if not typed.get(field, "").strip()}:
        raise FieldErrors(errors)
    async with _place("login", address_of(request)):
        attempt = await transact(
            attempts.attempt, "login", login=typed["login"], address=address_of(request), device=device_of(request)
        )
        right = await _right(attempt, typed["pin"])
    if not right:
        raise Refused(attempts.MISMATCH)
    token = sign_ins.new_token()
    browser = _browser(request, token, kept=_kept(typed))
    user = await transact(sign_ins.signed_in, attempt, browser)
    sign_ins.refuse_blocked(user)
    metrics.SIGN_INS.add("signed in")
    log.info("signed in", user=user.id)
    return _in(_home(user, forms.onward(request, typed)), request, browser, token, user)


@posted("pin", "/profile")
async def change_pin(request: Request, typed: dict[str, str]) -> Response:
    user = await of_request(request)
    if user is None:
        return RedirectResponse(gate_to(at("/profile")), 303)
    if errors := accounts.new_pin_errors(typed, "new_pin", user.phone):
        raise FieldErrors(errors)
    async with _place("pin", address_of(request)):
        attempt = await proven(user, typed.get("pin"), address_of(request), device_of(request))
        if typed["new_pin"] == typed["pin"]:
            await transact(accounts.keep_pin, attempt)
            raise FieldErrors({"new_pin": accounts.SAME_PIN})
        pin_hash = await pins.hash(typed["new_pin"])
    token = sign_ins.new_token()
    browser = _browser(request, token, kept=await read(sign_ins.kept, token_hash_of(request) or ""))
    user = await transact(accounts.change_pin, attempt, pin_hash, browser)
    log.info("PIN changed", user=user.id)
    response = _in(RedirectResponse(at("/profile"), 303), request, browser, token, user)
    flash.leave(response, "pin", note=t("Your PIN is changed. Your other devices are signed out."))
    return response


@posted("step-up", "/ops/pin")
async def step_up(request: Request, typed: dict[str, str]) -> Response:
    """An operator's PIN, once more: for some minutes this browser may do everything."""
    user = await of_request(request)
    if user is None or user.role != Role.OPERATOR:
        return RedirectResponse(at("/ops"), 303)
    attempt = await proven(user, typed.get("pin"), address_of(request), device_of(request))
    token = sign_ins.new_token()
    browser = _browser(request, token, kept=await read(sign_ins.kept, token_hash_of(request) or ""))
    await transact(operators.step_up, attempt, browser)
    log.info("stepped up", user=user.id)
    onward = forms.onward(request, typed) or at("/ops")
    return _in(RedirectResponse(local(onward), 303), request, browser, token, user)


@posted("delete", "/profile")
async def delete(request: Request, typed: dict[str, str]) -> Response:
    user = await of_request(request)
    if user is None:
        return RedirectResponse(gate_to(at("/profile")), 303)
    waived_paise = forms.number(typed.get("waive", ""))
    await read(accounts.may_leave, user.id, waived_paise)
    attempt = await proven(user, typed.get("pin"), address_of(request), device_of(request))
    await transact(accounts.delete, attempt, waived_paise)
    log.info("account deleted", user=user.id)
    return _out(t("Your account is deleted."))


@posted("logout", "/profile")
async def logout(request: Request, typed: dict[str, str]) -> Response:
    if token_hash := token_hash_of(request):
        await transact(sign_ins.sign_out, token_hash)
    return _out(t("You are signed out."))


async def choose_language(request: Request) -> Response:
    """Another language from here on: by a link in this browser, by the form of /profile for the driver himself too."""
    try:
        typed = await forms.fields(request) if request.method == "POST" else dict(request.query_params)
    except forms.Unreadable as error:
        return error.answer()
    wanted = LANGUAGES.get(typed.get("to", ""), language())
    user = await of_request(request)
    if request.method == "POST" and user is not None:
        await transact(accounts.speak, user.id, wanted.code)
    page = moved(local(typed.get("next")), wanted)
    response = RedirectResponse(page if "?" in page else _leading(page, forms.onward(request, {})), 303)
    keep(response, wanted)
    flash.forget(response)  # its sentences are in the language before
    return response


async def form_page(request: Request) -> Response:
    """To this form from the other one, on the same errand, even by a link whose page had not come alive."""
    page = bare(request.url.path).removeprefix("/auth/to")
    return RedirectResponse(_leading(at(page), forms.onward(request, dict(request.query_params))), 303)


async def gate(request: Request) -> Response:
    """The guard's way out: only a full load shows the cookie of this moment."""
    path = local(request.query_params.get("next"))
    return RedirectResponse(path if await of_request(request) else at(f"/login?next={quote(path, safe='')}"), 303)


async def proven(user: User, pin: object, address: str, device: Device | None) -> Attempt:
    """Ask somebody who is signed in for the PIN again, before what cannot be undone.

    Raises:
        FieldErrors: it is not the PIN.
        Locked: too many were not.
        TooBusy: nobody has the time to check it; no try is counted.
    """
    if not pin or not isinstance(pin, str):
        raise FieldErrors({"pin": t("Enter your PIN.")})
    async with _place("pin", address):
        attempt = await transact(attempts.attempt, "pin", user_id=user.id, address=address, device=device)
        right = await _right(attempt, pin)
    if not right:
        raise FieldErrors({"pin": t("This is not your PIN.")})
    return attempt


@asynccontextmanager
async def _place(door: str, address: str) -> AsyncIterator[None]:
    """A place in the queue for PINs; whoever has no tries left would only keep it from others.

    Raises:
        Locked: the address or its network had all its tries.
        TooBusy: as `pins.place` does.
    """
    await read(attempts.room, door, address)
    with pins.place():
        yield


async def _right(attempt: Attempt, pin: str) -> bool:
    if attempt.slow:
        await asyncio.sleep(random.uniform(*SLOW))
    right = await pins.matches(pin, attempt.pin_hash)
    if not right:
        log.info("wrong PIN", user=attempt.user_id)
    return right


def _kept(typed: Mapping[str, str]) -> bool:
    """Whether the driver ticked that he wants to be kept signed in."""
    return typed.get("keep") == forms.KEEP


def _browser(request: Request, token: str, *, kept: bool) -> Browser:
    return Browser(
        token_hash=sign_ins.hash_token(token),
        user_agent=request.headers.get("user-agent", ""),
        address=address_of(request),
        before=token_hash_of(request) or "",
        kept=kept,
    )


def _in(response: Response, request: Request, browser: Browser, token: str, user: User) -> Response:
    """The answer with the cookies of a new sign-in; one that is not kept ends with the browser."""
    known = device_of(request)
    number = known.number if known and known.user_id == user.id else secrets.token_hex(16)
    lifetime = int(sign_ins.ABSOLUTE.total_seconds()) if browser.kept else None
    response.set_cookie(flash.name(COOKIE), token, max_age=lifetime, **flash.attributes())
    device = str(_devices().dumps((user.id, number, attempts.pin_mark(user))))
    response.set_cookie(flash.name(DEVICE), device, max_age=DEVICE_SECONDS, **flash.attributes())
    flash.forget(response)
    keep(response, LANGUAGES[user.language])
    return response


def _home(user: User, onward: object) -> Response:
    """Where somebody goes who has come in: where he wanted to, in his own language."""
    return RedirectResponse(moved(local(onward), LANGUAGES[user.language]), 303)


def _leading(page: str, onward: str) -> str:
    """A page that leads on to where somebody was going, when he was going anywhere."""
    return f"{page}?next={quote(local(onward), safe='')}" if onward else page


def _out(note: str) -> Response:
    response = RedirectResponse(at("/login"), 303)
    response.delete_cookie(flash.name(COOKIE), **flash.attributes())
    flash.leave(response, "login", note=note)
    return response


def _devices() -> URLSafeSerializer:
    return URLSafeSerializer(settings().secret(), salt=DEVICE, signer_kwargs={"digest_method": hashlib.sha256})


routes = [
    Route("/auth/register", register, methods=["POST"]),
    Route("/auth/login", login, methods=["POST"]),
    Route("/auth/pin", change_pin, methods=["POST"]),
    Route("/auth/step-up", step_up, methods=["POST"]),
    Route("/auth/delete", delete, methods=["POST"]),
    Route("/auth/logout", logout, methods=["POST"]),
    *(Route(f"/auth/to{page}", form_page, methods=["GET"]) for page in ("/register", "/login")),
    Route("/auth/gate", gate, methods=["GET"]),
    Route("/auth/language", choose_language, methods=["GET", "POST"]),
]
