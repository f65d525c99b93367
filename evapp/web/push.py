"""Drivers are told while evapp is closed: what is due is put into words, sealed, and handed to push services."""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from sqlalchemy.exc import SQLAlchemyError

from domain import metrics, push, pushes
from domain.bus import Bus
from domain.db import read, transact
from domain.events import ChargerFreed, RechargeChanged, SessionChanged
from domain.logs import first_line
from domain.models import now
from domain.pushes import Notice
from domain.settings import settings
from evapp.web import envelope, words

log = structlog.get_logger()

EVERY_S = 5.0
"""So often a process looks for what is due, though nothing that it heard of has happened."""
PACE_S = 1.0
"""In a fleet something happens all the time: it looks no more often."""
ANSWERS_S = 10.0
"""A push service that has not answered by then is asked later."""
LARGEST = 3_000
"""Bytes of a message; push services take 4,096 with what sealing adds."""
ANSWER = 4_096
"""Bytes of an answer that are read; none of them matters."""
GONE = (404, 410)
"""The browser has unsubscribed."""
REFUSED = (401, 403)
"""It subscribed to another key than ours: the secret was another one then."""
BUSY = 429


def public_key() -> str:
    """By which a browser subscribes to us alone, in base64url; empty where nobody is told while evapp is closed."""
    return envelope.encoded(envelope.public(_key())) if settings().push_hosts else ""


def _key() -> EllipticCurvePrivateKey:
    return envelope.key_of(settings().secret())


async def run(bus: Bus) -> None:
    """Tell what is due until cancelled, at once where this process hears that something has happened; several processes
    may."""
    if not settings().push_hosts:
        return
    sender = Sender()
    hearing = asyncio.create_task(sender.hear(bus))
    try:
        async with client() as http:
            await sender.send(http)
    finally:
        hearing.cancel()


def client() -> httpx.AsyncClient:
    """It follows no redirect, which could lead where no list of ours does, and keeps no cookies, which would tell a
    push service which browsers are of one operator's drivers."""
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(timeout=ANSWERS_S, follow_redirects=False, cookies=no_cookies)


@dataclass(slots=True)
class Sender:
    """Looks for what is due, and hands it over."""

    every_s: float = EVERY_S
    pace_s: float = PACE_S
    happened: asyncio.Event = field(default_factory=asyncio.Event)

    async def hear(self, bus: Bus) -> None:
        """Each of these may have something to tell."""
        async for _ in bus.subscribe(SessionChanged, RechargeChanged, ChargerFreed):
            self.happened.set()

    async def send(self, http: httpx.AsyncClient) -> None:
        while True:
            self.happened.clear()
            try:
                await send_due(http)
            except SQLAlchemyError as error:
                log.error("notices not looked up; tried again", reason=first_line(error))
            except Exception:
                log.exception("notices not sent; tried again")
            await asyncio.sleep(self.pace_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.every_s):
                    await self.happened.wait()


async def send_due(http: httpx.AsyncClient) -> None:
    """Everything that is due now. Without any, nothing is written."""
    while await read(pushes.due, now()) and (notices := await transact(pushes.take, now())):
        await asyncio.gather(*(_send(http, notice) for notice in notices))


async def _send(http: httpx.AsyncClient, notice: Notice) -> None:
    try:
        metrics.PUSHES.add(await _outcome(http, notice))
    except Exception:  # it is taken up again when its lease is over
        metrics.PUSHES.add("failed")
        log.exception("notice not sent", kind=notice.kind, subscription=notice.subscription_id)


async def _outcome(http: httpx.AsyncClient, notice: Notice) -> str:
    if now() >= notice.made_at + notice.lasts:
        log.warning("notice given up", kind=notice.kind, subscription=notice.subscription_id, tries=notice.tries - 1)
        return await _done(notice, "given up")
    if not push.is_endpoint(notice.endpoint):  # the list has become shorter
        return await _drop(notice, "not listed")
    message = await read(words.message, notice)
    if message is None:
        await transact(pushes.over, notice)
        return "over"
    status, headers = await _post(http, notice, message)
    return await _answered(notice, status, headers)


async def _post(http: httpx.AsyncClient, notice: Notice, message: dict[str, str]) -> tuple[int, httpx.Headers]:
    """Hand it over; gives the status that is answered, 0 for none, and the headers. Of the rest no more is read than
    the next notice needs on the same connection."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    assert len(body) <= LARGEST
    left = notice.made_at + notice.lasts - now()
    headers = {
        "authorization": envelope.vouched(_key(), notice.endpoint, settings().support_email, now()),
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        "ttl": str(max(0, int(left.total_seconds()))),
        "urgency": "high",
        "topic": _topic(notice),
    }
    sealed = envelope.sealed(body, notice.p256dh, notice.auth)
    answered = 0, httpx.Headers()
    with contextlib.suppress(httpx.HTTPError, TimeoutError):
        async with (
            asyncio.timeout(ANSWERS_S),
            http.stream("POST", notice.endpoint, content=sealed, headers=headers) as answer,
        ):
            answered = answer.status_code, answer.headers
            async for _ in answer.aiter_raw(ANSWER):
                break
    return answered


def _topic(notice: Notice) -> str:
    """A push service that still holds one of this topic keeps the newer one alone (RFC 8030, 5.4)."""
    return envelope.encoded(sha256(f"{notice.kind} {notice.ref}".encode()).digest())[:32]


async def _answered(notice: Notice, status: int, headers: httpx.Headers) -> str:
    """What the answer makes of it."""
    about = {"kind": notice.kind, "subscription": notice.subscription_id, "status": status}
    if 200 <= status < 300:
        return await _done(notice, "told")
    if status in GONE:
        return await _drop(notice, "gone")
    if status in REFUSED:
        log.error("a push service refuses our key; its browser is told no more", **about)
        return await _drop(notice, "refused")
    if status in (0, BUSY) or status >= 500:
        log.warning("notice not taken; tried again", **about, tries=notice.tries)
        moment = now()
        await transact(pushes.later, notice, moment, _asked(headers, moment))
        return "later"
    log.error("a push service does not take a notice", **about)
    return await _done(notice, "rejected")


async def _done(notice: Notice, outcome: str) -> str:
    await transact(pushes.told, notice)
    return outcome


async def _drop(notice: Notice, outcome: str) -> str:
    await transact(pushes.drop, notice)
    return outcome


def _asked(headers: httpx.Headers, at: datetime) -> timedelta:
    """How long a push service asks us to wait, in seconds or until a moment; nothing where it does not."""
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdecimal():
        return timedelta(seconds=min(int(asked[:9]), 86_400))
    try:
        until = parsedate_to_datetime(asked)
    except ValueError:
        return timedelta(0)
    return (until if until.tzinfo else until.replace(tzinfo=UTC)) - at
