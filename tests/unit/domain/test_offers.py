"""What several chargers offer at once: the same as each alone, and not a query more for each."""

from domain import chargers, offers, tariffs
from domain.prices import Band, Price
from tests.asked import asked, selects
from tests.money.charges import Desk

IDS = ("BLR-3", "BLR-1", "BLR-2", "BLR-4")


def test_each_is_as_it_is_alone_in_five_queries(desk: Desk) -> None:
    for charger_id in ("BLR-1", "BLR-2", "BLR-3", "BLR-4", "BLR-5"):
        desk.charger(charger_id, connectors=2)
    desk.charging(desk.driver(), "BLR-1")
    desk.status("BLR-2", 0, "Faulted")
    desk.do(chargers.set_group, "BLR-3", "mall")
    desk.do(tariffs.set_price, Price(2_100, 0))
    desk.do(tariffs.set_price, Price(1_500, 0, bands=(Band(1_320, 360, 900),)), group="mall")
    desk.do(tariffs.set_price, Price(2_500, 0, start_paise=100), charger_id="BLR-1")
    desk.do(chargers.retire, "BLR-5")
    alone = [desk.do(chargers.view, charger_id) for charger_id in IDS]
    with asked(desk.database.engine) as queries:
        found = desk.do(offers.of, (*IDS, "BLR-5", "NOBODY"))
    assert found == alone
    assert {view.price.paise_per_kwh for view in found} == {1_500, 2_100, 2_500}
    assert selects(queries) == 5


def test_free_ones_of_the_same_place(desk: Desk) -> None:
    for charger_id in ("BLR-1", "BLR-2", "BLR-3", "BLR-4", "FAR-1", "NOWHERE"):
        desk.charger(charger_id)
        place = {"FAR-1": "Mysuru", "NOWHERE": ""}.get(charger_id, "Phoenix Mall")
        desk.do(chargers.add, charger_id, place=place)
    desk.status("BLR-2", 1, "Charging")
    desk.do(chargers.retire, "BLR-4")
    assert [view.id for view in desk.do(offers.free_beside, "BLR-1")] == ["BLR-3"]
    assert [view.id for view in desk.do(offers.free_beside, "BLR-2", limit=1)] == ["BLR-1"]
    assert desk.do(offers.free_beside, "NOWHERE") == []
