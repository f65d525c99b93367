"""Endpoints for what was written down."""

from datetime import timedelta

from domain import journal, safety
from domain.db import database, transact
from domain.journal import Line
from tests.unit.api.conftest import Caller, House


async def test_messages_of_a_charger_newest_first(house: House, operator: Caller) -> None:
    at = house.desk.clock.at
    house.desk.charger()
    lines = [
        Line(
            "BLR-1",
            "in" if number % 2 else "out",
            f"Action{number}",
            str(number),
            "[]",
            "",
            at + timedelta(hours=number),
        )
        for number in range(4)
    ]
    lines[3].answer, lines[3].answered_at = "[3]", lines[3].at + timedelta(seconds=1)
    await database().append(journal.write, [*lines, Line("OTHER", "in", "Boot", "9", "[]", "", at)])
    path = "/chargers/BLR-1/messages"
    assert [one["message_id"] for one in (await operator.get(path))["items"]] == ["3", "2", "1", "0"]
    last, before = (await operator.get(path))["items"][:2]
    assert (last["answer"], last["answered_at"] > last["at"]) == ("[3]", True)
    assert (before["answer"], before["answered_at"]) == (None, None)
    first = await operator.get(f"{path}?limit=3")
    assert [one["message_id"] for one in (await operator.get(f"{path}?cursor={first['next']}"))["items"]] == ["0"]
    since = (at + timedelta(hours=1, seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for query, found in {
        "direction=in": ["3", "1"],
        "action=Action2": ["2"],
        f"since={since}": ["3", "2"],
        f"before={since}": ["1", "0"],
    }.items():
        assert [one["message_id"] for one in (await operator.get(f"{path}?{query}"))["items"]] == found, query


async def test_what_a_charger_reports_of_its_security_newest_first(house: House, operator: Caller) -> None:
    at = house.desk.clock.at
    for charger_id in ("BLR-1", "BLR-2"):
        house.desk.charger(charger_id)
    for hour, kind in enumerate(("StartupOfTheDevice", "SettingSystemTime", "StartupOfTheDevice")):
        came = at + timedelta(hours=hour)
        await transact(safety.report, "BLR-1", kind=kind, detail=f"{hour}", at=at, received_at=came)
    await transact(safety.report, "BLR-2", kind="StartupOfTheDevice", detail="another's", at=at, received_at=at)
    path = "/chargers/BLR-1/security-events"
    assert [one["detail"] for one in (await operator.get(path))["items"]] == ["2", "1", "0"]
    first = await operator.get(f"{path}?limit=2")
    [last] = (await operator.get(f"{path}?cursor={first['next']}"))["items"]
    assert (last["kind"], last["detail"], last["at"] == last["received_at"]) == ("StartupOfTheDevice", "0", True)
    middle = (at + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for query, found in {
        "kind=StartupOfTheDevice": ["2", "0"],
        f"since={middle}": ["2", "1"],
        f"before={middle}": ["0"],
    }.items():
        assert [one["detail"] for one in (await operator.get(f"{path}?{query}"))["items"]] == found, query
    await operator.refused(404, "GET", "/chargers/NOSUCH-1/security-events")


async def test_the_trail_newest_first(house: House, operator: Caller) -> None:
    other = await house.caller()
    await operator.done("PUT", "/chargers/BLR-1", {})
    await other.done("PUT", "/chargers/BLR-2", {"name": "Two"})
    [last, first] = (await operator.get("/trail"))["items"]
    assert (first["actor_id"], first["subject"]) == (operator.key[:12], "charger:BLR-1")
    assert (last["actor_kind"], last["action"], last["detail"]) == ("key", "charger add", '{"name": "Two"}')
    assert (await operator.get(f"/trail?actor_kind=key&actor_id={other.key[:12]}"))["items"] == [last]
    assert (await operator.get("/trail?subject=charger:BLR-1"))["items"] == [first]
    assert (await operator.get("/trail?actor_kind=user"))["items"] == []
