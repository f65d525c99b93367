"""Endpoints for what somebody must look at."""

from domain import findings
from domain.db import transact
from tests.unit.api.conftest import Caller, House


async def test_a_finding_is_looked_at_and_resolved(house: House, operator: Caller) -> None:
    await transact(findings.note, "orphan-stop", "BLR-1:7:100", "StopTransaction 7 at 100 Wh.")
    await transact(findings.note, "review", "S1", "Too much.")
    [one, other] = (await operator.get("/findings?resolved=false"))["items"]
    assert (one["kind"], one["ref"], other["kind"]) == ("orphan-stop", "BLR-1:7:100", "review")
    assert (await operator.get("/findings?kind=orphan-stop"))["items"] == [one]
    path = f"/findings/{one['id']}"
    assert await operator.get(path) == one
    await operator.refused(422, "POST", f"{path}/resolve", {})
    told = await operator.done("POST", f"{path}/resolve", {"note": "The electrician's"})
    assert (told["resolution"], told["resolved_by"]) == ("The electrician's", f"key:{operator.key[:12]}")
    again = await (await house.caller()).done("POST", f"{path}/resolve", {"note": "No, mine"})
    assert again == told
    assert [each["id"] for each in (await operator.get("/findings?resolved=true"))["items"]] == [one["id"]]
    [act] = await house.trail()
    assert (act.actor_kind, act.actor_id, act.action, act.subject) == (
        "key",
        operator.key[:12],
        "findings resolve",
        f"finding:{one['id']}",
    )
    await operator.refused(404, "GET", "/findings/999")
    await operator.refused(404, "POST", "/findings/999/resolve", {"note": "x"})


async def test_what_came_since_it_was_read_is_not_resolved_with_it(house: House, operator: Caller) -> None:
    await transact(findings.renew, "refund-due", "S1", "₹500 came back.")
    [one] = (await operator.get("/findings"))["items"]
    await transact(findings.renew, "refund-due", "S1", "₹500 and ₹700 came back.")
    path = f"/findings/{one['id']}/resolve"
    told = await operator.refused(409, "POST", path, {"note": "₹500 paid back", "detail": one["detail"]})
    assert (told["type"], (await operator.get("/findings?resolved=false"))["items"][0]["resolved_at"]) == (
        "urn:evapp:problem:finding-changed",
        None,
    )
    done = await operator.done("POST", path, {"note": "₹1,200 paid back", "detail": "₹500 and ₹700 came back."})
    assert done["resolution"] == "₹1,200 paid back"
