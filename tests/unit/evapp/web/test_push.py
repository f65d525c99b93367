"""Notices while evapp is closed: what a push service gets, and what becomes of a notice by its answer."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session, select, update

from domain import metrics, push, pushes
from domain.bus import LocalBus
from domain.db import opened, read, transact
from domain.events import ChargerFreed, RechargeChanged, SessionChanged
from domain.models import Push, PushSubscription, RechargeOrder, User, now
from domain.settings import settings
from evapp.web import push as sending
from tests import receivers
from tests.money.house import driver
from tests.push_services import (
    Answer,
    Service,
    begins_and_says_no_more,
    drips,
    hangs_up,
    never_ends,
    says,
    says_headers_without_end,
    says_nothing,
    serving,
)
from tests.receivers import Receiver
from tests.unit.evapp.web.test_envelope import claims_of

ORDER = "EVAPP-1"


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    monkeypatch.setattr(settings(), "push_services", "127.0.0.1")
    async with serving() as service:
        yield service


@pytest.fixture
async def asha(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[int]:
    """Somebody to whose wallet a payment has come; on a database of the test's own."""

    def join(db: Session) -> int:
        user_id = driver(db)
        order = RechargeOrder(
            merchant_order_id=ORDER,
            user_id=user_id,
            amount_paise=50_000,
            state="CREDITED",
            client_nonce="n",
            expires_at=now(),
        )
        db.add(order)
        return user_id

    async with opened(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}"):
        yield await transact(join)


@pytest.fixture
async def phone(asha: int, service: Service) -> Receiver:
    """Her browser, which is told."""
    return await subscribed(asha, service)


async def subscribed(user_id: int, service: Service, token: str = "phone") -> Receiver:
    return await transact(receivers.subscribe, user_id, Receiver(f"{service.origin}/{token}"), token)


async def send() -> None:
    async with sending.client() as http:
        await sending.send_due(http)


async def shift(**time: float) -> None:
    """All that is to be told was made so long ago, and is due."""

    def older(db: Session) -> None:
        made_at = now() - timedelta(**time)
        db.exec(update(Push).values(made_at=made_at, due_at=made_at))  # type: ignore[call-overload]

    await transact(older)


@pytest.fixture
def stands(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The moment at which the sender's clock stands, after all that the test has made."""
    moment = now() + timedelta(seconds=5)
    monkeypatch.setattr(sending, "now", lambda: moment)
    return moment


async def due_at() -> datetime | None:
    """When the only notice is tried again; None: never."""
    return await read(lambda db: db.exec(select(Push.due_at)).one())


async def browsers() -> int:
    return len(await read(lambda db: db.exec(select(PushSubscription)).all()))


def counted() -> dict[str, int]:
    return {outcome: cell.n for (outcome,), cell in metrics.PUSHES.cells.items() if cell.n}


@pytest.fixture(autouse=True)
def nothing_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics.PUSHES, "cells", {})


