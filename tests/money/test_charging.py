"""A charge from the charger's answer to its last message, by the rows of payments.md 3.2 (C) and of ocpp.md (Q)."""

from datetime import UTC, datetime, timedelta

import pytest

from domain import accounts, charging, stops, tariffs, wallet, wishes
from domain.models import ChargingSession, Hold, HoldState, SessionState, Transfer
from domain.prices import Price
from domain.wishes import ENDINGS
from tests.money import house
from tests.money.charges import METER, Desk

PRICE = 18
"""Rupees a kWh, the default tariff."""


# The answer


@pytest.mark.row("C27")
@pytest.mark.parametrize("verdict", ["refused", "silent", "offline"])
def test_a_start_that_came_to_nothing_gives_the_money_back_at_once(desk: Desk, verdict: str) -> None:
    """C27."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(wishes.answered, session_id, verdict)
    session = desk.session(session_id)
    assert session.state == SessionState.CANCELLED
    assert session.due_at is None
    assert charging.explain(session) == ENDINGS[verdict]
    assert desk.money(asha) == wallet.Balance(100_000, 0, 0)
    desk.changes_nothing(desk.do, wishes.answered, session_id, verdict)
    desk.changes_nothing(desk.do, wishes.answered, session_id, "accepted")


@pytest.mark.row("C26")
def test_nobody_plugged_in(desk: Desk) -> None:
    """C26, Q28."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(wishes.answered, session_id, "accepted")
    session = desk.session(session_id)
    assert session.state == SessionState.AWAITING_PLUG
    assert session.due_at == desk.clock.at + timedelta(seconds=105)
    desk.passes(seconds=104)
    assert desk.sweep() == {}
    desk.passes(seconds=1)
    assert desk.sweep() == {session_id: ""}
    assert charging.explain(desk.session(session_id)) == ENDINGS["unplugged"]
    assert desk.free(asha) == 1_000
    desk.changes_nothing(desk.do, charging.deadline, session_id, desk.clock.at)


@pytest.mark.row("C40")
def test_a_crash_between_the_hold_and_the_question(desk: Desk) -> None:
    """C40: nobody ever says what the charger answered; the deadline in the database does."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.passes(seconds=36)
    assert desk.sweep() == {session_id: ""}
    assert charging.explain(desk.session(session_id)) == ENDINGS["silent"]
    assert desk.free(asha) == 1_000


def test_a_start_that_comes_before_the_answer_is_not_undone_by_it(desk: Desk) -> None:
    """Q26."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.start(session_id)
    for verdict in ("accepted", "refused", "silent"):
        desk.changes_nothing(desk.do, wishes.answered, session_id, verdict)
    assert desk.state(session_id) == SessionState.CHARGING


