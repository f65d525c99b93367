"""Endpoints for prices."""

import pytest

from domain import tariffs
from domain.db import read
from domain.models import now
from tests.unit.api.conftest import Caller, House

WANTED = {
    "paise_per_kwh": 1_800,
    "charger_id": "BLR-1",
    "start_paise": 1_000,
    "per_minute_paise": 50,
    "idle_after_minutes": 10,
    "idle_per_minute_paise": 200,
    "bands": [{"since_minute": 1_320, "until_minute": 360, "paise_per_kwh": 1_200}],
}


async def test_a_price_is_put_into_force_once(house: House, operator: Caller) -> None:
    house.desk.charger()
    made = await operator("POST", "/tariffs", WANTED, idempotency_key="p1")
    assert made.status_code == 201
    assert (await operator("POST", "/tariffs", WANTED, idempotency_key="p1")).json() == made.json()
    told = made.json()
    assert {name: told["price"][name] for name in WANTED if name != "charger_id"} == {
        name: value for name, value in WANTED.items() if name != "charger_id"
    }
    assert await operator.get(f"/tariffs/{told['id']}") == told
    assert (await operator.get("/tariffs?charger_id=BLR-1"))["items"] == [told]
    assert (await operator.get("/tariffs?group=malls"))["items"] == []
    assert (await read(tariffs.price, "BLR-1", now())).start_paise == 1_000
    assert [(act.action, act.subject) for act in await house.trail()] == [("tariff set", "charger:BLR-1")]


async def test_the_trail_says_whose_price_it_is(house: House, operator: Caller) -> None:
    await operator.done("POST", "/tariffs", {"paise_per_kwh": 1_800, "group": "malls"})
    await operator.done("POST", "/tariffs", {"paise_per_kwh": 1_800})
    assert [act.subject for act in await house.trail()] == ["tariff:malls", "tariff:all"]


@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        ({"effective_at": "2020-01-01T00:00:00Z"}, 409, "begins now or later"),
        ({"group": "malls"}, 409, "not for both"),
        ({"charger_id": "NOSUCH"}, 404, "no charger NOSUCH"),
        ({"idle_after_minutes": 2}, 409, "minutes"),
        ({"bands": [{"since_minute": 0, "until_minute": 0, "paise_per_kwh": 1}]}, 409, "another end"),
        ({"paise_per_kwh": -1}, 422, "paise_per_kwh"),
        ({"paise_per_kwh": 18.5}, 422, "paise_per_kwh"),
    ],
)
async def test_prices_that_cannot_be(
    house: House, operator: Caller, wrong: dict[str, object], status: int, says: str
) -> None:
    house.desk.charger()
    assert says in (await operator.refused(status, "POST", "/tariffs", WANTED | wrong))["detail"]
    assert (await operator.get("/tariffs"))["items"] == []


async def test_nobody_knows_another_price(operator: Caller) -> None:
    assert (await operator.refused(404, "GET", "/tariffs/7"))["detail"] == "Nothing has this number."


async def test_a_price_of_ones_own_ends_and_one_to_come_is_taken_back(house: House, operator: Caller) -> None:
    house.desk.charger()
    await operator.done("POST", "/tariffs", {"paise_per_kwh": 2_400, "charger_id": "BLR-1"})
    to_come = {"charger_id": "BLR-1", "effective_at": "2099-12-01T00:00:00Z"}
    await operator.done("POST", "/tariffs", {"paise_per_kwh": 2_600, **to_come})
    await operator.done("POST", "/tariff-withdrawals", to_come)
    told = await operator.done("POST", "/tariff-ends", {"charger_id": "BLR-1"})
    assert told["ended_at"] is not None
    assert (await read(tariffs.price, "BLR-1", now())).paise_per_kwh == 1_800
    assert [(act.action, act.subject) for act in (await house.trail())[2:]] == [
        ("tariff withdraw", "charger:BLR-1"),
        ("tariff end", "charger:BLR-1"),
    ]
    assert "No price of its own" in (await operator.refused(409, "POST", "/tariff-ends", {"group": "malls"}))["detail"]
    assert "No price is to come" in (await operator.refused(409, "POST", "/tariff-withdrawals", to_come))["detail"]
