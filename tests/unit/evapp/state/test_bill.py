"""The receipt's words: what is still owed of a charge, and what an estimate is worth."""

from domain import history
from evapp.components.receipt import Bill
from evapp.state.bill import bill_of
from tests.money.charges import METER, Desk


def shown(desk: Desk, user_id: int, session_id: int) -> Bill:
    return bill_of(desk.do(history.one, user_id, desk.session(session_id).ref))


def test_a_debt_that_was_paid_is_owed_no_more(desk: Desk) -> None:
    asha, session_id = desk.a_charge(rupees=50)
    desk.passes(minutes=5)
    desk.stop(session_id, METER + 5_000)
    assert shown(desk, asha, session_id).arrears == "₹40.00"
    desk.give(asha, 15, "a part")
    assert shown(desk, asha, session_id).arrears == "₹25.00"
    desk.give(asha, 500)
    assert shown(desk, asha, session_id).arrears == ""


def test_a_later_debt_is_owed_of_its_own_charge(desk: Desk) -> None:
    asha, first = desk.a_charge(rupees=50)
    desk.passes(minutes=5)
    desk.stop(first, METER + 5_000)
    desk.status("BLR-1", 1, "Available")
    desk.give(asha, 90)
    later = desk.charging(asha)
    desk.passes(minutes=5)
    desk.stop(later, METER + 4_000)
    assert shown(desk, asha, later).arrears == "₹22.00"
    assert shown(desk, asha, first).arrears == ""