def test_the_driver_changes_his_mind_before_it_begins(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    for accepted in (False, True):
        session_id = desk.request(asha)
        if accepted:
            desk.do(wishes.answered, session_id, "accepted")
        desk.do(charging.request_stop, session_id, "driver")
        assert charging.explain(desk.session(session_id)) == ENDINGS["driver"]
        assert desk.free(asha) == 1_000
        desk.changes_nothing(desk.do, charging.request_stop, session_id, "driver")


def test_every_way_a_start_comes_to_nothing_has_a_sentence() -> None:
    causes = ("refused", "silent", "offline", "unplugged", "driver", "taken", "replaced", "operator")
    assert all("Nothing was charged." in charging.explain(ChargingSession(stop_cause=cause)) for cause in causes)
    assert "This start cost nothing." in charging.explain(ChargingSession(stop_cause="own card"))


# A charge


@pytest.mark.row("C1")
def test_a_normal_charge(desk: Desk) -> None:
    """C1."""
    asha, session_id = desk.a_charge(kwh=10)
    desk.stop(session_id, METER + 10_005)
    assert desk.bill(session_id) == (10_005, 18_009)
    assert desk.money(asha) == wallet.Balance(100_000 - 18_009, 0, 0)
    session = desk.session(session_id)
    assert session.receipt_number.endswith("/0000001")
    assert session.due_at is None
    assert not session.estimated
    assert not session.review
    assert desk.do(lambda db: db.get_one(Hold, session_id)).state == HoldState.SETTLED
    assert desk.findings() == {}


@pytest.mark.row("C2", "C6")
def test_a_stop_that_is_repeated_is_one_debit(desk: Desk) -> None:
    """C2, C6, Q20."""
    asha, session_id = desk.a_charge(kwh=2)
    stopped_at = desk.clock.at
    desk.stop(session_id, METER + 2_000, at=stopped_at)
    for _ in range(3):
        desk.passes(minutes=5)
        desk.changes_nothing(desk.stop, session_id, METER + 2_000, at=stopped_at)
    assert desk.free(asha) == 1_000 - 2 * PRICE
    assert desk.findings() == {}


@pytest.mark.row("C3")
@pytest.mark.parametrize("first", [METER + 2_000, None])
def test_a_second_stop_that_says_something_else_changes_nothing_but_is_kept(desk: Desk, first: int | None) -> None:
    """C3: also when the first one had no figure to say."""
    desk.charger()
    session_id = desk.begun(desk.driver())
    desk.stop(session_id, first)
    desk.changes_nothing(desk.stop, session_id, METER + 9_000)
    desk.changes_nothing(desk.stop, session_id, METER + 9_000)
    assert desk.findings()["conflict"] == 1


@pytest.mark.row("C8")
@pytest.mark.parametrize(
    "reason",
    [
        "EmergencyStop",
        "PowerLoss",
        "Reboot",
        "EVDisconnected",
        "DeAuthorized",
        "HardReset",
        "UnlockCommand",
        "",
        "x" * 50,
    ],
)
def test_every_reason_settles_by_the_meter(desk: Desk, reason: str) -> None:
    """C8, Q24: no reason means Local."""
    _, session_id = desk.a_charge(kwh=1)
    desk.stop(session_id, METER + 1_000, reason=reason)
    assert desk.bill(session_id) == (1_000, 1_800)
    assert desk.session(session_id).stop_reason == (reason or "Local")[:20]


@pytest.mark.row("C21")
def test_the_price_is_that_of_the_wish(desk: Desk) -> None:
    """C21."""
    asha, ben = desk.driver(), desk.driver()
    desk.charger(connectors=2)
    session_id = desk.charging(asha)
    desk.do(tariffs.set_price, Price(9_900, 0))
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 1_000)
    assert desk.bill(session_id) == (1_000, 1_800)
    later = desk.charging(ben, connector=2)
    desk.flows(later, 1)
    desk.stop(later, METER + 1_000)
    assert desk.bill(later) == (1_000, 9_900)


@pytest.mark.row("C14")
def test_two_drivers_at_two_connectors_of_one_charger(desk: Desk) -> None:
    """C14."""
    asha, ben = desk.driver(), desk.driver()
    desk.charger(connectors=2)
    first, second = desk.charging(asha), desk.charging(ben, connector=2)
    for _ in range(3):
        desk.flows(first, 1)
        desk.flows(second, 2)
    desk.stop(second, METER + 6_000)
    desk.stop(first, METER + 3_000)
    assert desk.free(asha) == 1_000 - 3 * PRICE
    assert desk.free(ben) == 1_000 - 6 * PRICE


@pytest.mark.row("C29")
def test_nothing_delivered_costs_nothing_and_has_no_receipt(desk: Desk) -> None:
    """C29."""
    asha, session_id = desk.a_charge()
    desk.passes(minutes=3)
    desk.stop(session_id, METER)
    session = desk.session(session_id)
    assert session.state == SessionState.SETTLED
    assert session.settled_at == desk.clock.at
    assert session.receipt_number == ""
    assert desk.money(asha) == wallet.Balance(100_000, 0, 0)
    assert desk.do(lambda db: house.rows(db, Transfer)) == 1, "the money to begin with, and no other"
    desk.changes_nothing(desk.stop, session_id, METER)


