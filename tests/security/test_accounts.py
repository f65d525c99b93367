"""Attacks on the doors that take guesses: by force, by list, by ear, and through what is written down."""

import asyncio
from collections.abc import AsyncIterator

import bcrypt
import httpx
import pytest
import structlog
from sqlmodel import select
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


def watch(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The cost of every PIN that is checked from now on."""
    checked: list[bytes] = []
    real = bcrypt.hashpw

    def watched(password: bytes, salt: bytes) -> bytes:
        checked.append(salt[:7])
        return real(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", watched)
    return checked


def shape(answer: httpx.Response) -> tuple[object, ...]:
    """Everything about an answer that another one's name could change."""
    return answer.status_code, answer.headers["location"], sorted(answer.headers), sentence(answer), answer.content


async def test_force_from_many_addresses_at_once_is_five_guesses(
    asha: User, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = watch(monkeypatch)
    guesses = [f"{n:06}" for n in range(99)] + [PIN]
    answers = await asyncio.gather(
        *(
            clients.at(f"10.{n}.0.1").post("/auth/login", data={"login": "asha", "pin": guess})
            for n, guess in enumerate(guesses)
        )
    )
    assert len(checked) == 5
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


async def test_known_and_unknown_names_cost_the_same_bcrypt(
    asha: User, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose time is all that somebody could measure; nothing else of a try takes long."""
    checked = watch(monkeypatch)
    for number, login in enumerate(("asha", "nobody")):
        await clients.at(f"10.{number}.0.1").post("/auth/login", data={"login": login, "pin": "918273"})
    assert checked == [b"$2b$04$", b"$2b$04$"]


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


async def test_a_full_queue_takes_no_tries(asha: User, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right PINs that nobody had the time to check had locked their owner out."""
    client = clients.at("10.1.0.1")
    await client.post("/auth/login", data={"login": "asha", "pin": PIN})
    forms = {
        "login": {"login": "asha", "pin": PIN},
        "pin": {"pin": PIN, "new_pin": "705318", "new_pin_again": "705318"},
        "delete": {"pin": PIN},
    }
    with monkeypatch.context() as full:
        full.setattr(pins, "_queue", pins.THREADS + pins.WAITING)
        for form, data in forms.items():
            for _ in range(6):
                answer = await client.post(f"/auth/{form}", data=data)
                told = flash.read(answer.cookies.get(flash.name()), form)["errors"]
                assert told == {"": "Many people are signing in just now. Try again in a minute."}
    assert not await read(lambda db: db.exec(select(SignInAttempt)).all())
    answer = await client.post("/auth/login", data={"login": "asha", "pin": PIN})
    assert answer.headers["location"] == "/dashboard"


async def test_who_has_a_place_in_the_queue_gets_a_new_pin(
    asha: User, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one is checked and the new one hashed in one place: the last one there is."""
    client = clients.at("10.1.0.1")
    await client.post("/auth/login", data={"login": "asha", "pin": PIN})
    monkeypatch.setattr(pins, "_queue", pins.THREADS + pins.WAITING - 1)
    await client.post("/auth/pin", data={"pin": PIN, "new_pin": "705318", "new_pin_again": "705318"})
    answer = await clients.at("10.2.0.1").post("/auth/login", data={"login": "asha", "pin": "705318"})
    assert answer.headers["location"] == "/dashboard"


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
