"""The way of every request: whose key, may it, what does it ask; then the work, once, and the answer."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

import structlog
from pydantic import BaseModel
from sqlmodel import Session
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from api import incoming, problems
from api.limits import Buckets
from api.operation import Ask, Kind, Operation
from api.problems import Problem, Shut
from domain import api_keys, api_writes, attempts, traces, trail
from domain.api_writes import Answer
from domain.bus import ChargerOffline
from domain.chargers import ChargerUnknown
from domain.db import read, transact
from domain.models import ApiKey, now
from domain.recharges import PaymentGateway

log = structlog.get_logger()
T = TypeVar("T")

FAILED = "a request of the API failed"
REMEMBERED = 10_000
"""Addresses that are known to have had all their tries."""


class Service:
    """Serves every operation; one object a process."""

    def __init__(
        self, gateway: PaymentGateway, address_of: Callable[[HTTPConnection], str], buckets: Buckets | None = None
    ) -> None:
        self._gateway, self._address_of = gateway, address_of
        self._buckets = buckets or Buckets()
        self._shut: dict[str, datetime] = {}
        self._following: set[asyncio.Task[Any]] = set()

    async def serve(self, operation: Operation, request: Request) -> Response:
        """One request, whatever comes of it."""

        async def served() -> Response:
            key = await self._key(request)
            _may(operation, key)
            return await self._done(operation, key, request)

        with traces.OPERATION.span(operation.name) as span:
            response = await _told(served())
            span.came_to(str(response.status_code), well=response.status_code < 500)
            return response

    async def show(self, document: str, request: Request) -> Response:
        """Give the document of the API to whoever has a key."""

        async def shown() -> Response:
            await self._key(request)
            return Response(document, media_type="application/json")

        return await _told(shown())

    # Whose key it is

    async def _key(self, request: Request) -> ApiKey:
        presented = incoming.key(request)
        key = await read(api_keys.who, presented, now()) if presented else None
        if key is None:
            if presented:
                await self._guessed(self._address_of(request))
            raise Problem(
                401,
                "no-key",
                "This request brings no key, or one that is not good: Authorization: Bearer evk_…",
                headers={"www-authenticate": 'Bearer realm="evapp"'},
            )
        if wait_s := self._buckets.wait_s(key.id):
            raise Problem(
                429,
                "too-fast",
                f"This key asks too much. Nothing was done; ask again in {wait_s} s.",
                headers={"retry-after": str(wait_s)},
            )
        moment = now()
        if key.used_at is None or key.used_at < moment - api_keys.FRESH:
            await transact(api_keys.used, key.id, moment)
        return key

    async def _guessed(self, address: str) -> None:
        """Count a wrong key; right ones come in from the same address all the same."""
        until = self._shut.get(address)
        if until is not None and now() < until:
            raise Shut(until)
        try:
            await transact(attempts.knock, "api", address)
        except attempts.Locked as locked:
            log.warning("too many wrong keys", address=address, until=locked.until.isoformat())
            if len(self._shut) >= REMEMBERED:
                self._shut.clear()
            self._shut[address] = locked.until
            raise Shut(locked.until) from None

    # What it asks, and the work

    async def _done(self, operation: Operation, key: ApiKey, request: Request) -> Response:
        query = incoming.query(operation.query, request)
        path = incoming.path(operation.of_path, request)
        actor = trail.key(key.prefix)
        if operation.kind is Kind.READ:
            ask: Ask[Any, Any] = Ask(query, None, actor, "", self._gateway)
            return _response(_answer(operation, await read(operation.work, ask, **path)))
        name = incoming.idempotency_key(request, needed=operation.named)
        raw, body = await incoming.body(operation.body, request)
        ask = Ask(query, body, actor, _wish(key, name), self._gateway, scopes=api_keys.scopes(key))
        fingerprint = api_writes.fingerprint(operation.name, *map(str, path.values()), raw)
        write = _Write(operation, ask, path, key.id, name, fingerprint)
        answer, told = await self._to_its_end(write.commanded() if operation.kind is Kind.COMMAND else write.written())
        if operation.after is not None and told is not None:
            self._follow(operation.after(ask, told))
        return _response(answer, again=told is None)

    async def _to_its_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Finish it even when its caller goes away meanwhile: what a charger answers is written down all the same."""
        task = asyncio.create_task(work)
        self._following.add(task)
        task.add_done_callback(self._following.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_unheard)
            raise

    def _follow(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let it run on behind the answer; what fails is logged, and the sweeper does it again."""
        task = asyncio.create_task(work)
        self._following.add(task)
        task.add_done_callback(self._followed)

    def _followed(self, task: "asyncio.Task[Any]") -> None:
        self._following.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("what follows a write failed", exc_info=error)


class _Write:
    """One write on its way: done once, where it has a name, and never without its line of the trail."""

    def __init__(
        self, operation: Operation, ask: Ask[Any, Any], path: dict[str, Any], key_id: int, name: str, fingerprint: str
    ) -> None:
        self.operation, self.ask, self.path = operation, ask, path
        self.key_id, self.name, self.fingerprint = key_id, name, fingerprint

    async def written(self) -> tuple[Answer, BaseModel | None]:
        """In one transaction; gives the answer, and what was done unless that was before."""
        if self.operation.before is not None:
            known = await read(api_writes.answered, self.key_id, self.name, self.fingerprint)
            if known is not None:
                return known, None
            self.ask = replace(self.ask, learnt=await self.operation.before(self.ask, **self.path))
        return await transact(self._write)

    def _write(self, db: Session) -> tuple[Answer, BaseModel | None]:
        if (known := self._begin(db)) is not None:
            return known, None
        told = self.operation.work(db, self.ask, **self.path)
        answer = _answer(self.operation, told)
        self._note(db)
        self._end(db, answer)
        return answer, told

    async def commanded(self) -> tuple[Answer, BaseModel | None]:
        """Begun and noted in one transaction, asked over the network, answered in another."""
        if (known := await transact(self._command)) is not None:
            return known, None
        try:
            told = await self.operation.work(self.ask, **self.path)
            answer = _answer(self.operation, told)
        except (ChargerOffline, ChargerUnknown):
            await transact(self._undo)
            raise
        except Exception as error:
            if (problem := problems.of(error)) is not None:
                await transact(self._end, Answer(problem.status, problem.body))
            raise
        await transact(self._end, answer)
        return answer, told

    def _command(self, db: Session) -> Answer | None:
        known = self._begin(db)
        if known is None:
            self._note(db)
        return known

    def _begin(self, db: Session) -> Answer | None:
        return api_writes.begin(db, self.key_id, self.name, self.fingerprint) if self.name else None

    def _end(self, db: Session, answer: Answer) -> None:
        if self.name:
            api_writes.end(db, self.key_id, self.name, answer)

    def _undo(self, db: Session) -> None:
        if self.name:
            api_writes.undone(db, self.key_id, self.name)

    def _note(self, db: Session) -> None:
        if self.operation.action:
            asked = self.ask.body.model_dump(mode="json", exclude_defaults=True) if self.ask.body is not None else {}
            subject = self.operation.subject(self.path, self.ask.body)
            action = self.operation.action.format(**asked | self.path)
            trail.note(db, self.ask.actor, action, subject, asked)


def _may(operation: Operation, key: ApiKey) -> None:
    if operation.scope not in api_keys.scopes(key):
        raise Problem(403, "not-allowed", f"The key {key.prefix} may not do this: it lacks {operation.scope}.")


def _wish(key: ApiKey, name: str) -> str:
    return hashlib.sha256(f"api:{key.id}:{name}".encode()).hexdigest()[:40] if name else uuid4().hex


def _answer(operation: Operation, told: BaseModel) -> Answer:
    assert isinstance(told, operation.answers), f"{operation.name} answers {type(told).__name__}"
    return Answer(operation.status, told.model_dump_json())


def _unheard(task: "asyncio.Task[Any]") -> None:
    """Nobody is there to be told how it ended, so a mistake of ours is logged here."""
    error = None if task.cancelled() else task.exception()
    if isinstance(error, Exception) and problems.of(error) is None:
        log.error(FAILED, exc_info=error)


def _response(answer: Answer, again: bool = False) -> Response:
    media = problems.MEDIA if answer.status >= 400 else "application/json"
    return Response(answer.body, answer.status, {"idempotency-replayed": "true"} if again else None, media)


async def _told(serving: Coroutine[Any, Any, Response]) -> Response:
    try:
        response = await serving
    except Exception as error:
        problem = problems.of(error)
        if problem is None:
            log.exception(FAILED)
            problem = Problem(500, "our-mistake", "This went wrong here, and was logged. Nothing was done by halves.")
        response = problem.answer()
    response.headers["cache-control"] = "no-store"
    return response