@pytest.mark.row("C25")
def test_the_driver_stops_but_only_the_charger_ends_the_bill(desk: Desk) -> None:
    """C25."""
    asha, session_id = desk.a_charge(kwh=1)
    desk.do(charging.request_stop, session_id, "driver")
    session = desk.session(session_id)
    assert (session.state, session.stop_cause) == (SessionState.STOPPING, "driver")
    desk.changes_nothing(desk.do, charging.request_stop, session_id, "operator")
    desk.do(stops.stop_asked, session_id, True)
    desk.flows(session_id, 3)
    assert desk.state(session_id) == SessionState.STOPPING
    assert desk.money(asha).held_paise == 100_000, "all of it, until the charger has said its last word"
    desk.stop(session_id, METER + 4_000, reason="Remote")
    assert desk.bill(session_id) == (4_000, 7_200)


@pytest.mark.row("C31")
def test_a_driver_who_is_blocked_meanwhile_charges_on_and_pays(desk: Desk) -> None:
    """C31."""
    asha, session_id = desk.a_charge(kwh=1)
    desk.do(accounts.block, asha)
    assert desk.flows(session_id, 1) == []
    assert desk.state(session_id) == SessionState.CHARGING
    desk.stop(session_id, METER + 2_000)
    assert desk.bill(session_id) == (2_000, 3_600)


@pytest.mark.row("C32")
def test_a_strangers_stop_is_billed_to_whoever_started(desk: Desk) -> None:
    """C32, Q24."""
    asha, session_id = desk.a_charge(kwh=1)
    desk.stop(session_id, METER + 1_000, tag="CARD-OF-A-STRANGER")
    assert desk.free(asha) == 1_000 - PRICE


# Messages that were on their way for hours


@pytest.mark.row("C9")
def test_a_charge_told_hours_later(desk: Desk) -> None:
    """C9, Q27: the times are the charger's, the price is that of the wish, the ledger's time is now."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(wishes.answered, session_id, "accepted")
    began = desk.passes(seconds=30)
    ended = desk.passes(minutes=20)
    desk.sweep()
    assert desk.state(session_id) == SessionState.CANCELLED
    desk.do(tariffs.set_price, Price(9_900, 0))
    desk.passes(hours=5)
    assert desk.start(session_id, at=began).status == "Accepted"
    desk.stop(session_id, METER + 15_000, at=ended)
    assert desk.bill(session_id) == (15_000, 27_000)
    session = desk.session(session_id)
    assert (session.started_at, session.stopped_at, session.settled_at) == (began, ended, desk.clock.at)
    assert not session.review
    transfer = desk.do(lambda db: db.get_one(Transfer, 2))
    assert (transfer.event_at, transfer.created_at) == (ended, desk.clock.at)


@pytest.mark.row("C10")
def test_a_charge_told_late_by_a_charger_without_a_clock(desk: Desk) -> None:
    """C10: our own time of the wish bounds what it can have delivered."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(wishes.answered, session_id, "accepted")
    desk.passes(minutes=50)
    desk.sweep()
    desk.start(session_id, at=desk.clock.at)
    desk.stop(session_id, METER + 15_000, at=desk.clock.at)
    assert desk.bill(session_id) == (15_000, 27_000)


@pytest.mark.row("C10")
def test_a_stop_before_its_start_is_taken_as_now(desk: Desk) -> None:
    """C10."""
    desk.charger()
    session_id = desk.begun(desk.driver())
    desk.stop(session_id, METER + 2_000, at=datetime(1970, 1, 1, tzinfo=UTC))
    session = desk.session(session_id)
    assert session.stopped_at == desk.clock.at
    assert desk.bill(session_id) == (2_000, 3_600)


@pytest.mark.row("C30")
def test_deleting_an_account_waits_for_the_charge(desk: Desk) -> None:
    """C30: and for one whose stop was lost, too."""
    asha, session_id = desk.a_charge()
    assert desk.do(accounts.charging, asha)
    desk.flows(session_id, 1)
    desk.lose(session_id)
    assert desk.do(accounts.charging, asha)
    desk.stop(session_id, METER + 1_000)
    assert not desk.do(accounts.charging, asha)
