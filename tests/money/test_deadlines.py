"""Every step of a charge is told to whoever watches it, and sets the deadline that works it if nothing else comes."""

from datetime import timedelta

import pytest
from sqlmodel import select

from domain import charging, placing, poll_schedule, recharges, settlement, stops, tariffs, wallet, wishes
from domain.events import SessionChanged, WalletChanged
from domain.india import INDIA
from domain.models import ChargingSession, Finding, OrderState, Reservation, ReservationState, SessionState
from domain.prices import Band, Price
from domain.recharges import Payment
from domain.settings import settings
from tests.money.charges import METER, RUPEE, Desk


def told(desk: Desk) -> list[str]:
    """The states of charges that were announced since the last look."""
    states = [event.state for event in desk.events if isinstance(event, SessionChanged)]
    desk.events.clear()
    return states


def due_in(desk: Desk, session_id: int) -> timedelta | None:
    due_at = desk.session(session_id).due_at
    return None if due_at is None else due_at - desk.clock.at


def test_from_the_wish_to_the_bill_everything_is_announced_and_due(desk: Desk) -> None:
    desk.charger()
    asha = desk.driver()
    session_id = desk.request(asha)
    assert (told(desk), due_in(desk, session_id)) == (["REQUESTED"], stops.ANSWER)
    desk.do(wishes.answered, session_id, "accepted")
    assert (told(desk), due_in(desk, session_id)) == (["AWAITING_PLUG"], wishes.PLUG)
    desk.start(session_id)
    assert told(desk) == ["CHARGING"]
    stopping = desk.do(charging.request_stop, session_id, "driver")
    assert stopping.state == SessionState.STOPPING
    assert (told(desk), due_in(desk, session_id)) == (["STOPPING"], stops.ANSWER)
    assert desk.do(charging.request_stop, session_id, "driver").id == session_id
    assert (told(desk), desk.session(session_id).stop_tries) == ([], 0)
    desk.do(stops.stop_asked, session_id, True)
    assert (told(desk), due_in(desk, session_id)) == (["STOPPING"], stops.VERIFY)
    for _ in range(2):
        desk.do(stops.stop_asked, session_id, True)
    assert (told(desk), due_in(desk, session_id)) == (["STOPPING"] * 2, stops.AGAIN)
    desk.do(stops.stop_escalated, session_id)
    assert (told(desk), due_in(desk, session_id)) == (["STOPPING"], stops.ESCALATED)
    assert desk.session(session_id).stop_tries == stops.TRIES - 1
    desk.stop(session_id, METER + 1)
    assert (told(desk), due_in(desk, session_id)) == (["SETTLED"], None)


