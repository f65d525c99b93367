"""Who did what, by whom it was done to and by who did it; without browsers."""

from domain import tokens, trail
from domain.db import transact
from evapp.state.ops_trail import OpsTrail
from tests.money import house
from tests.unit.evapp.state.test_ops import PageOf, page, people, scope

__all__ = ["page", "people", "scope"]


async def test_the_trail_of_a_driver_has_all_that_moved_his_money(page: PageOf, people: dict[str, int]) -> None:
    """A refund and a give-back are done to an order and a charge: neither stood in the trail of whose money it is."""
    asha, ravi = people["asha"], trail.user(people["ravi"])
    order, other = await house.placed(asha), await house.placed(people["ravi"])
    await transact(house.charge, asha)
    await transact(tokens.add, "04A2", user_id=asha)
    for action, subject in (
        ("wallet adjust", f"user:{asha}"),
        ("session give-back", f"session:S{1:015d}"),
        ("refund request", f"order:{order.merchant_order_id}"),
        ("refund request", f"order:{other.merchant_order_id}"),
        ("token block", "card:04A2"),
        ("wallet adjust", f"user:{asha}1"),
    ):
        await transact(trail.note, ravi, action, subject, "why")
    state = await page(OpsTrail, about=f"user:{asha}")
    await state._refresh(0)
    assert [row.action for row in state.rows] == [
        "token block",
        "refund request",
        "session give-back",
        "wallet adjust",
    ]
    assert [row.link for row in state.rows][1] == f"/ops/refunds?find={order.merchant_order_id}"


async def test_what_one_of_us_did_is_found_by_name(page: PageOf, people: dict[str, int]) -> None:
    """Of whoever leaves: the page could be asked about what was done to, never about who did."""
    await transact(trail.note, trail.user(people["ravi"]), "user block", "user:9")
    await transact(trail.note, trail.Actor(trail.ActorKind.SHELL, "meena"), "charger retire", "charger:A-1")
    state = await page(OpsTrail)
    await state._refresh(0)
    assert [row.by for row in state.rows] == ["shell:meena", f"user:{people['ravi']}"]
    for by, actions in (
        ("shell:meena", ["charger retire"]),
        (f"user:{people['ravi']}", ["user block"]),
        ("key:evk_1", []),
        ("nonsense", ["charger retire", "user block"]),
    ):
        state.by = by
        await state._refresh(0)
        assert [row.action for row in state.rows] == actions, by


async def test_the_trail_names_who_did_it(page: PageOf, people: dict[str, int]) -> None:
    await transact(trail.note, trail.user(people["ravi"]), "user block", "user:9", "A stolen phone")
    await transact(trail.note, trail.key("ops-1"), "charger add", "charger:A-1", "")
    state = await page(OpsTrail)
    await state._refresh(0)
    assert [(row.who, row.link) for row in state.rows] == [
        ("Key ops-1 of the API", "/ops/c/A-1"),
        ("ravi", "/ops/users/9"),
    ]
    await state.search({"about": "user:9"})
    assert [row.action for row in state.rows] == ["user block"]
