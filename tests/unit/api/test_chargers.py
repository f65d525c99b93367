"""Endpoints for chargers."""

from datetime import timedelta

import pytest

from domain import chargers, local_lists, reservations, tariffs
from domain.bus import CallRefused, ChargerSilent, ChargerUnreachable
from domain.db import read
from domain.events import Call, Command, Reply
from domain.models import Charger
from domain.prices import Band, Price
from tests.collector import collected
from tests.money.charges import Desk
from tests.unit.api.conftest import Caller, House


async def test_a_charger_from_its_first_day_to_its_last(house: House, operator: Caller) -> None:
    described = {
        "name": "Indiranagar 1",
        "place": "100 Feet Road",
        "stands_in": "Karnataka",
        "connectors": 2,
        "max_power_w": 7_400,
        "kind": "Type 2",
        "group": "malls",
    }
    made = await operator.done("PUT", "/chargers/BLR-017", described)
    assert (made["id"], made["name"], made["stands_in"], made["group"], made["has_key"], made["online"]) == (
        "BLR-017",
        "Indiranagar 1",
        "Karnataka",
        "malls",
        False,
        False,
    )
    await operator.refused(422, "PUT", "/chargers/BLR-017", described | {"stands_in": "Karnatka"})
    refused = await operator.refused(422, "PUT", "/chargers/BLR-017", described | {"max_power_w": 999_000})
    assert refused["detail"] == "A plug of kind Type 2 gives at most 44 kW: check its power, or its kind."
    assert await operator.get("/chargers/BLR-017") == made
    assert (await operator.get("/chargers"))["items"] == [made]
    plugs = (await operator.get("/chargers/BLR-017/connectors"))["items"]
    assert [(plug["number"], plug["status"], plug["max_power_w"], plug["session"]) for plug in plugs] == [
        (1, "Unknown", 7_400, None),
        (2, "Unknown", 7_400, None),
    ]
    assert (await operator.done("PUT", "/chargers/BLR-017/trace", {"on": True}))["trace"] is True
    assert (await operator.get("/chargers/BLR-017/health"))["boots"] == 0
    assert (await operator.done("POST", "/chargers/BLR-017/retire", {"reason": "sold"}))["retired_at"].endswith("Z")
    assert (await operator.get("/chargers?retired=false"))["items"] == []
    assert (await operator.done("PUT", "/chargers/BLR-017", {}))["retired_at"] is None
    assert [(act.actor_kind, act.action, act.subject) for act in await house.trail()] == [
        ("key", "charger add", "charger:BLR-017"),
        ("key", "charger trace", "charger:BLR-017"),
        ("key", "charger retire", "charger:BLR-017"),
        ("key", "charger add", "charger:BLR-017"),
    ]
    assert '"reason": "sold"' in (await house.trail())[2].detail


async def test_a_key_lets_the_charger_in_and_is_kept_nowhere(house: House, operator: Caller) -> None:
    await operator.done("PUT", "/chargers/BLR-1", {})
    secret = "a-key-of-my-own-17"
    done = await operator.done("PUT", "/chargers/BLR-1/key", {"authorization_key": secret})
    assert secret not in str(done)
    assert secret not in str([act.model_dump() for act in await house.trail()])
    await read(lambda db: chargers.admit(db, "BLR-1", secret.encode(), accept_unknown=False))
    with pytest.raises(chargers.ChargerKeyWrong):
        await read(lambda db: chargers.admit(db, "BLR-1", b"another", accept_unknown=False))
    assert (await operator.get("/chargers/BLR-1"))["has_key"] is True
    assert secret not in (await operator.refused(422, "PUT", "/chargers/BLR-1/key", {"authorization_key": secret * 9}))


async def test_a_fleet_with_its_plugs_is_one_question(desk: Desk, operator: Caller) -> None:
    for number in range(1, 4):
        desk.charger(f"BLR-{number}", connectors=number)
    session_id = desk.charging(desk.driver(), "BLR-2", 2)
    told = (await operator.get("/fleet"))["items"]
    plain = (await operator.get("/chargers"))["items"]
    assert [{name: value for name, value in one.items() if name != "connectors"} for one in told] == plain
    for one in told:
        assert one["connectors"] == (await operator.get(f"/chargers/{one['id']}/connectors"))["items"]
    assert [plug["session"] for plug in told[1]["connectors"]] == [None, desk.session(session_id).ref]
    first = await operator.get("/fleet?limit=2")
    assert [one["id"] for one in first["items"]] == ["BLR-1", "BLR-2"]
    assert (await operator.get(f"/fleet?cursor={first['next']}"))["items"] == told[2:]
    assert [one["id"] for one in (await operator.get("/fleet?group=malls"))["items"]] == []


