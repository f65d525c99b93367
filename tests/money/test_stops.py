"""Stops of nobody (payments.md C11-C13), and a stop's figures in plain numbers (architecture.md, deadlines; Q30)."""

import pytest

from domain import charging
from domain.events import ChargerLearned
from domain.models import SessionState
from tests.money.charges import METER, Desk


@pytest.mark.row("C11")
@pytest.mark.parametrize("transaction_id", [4_711, 2**31 - 1])
def test_a_stop_of_an_unknown_transaction_is_kept_for_the_operator(desk: Desk, transaction_id: int) -> None:
    """C11, Q21."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    for _ in range(2):
        desk.changes_nothing(desk.stop, session_id, METER + 1_000, transaction_id=transaction_id)
    assert desk.findings() == {"orphan-stop": 1}


@pytest.mark.row("C12")
def test_a_stop_with_another_chargers_transaction_does_not_touch_it(desk: Desk) -> None:
    """C12."""
    desk.charger()
    desk.charger("BLR-2")
    session_id = desk.charging(desk.driver())
    desk.changes_nothing(desk.stop, session_id, METER + 1_000, charger_id="BLR-2")
    assert desk.findings() == {"orphan-stop": 1}


@pytest.mark.row("C13")
@pytest.mark.parametrize("transaction_id", [-1, 0, 2**31])
@pytest.mark.parametrize("with_tag", [True, False])
def test_a_stop_of_a_charger_that_ignores_our_numbers(desk: Desk, transaction_id: int, with_tag: bool) -> None:
    """C13, Q21: it is the only charge there that fits; a repetition is one, too."""
    _, session_id = desk.a_charge(kwh=1)
    told = {"transaction_id": transaction_id, "tag": desk.session(session_id).tag if with_tag else ""}
    desk.stop(session_id, METER + 1_000, **told)
    assert desk.bill(session_id) == (1_000, 1_800)
    desk.changes_nothing(desk.stop, session_id, METER + 1_000, **told)
    assert desk.findings() == {}


def test_a_stop_with_a_number_of_the_chargers_own_and_our_tag(desk: Desk) -> None:
    """Q21, Q22."""
    desk.charger()
    session_id = desk.begun(desk.driver(), 1)
    desk.stop(session_id, METER + 1_000, transaction_id=987_654, tag=desk.session(session_id).tag)
    assert desk.bill(session_id) == (1_000, 1_800)


@pytest.mark.row("C13")
def test_a_stop_without_a_number_ends_the_charge_whose_meter_it_can_be(desk: Desk) -> None:
    """C13: two charges, and only one whose register is not past the stop's."""
    desk.charger(connectors=2)
    first = desk.charging(desk.driver())
    second = desk.charging(desk.driver(), connector=2)
    desk.flows(first, 5)
    desk.stop(second, METER + 3_000, transaction_id=-1)
    assert desk.state(first) == SessionState.CHARGING
    assert desk.session(second).meter_stop_wh == METER + 3_000


@pytest.mark.row("C13")
def test_a_stop_without_a_number_that_fits_two_charges_ends_none(desk: Desk) -> None:
    """C13."""
    desk.charger(connectors=2)
    first = desk.charging(desk.driver())
    second = desk.charging(desk.driver(), connector=2)
    desk.changes_nothing(desk.stop, second, METER + 3_000, transaction_id=-1)
    assert desk.findings() == {"orphan-stop": 1}
    assert desk.state(first) == desk.state(second) == SessionState.CHARGING


@pytest.mark.row("C12", "C13")
def test_a_stop_without_a_number_and_with_a_strangers_tag_ends_none(desk: Desk) -> None:
    """C13, C12."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    desk.changes_nothing(desk.stop, session_id, METER + 3_000, transaction_id=-1, tag="CARD")
    assert desk.findings() == {"orphan-stop": 1}


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


def test_a_stop_tells_that_the_samples_were_kilowatt_hours(desk: Desk) -> None:
    """Q34: meterStop is in Wh always; from the next charge on the samples are read so."""
    desk.charger()
    session_id = desk.request(desk.driver())
    desk.start(session_id, 0)
    desk.passes(minutes=20)
    desk.meter(session_id, 20)
    desk.stop(session_id, 20_000)
    assert desk.bill(session_id) == (20_000, 36_000)
    assert desk.findings() == {"energy-scale": 1}
    assert ChargerLearned("BLR-1") in desk.events
