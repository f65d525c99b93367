"""The receipt's words: what is still owed of a charge, and what an estimate is worth."""

from datetime import timedelta

import pytest

from domain import firms, history, tokens
from domain.india import INDIA
from domain.prices import Band
from evapp.components.money import moment
from evapp.components.receipt import Bill
from evapp.state.bill import bill_of
from evapp.state.history import _past
from tests.money.charges import METER, Desk
from tests.money.priced import priced


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


def test_the_firm_that_the_receipt_is_made_out_to_is_said(desk: Desk) -> None:
    asha, first = desk.a_charge()
    desk.stop(first, METER + 5_000)
    assert shown(desk, asha, first).buyer == ""
    desk.do(firms.save, asha, {"gstin": "33AABCK4567Q1Z1", "name": "Kaveri Cabs", "address": "7 Anna Salai"})
    desk.status("BLR-1", 1, "Available")
    second = desk.charging(asha)
    assert shown(desk, asha, second).buyer == ""
    desk.flows(second, 2)
    desk.stop(second, METER + 2_000)
    assert shown(desk, asha, second).buyer == "Kaveri Cabs · 33AABCK4567Q1Z1"
    assert shown(desk, asha, first).buyer == ""


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


def test_an_estimate_stays_set_aside_until_it_is_debited(desk: Desk) -> None:
    asha, session_id = desk.a_charge(kwh=2)
    assert shown(desk, asha, session_id).estimate == ""
    desk.lose(session_id)
    estimated = shown(desk, asha, session_id)
    assert estimated.state == "estimated"
    until = moment(desk.clock.at + timedelta(hours=24))
    assert estimated.estimate == (
        f"The sum is set aside. The charger's final reading corrects it, once; if none comes by {until}, you pay this."
    )
    desk.passes(hours=24)
    desk.sweep()
    debited = shown(desk, asha, session_id)
    assert (debited.state, debited.number != "", desk.money(asha).held_paise) == ("estimated", True, 0)
    assert debited.estimate == (
        "You paid ₹36.00 by this estimate. A final reading that still comes corrects it once, up or down."
    )
    # Nobody has said that it ended by a fault, nor what it delivered.
    silent_since = estimated.reason
    assert silent_since.startswith("The charger has sent no final reading since")
    assert (debited.reason, debited.fair) == (silent_since, "")
    desk.stop(session_id, METER + 1_500)
    assert shown(desk, asha, session_id).estimate == ""


@pytest.mark.parametrize(("meter_stop_wh", "by_readings"), [(METER + 2_000, False), (METER + 900_000, True)])
def test_units_that_are_not_the_meters_difference_say_why(desk: Desk, meter_stop_wh: int, by_readings: bool) -> None:
    """The paper said so; the screen showed units and a meter that did not fit each other."""
    asha, session_id = desk.a_charge(kwh=2)
    desk.passes(minutes=5)
    desk.stop(session_id, meter_stop_wh)
    bill = shown(desk, asha, session_id)
    assert (bill.exact, bill.by_readings) == ("2.000 kWh", by_readings)


def test_a_card_that_was_refused_says_why_though_no_stop_comes(desk: Desk) -> None:
    """SAP's simulated stations begin no transaction where our answer is no, and so never end one."""
    poor = desk.driver(rupees=0)
    desk.charger()
    desk.do(tokens.add, "CARD", user_id=poor)
    begun = desk.walk_up()
    desk.lose(begun.session_id)
    assert shown(desk, poor, begun.session_id).reason == "Stopped: your wallet had too little for a start"


def test_an_estimate_that_the_wallet_could_not_cover_was_not_paid_whole(desk: Desk) -> None:
    asha, session_id = desk.a_charge(kwh=4, rupees=60)
    desk.lose(session_id)
    desk.passes(hours=24)
    desk.sweep()
    bill = shown(desk, asha, session_id)
    assert bill.estimate.startswith("You paid ₹60.00 by this estimate.")
    assert bill.arrears == "₹12.00"


@pytest.mark.parametrize(
    ("parts", "fair"),
    [({}, "only for the units it delivered."), ({"start_paise": 2_000}, "only for what is listed above.")],
)
def test_a_fault_is_not_said_to_cost_units_alone_beside_a_fee(desk: Desk, parts: dict[str, int], fair: str) -> None:
    asha, session_id = priced(desk, **parts) if parts else desk.a_charge(kwh=2)
    desk.flows(session_id, 1)
    desk.stop(session_id, desk.session(session_id).meter_wh or 0, reason="PowerLoss")
    assert shown(desk, asha, session_id).fair.endswith(fair)


def test_a_slow_clock_is_not_told(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    slow, asked_at = timedelta(days=30), desk.clock.at
    session_id = desk.request(asha)
    desk.start(session_id, at=desk.clock.at - slow)
    desk.passes(minutes=10)
    desk.stop(session_id, METER + 1_000, at=desk.clock.at - slow)
    bill = shown(desk, asha, session_id)
    assert (bill.started, bill.stopped, bill.time) == (moment(asked_at), moment(desk.clock.at), "10 min")
    [charge] = desk.do(history.page, asha)
    assert _past(charge).when.startswith(bill.day)


def test_a_receipt_says_what_the_charge_left_in_the_wallet(desk: Desk) -> None:
    """Of its own moment, whatever came later; not of a charge that took nothing."""
    asha, session_id = desk.a_charge(rupees=600)
    desk.passes(minutes=5)
    desk.stop(session_id, METER + 5_000)
    assert shown(desk, asha, session_id).left == "Wallet balance after it: ₹510.00"
    desk.status("BLR-1", 1, "Available")
    desk.give(asha, 500)
    nothing = desk.charging(asha)
    desk.stop(nothing, METER)
    assert shown(desk, asha, session_id).left == "Wallet balance after it: ₹510.00"
    assert shown(desk, asha, nothing).left == ""


@pytest.mark.parametrize(
    ("begun", "sum"),
    [
        (23, "2.000 kWh × ₹12.00/kWh = ₹24.00"),
        (12, "2.000 kWh × ₹18.00/kWh = ₹36.00"),
        (3, "2.000 kWh × ₹0.00/kWh = ₹0.00"),
    ],
)
def test_the_sum_has_the_price_of_the_hour_that_was_billed(desk: Desk, begun: int, sum: str) -> None:
    """A charge in one band of hours read that its units times the price of all other hours make its cost."""
    desk.clock.at = desk.clock.at.astimezone(INDIA).replace(hour=begun, minute=0)
    asha, session_id = priced(desk, bands=(Band(22 * 60, 2 * 60, 1_200), Band(2 * 60, 6 * 60, 0)))
    desk.flows(session_id, 2)
    desk.stop(session_id, METER + 2_000)
    assert shown(desk, asha, session_id).sum == sum
