"""The figures of a stop, in plain numbers (architecture.md, deadlines; ocpp.md Q30)."""

from domain import charging
from tests.money.charges import METER, Desk


def test_a_stop_without_a_number_is_sought_among_20_charges(desk: Desk) -> None:
    desk.charger(connectors=21)
    first, second, *_ = [desk.charging(desk.driver(), connector=n) for n in range(1, 22)]
    for session_id, found in ((first, False), (second, True)):
        desk.passes(minutes=1)
        desk.stop(session_id, METER, transaction_id=-1, tag=desk.session(session_id).tag)
        assert (desk.state(session_id) == "SETTLED") is found


def test_a_stop_is_looked_at_after_30_s_asked_again_every_15_s_and_from_the_sixth_time_on_every_5_minutes(
    desk: Desk,
) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.do(charging.request_stop, session_id, "driver")
    asked = []
    for _ in range(6):
        desk.do(charging.stop_asked, session_id, True)
        due_at = desk.session(session_id).due_at
        assert due_at is not None
        waits = (due_at - desk.clock.at).total_seconds()
        desk.passes(seconds=waits)
        [left] = desk.sweep().values()
        asked.append((waits, left))
    assert asked == [(30, "stop"), *[(15, "stop")] * 4, (15, "escalate")]
    desk.do(charging.stop_escalated, session_id)
    due_at = desk.session(session_id).due_at
    assert due_at is not None and (due_at - desk.clock.at).total_seconds() == 300
