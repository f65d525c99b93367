"""What a car that is full costs while it stands at a connector: told before, free minutes, an end, a debit note."""

from datetime import timedelta

import pytest

from domain import (
    accounts,
    arrivals,
    charging,
    history,
    idling,
    processes,
    settlement,
    tariffs,
    wishes,
)
from domain.events import SessionChanged
from domain.models import SessionState
from domain.prices import Line, Price
from tests.money.charges import METER, Desk
from tests.money.priced import IDLE, lines, papers, priced


def test_idling_in_a_charge_is_on_its_bill(desk: Desk) -> None:
    asha, session_id = priced(desk, **IDLE)
    desk.flows(session_id, 2)
    desk.status("BLR-1", 1, "SuspendedEV")
    session = desk.session(session_id)
    assert idling.free_until(session) == desk.clock.at + timedelta(minutes=10)
    desk.passes(minutes=10)
    desk.meter(session_id, METER + 2_000, 0)
    assert desk.do(history.current, asha).cost_paise == 3_600  # type: ignore[union-attr]
    desk.passes(minutes=20, seconds=59)
    desk.meter(session_id, METER + 2_000, 0)
    assert desk.do(history.current, asha).cost_paise == 3_600 + 4_000  # type: ignore[union-attr]
    desk.stop(session_id, METER + 2_000)
    assert desk.bill(session_id) == (2_000, 7_600)
    assert lines(desk, session_id)[-1] == Line("idle", 20, 200, 4_000)
    assert papers(desk) == [("EV", 7_600)]


def test_each_time_of_idling_has_its_free_minutes_and_the_chargers_pause_is_none(desk: Desk) -> None:
    _, session_id = priced(desk, **IDLE)
    desk.flows(session_id, 1)
    for status, minutes in (("SuspendedEV", 15), ("Charging", 1), ("SuspendedEV", 9), ("SuspendedEVSE", 60)):
        desk.status("BLR-1", 1, status)
        desk.passes(minutes=minutes)
        desk.heard("BLR-1")
    desk.stop(session_id, METER + 1_000)
    assert desk.bill(session_id) == (1_000, 1_800 + 5 * 200)


def test_idling_uses_up_the_hold_and_ends_the_charge(desk: Desk) -> None:
    """100 rupees: 36 for energy; the rest lasts 30 minutes less the reserve, after the free ones."""
    asha, session_id = priced(desk, rupees=100, **IDLE)
    desk.flows(session_id, 2)
    desk.status("BLR-1", 1, "SuspendedEV")
    minutes = 0
    while desk.session(session_id).state == SessionState.CHARGING:
        minutes += 1
        desk.passes(minutes=1)
        desk.meter(session_id, METER + 2_000, 0)
        desk.heard("BLR-1")
    assert (minutes, desk.session(session_id).stop_cause) == (41, "funds")
    desk.stop(session_id, METER + 2_000)
    assert desk.money(asha).arrears_paise == 0
    assert desk.bill(session_id)[1] == 3_600 + 31 * 200


def parked(desk: Desk, rupees: int = 1_000) -> tuple[int, int]:
    """A charge of 2 kWh that is over, its cable still in the car."""
    asha, session_id = priced(desk, rupees=rupees, **IDLE)
    desk.flows(session_id, 2)
    desk.stop(session_id, METER + 2_000)
    desk.passes(seconds=5)
    desk.status("BLR-1", 1, "Finishing")
    return asha, session_id


def test_idling_after_the_stop_is_debited_once_with_a_debit_note(desk: Desk) -> None:
    asha, session_id = parked(desk)
    assert (desk.bill(session_id), desk.free(asha)) == ((2_000, 3_600), 964)
    desk.passes(minutes=25)
    assert lines(desk, session_id) == (Line("energy", 2_000, 1_800, 3_600),), "what was debited, and no more"
    desk.heard("BLR-1")
    desk.status("BLR-1", 1, "Available")
    assert (desk.bill(session_id), desk.free(asha)) == ((2_000, 6_600), 934)
    assert papers(desk) == [("EV", 3_600), ("DN", 3_000)]
    assert desk.session(session_id).due_at is None
    for again in (("Finishing", "Available"), ("Charging", "Available")):
        for status in again:
            desk.changes_nothing(desk.status, "BLR-1", 1, status)
    desk.changes_nothing(desk.stop, session_id, METER + 2_000)
    desk.passes(hours=5)
    desk.changes_nothing(desk.sweep)


