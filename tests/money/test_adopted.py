"""Recharges that an older backup, restored, does not know: taken in once, however many operators do it at once."""

from domain import adopted, wallet
from domain.adopted import NotAdopted
from domain.models import RechargeOrder
from domain.recharges import OrderStatus
from tests.money import house
from tests.money.charges import Desk
from tests.money.house import RUPEES_500
from tests.money.test_charging_at_once import processes, together

LOST = "RCH-0193c0a7f1e27c0e8a41c2d9b7f4a611"


def paid(user_id: int) -> OrderStatus:
    return OrderStatus("OMO1", "COMPLETED", RUPEES_500, "4550", "OM1", "UPI_QR", "", {}, user_ref=f"u_{user_id}")


async def test_20_operators_adopt_one_order(open_desk: Desk) -> None:
    desk = open_desk
    asha = desk.driver(rupees=0)
    async with processes(desk.database.url) as databases:
        results = await together(databases, *[(adopted.adopt, LOST, asha, paid(asha))] * 20)
    refused = [result for result in results if result is not None]
    assert len(refused) == 19
    assert all(isinstance(result, NotAdopted) for result in refused), refused
    assert desk.money(asha) == wallet.Balance(RUPEES_500, 0, 0)
    assert desk.do(house.rows, RechargeOrder) == 1


def test_what_its_driver_pays_with_it_is_held_for_the_charge_that_runs(desk: Desk) -> None:
    asha = desk.driver(rupees=60)
    desk.charger()
    desk.charging(asha)
    desk.do(adopted.adopt, LOST, asha, paid(asha))
    assert desk.money(asha) == wallet.Balance(56_000, 56_000, 0)
