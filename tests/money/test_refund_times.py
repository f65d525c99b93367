"""When a refund is sent again, looked at, and given up: a minute, ten days and an hour, no sooner and no later."""

from datetime import timedelta

from domain import placing, recharges, refunds
from domain.models import RefundState
from domain.recharges import OrderStatus, RefundStatus
from tests.money.charges import Desk

SECOND = timedelta(seconds=1)


def requested(desk: Desk) -> str:
    """A refund of ₹200 of a recharge that has arrived."""
    order_id = desk.do(placing.place, desk.driver(0), 50_000, "n1").merchant_order_id
    desk.do(recharges.apply, order_id, OrderStatus("OMO1", "COMPLETED", 50_000, "u", "t", "UPI", "", {}))
    return desk.do(refunds.request, order_id, 20_000, key="k", reason="r").merchant_refund_id


def test_one_that_was_not_sent_is_due_after_a_minute(desk: Desk) -> None:
    refund_id, requested_at = requested(desk), desk.clock.at
    assert desk.do(refunds.due, requested_at + timedelta(minutes=1) - SECOND) == []
    assert desk.do(refunds.due, requested_at + timedelta(minutes=1)) == [refund_id]


def test_one_that_never_arrived_is_given_up_after_an_hour(desk: Desk) -> None:
    refund_id = requested(desk)
    desk.do(refunds.sending, refund_id)
    for time, state in ((timedelta(hours=1) - SECOND, RefundState.UNKNOWN), (SECOND, RefundState.REJECTED)):
        desk.clock.at += time
        desk.do(refunds.absent, refund_id)
        refund = desk.do(refunds.found, refund_id)
        assert refund is not None
        assert refund.state == state


def test_one_that_was_acknowledged_is_slow_after_ten_days(desk: Desk) -> None:
    refund_id, requested_at = requested(desk), desk.clock.at
    desk.do(refunds.sending, refund_id)
    desk.do(refunds.apply, refund_id, RefundStatus("OMR1", "PENDING", 20_000, "", {}))
    for time, found in ((timedelta(days=10) - SECOND, 0), (timedelta(days=11) - SECOND, 1)):
        assert desk.do(refunds.due, requested_at + time) == [refund_id]
        assert desk.findings()["refund-slow"] == found
