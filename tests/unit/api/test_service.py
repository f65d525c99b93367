"""The way of every request: keys, scopes, pace, what is sent, and that a named write is done once."""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from api.app import OPERATIONS
from api.cursors import sealed
from api.incoming import LARGEST
from api.limits import Buckets
from domain import api_keys, api_writes, attempts, wallet
from domain.api_keys import SCOPES
from domain.db import read, transact
from domain.events import Command, Reply
from domain.models import ApiKey, ApiWrite, Transfer, now
from tests.money.house import Clock
from tests.unit.api.conftest import Caller, House, serving

HERE = {
    "charger_id": "BLR-1",
    "ref": "S000000000000001",
    "tag": "04A2",
    "user_id": "1",
    "order": "RCH-1",
    "refund_id": "REF-1",
    "finding_id": "1",
    "tariff_id": "1",
}


# Keys and scopes


async def test_who_may_what(sqlite_template: Path, tmp_path: Path, clock: Clock) -> None:
    """Every endpoint: without a key 401, with every other scope 403, with its scope alone it is looked at."""
    async with serving(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'evapp.db')}", clock) as house:
        only = {scope: await house.caller(scope) for scope in SCOPES}
        other = {scope: await house.caller(*(SCOPES.keys() - {scope})) for scope in SCOPES}
        for operation in OPERATIONS:
            method, path = operation.method, operation.path.format(**HERE)
            body = None if method == "GET" else {}
            await house.stranger().refused(401, method, path, body)
            await house.stranger("evk_wrong").refused(401, method, path, body, x_test_address=operation.name)
            told = await other[operation.scope].refused(403, method, path, body)
            assert operation.scope in told["detail"]
            assert (await only[operation.scope](method, path, body)).status_code in (200, 404, 409, 422), path


async def test_a_key_that_is_over_opens_nothing(house: House, clock: Clock) -> None:
    for_a_day = await transact(api_keys.create, "a day", ["trail:read"], now() + timedelta(days=1))
    caller = house.stranger(for_a_day[1])
    await caller.get("/trail")
    await transact(api_keys.revoke, for_a_day[0].prefix)
    await caller.refused(401, "GET", "/trail")
    past = await transact(api_keys.create, "past", ["trail:read"], now() - timedelta(days=1), now() - timedelta(days=2))
    response = await house.stranger(past[1])("GET", "/trail")
    assert (response.status_code, response.headers["www-authenticate"]) == (401, 'Bearer realm="evapp"')


async def test_a_use_is_noted(house: House, operator: Caller) -> None:
    await operator.get("/chargers")
    [row] = await read(lambda db: db.exec(select(ApiKey)).all())
    assert row.used_at is not None and now() - row.used_at < timedelta(minutes=1)


@pytest.mark.parametrize("given", ["Basic abc", "Bearer", "Bearer ", "bearer x y", "Bearer \u00e9", ""])
async def test_what_is_no_key_is_none(house: House, given: str) -> None:
    response = await house.client.get("/chargers", headers={"authorization": given.encode()})
    assert response.status_code == 401


async def test_two_keys_at_once_are_none(house: House, operator: Caller) -> None:
    headers = [("authorization", f"Bearer {operator.key}"), ("authorization", "Bearer evk_other")]
    assert (await house.client.get("/chargers", headers=headers)).status_code == 401


async def test_wrong_keys_are_limited_by_address_and_right_ones_are_not(house: House, operator: Caller) -> None:
    tries = attempts.LIMITS["api"][0].tries
    for number in range(tries):
        await house.stranger(f"evk_{number}").refused(401, "GET", "/chargers")
    response = await house.stranger("evk_more")("GET", "/chargers")
    assert response.status_code == 429
    assert 0 < int(response.headers["retry-after"]) <= 900
    await house.stranger("evk_more").refused(429, "GET", "/chargers")
    await house.stranger("evk_more").refused(401, "GET", "/chargers", x_test_address="198.51.100.7")
    await operator.get("/chargers")


async def test_one_key_asks_no_more_than_its_pace(database_url: str, clock: Clock) -> None:
    async with serving(database_url, clock, Buckets(a_second=0.1, at_once=3)) as house:
        fast, other = await house.caller(), await house.caller()
        for _ in range(3):
            await fast.get("/chargers")
        response = await fast("GET", "/chargers")
        assert (response.status_code, response.headers["retry-after"]) == (429, "10")
        await other.get("/chargers")


