"""Attacks on the doors that take guesses: by force, by list, by ear, and through what is written down."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator

import bcrypt
import httpx
import pytest
import structlog
from sqlmodel import Session, select
from starlette.applications import Starlette
from structlog.testing import capture_logs

from domain import pins
from domain.accounts import Registration, register
from domain.db import Database, read, transact
from domain.models import SignIn, SignInAttempt, User
from domain.settings import settings
from evapp.web import auth, flash

PIN = "482913"
PHONE = "+919845012345"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "COST", 4)


@pytest.fixture
async def asha(database: Database) -> User:
    return await transact(register, Registration("asha", PHONE, "", PIN), await pins.hash(PIN))


@pytest.fixture
async def clients(database: Database) -> AsyncIterator["Clients"]:
    clients = Clients()
    yield clients
    await asyncio.gather(*(client.aclose() for client in clients.all))


class Clients:
    """Browsers without cookies, each at an address of its own."""

    def __init__(self) -> None:
        self.app = Starlette(routes=auth.routes)
        self.all: list[httpx.AsyncClient] = []

    def at(self, address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 50_000))
        client = httpx.AsyncClient(transport=transport, base_url=settings().url, headers={"origin": settings().url})
        self.all.append(client)
        return client


def sentence(answer: httpx.Response) -> str:
    return str(flash.read(answer.cookies.get(flash.name()), "login")["errors"][""])


def shape(answer: httpx.Response) -> tuple[object, ...]:
    """Everything about an answer that another one's name could change."""
    return answer.status_code, answer.headers["location"], sorted(answer.headers), sentence(answer), answer.content


async def test_force_from_many_addresses_at_once_is_five_guesses(
    asha: User, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = 0
    real = bcrypt.hashpw

    def watched(password: bytes, salt: bytes) -> bytes:
        nonlocal checked
        checked += 1
        return real(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", watched)
    guesses = [f"{n:06}" for n in range(99)] + [PIN]
    answers = await asyncio.gather(
        *(
            clients.at(f"10.{n}.0.1").post("/auth/login", data={"login": "asha", "pin": guess})
            for n, guess in enumerate(guesses)
        )
    )
    assert checked == 5
    assert sum(sentence(answer).startswith("Too many tries.") for answer in answers if answer.cookies) >= 95
    assert not (await read(lambda db: db.exec(select(SignIn)).all()))


async def test_known_and_unknown_names_get_the_same_answers_all_the_way_to_the_lock(
    asha: User, clients: Clients
) -> None:
    known, unknown = clients.at("10.1.0.1"), clients.at("10.2.0.1")
    for _ in range(8):
        one = await known.post("/auth/login", data={"login": "asha", "pin": "918273"})
        other = await unknown.post("/auth/login", data={"login": "nobody", "pin": "918273"})
        assert shape(one) == shape(other)
    assert sentence(one).startswith("Too many tries.")


async def test_known_and_unknown_names_take_the_same_time(
    asha: User, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "COST", 9)
    await transact(_keep, await pins.hash(PIN))
    times: dict[str, list[float]] = {"asha": [], "nobody": []}
    for n in range(4):
        for login, taken in times.items():
            client = clients.at(f"10.{n}.{len(taken)}.1")
            began = time.perf_counter()
            await client.post("/auth/login", data={"login": login, "pin": "918273"})
            taken.append(time.perf_counter() - began)
    known, unknown = (statistics.median(taken) for taken in times.values())
    assert 0.25 < known / unknown < 4


def _keep(db: Session, pin_hash: str) -> None:
    user = db.exec(select(User)).one()
    user.pin_hash = pin_hash
    db.add(user)


async def test_one_pin_over_many_accounts_ends_at_the_address(asha: User, clients: Clients) -> None:
    client = clients.at("10.1.0.1")
    answers = [await client.post("/auth/login", data={"login": f"user{n}", "pin": PIN}) for n in range(25)]
    assert [sentence(answer).startswith("Too many tries.") for answer in answers] == [False] * 20 + [True] * 5


async def test_a_right_pin_in_between_does_not_refill_the_guesses_at_others(asha: User, clients: Clients) -> None:
    client, tried = clients.at("10.1.0.1"), 0
    for n in range(30):
        client.cookies.clear()
        await client.post("/auth/login", data={"login": "asha", "pin": PIN})
        client.cookies.clear()
        answer = await client.post("/auth/login", data={"login": f"user{n}", "pin": PIN})
        tried += sentence(answer).startswith("That username")
    assert tried == 20


@pytest.mark.parametrize(
    "login",
    [
        "' OR '1'='1",
        "asha'--",
        "\x00",
        "asha\x00",
        "%",
        "<script>alert(1)</script>",
        "а" * 5_000,
        "\u202eahsa",
        "\r\nx",
    ],
)
async def test_metacharacters_are_just_nobody(asha: User, clients: Clients, login: str) -> None:
    answer = await clients.at("10.1.0.1").post("/auth/login", data={"login": login, "pin": PIN})
    assert (answer.status_code, sentence(answer)) == (303, "That username or phone and PIN do not match.")


async def test_no_log_line_and_no_row_has_a_pin_a_token_or_a_phone(clients: Clients) -> None:
    client = clients.at("10.1.0.1")
    structlog.reset_defaults()
    with capture_logs() as lines:
        form = {"username": "asha", "phone": PHONE, "email": "", "pin": PIN, "pin_again": PIN}
        await client.post("/auth/register", data=form)
        await client.post("/auth/login", data={"login": PHONE, "pin": PIN})
        await client.post("/auth/login", data={"login": PIN, "pin": "918273"})
        await client.post("/auth/pin", data={"pin": PIN, "new_pin": "705318", "new_pin_again": "705318"})
        token = client.cookies[auth.COOKIE]
        await client.post("/auth/logout")
    tables = await read(lambda db: [list(db.exec(select(table)).all()) for table in (User, SignIn, SignInAttempt)])
    assert lines
    for secret in (PIN, "705318", "918273", token):
        assert secret not in repr(lines)
        assert secret not in repr(tables)
    assert PHONE[3:] not in repr(lines)
