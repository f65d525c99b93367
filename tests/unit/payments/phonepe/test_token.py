"""The PhonePe client's token: fetched once for all, renewed in time, and never by the wall clock."""

import asyncio
from typing import Any

import httpx
import pytest

from domain.recharges import GatewayRefused, GatewayUnavailable
from payments.phonepe import PhonePe
from simulator.phonepe import Sandbox
from tests.unit.payments.phonepe.desk import ORDER, Clock, answering, create, phonepe


async def test_twenty_parallel_calls_fetch_one_token(sandbox: Sandbox, client: PhonePe) -> None:
    await asyncio.gather(*(create(client, f"RCH-{n}") for n in range(20)))
    assert (sandbox.calls["token"], sandbox.calls["pay"]) == (1, 20)


async def test_twenty_parallel_calls_renew_a_revoked_token_once(sandbox: Sandbox, client: PhonePe) -> None:
    await create(client)
    sandbox.tokens.clear()
    answers = await asyncio.gather(*(client.status(ORDER) for _ in range(20)))
    assert {answer.state for answer in answers} == {"PENDING"}
    assert (sandbox.calls["token"], sandbox.calls["status"]) == (2, 40)


async def test_one_failed_token_request_fails_all_who_waited_and_the_next_call_asks_again(
    sandbox: Sandbox, client: PhonePe
) -> None:
    sandbox.faults["token"].append("503")
    outcomes = await asyncio.gather(*(create(client, f"RCH-{n}") for n in range(20)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {GatewayUnavailable}
    assert sandbox.calls["token"] == 1
    await create(client)
    assert (sandbox.calls["token"], sandbox.calls["pay"]) == (2, 1)


async def test_a_caller_who_gives_up_does_not_spoil_the_token_for_others() -> None:
    asked, granted = asyncio.Event(), asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/oauth/token"):
            asked.set()
            await granted.wait()
            return httpx.Response(200, json={"access_token": "t", "issued_at": 0, "expires_at": 3600})
        return httpx.Response(200, json={"state": "PENDING", "amount": 1})

    client = phonepe(httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    first, second = (asyncio.create_task(client.status(ORDER)) for _ in range(2))
    await asked.wait()
    first.cancel()
    granted.set()
    assert (await second).state == "PENDING"
    assert first.cancelled()


async def test_a_token_is_renewed_three_minutes_before_its_end(sandbox: Sandbox, client: PhonePe, clock: Clock) -> None:
    await create(client)
    clock.now += 3600 - 180 - 1
    await client.status(ORDER)
    assert sandbox.calls["token"] == 1
    clock.now += 1
    await client.status(ORDER)
    assert sandbox.calls["token"] == 2


@pytest.mark.row("R35")
async def test_a_wrong_wall_clock_does_not_touch_the_token() -> None:
    """R35: ours is ten years off from PhonePe's; only the difference of its own two times counts."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path.endswith("/oauth/token"):
            return httpx.Response(200, json={"access_token": "t", "issued_at": 1_000, "expires_at": 4_600})
        return httpx.Response(200, json={"state": "PENDING", "amount": 1})

    client = phonepe(httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    await client.status(ORDER)
    await client.status(ORDER)
    assert asked.count("/v1/oauth/token") == 1


async def test_an_old_token_serves_while_the_oauth_service_is_down(
    sandbox: Sandbox, client: PhonePe, clock: Clock
) -> None:
    await create(client)
    sandbox.faults["token"].extend(["503", "503"])
    clock.now += 3600 - 100
    assert (await client.status(ORDER)).state == "PENDING"
    clock.now += 100
    with pytest.raises(GatewayUnavailable):
        await client.status(ORDER)
    assert (await client.status(ORDER)).state == "PENDING"


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"access_token": 7},
        {"access_token": ""},
        {"access_token": "a\r\nX-Injected: 1"},
        {"access_token": "मुद्रा"},
    ],
)
async def test_a_token_that_cannot_be_one_is_unavailable(answer: dict[str, Any]) -> None:
    client = answering(lambda _: httpx.Response(200, json={}), token={"expires_in": 60} | answer)
    with pytest.raises(GatewayUnavailable, match="access_token"):
        await create(client)


async def test_a_revoked_token_is_renewed_and_the_payment_repeated_once(sandbox: Sandbox, client: PhonePe) -> None:
    sandbox.faults["pay"].append("401")
    assert (await create(client)).state == "PENDING"
    assert (sandbox.calls["token"], sandbox.calls["pay"]) == (2, 2)


async def test_a_second_401_is_a_refusal(sandbox: Sandbox, client: PhonePe) -> None:
    sandbox.faults["pay"].extend(["401", "401", "401"])
    with pytest.raises(GatewayRefused, match="AUTHORIZATION_FAILED"):
        await create(client)
    assert (sandbox.calls["token"], sandbox.calls["pay"]) == (2, 2)
    sandbox.faults["pay"].clear()
    assert (await create(client)).state == "PENDING"