@pytest.mark.parametrize("first", ["Finishing", "StopTransaction"])
def test_either_message_may_come_first(desk: Desk, first: str) -> None:
    _, session_id = priced(desk, **IDLE)
    desk.flows(session_id, 2)
    tell = [lambda: desk.status("BLR-1", 1, "Finishing"), lambda: desk.stop(session_id, METER + 2_000)]
    for step in tell if first == "Finishing" else reversed(tell):
        step()
    desk.passes(minutes=30)
    desk.heard("BLR-1")
    desk.status("BLR-1", 1, "Available")
    assert desk.bill(session_id) == (2_000, 3_600 + 20 * 200)


def test_who_unplugs_in_time_pays_nothing_more(desk: Desk) -> None:
    _, session_id = parked(desk)
    desk.passes(minutes=10)
    desk.heard("BLR-1")
    desk.status("BLR-1", 1, "Available")
    assert (desk.bill(session_id), papers(desk)) == ((2_000, 3_600), [("EV", 3_600)])
    assert desk.session(session_id).idle_since is None


def test_idling_has_an_end_whatever_the_charger_says(desk: Desk) -> None:
    """Two hours are paid at most, and then the matter is closed."""
    _, session_id = parked(desk)
    desk.passes(minutes=10)
    assert desk.sweep() == {session_id: ""}, "the free ones are over"
    desk.passes(minutes=119)
    desk.heard("BLR-1")
    assert desk.sweep() == {}
    desk.passes(minutes=2)
    assert desk.sweep() == {session_id: ""}
    assert desk.bill(session_id) == (2_000, 3_600 + 120 * 200)
    desk.changes_nothing(desk.sweep)
    desk.changes_nothing(desk.status, "BLR-1", 1, "Available")


def test_what_the_wallet_lacks_for_idling_is_owed_and_bounded(desk: Desk) -> None:
    asha, _ = parked(desk, rupees=50)
    desk.passes(hours=5)
    desk.heard("BLR-1")
    desk.sweep()
    desk.status("BLR-1", 1, "Available")
    money = desk.money(asha)
    assert (money.balance_paise, money.arrears_paise) == (0, 3_600 + 24_000 - 5_000)
    assert desk.findings() == {"review": 1}
    with pytest.raises(wishes.Refused, match="You owe"):
        desk.request(asha)


def test_a_charger_out_of_contact_idles_nobody(desk: Desk) -> None:
    """What nobody reported is not charged for; the contact ends it, and its return does not begin it anew."""
    _, session_id = parked(desk)
    desk.passes(minutes=15)
    desk.heard("BLR-1")
    desk.disconnect()
    assert desk.bill(session_id) == (2_000, 3_600 + 5 * 200)
    desk.passes(hours=3)
    desk.connect()
    desk.changes_nothing(desk.status, "BLR-1", 1, "Finishing")


def test_a_process_that_died_idles_nobody(desk: Desk) -> None:
    """With it the contact ended, as of when the charger was last heard, whoever finds that out, and when."""
    _, session_id = parked(desk)
    desk.do(processes.begin, "dies", "csms", desk.clock.at)
    desk.do(arrivals.connected, "dies", [("BLR-1", desk.clock.at)])
    desk.passes(minutes=15)
    desk.heard("BLR-1")
    desk.passes(minutes=20)
    assert desk.do(processes.bury, "dies")
    assert desk.bill(session_id) == (2_000, 3_600 + 5 * 200)
    desk.passes(hours=3)
    desk.do(arrivals.connected, "lives", [("BLR-1", desk.clock.at)])
    desk.changes_nothing(desk.status, "BLR-1", 1, "Finishing")