async def test_chargers_by_what_they_are(desk: Desk, operator: Caller) -> None:
    for number in range(1, 6):
        desk.charger(f"BLR-{number}")
    desk.disconnect("BLR-2")
    desk.do(chargers.set_group, "BLR-3", "malls")
    assert [one["id"] for one in (await operator.get("/chargers?online=false"))["items"]] == ["BLR-2"]
    assert [one["id"] for one in (await operator.get("/chargers?group=malls"))["items"]] == ["BLR-3"]
    first = await operator.get("/chargers?limit=3")
    rest = await operator.get(f"/chargers?limit=3&cursor={first['next']}")
    assert [one["id"] for one in first["items"] + rest["items"]] == [f"BLR-{number}" for number in range(1, 6)]
    assert rest["next"] is None


async def test_a_charger_with_a_charge_under_way_stays_in_service(desk: Desk, operator: Caller) -> None:
    desk.charger()
    desk.charging(desk.driver())
    told = await operator.refused(409, "POST", "/chargers/BLR-1/retire", {"reason": "sold"})
    assert "Stop it first" in told["detail"]
    assert (await operator.get("/chargers/BLR-1"))["retired_at"] is None


async def test_a_silent_charger_is_online_and_out_of_contact(desk: Desk, operator: Caller) -> None:
    desk.charger()
    told = await operator.get("/chargers/BLR-1")
    assert (told["online"], told["in_contact"]) == (True, True)
    desk.do(lambda db: setattr(chargers.info(db, "BLR-1"), "heard_at", desk.clock.at - timedelta(minutes=20)))
    told = await operator.get("/chargers/BLR-1")
    assert (told["online"], told["in_contact"]) == (True, False)


@pytest.mark.parametrize("path", ["", "/connectors", "/health", "/price", "/reservations", "/local-list", "/messages"])
async def test_of_a_charger_that_nobody_knows_nothing_is_told(operator: Caller, path: str) -> None:
    told = await operator.refused(404, "GET", f"/chargers/NOSUCH-1{path}")
    assert told["detail"] == "There is no charger NOSUCH-1."


async def test_the_price_of_a_charger(desk: Desk, operator: Caller) -> None:
    desk.charger()
    desk.do(
        tariffs.set_price,
        Price(2_000, 0, start_paise=500, bands=(Band(1_320, 360, 1_200),)),
        effective_at=desk.clock.at,
    )
    told = await operator.get("/chargers/BLR-1/price")
    assert (told["paise_per_kwh"], told["start_paise"], told["bands"]) == (
        2_000,
        500,
        [{"since_minute": 1_320, "until_minute": 360, "paise_per_kwh": 1_200}],
    )


async def test_local_lists_and_reservations_of_a_charger(desk: Desk, operator: Caller) -> None:
    desk.charger()
    assert (await operator.get("/chargers/BLR-1/local-list"))["version"] is None
    desk.do(
        local_lists.sent,
        "BLR-1",
        version=3,
        update="Full",
        entries=[{"idTag": "A", "idTagInfo": {"status": "Accepted"}}],
    )
    told = await operator.get("/chargers/BLR-1/local-list")
    assert (told["version"], told["entries"]) == (3, '{"A": {"status": "Accepted"}}')
    desk.do(reservations.asked, "BLR-1", number=7, connector_number=1, tag="A", parent="", expires_at=desk.clock.at)
    [row] = (await operator.get("/chargers/BLR-1/reservations?state=WANTED"))["items"]
    assert (row["number"], row["tag"], row["state"]) == (7, "A", "WANTED")


# Commands


async def test_a_command_reaches_the_charger_and_its_answer_comes_back(house: House, operator: Caller) -> None:
    house.desk.charger()
    heard: list[Command] = []

    async def handler(command: Command) -> Reply:
        heard.append(command)
        return Reply("Accepted", {"status": "Accepted"})

    asked = {"action": "Reset", "payload": {"type": "Soft"}}
    async with house.bus.attach("BLR-1", handler):
        first = await operator("POST", "/chargers/BLR-1/call", asked, idempotency_key="reset-1")
        again = await operator("POST", "/chargers/BLR-1/call", asked, idempotency_key="reset-1")
    assert first.json() == again.json() == {"status": "Accepted", "payload": {"status": "Accepted"}}
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert heard == [Call("Reset", {"type": "Soft"})]
    [act] = await house.trail()
    assert (act.action, act.subject) == ("call Reset", "charger:BLR-1")


async def test_what_a_charger_is_told_in_secret_is_not_in_the_trail(house: House, operator: Caller) -> None:
    house.desk.charger()
    payload = {"key": "AuthorizationKey", "value": "SECRETSECRETSECRET"}
    await operator.refused(409, "POST", "/chargers/BLR-1/call", {"action": "ChangeConfiguration", "payload": payload})
    [act] = await house.trail()
    assert "SECRET" not in act.detail


