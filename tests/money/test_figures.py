"""The figures that the rules of money name, in plain numbers: a rule that drifts with its own constant is seen here."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from domain import charging, placing, recharges, settlement, story, tariffs
from domain.models import Receipt
from domain.placing import RechargeRefused
from domain.prices import Band, Price, Usage
from domain.recharges import OrderStatus, Payment
from domain.tariffs import NotAPrice
from tests.money.charges import METER, Desk
from tests.money.house import RUPEES_500


def test_a_price_without_extras_has_none(desk: Desk) -> None:
    tariff = desk.do(tariffs.set_price, Price(1_800, 0))
    extras = (tariff.start_paise, tariff.per_minute_paise, tariff.idle_after_minutes, tariff.idle_per_minute_paise)
    assert extras == (None, None, None, None)
    assert (Price(1_800, 0), Usage()) == (Price(1_800, 0, 0, 0, 0, 0, ()), Usage((), 0, 0, 0))


def test_idling_costs_after_five_minutes_to_a_day(desk: Desk) -> None:
    for minutes in (5, 1_440):
        desk.do(tariffs.set_price, Price(1_800, 0, idle_after_minutes=minutes, idle_per_minute_paise=1))
        desk.passes(minutes=2)
    for minutes in (4, 1_441):
        with pytest.raises(NotAPrice, match="Idling may cost after 5 to 1440 minutes"):
            desk.do(tariffs.set_price, Price(1_800, 0, idle_after_minutes=minutes, idle_per_minute_paise=1))


def test_a_price_begins_now_or_later_or_a_minute_ago_at_most(desk: Desk) -> None:
    moment, price = desk.clock.at, Price(1_800, 0)
    assert desk.do(tariffs.set_price, price).effective_at == moment
    for allowed in (moment - timedelta(minutes=1), moment + timedelta(days=1)):
        assert desk.do(tariffs.set_price, price, effective_at=allowed).effective_at == allowed
    with pytest.raises(NotAPrice, match="begins now or later"):
        desk.do(tariffs.set_price, price, effective_at=moment - timedelta(minutes=1, seconds=1))


def test_a_price_has_up_to_24_bands_of_hours(desk: Desk) -> None:
    bands = tuple(Band(50 * n, 50 * n + 50, 1_200) for n in range(25))
    desk.do(tariffs.set_price, Price(1_800, 0, bands=bands[:24]))
    with pytest.raises(NotAPrice, match="up to 24 bands"):
        desk.do(tariffs.set_price, Price(1_800, 0, bands=bands))


def test_a_price_that_began_this_moment_stays(desk: Desk) -> None:
    desk.do(tariffs.set_price, Price(1_800, 0), effective_at=desk.clock.at)
    with pytest.raises(NotAPrice, match="another price has been in force"):
        desk.do(tariffs.set_price, Price(1_900, 0), effective_at=desk.clock.at)


def test_hours_are_those_of_india_to_the_second() -> None:
    price = Price(1_800, 0, bands=(Band(22 * 60, 6 * 60, 1_200),))
    before, at = datetime(2026, 11, 22, 16, 29, 59, tzinfo=UTC), datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
    assert (price.at(before), price.at(at)) == (1_800, 1_200)


def test_a_page_of_the_wallet_has_20_lines(desk: Desk) -> None:
    asha = desk.driver()
    for n in range(21):
        desk.give(asha, 1, f"n{n}")
    assert len(desk.do(story.lines, asha)) == 20


def test_a_recharge_may_be_paid_for_15_minutes_or_as_phonepe_says_between_5_and_60(desk: Desk) -> None:
    asha = desk.driver()
    order = desk.do(placing.place, asha, RUPEES_500, "n1")
    assert order.expires_at - order.created_at == timedelta(minutes=15)
    for told, kept in ((1, 5), (90, 60)):
        payment = Payment("OMO1", "PENDING", "http://localhost/pay", desk.clock.at + timedelta(minutes=told))
        desk.do(recharges.opened, order.merchant_order_id, payment)
        found = desk.do(recharges.found, order.merchant_order_id)
        assert found is not None
        assert found.expires_at == desk.clock.at + timedelta(minutes=kept)


def test_20_recharges_are_open_at_once_and_asked_about_at_once(desk: Desk) -> None:
    asha, ben = desk.driver(), desk.driver()
    for n in range(20):
        desk.do(placing.place, asha, RUPEES_500, f"n{n}")
    with pytest.raises(RechargeRefused, match="Too many"):
        desk.do(placing.place, asha, RUPEES_500, "one more")
    desk.do(placing.place, ben, RUPEES_500, "n1")
    desk.passes(days=4)
    assert len(desk.do(recharges.due, desk.clock.at)) == 20


def test_after_the_schedule_a_silent_gateway_is_asked_every_hour(desk: Desk) -> None:
    order = desk.do(placing.place, desk.driver(), RUPEES_500, "n1")
    desk.passes(days=4)
    assert desk.do(recharges.due, desk.clock.at) == [order.merchant_order_id]
    desk.passes(minutes=59)
    assert desk.do(recharges.due, desk.clock.at) == []
    desk.passes(minutes=1)
    assert desk.do(recharges.due, desk.clock.at) == [order.merchant_order_id]


def test_what_a_gateway_says_is_cut_to_its_column(desk: Desk) -> None:
    asha, long = desk.driver(), "x" * 100
    for said, state in (("FAILED", "FAILED"), ("COMPLETED", "CREDITED")):
        order = desk.do(placing.place, asha, RUPEES_500, said)
        status = OrderStatus(long, said, RUPEES_500, long, long, long, long, {"n": said})
        desk.do(recharges.apply, order.merchant_order_id, status)
        found = desk.do(recharges.found, order.merchant_order_id)
        assert found is not None and found.state == state
        told = (found.gateway_order_id, found.gateway_transaction_id, found.payment_mode)
        assert [len(text) for text in told] == [80, 80, 40]
        assert (len(found.error_code), len(found.utr)) == ((80, 0) if said == "FAILED" else (0, 80))
    refused = desk.do(placing.place, asha, RUPEES_500, "refused")
    desk.do(recharges.rejected, refused.merchant_order_id, long)
    found = desk.do(recharges.found, refused.merchant_order_id)
    assert found is not None and len(found.error_code) == 80


def test_each_ask_is_counted_and_a_pending_order_keeps_the_schedule(desk: Desk) -> None:
    order = desk.do(placing.place, desk.driver(), RUPEES_500, "n1")
    pending = OrderStatus("OMO1", "PENDING", RUPEES_500, "", "", "", "", {})
    desk.do(recharges.apply, order.merchant_order_id, pending)
    found = desk.do(recharges.found, order.merchant_order_id)
    assert found is not None and found.due_at is not None
    assert timedelta(seconds=20) <= found.due_at - found.created_at <= timedelta(seconds=25)
    desk.clock.at = found.due_at
    assert desk.do(recharges.due, desk.clock.at) == [order.merchant_order_id]
    found = desk.do(recharges.found, order.merchant_order_id)
    assert found is not None and found.polls == 1


def test_an_answer_is_waited_for_35_seconds(desk: Desk) -> None:
    desk.charger()
    session_id = desk.request(desk.driver())
    desk.passes(seconds=34)
    assert desk.sweep() == {}
    desk.passes(seconds=1)
    assert desk.sweep() == {session_id: ""}


def test_a_card_is_told_again_within_15_minutes(desk: Desk) -> None:
    desk.charger()
    first = desk.walk_up()
    desk.passes(minutes=14, seconds=59)
    assert desk.walk_up() == first
    desk.passes(seconds=1)
    assert desk.walk_up() != first


def test_what_a_connector_can_give() -> None:
    """400 kW where nobody told us, a tenth for the nameplate, and half a kWh."""
    assert settlement.plausible_wh(0, timedelta(hours=1)) == 440_500
    assert settlement.plausible_wh(60_000, timedelta(minutes=10)) == 11_500


def test_a_register_past_a_gigawatthour_is_reviewed(desk: Desk) -> None:
    desk.charger()
    for start, end, reviewed in ((10**9 - 2_000, 10**9, False), (10**9 - 1_000, 10**9 + 1, True)):
        session_id = desk.request(desk.driver())
        desk.start(session_id, start)
        desk.passes(minutes=5)
        desk.stop(session_id, end)
        assert bool(desk.session(session_id).review) is reviewed
        desk.status("BLR-1", 1, "Available")


def test_one_paisa_more_is_a_debit_note(desk: Desk) -> None:
    desk.do(tariffs.set_price, Price(1_000, 0), effective_at=desk.clock.at)
    desk.charger()
    session_id = desk.estimated(desk.driver())
    desk.stop(session_id, METER + 2_001)
    kinds = select(Receipt.kind, Receipt.total_paise).order_by(Receipt.kind)
    assert desk.do(lambda db: [tuple(row) for row in db.exec(kinds)]) == [("DN", 1), ("EV", 2_000)]


def test_100_deadlines_are_worked_in_one_look(desk: Desk) -> None:
    desk.charger(connectors=101)
    for n in range(1, 102):
        desk.request(desk.driver(), connector=n)
    assert len(desk.do(charging.due, desk.passes(minutes=1))) == 100