@pytest.mark.parametrize("first", ["sweeper", "charger"])
def test_an_outage_of_our_own_idles_nobody(desk: Desk, first: str) -> None:
    """All processes died, and nobody has buried the charger's yet: it counts until that was last heard."""
    _, session_id = parked(desk)
    desk.do(processes.begin, "dies", "csms", desk.clock.at)
    desk.do(arrivals.connected, "dies", [("BLR-1", desk.clock.at)])
    desk.passes(minutes=15)
    desk.heard("BLR-1")
    desk.passes(hours=3)
    if first == "sweeper":
        assert desk.sweep() == {session_id: ""}
    else:
        desk.do(arrivals.connected, "lives", [("BLR-1", desk.clock.at)])
        desk.status("BLR-1", 1, "Available")
    assert desk.bill(session_id) == (2_000, 3_600 + 5 * 200)
    desk.audited()


def test_a_charge_that_lost_its_contact_idles_no_more(desk: Desk) -> None:
    _, session_id = priced(desk, **IDLE)
    desk.flows(session_id, 2)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(minutes=15)
    desk.heard("BLR-1")
    desk.disconnect()
    desk.passes(hours=1)
    assert settlement.cost_of(desk.session(session_id), desk.clock.at) == 3_600 + 5 * 200
    assert desk.interrupt_lost() == [session_id]
    assert desk.session(session_id).cost_paise == 3_600 + 5 * 200


@pytest.mark.parametrize(("status", "idle_minutes"), [("SuspendedEV", 5), ("SuspendedEVSE", 0)])
def test_a_lost_charge_costs_no_time_that_nobody_watched(desk: Desk, status: str, idle_minutes: int) -> None:
    """Its last reading came 15 minutes into the pause; the boot that tells of its end, half an hour after that. Nor is
    that half hour a pause, which would be taken off the minutes of a charge that goes on after all."""
    _, session_id = priced(desk, per_minute_paise=100, **IDLE)
    desk.flows(session_id, 2)
    desk.status("BLR-1", 1, status)
    desk.passes(minutes=15)
    desk.meter(session_id, METER + 2_000, 0)
    desk.passes(minutes=30)
    desk.boot()
    desk.heard("BLR-1")
    desk.passes(seconds=61)
    assert desk.interrupt_lost() == [session_id]
    assert desk.session(session_id).cost_paise == 3_600 + 2 * 100 + idle_minutes * 200
    usage = settlement.usage_of(desk.session(session_id))
    assert (usage.paused_s, usage.paused_since_s) == (0, 0)


def test_the_next_charge_ends_the_idling_of_the_last(desk: Desk) -> None:
    """A card is held to the charger without pulling the cable out: no status says that the last one left."""
    _, first = parked(desk)
    desk.passes(minutes=15)
    desk.do(
        charging.started,
        charger_id="BLR-1",
        connector_number=1,
        tag="CARD",
        meter_start_wh=METER + 2_000,
        at=desk.clock.at,
        received_at=desk.clock.at,
    )
    assert desk.bill(first) == (2_000, 3_600 + 5 * 200)
    assert desk.session(first).idle_since is None


def test_who_wants_the_end_idles_no_more(desk: Desk) -> None:
    """He pays only for what the charger delivers until it obeys, and what it says meanwhile begins no idling."""
    _, session_id = priced(desk, **IDLE)
    desk.flows(session_id, 2)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(minutes=15)
    desk.do(charging.request_stop, session_id, "driver")
    for status in ("SuspendedEV", "Charging", "SuspendedEV"):
        desk.passes(minutes=30)
        desk.status("BLR-1", 1, status)
    desk.stop(session_id, METER + 2_000)
    assert desk.bill(session_id) == (2_000, 3_600 + 5 * 200)


def test_idling_that_is_told_again_began_when_it_was_told_first(desk: Desk) -> None:
    _, session_id = priced(desk, **IDLE)
    desk.flows(session_id, 2)
    for _ in range(2):
        desk.status("BLR-1", 1, "SuspendedEV")
        desk.passes(minutes=7, seconds=30)
        desk.heard("BLR-1")
    desk.status("BLR-1", 1, "Charging")
    assert settlement.cost_of(desk.session(session_id), desk.clock.at) == 3_600 + 5 * 200


