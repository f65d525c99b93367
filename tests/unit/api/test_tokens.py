"""Endpoints for cards."""

from tests.unit.api.conftest import Caller, House


async def test_a_card_from_its_first_day_to_its_last(house: House, operator: Caller) -> None:
    user = house.desk.driver()
    described = {"user_id": user, "parent": "family", "expires_at": "2099-12-31T00:00:00+05:30", "concurrent": True}
    made = await operator.done("PUT", "/tokens/04a2b9c1", described)
    assert (made["tag"], made["user_id"], made["parent"], made["status"], made["concurrent"]) == (
        "04A2B9C1",
        user,
        "FAMILY",
        "Accepted",
        True,
    )
    assert made["expires_at"] == "2099-12-30T18:30:00Z"
    assert await operator.get("/tokens/04A2b9c1") == made
    assert (await operator.done("POST", "/tokens/04A2B9C1/block"))["status"] == "Blocked"
    assert (await operator.done("PUT", "/tokens/04A2B9C1", {}))["status"] == "Blocked"
    again = await operator.done("POST", "/tokens/04A2B9C1/unblock")
    assert (again["status"], again["user_id"]) == ("Accepted", None)
    acts = await house.trail()
    assert [act.action for act in acts] == ["token add", "token block", "token add", "token unblock"]
    assert {act.subject for act in acts} == {"card:04A2B9C1"}


async def test_cards_by_number_and_by_user(house: House, operator: Caller) -> None:
    user = house.desk.driver()
    for tag in ("C", "A", "B"):
        await operator.done("PUT", f"/tokens/{tag}", {"user_id": user} if tag == "B" else {})
    assert [one["tag"] for one in (await operator.get("/tokens"))["items"]] == ["A", "B", "C"]
    assert [one["tag"] for one in (await operator.get(f"/tokens?user_id={user}"))["items"]] == ["B"]
    first = await operator.get("/tokens?limit=2")
    assert [one["tag"] for one in (await operator.get(f"/tokens?cursor={first['next']}"))["items"]] == ["C"]


async def test_cards_that_cannot_be(operator: Caller) -> None:
    assert (await operator.refused(404, "GET", "/tokens/NOSUCH"))["detail"] == "There is no card NOSUCH."
    await operator.refused(404, "POST", "/tokens/NOSUCH/block", {})
    await operator.refused(404, "PUT", "/tokens/A", {"user_id": 999})
    await operator.refused(422, "PUT", f"/tokens/{'A' * 21}", {})
    await operator.refused(422, "PUT", "/tokens/A", {"expires_at": "tomorrow"})
