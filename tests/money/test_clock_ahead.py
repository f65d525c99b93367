"""A clock of ours that was years ahead once, and was set right: what it wrote keeps nobody waiting for years."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from domain import attempts, charging, faults, future, placing, processes, recharges, refunds, sign_ins, sweeper
from domain.attempts import Locked
from domain.bus import LocalBus
from domain.chargers import NO_CONTACT, view
from domain.models import Finding, OrderState, RechargeOrder, RefundState, SessionState, SignIn, User
from domain.recharges import OrderStatus, Payment
from tests.money.charges import METER, Desk
from tests.money.house import rows

YEARS = timedelta(days=800)


@contextmanager
def years_ahead(desk: Desk) -> Iterator[None]:
    """What is done within is done while our clock is wrong; then it is set right, and the sweeper has looked once."""
    desk.clock.at += YEARS
    yield
    desk.clock.at -= YEARS
    desk.passes(minutes=1)
    assert desk.do(future.found, desk.clock.at)
    assert desk.do(future.bring_back, desk.clock.at)
    assert not desk.do(future.found, desk.clock.at)
    assert desk.findings()["clock-ahead"] == 1


def test_a_wish_that_nobody_answers_holds_no_money(desk: Desk) -> None:
    asha = desk.driver()
    with years_ahead(desk):
        desk.charger()
        wish = desk.request(asha)
    desk.sweep()
    assert (desk.state(wish), desk.money(asha).held_paise) == (SessionState.CANCELLED, 0)


def test_a_lost_stop_is_debited_in_the_end(desk: Desk) -> None:
    with years_ahead(desk):
        asha, session_id = desk.a_charge(kwh=2)
        desk.lose(session_id)
    desk.sweep()
    assert (desk.bill(session_id), desk.money(asha).held_paise) == ((2_000, 3_600), 0)


def test_a_charger_is_asked_again_to_stop(desk: Desk) -> None:
    with years_ahead(desk):
        _, session_id = desk.a_charge(kwh=1)
        desk.do(charging.request_stop, session_id, "driver")
    assert desk.sweep() == {session_id: "stop"}


def test_a_silent_charger_loses_its_charge_and_is_out_of_contact(desk: Desk) -> None:
    """Q23: the wallet of its driver had been held for ever."""
    with years_ahead(desk):
        asha, session_id = desk.a_charge(kwh=2)
    desk.passes(minutes=16)
    assert desk.do(view, "BLR-1").state == NO_CONTACT
    assert desk.interrupt_lost() == [session_id]
    assert desk.money(asha).held_paise == 3_600


def test_a_charge_goes_on_with_its_limit_and_its_power(desk: Desk) -> None:
    """C22: a limit in minutes counts again, and energy is watched between two samples."""
    asha = desk.driver()
    with years_ahead(desk):
        desk.charger()
        session_id = desk.charging(asha, minutes=30)
        desk.flows(session_id, 1)
    desk.passes(minutes=1)
    desk.meter(session_id, METER + 2_000, 40_000)
    session = desk.session(session_id)
    assert (session.energy_wh, session.power_w, session.metered_at) == (2_000, 40_000, desk.clock.at)
    desk.passes(minutes=30)
    assert desk.meter(session_id, METER + 22_000, 40_000) == [session_id]
    assert desk.session(session_id).stop_cause == "limit"


def test_a_connector_says_what_it_does(desk: Desk) -> None:
    """Q26: what it says now had been older than what it said then, for years; nobody could charge there."""
    with years_ahead(desk):
        desk.charger()
        desk.status("BLR-1", 1, "Faulted")
    desk.status("BLR-1", 1, "Available")
    assert desk.request(desk.driver())


def test_a_recharge_is_asked_about_until_it_is_decided(desk: Desk) -> None:
    """R3, R13: no webhook told of it."""
    asha = desk.driver()
    with years_ahead(desk):
        order_id = desk.do(placing.place, asha, 50_000, "n1").merchant_order_id
        desk.do(recharges.opened, order_id, Payment("OMO1", "PENDING", "https://pay", None))
    assert desk.do(recharges.due, desk.clock.at) == [order_id]
    asked = [0, 0]
    for minute in range(73 * 60):
        desk.passes(minutes=1)
        for one in desk.do(recharges.due, desk.clock.at):
            asked[minute > 60] += 1
            desk.do(recharges.apply, one, OrderStatus("OMO1", "PENDING", 50_000, "", "", "", "", {}))
    assert asked == [3, 4], "by the schedule, and no storm"
    assert desk.do(_order, order_id).state == OrderState.FAILED
    assert desk.findings()["unconfirmed"] == 1


def _written_at(db: Session, at: datetime) -> None:
    [finding] = db.exec(select(Finding))
    finding.created_at = at
    db.add(finding)


def _locked_for_good(db: Session, user_id: int) -> None:
    user = db.get_one(User, user_id)
    user.failures, user.locked_until = attempts.LAST, attempts.NEVER
    db.add(user)


def _order(db: Session, order_id: str) -> RechargeOrder:
    order = recharges.found(db, order_id)
    assert order is not None
    return order


@pytest.mark.row("R32")
def test_a_refund_that_never_arrived_comes_back(desk: Desk) -> None:
    """R31, R32."""
    asha = desk.driver(0)
    order_id = desk.do(placing.place, asha, 50_000, "n1").merchant_order_id
    desk.do(recharges.apply, order_id, OrderStatus("OMO1", "COMPLETED", 50_000, "u", "t", "UPI", "", {}))
    with years_ahead(desk):
        refund_id = desk.do(refunds.request, order_id, 20_000, key="k", reason="r").merchant_refund_id
        desk.do(refunds.sending, refund_id)
    assert desk.do(refunds.due, desk.clock.at) == [refund_id]
    desk.passes(minutes=61)
    assert desk.do(refunds.due, desk.clock.at) == [refund_id]
    desk.do(refunds.absent, refund_id)
    refund = desk.do(refunds.found, refund_id)
    assert refund is not None
    assert (refund.state, desk.money(asha).balance_paise) == (RefundState.REJECTED, 50_000)


def test_a_lock_of_a_pin_opens(desk: Desk) -> None:
    """An account's own, and those of an address: nobody of a house, or of a whole network, could have signed in."""
    asha = desk.driver()
    with years_ahead(desk):
        for n in range(attempts.ROUND):
            desk.do(attempts.attempt, "login", user_id=asha, address=f"10.0.{n}.1")
        for _ in range(20):
            desk.do(attempts.knock, "login", "192.0.2.1")
        with pytest.raises(Locked):
            desk.do(attempts.attempt, "login", user_id=asha, address="192.0.2.1")
    desk.passes(minutes=16)
    assert desk.do(attempts.attempt, "login", user_id=asha, address="192.0.2.1").user_id == asha