def test_a_refusal_to_stop_is_asked_again_soon(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.do(charging.request_stop, session_id, "driver")
    desk.do(stops.stop_asked, session_id, False)
    assert due_in(desk, session_id) == stops.AGAIN


@pytest.mark.parametrize("step", [stops.stop_asked, stops.stop_escalated])
def test_what_nobody_wants_stopped_is_left_alone(desk: Desk, step: object) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    arguments = (session_id, True) if step is stops.stop_asked else (session_id,)
    desk.changes_nothing(desk.do, step, *arguments)


def test_a_cancelled_wish_is_announced(desk: Desk) -> None:
    desk.charger()
    session_id = desk.request(desk.driver())
    told(desk)
    cancelled = desk.do(charging.request_stop, session_id, "driver")
    assert (cancelled.state, cancelled.stopped_at) == (SessionState.CANCELLED, desk.clock.at)
    assert (told(desk), due_in(desk, session_id)) == (["CANCELLED"], None)


def test_a_deadline_that_has_not_come_does_nothing(desk: Desk) -> None:
    desk.charger()
    session_id = desk.request(desk.driver())
    at = desk.session(session_id).due_at
    assert at is not None
    before = at - timedelta(microseconds=1)
    assert desk.do(charging.due, before) == []
    assert desk.do(charging.deadline, session_id, before) == ""
    assert desk.state(session_id) == SessionState.REQUESTED
    assert desk.do(charging.due, at) == [session_id]
    assert desk.do(charging.deadline, session_id, at) == ""
    assert desk.state(session_id) == SessionState.CANCELLED


def test_a_deadline_that_leaves_work_comes_again_soon(desk: Desk) -> None:
    """Whoever sends the stop has two answers' time; then another process does it."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.do(charging.request_stop, session_id, "driver")
    desk.passes(minutes=1)
    assert desk.sweep() == {session_id: "stop"}
    assert due_in(desk, session_id) == 2 * stops.ANSWER
    for _ in range(stops.TRIES):
        desk.do(stops.stop_asked, session_id, False)
    desk.passes(minutes=1)
    assert desk.sweep() == {session_id: "escalate"}


def test_an_estimate_that_is_debited_is_announced(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.flows(session_id, 1)
    desk.lose(session_id)
    desk.passes(hours=25)
    told(desk)
    assert desk.sweep() == {session_id: ""}
    assert told(desk) == ["SETTLED"]


def test_a_charge_that_may_go_on_is_looked_at_again(desk: Desk) -> None:
    desk.charger()
    asha = desk.driver(200)
    session_id = desk.charging(asha)
    desk.flows(session_id, 1)
    first = desk.session(session_id).due_at
    assert first is not None
    desk.give(asha, 500)
    desk.passes(seconds=(first - desk.clock.at).total_seconds())
    assert desk.sweep() == {session_id: ""}
    assert desk.state(session_id) == SessionState.CHARGING
    second = desk.session(session_id).due_at
    assert second is not None
    assert second > first


def test_money_that_comes_in_is_announced_with_the_charge_it_prolongs(desk: Desk) -> None:
    desk.charger()
    asha = desk.driver(100)
    session_id = desk.charging(asha)
    desk.events.clear()
    desk.give(asha, 50)
    assert WalletChanged(asha) in desk.events
    assert told(desk) == ["CHARGING"]
    desk.events.clear()
    assert desk.do(wallet.resize_hold, session_id, 70 * RUPEE) == 70 * RUPEE
    assert desk.events == [WalletChanged(asha)]


# What can have flowed, and what it costs until now


@pytest.mark.parametrize(
    ("power_w", "seconds", "wh"),
    [(0, 3600, 440_500), (60_000, 0, 500), (60_000, -90, 500), (60_000, 3600, 66_500), (7_400, 61, 637)],
)
def test_the_most_a_connector_gives_is_exact(power_w: int, seconds: int, wh: int) -> None:
    assert settlement.plausible_wh(power_w, timedelta(seconds=seconds)) == wh


def test_what_flowed_unheard_is_added_to_what_was_metered(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.flows(session_id, 2)
    session = desk.session(session_id)
    assert settlement.cost_of(session, desk.clock.at, 1_000) == 5_400
    assert [line.paise for line in settlement.lines_of(session, desk.clock.at, 500)] == [4_500]


def timed(desk: Desk) -> ChargingSession:
    """A charge of ten minutes at ₹18 a kWh and ₹1 a minute, metered until its sixth."""
    desk.do(tariffs.set_price, Price(1_800, 0, per_minute_paise=100))
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.flows(session_id, 6)
    desk.passes(minutes=4)
    return desk.session(session_id)


def test_time_runs_on_with_what_flowed_unheard(desk: Desk) -> None:
    session = timed(desk)
    assert settlement.cost_of(session, desk.clock.at) == 6 * 1_800 + 6 * 100
    assert settlement.cost_of(session, desk.clock.at, 2_000) == 8 * 1_800 + 10 * 100


def test_a_stop_that_is_told_late_costs_the_time_until_it_happened(desk: Desk) -> None:
    session = timed(desk)
    ended = desk.clock.at - timedelta(seconds=1)
    desk.passes(hours=1)
    desk.stop(session.id or 0, METER + 8_000, at=ended)
    assert desk.bill(session.id or 0) == (8_000, 8 * 1_800 + 10 * 100)


def test_what_flowed_unheard_has_the_lowest_price_since_it_was_last_heard(desk: Desk) -> None:
    """Eight minutes from now on a kWh costs ₹5; the meter fell silent two minutes before that."""
    minute = (desk.clock.at.astimezone(INDIA).hour * 60 + desk.clock.at.astimezone(INDIA).minute + 8) % 1_440
    desk.do(tariffs.set_price, Price(1_800, 0, bands=(Band(minute, (minute + 60) % 1_440, 500),)))
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.flows(session_id, 6)
    desk.passes(minutes=4)
    assert settlement.cost_of(desk.session(session_id), desk.clock.at, 2_000) == 6 * 1_800 + 2 * 500


# Recharges


def test_the_gateways_expiry_is_taken_within_five_minutes_and_an_hour(desk: Desk) -> None:
    """R35: what lies outside comes from a wrong clock."""
    asha, at = desk.driver(), desk.clock.at
    for n, (told_min, kept_min) in enumerate([(-10, 5), (4, 5), (15, 15), (60, 60), (61, 60), (9_000, 60)]):
        order_id = desk.do(placing.place, asha, 50_000, f"n{n}").merchant_order_id
        payment = Payment("OMO1", "PENDING", "http://localhost/pay", at + timedelta(minutes=told_min))
        desk.do(recharges.opened, order_id, payment)
        order = desk.do(recharges.found, order_id)
        assert order is not None
        assert order.expires_at == at + timedelta(minutes=kept_min)


def test_an_order_nobody_opened_is_closed_half_a_minute_after_its_time(desk: Desk) -> None:
    order_id = desk.do(placing.place, desk.driver(), 50_000, "n1").merchant_order_id
    desk.passes(minutes=15, seconds=29)
    desk.do(recharges.absent, order_id)
    order = desk.do(recharges.found, order_id)
    assert order is not None
    assert (order.state, order.due_at) == (OrderState.NEW, order.expires_at + poll_schedule.GRACE)
    desk.passes(seconds=1)
    desk.do(recharges.absent, order_id)
    order = desk.do(recharges.found, order_id)
    assert order is not None
    assert (order.state, order.error_code, order.due_at) == (OrderState.FAILED, "NEVER_OPENED", None)


def test_a_ring_says_whether_it_is_worth_asking(desk: Desk) -> None:
    order_id = desk.do(placing.place, desk.driver(), 50_000, "n1").merchant_order_id
    assert desk.do(recharges.rang, "RCH-nobody", b"{}") is False
    assert desk.do(recharges.rang, order_id, b"{}") is True


# Whom a charger may let charge


def test_the_tag_of_a_reservation_is_good_where_strangers_are_not(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "ocpp_walk_ups", False)
    desk.charger()
    reservation = Reservation(
        number=1,
        charger_id="BLR-1",
        connector_number=1,
        tag="KEPT",
        state=ReservationState.ACTIVE,
        created_at=desk.clock.at,
        expires_at=desk.clock.at + timedelta(hours=1),
    )
    desk.do(lambda db: db.add(reservation))
    assert desk.do(charging.authorize, "BLR-1", "KEPT") == "Accepted"
    assert desk.do(charging.authorize, "BLR-1", "OTHER") == "Invalid"


# Stops that say little


def test_a_stop_of_nobody_is_kept_with_what_it_said(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.stop(session_id, METER, reason="", transaction_id=900)
    kept = desk.do(lambda db: db.exec(select(Finding)).one())
    assert (kept.kind, kept.ref) == ("orphan-stop", f"BLR-1:900:{METER}")
    assert kept.detail.endswith("reason none.")


def test_a_charge_may_end_in_the_second_it_began(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    began = desk.session(session_id).started_at
    assert began is not None
    desk.passes(seconds=30)
    desk.stop(session_id, METER, at=began)
    assert desk.session(session_id).stopped_at == began


def test_a_second_stop_without_a_number_that_says_something_else_is_of_nobody(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    tag = desk.session(session_id).tag
    desk.stop(session_id, METER + 100, transaction_id=-1, tag=tag)
    desk.changes_nothing(desk.stop, session_id, METER + 300, transaction_id=-1, tag=tag)
    assert desk.findings() == {"orphan-stop": 1}


def test_a_charge_that_a_late_plug_brought_back_was_wanted_by_nobodys_end(desk: Desk) -> None:
    desk.charger()
    session_id = desk.request(desk.driver())
    desk.do(wishes.answered, session_id, "silent")
    desk.passes(minutes=5)
    desk.start(session_id)
    session = desk.session(session_id)
    assert (session.state, session.stop_cause) == (SessionState.CHARGING, "")


def test_a_cable_that_is_still_in_the_car_is_told_from_a_charger_in_use(desk: Desk) -> None:
    desk.charger()
    desk.status("BLR-1", 1, "Finishing")
    with pytest.raises(charging.Refused, match=r"Unplug it, then start again\."):
        desk.request(desk.driver())
    desk.status("BLR-1", 1, "Charging")
    with pytest.raises(charging.Refused, match=r"This charger is in use\."):
        desk.request(desk.driver())