async def test_a_payment_that_came_is_told_to_the_browser_alone(
    asha: int, phone: Receiver, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody on the way reads it, and the push service learns only from whom it is and how long it is worth telling."""
    await transact(push.tell, asha, push.ADDED, ORDER)
    await send()
    [(path, headers, body)] = service.posts
    assert path == "/phone"
    assert json.loads(phone.read(body)) == {
        "body": "₹500 was added.",
        "tag": "₹500 was added.",
        "icon": "/icons/icon-192.png",
        "badge": "/icons/favicon-48.png",
        "data": "http://localhost:3000/wallet",
    }
    assert (headers["content-encoding"], headers["urgency"]) == ("aes128gcm", "high")
    assert 1_790 < int(headers["ttl"]) <= 1_800
    assert len(headers["topic"]) <= 32
    assert headers["topic"].replace("-", "").replace("_", "").isalnum()
    said = claims_of(headers["authorization"], sending.public_key())
    assert (said["aud"], said["sub"]) == (service.origin, f"mailto:{settings().support_email}")
    assert now() < datetime.fromtimestamp(int(str(said["exp"])), UTC) <= now() + timedelta(hours=24)
    assert b"500" not in body
    assert await due_at() is None
    await transact(push.tell, asha, push.ADDED, ORDER)
    await send()
    assert len(service.posts) == 1
    assert counted() == {"told": 1}
    logged = capsys.readouterr().out
    assert not [secret for secret in (*phone.told, service.origin) if secret in logged]


async def test_every_browser_is_told_in_the_drivers_language_and_one_connection(asha: int, service: Service) -> None:
    receivers = {f"/{token}": await subscribed(asha, service, token) for token in ("phone", "tablet")}
    await transact(lambda db: setattr(db.get_one(User, asha), "language", "hi"))
    await transact(push.tell, asha, push.ADDED, ORDER)
    await send()
    told = [json.loads(receivers[path].read(body)) for path, _, body in service.posts]
    assert len(told) == 2
    assert told[0] == told[1]
    assert "₹500" in told[0]["body"]
    assert told[0]["body"] != "₹500 was added."
    assert told[0]["data"] == "http://localhost:3000/hi/wallet"


EVENTS = (
    SessionChanged(7, "BLR-1", 7, "SETTLED"),
    RechargeChanged(7, ORDER, "CREDITED"),
    ChargerFreed(7, "BLR-1"),
)
"""What may have something to tell."""
OUTCOMES: dict[str, tuple[Answer, str, bool, int | None]] = {
    "201": (says(201), "told", True, None),
    "200": (says(200, body=b"{}"), "told", True, None),
    "202": (says(202), "told", True, None),
    "an answer that is slow": (begins_and_says_no_more, "told", True, None),
    "an answer without end": (never_ends, "told", True, None),
    "404": (says(404), "gone", False, None),
    "410": (says(410), "gone", False, None),
    "401": (says(401), "refused", False, None),
    "403": (says(403, body=b"nonsense" * 10_000), "refused", False, None),
    "400": (says(400), "rejected", True, None),
    "413": (says(413), "rejected", True, None),
    "a way elsewhere": (says(307, "location: /elsewhere"), "rejected", True, None),
    "429": (says(429), "later", True, 30),
    "429 and a while": (says(429, "retry-after: 100"), "later", True, 100),
    "429 and too long": (says(429, "retry-after: 99999999999999999999"), "later", True, 480),
    "429 and nonsense": (says(429, "retry-after: soon"), "later", True, 30),
    "429 and what is no number": (says(429, "retry-after: -1"), "later", True, 30),
    "500": (says(500), "later", True, 30),
    "503 and a while": (says(503, "retry-after: 60"), "later", True, 60),
    "no answer": (says_nothing, "later", True, 30),
    "headers without end": (says_headers_without_end, "later", True, 30),
    "an answer that drips": (drips, "later", True, 30),
    "no goodbye": (hangs_up, "later", True, 30),
}


@pytest.mark.parametrize("answer", OUTCOMES)
async def test_what_becomes_of_a_notice(
    asha: int,
    phone: Receiver,
    service: Service,
    stands: datetime,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str,
) -> None:
    service.answer, outcome, stays, again_s = OUTCOMES[answer]
    monkeypatch.setattr(sending, "ANSWERS_S", 1.0)
    await transact(push.tell, asha, push.ADDED, ORDER)
    await send()
    assert counted() == {outcome: 1}
    assert [path for path, _, _ in service.posts] == ["/phone"]
    assert await browsers() == int(stays)
    if stays:
        assert await due_at() == (None if again_s is None else stands + timedelta(seconds=again_s))
    logged = capsys.readouterr().out
    assert not [secret for secret in (*phone.told, service.origin) if secret in logged]


async def test_a_push_service_may_name_the_moment(
    asha: int, phone: Receiver, service: Service, stands: datetime
) -> None:
    wished = (stands + timedelta(minutes=3)).replace(microsecond=0)
    service.answer = says(503, f"retry-after: {format_datetime(wished, usegmt=True)}")
    await transact(push.tell, asha, push.ADDED, ORDER)
    await send()
    assert await due_at() == wished


async def test_a_service_that_is_away_is_tried_again_and_then_given_up(
    asha: int, phone: Receiver, stands: datetime
) -> None:
    await transact(lambda db: setattr(db.exec(select(PushSubscription)).one(), "endpoint", "http://127.0.0.1:9/x"))
    await transact(push.tell, asha, push.ADDED, ORDER)
    await send()
    await shift(minutes=29)
    await send()
    assert counted() == {"later": 2}
    assert await due_at() == stands + timedelta(minutes=2)
    await shift(minutes=30)
    await send()
    assert counted() == {"later": 2, "given up": 1}
    assert await due_at() is None


async def test_a_push_service_keeps_it_no_longer_than_it_is_news(asha: int, phone: Receiver, service: Service) -> None:
    """Where it was away at first, nobody reads twice as late what it was to tell."""
    await transact(push.tell, asha, push.ADDED, ORDER)
    await shift(minutes=29)
    await send()
    [(_, headers, _)] = service.posts
    assert 50 < int(headers["ttl"]) <= 60


async def test_what_is_not_so_any_more_is_not_told(asha: int, phone: Receiver, service: Service) -> None:
    """Nothing of it is kept: when it is so again, it can be told."""
    await transact(push.tell, asha, push.FREED, "BLR-1")
    await send()
    assert (service.posts, counted()) == ([], {"over": 1})
    assert await read(lambda db: db.exec(select(Push)).all()) == []


async def test_a_service_that_is_not_listed_any_more_is_not_called(
    asha: int, phone: Receiver, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await transact(push.tell, asha, push.ADDED, ORDER)
    monkeypatch.setattr(settings(), "push_services", "fcm.googleapis.com")
    await send()
    assert (service.posts, counted(), await browsers()) == ([], {"not listed": 1}, 0)


async def test_one_that_fails_keeps_no_other_from_being_told(
    asha: int, phone: Receiver, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is taken up again when its lease is over."""
    await transact(push.tell, asha, "unheard", "of")
    await transact(push.tell, asha, push.ADDED, ORDER)
    await send()
    assert len(service.posts) == 1
    assert counted() == {"failed": 1, "told": 1}
    left = await read(lambda db: db.exec(select(Push.kind).where(Push.due_at != None)).all())  # noqa: E711
    assert left == ["unheard"]


async def test_a_push_service_gets_none_of_its_cookies_back(asha: int, service: Service) -> None:
    service.answer = says(201, "set-cookie: driver=7; Path=/")
    async with sending.client() as http:
        for token in ("phone", "tablet"):
            await subscribed(asha, service, token)
            await transact(push.tell, asha, push.ADDED, ORDER)
            await sending.send_due(http)
    assert [(path, "cookie" in headers) for path, headers, _ in service.posts] == [
        ("/phone", False),
        ("/tablet", False),
    ]


async def test_a_process_looks_at_once_when_it_hears_of_something(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    async def look(http: httpx.AsyncClient) -> None:
        looks.append(1)

    monkeypatch.setattr(sending, "send_due", look)
    sender, bus = sending.Sender(every_s=3600, pace_s=0), LocalBus()
    async with sending.client() as http:
        working = [asyncio.create_task(one) for one in (sender.hear(bus), sender.send(http))]
        for count, event in enumerate(EVENTS, start=1):
            while len(looks) < count:
                await asyncio.sleep(0)
            await bus.publish(event)
        while len(looks) <= len(EVENTS):
            await asyncio.sleep(0)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)


async def test_without_services_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "push_services", "none")
    await sending.run(LocalBus())


async def test_a_database_that_is_away_is_asked_again(
    asha: int, phone: Receiver, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await transact(push.tell, asha, push.ADDED, ORDER)
    found, due = [RuntimeError("away"), None], pushes.due

    def sometimes(db: Session, at: datetime) -> bool:
        if error := found.pop(0) if found else None:
            raise error
        return due(db, at)

    monkeypatch.setattr(pushes, "due", sometimes)
    async with sending.client() as http:
        working = asyncio.create_task(sending.Sender(every_s=0, pace_s=0).send(http))
        while not service.posts:
            await asyncio.sleep(0.01)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