def test_a_bucket_fills_again() -> None:
    at = [0.0]
    buckets = Buckets(2, 2, lambda: at[0])
    assert [buckets.wait_s(1) for _ in range(3)] == [0, 0, 1]
    at[0] = 0.5
    assert [buckets.wait_s(1) for _ in range(2)] == [0, 1]


# What is sent


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"on": true}', "text/plain", 415),
        (b'{"on": true}', "", 415),
        (b'{"on": tru', "application/json", 400),
        (b'{"on": true, "on": false}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"on": NaN}', "application/json", 400),
        (b'{"on": 1e999}', "application/json", 400),
        (b'{"on": 9223372036854775808}', "application/json", 400),
        (b'{"on": ' + b"9" * 5_000 + b"}", "application/json", 400),
        (b"true", "application/json", 422),
        (b"null", "application/json", 422),
        (b'{"on": "true"}', "application/json", 422),
        (b'{"on": 1}', "application/json", 422),
        (b'{"on": true, "off": false}', "application/json", 422),
        (b"{}", "application/json", 422),
        (b"", "application/json", 400),
        (b" " * (LARGEST + 1), "application/json", 413),
    ],
)
async def test_only_what_can_be_read_one_way_is_read(
    house: House, operator: Caller, content: bytes, kind: str, status: int
) -> None:
    house.desk.charger()
    headers = {"authorization": f"Bearer {operator.key}", "content-type": kind}
    response = await house.client.put("/chargers/BLR-1/trace", content=content, headers=headers)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert "Traceback" not in response.text
    assert (await operator.get("/chargers/BLR-1"))["trace"] is False


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=1_0",
        "limit=%2B5",
        "limit=5.0",
        "online=yes",
        "colour=red",
        "cursor=AAAA",
        "cursor=",
    ],
)
async def test_filters_are_checked(operator: Caller, query: str) -> None:
    told = await operator.refused(422, "GET", f"/chargers?{query}")
    assert told["errors"][0]["where"] == f"query.{query.partition('=')[0]}"


@pytest.mark.parametrize(
    "path",
    ["/users", "/sessions", "/recharges", "/refunds", "/tariffs", "/findings", "/trail", "/users/{user}/movements"],
)
async def test_a_cursor_beyond_the_keys_of_a_listing_is_none(house: House, operator: Caller, path: str) -> None:
    """On a database that counts them with 32 bits, too."""
    path = path.format(user=house.desk.driver())
    for key in (2**31, 2**63, -1):
        told = await operator.refused(422, "GET", f"{path}?cursor={sealed(key)}")
        assert told["type"] == "urn:evapp:problem:cursor-unknown"
    await operator.get(f"{path}?cursor={sealed(2**31 - 1)}")


async def test_a_cursor_of_messages_may_be_longer_than_32_bits(house: House, operator: Caller) -> None:
    house.desk.charger()
    assert (await operator.get(f"/chargers/BLR-1/messages?cursor={sealed(2**31)}"))["items"] == []
    await operator.refused(422, "GET", f"/chargers/BLR-1/messages?cursor={sealed(2**63)}")


async def test_a_filter_that_stands_twice_is_none(operator: Caller) -> None:
    await operator.refused(400, "GET", "/chargers?online=true&online=false")
    await operator.refused(400, "GET", "/chargers?group=%ff")


@pytest.mark.parametrize("path", ["BLR-1'--", "BLR 1", "..%2f..", "%00", "BLR-1%0a", "A" * 49, "%F0%9F%98%80"])
async def test_an_address_with_other_characters_leads_nowhere(house: House, operator: Caller, path: str) -> None:
    house.desk.charger()
    response = await operator("GET", f"/chargers/{path}")
    assert response.status_code in (404, 422)


async def test_sql_is_text(house: House, operator: Caller) -> None:
    house.desk.charger()
    for text in ("' OR 1=1 --", '"; DROP TABLE users; --', "%", "_", "\\"):
        for path in ("/users?find=", "/chargers?group=", "/chargers?place=", "/findings?kind=", "/trail?subject="):
            assert (await operator.get(path + str(httpx.QueryParams({"x": text}))[2:]))["items"] == []
    assert len((await operator.get("/chargers"))["items"]) == 1