async def test_a_charger_that_is_away_was_not_asked_and_may_be_asked_again(house: House, operator: Caller) -> None:
    house.desk.charger()
    asked = {"action": "ClearCache"}
    told = await operator.refused(409, "POST", "/chargers/BLR-1/call", asked, idempotency_key="clear-1")
    assert told["type"] == "urn:evapp:problem:charger-offline"

    async def handler(command: Command) -> Reply:
        return Reply("Accepted", {"status": "Accepted"})

    async with house.bus.attach("BLR-1", handler):
        assert (await operator.done("POST", "/chargers/BLR-1/call", asked, idempotency_key="clear-1"))[
            "status"
        ] == "Accepted"


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (ChargerSilent("BLR-1"), 504, "did not answer in time"),
        (ChargerUnreachable("BLR-1"), 503, "no way to it now"),
        (CallRefused("Reset is not valid: 'type' is a required property"), 422, "'type' is a required property"),
    ],
)
async def test_silence_and_refusal_are_told_and_never_repeated(
    house: House, operator: Caller, error: Exception, status: int, says: str
) -> None:
    house.desk.charger()
    calls = []

    async def handler(command: Command) -> Reply:
        calls.append(command)
        raise error

    async with house.bus.attach("BLR-1", handler):
        for _ in range(2):
            told = await operator.refused(
                status, "POST", "/chargers/BLR-1/call", {"action": "Reset"}, idempotency_key="once"
            )
            assert says in told["detail"]
    assert len(calls) == 1


async def test_an_unknown_action_and_an_unknown_charger(operator: Caller) -> None:
    told = await operator.refused(422, "POST", "/chargers/BLR-1/call", {"action": "Explode"})
    assert told["errors"][0]["where"] == "body.action"
    await operator.refused(404, "POST", "/chargers/BLR-1/call", {"action": "Reset"})
    assert await read(lambda db: db.get(Charger, "BLR-1")) is None


async def test_a_charger_that_was_unknown_may_be_asked_again(house: House, operator: Caller) -> None:
    """What was refused was not done and is not remembered."""
    asked = {"action": "ClearCache"}
    await operator.refused(404, "POST", "/chargers/BLR-1/call", asked, idempotency_key="clear-1")
    house.desk.charger()

    async def handler(command: Command) -> Reply:
        return Reply("Accepted", {"status": "Accepted"})

    async with house.bus.attach("BLR-1", handler):
        told = await operator.done("POST", "/chargers/BLR-1/call", asked, idempotency_key="clear-1")
    assert told["status"] == "Accepted"


async def test_a_command_follows_from_its_operation_in_the_trace(house: House, operator: Caller) -> None:
    house.desk.charger()

    async def handler(command: Command) -> Reply:
        return Reply("Accepted", {"status": "Accepted"})

    async with collected() as collector, house.bus.attach("BLR-1", handler):
        await operator.done("POST", "/chargers/BLR-1/call", {"action": "ClearCache", "payload": {}})
        await operator.refused(404, "POST", "/chargers/BLR-2/call", {"action": "ClearCache"})
    asked, unknown = [one for one in collector.steps if one.name.startswith("operation ")]
    assert asked.name == unknown.name == "operation chargers_call"
    assert (asked.said["outcome"], unknown.said["outcome"], unknown.well) == ("200", "404", True)
    assert collector.child(asked, "command Call").said["charger"] == "BLR-1"


async def test_a_key_that_sets_no_prices_changes_neither_group_nor_state(house: House, operator: Caller) -> None:
    """A charger's group is its price, and the state it stands in its tax."""
    fitter = await house.caller("chargers:write")
    await fitter.done("PUT", "/chargers/BLR-017", {"name": "New"})
    for told in ({"group": "malls"}, {"stands_in": "Kerala"}):
        refused = await fitter.refused(403, "PUT", "/chargers/BLR-017", told)
        assert "tariffs:write" in refused["detail"]
        await fitter.refused(403, "PUT", "/chargers/BLR-018", told)
    known = await operator.get("/chargers/BLR-017")
    assert (known["group"], known["stands_in"]) == (None, None)
    assert (await operator("GET", "/chargers/BLR-018")).status_code == 404
    setter = await house.caller("chargers:write", "tariffs:write")
    await setter.done("PUT", "/chargers/BLR-017", {"group": "malls", "stands_in": "Kerala"})
    same = await fitter.done("PUT", "/chargers/BLR-017", {"name": "Old", "group": "malls", "stands_in": "Kerala"})
    assert (same["name"], same["group"], same["stands_in"]) == ("Old", "malls", "Kerala")
    await fitter.refused(403, "PUT", "/chargers/BLR-017", {"group": ""})