def test_a_sign_in_does_not_last_for_years(desk: Desk) -> None:
    asha = desk.driver()
    browser = sign_ins.Browser("hash", "", "")
    with years_ahead(desk):
        desk.do(lambda db: sign_ins.start(db, db.get_one(User, asha), browser))
    assert desk.do(sign_ins.who, "hash") is None
    assert desk.do(rows, SignIn) == 1


def test_what_a_dead_process_held_is_free(desk: Desk) -> None:
    with years_ahead(desk):
        desk.do(processes.begin, "dead", "csms", desk.clock.at)
    desk.do(processes.begin, "alive", "csms", desk.clock.at)
    for _ in range(7):
        desk.passes(seconds=5)
        dead = desk.do(processes.seen, "alive", desk.clock.at)
    assert dead == ["dead"]


def test_a_driver_may_report_a_charger_again(desk: Desk) -> None:
    asha = desk.driver()
    with years_ahead(desk):
        desk.charger()
        desk.do(faults.report, asha, "BLR-1", "slow")
        desk.do(_written_at, desk.clock.at)
    desk.passes(minutes=61)
    desk.do(faults.report, asha, "BLR-1", "danger")
    assert desk.findings()["driver-report"] == 2


async def test_the_sweeper_looks(open_desk: Desk) -> None:
    desk = open_desk
    asha, session_id = desk.a_charge(kwh=2)
    desk.clock.at += YEARS
    desk.lose(session_id)
    desk.clock.at -= YEARS
    await sweeper.sweep_future(desk.clock.at)
    await sweeper.sweep_charges(LocalBus(), desk.clock.at)
    assert desk.money(asha).held_paise == 0
    assert desk.bill(session_id) == (2_000, 3_600)


def test_what_is_right_is_left_alone(desk: Desk) -> None:
    """Deadlines of all kinds, an account that only an operator opens, and a charge that takes so little that its money
    lasts for weeks."""
    asha, session_id = desk.a_charge(kwh=1)
    desk.passes(minutes=1)
    desk.meter(session_id, METER + 1_000, 100)
    order_id = desk.do(placing.place, asha, 50_000, "n1").merchant_order_id
    desk.do(recharges.opened, order_id, Payment("OMO1", "PENDING", "https://pay", None))
    desk.do(lambda db: sign_ins.start(db, db.get_one(User, asha), sign_ins.Browser("hash", "", "")))
    desk.do(_locked_for_good, desk.driver())
    assert not desk.do(future.found, desk.clock.at)
    before = desk.everything()
    assert desk.do(future.bring_back, desk.clock.at) == 0
    assert desk.everything() == before
    assert desk.do(rows, Finding) == 0