def test_what_cost_nothing_idles_nobody(desk: Desk) -> None:
    """The charger did not deliver: its cable may stay in for the next try."""
    _, session_id = priced(desk, **IDLE)
    desk.passes(minutes=1)
    desk.stop(session_id, METER)
    desk.changes_nothing(desk.status, "BLR-1", 1, "Finishing")


def test_the_connector_beside_it_ends_no_idling(desk: Desk) -> None:
    desk.do(tariffs.set_price, Price(1_800, 0, **IDLE), effective_at=desk.clock.at)
    desk.charger(connectors=2)
    session_id = desk.begun(desk.driver())
    desk.stop(session_id, METER + 2_000)
    desk.status("BLR-1", 1, "Finishing")
    desk.passes(minutes=5)
    for status in ("Finishing", "Available"):
        desk.changes_nothing(desk.status, "BLR-1", 2, status)
    desk.passes(minutes=10)
    desk.heard("BLR-1")
    desk.status("BLR-1", 1, "Available")
    assert desk.bill(session_id) == (2_000, 3_600 + 5 * 200)


@pytest.mark.row("C30")
def test_an_account_waits_until_its_cable_is_out(desk: Desk) -> None:
    """C30."""
    asha, _ = parked(desk)
    assert desk.do(accounts.charging, asha)
    desk.status("BLR-1", 1, "Available")
    assert not desk.do(accounts.charging, asha)


def test_a_stop_alone_says_nothing_of_the_cable(desk: Desk) -> None:
    """A charger that tells no state after the stop idles nobody: the car may have gone."""
    _, session_id = priced(desk, **IDLE)
    desk.status("BLR-1", 1, "Charging")
    desk.flows(session_id, 2)
    desk.stop(session_id, METER + 2_000)
    assert desk.session(session_id).idle_since is None


def test_a_tariff_that_asks_nothing_for_idling_counts_none(desk: Desk) -> None:
    """It has parts of its own, so that its time is counted; but no warning of a price that there is not."""
    _, session_id = priced(desk, start_paise=500)
    desk.status("BLR-1", 1, "SuspendedEV")
    assert desk.session(session_id).idle_since is None
    desk.stop(session_id, METER + 2_000)
    desk.status("BLR-1", 1, "Finishing")
    assert desk.session(session_id).idle_since is None


def test_idling_after_the_stop_ends_sooner_where_some_was_before(desk: Desk) -> None:
    """120 paid minutes a charge: five are used up, and ten more are free."""
    _, session_id = priced(desk, **IDLE)
    desk.flows(session_id, 2)
    desk.status("BLR-1", 1, "SuspendedEV")
    desk.passes(minutes=15)
    desk.stop(session_id, METER + 2_000)
    desk.status("BLR-1", 1, "Finishing")
    desk.passes(minutes=10)
    desk.sweep()
    assert desk.session(session_id).due_at == desk.clock.at + timedelta(minutes=120 - 5)


def test_a_page_hears_when_the_free_minutes_after_a_stop_are_over(desk: Desk) -> None:
    """It said until when to unplug, and nothing new once each minute cost something."""
    asha, session_id = parked(desk)
    desk.events.clear()
    desk.passes(minutes=10)
    desk.sweep()
    assert SessionChanged(session_id, "BLR-1", asha, SessionState.SETTLED) in desk.events
    assert desk.session(session_id).idle_since is not None
    desk.passes(minutes=7)
    desk.status("BLR-1", 1, "Available")
    assert desk.bill(session_id)[1] == 3_600 + 7 * 200


def test_a_page_hears_when_idling_begins_and_when_it_is_paid(desk: Desk) -> None:
    asha, session_id = priced(desk, **IDLE)
    changed = SessionChanged(session_id, "BLR-1", asha, SessionState.SETTLED)
    desk.flows(session_id, 2)
    desk.stop(session_id, METER + 2_000)
    for status in ("Finishing", "Available"):
        desk.events.clear()
        desk.status("BLR-1", 1, status)
        assert changed in desk.events