async def test_a_mistake_of_ours_is_logged_and_says_nothing(
    house: House, operator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("secret words of the inside")

    monkeypatch.setattr("domain.chargers.info", broken)
    told = await operator.refused(500, "GET", "/chargers/BLR-1")
    assert "secret words" not in str(told)


# Names of writes


async def adjust(caller: Caller, user_id: int, paise: int = 5_000, **headers: str) -> httpx.Response:
    body = {"amount_paise": paise, "reason": "The charger lost its power"}
    return await caller("POST", f"/users/{user_id}/adjustments", body, **headers)


async def test_without_a_name_no_money_moves(house: House, operator: Caller) -> None:
    user = house.desk.driver(0)
    response = await house.client.post(
        f"/users/{user}/adjustments",
        json={"amount_paise": 1, "reason": "x"},
        headers={"authorization": f"Bearer {operator.key}"},
    )
    assert (response.status_code, response.json()["type"]) == (400, "urn:evapp:problem:idempotency-key-missing")
    for name in ("", " ", "a b", "a,b", "a" * 65, "\u00e9", "a\tb"):
        response = await house.client.post(
            f"/users/{user}/adjustments",
            json={"amount_paise": 1, "reason": "x"},
            headers={"authorization": f"Bearer {operator.key}", "idempotency-key": name.encode()},
        )
        assert response.json()["type"] == "urn:evapp:problem:idempotency-key-unreadable", name
    twice = [("authorization", f"Bearer {operator.key}"), ("idempotency-key", "a"), ("idempotency-key", "b")]
    response = await house.client.post(
        f"/users/{user}/adjustments", json={"amount_paise": 1, "reason": "x"}, headers=twice
    )
    assert response.status_code == 400
    assert (await read(wallet.balance, user)).balance_paise == 0


async def test_sent_again_it_is_answered_as_before(house: House, operator: Caller) -> None:
    user = house.desk.driver(0)
    first = await adjust(operator, user, idempotency_key="gift-1")
    await adjust(operator, user, idempotency_key="gift-2")
    again = await adjust(operator, user, idempotency_key="gift-1")
    assert (first.status_code, first.text) == (again.status_code, again.text)
    assert again.json()["wallet"]["balance_paise"] == 5_000
    assert (await read(wallet.balance, user)).balance_paise == 10_000
    assert len(await house.trail()) == 2


async def test_the_same_name_for_something_else_is_refused(house: House, operator: Caller) -> None:
    user, other = house.desk.driver(0), house.desk.driver(0)
    await adjust(operator, user, idempotency_key="gift-1")
    assert (await adjust(operator, user, 5_001, idempotency_key="gift-1")).status_code == 422
    assert (await adjust(operator, other, idempotency_key="gift-1")).status_code == 422
    block = await operator("POST", f"/users/{user}/block", {"reason": "x"}, idempotency_key="gift-1")
    assert block.json()["type"] == "urn:evapp:problem:another-write"
    assert (await read(wallet.balance, user)).balance_paise == 5_000
    assert (await read(wallet.balance, other)).balance_paise == 0


async def test_names_of_two_keys_are_two(house: House, operator: Caller) -> None:
    user, other = house.desk.driver(0), await house.caller()
    await adjust(operator, user, idempotency_key="gift-1")
    await adjust(other, user, idempotency_key="gift-1")
    assert (await read(wallet.balance, user)).balance_paise == 10_000


async def test_the_spelling_of_a_body_does_not_matter(house: House, operator: Caller) -> None:
    user = house.desk.driver(0)
    headers = {
        "authorization": f"Bearer {operator.key}",
        "idempotency-key": "gift-1",
        "content-type": "application/json; charset=utf-8",
    }
    for content in ('{"amount_paise":1,"reason":"x"}', '{ "reason" : "x", "amount_paise" : 1 }'):
        response = await house.client.post(f"/users/{user}/adjustments", content=content, headers=headers)
        assert response.status_code == 201
    assert (await read(wallet.balance, user)).balance_paise == 1


async def test_twenty_at_once_move_money_once(house: House, operator: Caller) -> None:
    user = house.desk.driver(0)
    responses = await asyncio.gather(*(adjust(operator, user, idempotency_key="gift-1") for _ in range(20)))
    assert {(response.status_code, response.text) for response in responses} == {(201, responses[0].text)}
    assert (await read(wallet.balance, user)).balance_paise == 5_000
    assert len(await house.trail()) == 1


async def test_what_was_refused_may_be_asked_again_under_its_name(house: House, operator: Caller) -> None:
    user = house.desk.driver(0)
    refused = await adjust(operator, user, -5_000, idempotency_key="take-1")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:evapp:problem:not-adjusted")
    assert await house.trail() == []
    house.desk.give(user, 100)
    assert (await adjust(operator, user, -5_000, idempotency_key="take-1")).status_code == 201


class Slow:
    """A charger that has heard what it is asked, and answers when it is let go."""

    def __init__(self, mistake: Exception | None = None) -> None:
        self.mistake = mistake
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        self.calls: list[Command] = []

    async def __call__(self, command: Command) -> Reply:
        self.calls.append(command)
        self.asked.set()
        await self.go.wait()
        if self.mistake:
            raise self.mistake
        return Reply("Accepted", {"status": "Accepted"})


async def test_a_write_that_is_under_way_is_not_begun_again(house: House, operator: Caller) -> None:
    house.desk.charger()
    slow = Slow()
    async with house.bus.attach("BLR-1", slow):
        body = {"action": "ClearCache"}
        first = asyncio.create_task(operator("POST", "/chargers/BLR-1/call", body, idempotency_key="clear-1"))
        await slow.asked.wait()
        told = await operator.refused(409, "POST", "/chargers/BLR-1/call", body, idempotency_key="clear-1")
        assert told["type"] == "urn:evapp:problem:under-way"
        slow.go.set()
        assert (await first).status_code == 200
        assert (await operator.done("POST", "/chargers/BLR-1/call", body, idempotency_key="clear-1"))["status"]
    assert len(slow.calls) == 1


async def test_a_caller_who_goes_away_changes_nothing(house: House, operator: Caller) -> None:
    house.desk.charger()
    slow = Slow()
    async with house.bus.attach("BLR-1", slow):
        body = {"action": "ClearCache"}
        first = asyncio.create_task(operator("POST", "/chargers/BLR-1/call", body, idempotency_key="clear-1"))
        await slow.asked.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        slow.go.set()
        await house.quiet()
    assert (await operator.done("POST", "/chargers/BLR-1/call", body, idempotency_key="clear-1"))[
        "status"
    ] == "Accepted"


async def test_a_mistake_of_ours_is_logged_though_its_caller_went_away(house: House, operator: Caller) -> None:
    house.desk.charger()
    slow = Slow(KeyError("words of the inside"))
    async with house.bus.attach("BLR-1", slow):
        body = {"action": "ClearCache"}
        first = asyncio.create_task(operator("POST", "/chargers/BLR-1/call", body, idempotency_key="clear-1"))
        await slow.asked.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        with capture_logs() as lines:
            slow.go.set()
            await house.quiet()
    assert [(line["log_level"], line["event"]) for line in lines] == [("error", "a request of the API failed")]


async def test_answers_survive_a_restart(database_url: str, clock: Clock) -> None:
    async with serving(database_url, clock) as before:
        operator = await before.caller()
        user = before.desk.driver(0)
        first = await adjust(operator, user, idempotency_key="gift-1")
    async with serving(database_url, clock) as after:
        again = await adjust(after.stranger(operator.key), user, idempotency_key="gift-1")
        assert again.text == first.text
        assert (await read(wallet.balance, user)).balance_paise == 5_000


async def test_when_the_answer_is_forgotten_the_money_still_moves_once(house: House, operator: Caller) -> None:
    user = house.desk.driver(0)
    await adjust(operator, user, idempotency_key="gift-1")
    assert await transact(api_writes.forget, now() + api_writes.KEPT) == 1
    assert await read(lambda db: db.exec(select(ApiWrite)).all()) == []
    await adjust(operator, user, idempotency_key="gift-1")
    other = await adjust(operator, user, 7_000, idempotency_key="gift-1")
    assert other.status_code in (409, 422)
    transfers = await read(lambda db: db.exec(select(Transfer)).all())
    assert len(transfers) == 1
