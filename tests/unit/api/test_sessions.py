"""Endpoints for charging sessions."""

import asyncio

import pytest

from domain.events import Command, RemoteStop, Reply
from domain.models import SessionState
from tests.money.charges import METER, Desk
from tests.unit.api.conftest import Caller, House


@pytest.fixture
def charge(desk: Desk) -> int:
    """A charge that runs, of 2 kWh so far."""
    user = desk.driver()
    desk.charger()
    session_id = desk.charging(user)
    desk.flows(session_id, 2)
    return session_id


async def test_a_session_and_its_samples(desk: Desk, operator: Caller, charge: int) -> None:
    [told] = (await operator.get("/sessions?state=CHARGING&charger_id=BLR-1"))["items"]
    assert (told["energy_wh"], told["cost_paise"], told["meter_wh"]) == (2_000, 3_600, METER + 2_000)
    assert told == await operator.get(f"/sessions/{told['ref']}")
    assert told["requested_at"].endswith("Z")
    first = await operator.get(f"/sessions/{told['ref']}/samples?limit=1")
    rest = await operator.get(f"/sessions/{told['ref']}/samples?limit=1&cursor={first['next']}")
    assert [one["energy_wh"] for one in first["items"] + rest["items"]] == [METER + 1_000, METER + 2_000]
    assert rest["next"] is None


async def test_a_walk_up_costs_while_it_runs_what_it_costs_in_the_end(desk: Desk, operator: Caller) -> None:
    """By its tariff, though nobody pays it."""
    desk.charger()
    session_id = desk.walk_up(meter_wh=METER).session_id
    desk.flows(session_id, 2)
    ref = desk.session(session_id).ref
    assert (await operator.get(f"/sessions/{ref}"))["cost_paise"] == 3_600
    desk.stop(session_id, METER + 2_000)
    assert (await operator.get(f"/sessions/{ref}"))["cost_paise"] == 3_600


async def test_sessions_by_what_they_are(desk: Desk, operator: Caller, charge: int) -> None:
    session = desk.session(charge)
    at = session.requested_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    for query, found in {
        "state=SETTLED": 0,
        f"user_id={session.user_id}": 1,
        "user_id=999": 0,
        "charger_id=BLR-9": 0,
        f"requested_since={at}": 1,
        f"requested_before={at}": 0,
        "requested_since=9999-12-31T23:59:59%2B00:00": 0,
        "requested_since=0001-01-01T00:00:00%2B14:00": 1,
    }.items():
        assert len((await operator.get(f"/sessions?{query}"))["items"]) == found, query


async def test_a_charge_is_stopped_at_its_charger(house: House, operator: Caller, charge: int) -> None:
    session = house.desk.session(charge)
    heard: asyncio.Queue[Command] = asyncio.Queue()

    async def charger(command: Command) -> Reply:
        heard.put_nowait(command)
        return Reply("Accepted", {"status": "Accepted"})

    async with house.bus.attach("BLR-1", charger):
        told = await operator.done("POST", f"/sessions/{session.ref}/stop", {"reason": "smoke"}, idempotency_key="s1")
        assert (told["state"], told["stop_cause"]) == ("STOPPING", "operator")
        assert await heard.get() == RemoteStop(session.transaction_id or 0)
        again = await operator.done("POST", f"/sessions/{session.ref}/stop", {"reason": "smoke"}, idempotency_key="s1")
        assert again == told
        await house.quiet()
        assert heard.empty()
    [act] = await house.trail()
    assert (act.action, act.subject, act.detail) == ("session stop", f"session:{session.ref}", '{"reason": "smoke"}')


async def test_a_charge_that_never_began_is_called_off(house: House, operator: Caller) -> None:
    desk = house.desk
    user = desk.driver()
    desk.charger()
    session = desk.session(desk.request(user))
    told = await operator.done("POST", f"/sessions/{session.ref}/stop")
    assert told["state"] == SessionState.CANCELLED
    assert desk.money(user).held_paise == 0
    again = await operator.refused(409, "POST", f"/sessions/{session.ref}/stop", {})
    assert again["detail"] == f"The session {session.ref} is CANCELLED; there is nothing to stop."
    assert [act.action for act in await house.trail()] == ["session stop"], "nobody did it twice"


async def test_a_charge_that_is_over_is_not_stopped_but_given_back(house: House, operator: Caller, charge: int) -> None:
    desk = house.desk
    desk.stop(charge, METER + 2_000)
    session = desk.session(charge)
    path = f"/sessions/{session.ref}"
    told = await operator.refused(409, "POST", f"{path}/stop", {})
    assert told["type"] == "urn:evapp:problem:session-over"
    body = {"amount_paise": 600, "reason": "The cable was wet"}
    answers = await asyncio.gather(
        *(operator("POST", f"{path}/give-back", body, idempotency_key="wet") for _ in range(8))
    )
    assert {answer.json()["given_back_paise"] for answer in answers} == {600}
    assert desk.money(session.user_id or 0).balance_paise == 100_000 - 3_600 + 600
    told = await operator.refused(409, "POST", f"{path}/give-back", body)
    assert "was given back already" in told["detail"]
    too_much = await operator.refused(422, "POST", f"{path}/give-back", {"amount_paise": 0, "reason": "x"})
    assert too_much["errors"][0]["where"] == "body.amount_paise"


@pytest.mark.parametrize("path", ["", "/samples"])
async def test_nobody_has_a_session_of_another_ref(operator: Caller, path: str) -> None:
    assert (await operator.refused(404, "GET", f"/sessions/NOSUCH{path}"))["detail"] == "There is no session NOSUCH."
    await operator.refused(404, "POST", "/sessions/NOSUCH/stop", {})
