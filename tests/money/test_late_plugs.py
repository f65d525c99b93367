"""A plug after its wish has ended: whose charge it is, or nobody's (ocpp.md Q16, Q28)."""

from datetime import timedelta

import pytest

from domain import accounts, charging, wallet, wishes
from domain.models import SessionState
from tests.money import house
from tests.money.charges import METER, Desk


@pytest.mark.row("C26")
def test_a_plug_after_we_gave_up_charges_if_money_allows(desk: Desk) -> None:
    """C26, Q28."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(wishes.answered, session_id, "silent")
    desk.passes(minutes=3)
    begun = desk.start(session_id)
    assert (begun.session_id, begun.status, begun.stop) == (session_id, "Accepted", False)
    assert desk.money(asha).held_paise == 100_000
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 1_000)
    assert desk.bill(session_id) == (1_000, 1_800)


@pytest.mark.row("C26")
@pytest.mark.parametrize("ended", ["unplugged", "silent"])
def test_a_plug_an_hour_after_the_wish_is_somebody_elses(desk: Desk, ended: str) -> None:
    """C26, Q28: whatever car stands there then. What began in time may be told later."""
    asha = desk.driver()
    for charger_id, began, stop in (("BLR-1", 60, False), ("BLR-2", 61, True)):
        desk.charger(charger_id)
        session_id = desk.request(asha, charger_id)
        desk.do(wishes.answered, session_id, ended)
        desk.passes(minutes=began)
        at = desk.clock.at
        desk.passes(hours=0 if stop else 5)
        begun = desk.start(session_id, at=at)
        assert (begun.session_id == session_id, begun.stop) == (not stop, stop)
        assert desk.money(asha).held_paise == (0 if stop else 100_000)
        if not stop:
            desk.stop(session_id, METER)


@pytest.mark.parametrize(
    ("away", "seconds", "has_clock", "is_hers"),
    [
        (True, 30, False, True),
        (True, 30, True, False),
        (True, 301, False, False),
        (False, 30, False, False),
    ],
)
def test_a_charger_without_a_clock_that_was_away_tells_late_what_began_in_time(
    desk: Desk, away: bool, seconds: int, has_clock: bool, is_hers: bool
) -> None:
    """Q27, Q28: it came back after hours, and what it has to tell it tells at once."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(wishes.answered, session_id, "unplugged")
    desk.passes(hours=3)
    if away:
        desk.disconnect()
        desk.connect()
    desk.passes(seconds=seconds)
    told_at = desk.clock.at - timedelta(seconds=int(has_clock))
    begun = desk.start(session_id, at=told_at)
    assert (begun.session_id == session_id, begun.stop) == (is_hers, not is_hers)
    desk.stop(begun.session_id, METER + 10_000, at=told_at)
    assert (desk.free(asha), desk.findings()) == ((820, {}) if is_hers else (1_000, {"review": 1}))


def test_what_a_charger_without_a_clock_tells_a_day_late_is_nobodys(desk: Desk) -> None:
    desk.charger()
    session_id = desk.request(desk.driver())
    desk.do(wishes.answered, session_id, "unplugged")
    desk.passes(hours=24, seconds=1)
    desk.disconnect()
    desk.connect()
    assert desk.start(session_id, at=desk.clock.at).stop


def _spend(desk: Desk, asha: int) -> None:
    desk.do(wallet.adjust, asha, -96_000, key="spent", reason="for a test")


def _owe(desk: Desk, asha: int) -> None:
    desk.do(house.owe, asha, 100)


def _block(desk: Desk, asha: int) -> None:
    desk.do(accounts.block, asha)


def test_a_plug_after_we_gave_up_charges_with_the_least_that_a_start_needs(desk: Desk) -> None:
    desk.charger()
    session_id = desk.request(desk.driver(rupees=50))
    desk.do(wishes.answered, session_id, "silent")
    assert not desk.start(session_id).stop


@pytest.mark.parametrize("meanwhile", [_spend, _owe, _block])
def test_a_plug_after_we_gave_up_is_ended_if_a_start_would_be_refused(desk: Desk, meanwhile: object) -> None:
    """Q28: what it delivers until it stops is paid from what there is."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(wishes.answered, session_id, "silent")
    meanwhile(desk, asha)  # type: ignore[operator]
    begun = desk.start(session_id)
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.start(session_id, at=desk.session(session_id).started_at) == begun
    assert desk.state(session_id) == SessionState.STOPPING
    desk.flows(session_id, 1)
    desk.stop(session_id, METER + 1_000, reason="DeAuthorized")
    assert desk.bill(session_id) == (1_000, 1_800)


def test_a_plug_after_the_driver_cancelled_is_ended(desk: Desk) -> None:
    """Q28: also when the cable is still in."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.do(charging.request_stop, session_id, "driver")
    begun = desk.start(session_id)
    assert (begun.session_id, begun.status, begun.stop) == (session_id, "Invalid", True)
    assert desk.session(session_id).stop_cause == "cancelled", "no plug was late"
    desk.stop(session_id, METER)
    assert desk.bill(session_id) == (0, 0)
    assert desk.free(asha) == 1_000


def test_a_plug_after_the_driver_went_elsewhere_is_ended_and_costs_him_nothing(desk: Desk) -> None:
    """Q28: one charge a driver; his tag does not make it a free one either."""
    asha = desk.driver()
    desk.charger()
    desk.charger("BLR-2")
    first = desk.request(asha)
    desk.do(wishes.answered, first, "silent")
    second = desk.charging(asha, "BLR-2")
    begun = desk.start(first)
    assert begun.session_id not in (first, second)
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.state(first) == SessionState.CANCELLED
    assert desk.state(second) == SessionState.CHARGING


@pytest.mark.parametrize("ended", ["silent", "unplugged", "driver"])
def test_a_plug_after_the_driver_tried_again_begins_the_charge_he_waits_for(
    desk: Desk, strict: None, ended: str
) -> None:
    """Q28: whichever of the two calls the charger obeyed; the other one's tag is good for nothing meanwhile."""
    asha = desk.driver(rupees=500)
    desk.charger()
    first = desk.request(asha)
    desk.do(wishes.answered, first, ended)
    desk.passes(seconds=5)
    second = desk.request(asha, wh=9_000)
    told = desk.start_told(first)
    begun = desk.start(first)
    assert (begun.session_id, begun.status, begun.stop) == (second, "Accepted", False)
    assert (desk.state(first), desk.session(first).stop_cause) == (SessionState.CANCELLED, ended)
    assert (desk.state(second), desk.session(second).limit_wh) == (SessionState.CHARGING, 9_000)
    assert (desk.money(asha).held_paise, desk.free(asha)) == (50_000, 0)
    desk.do(wishes.answered, second, "refused")
    desk.passes(hours=1)
    desk.changes_nothing(desk.do, charging.started, **told)
    assert desk.do(charging.authorize, "BLR-1", desk.session(first).tag) == "Invalid"
    desk.stop(second, METER + 1_000, transaction_id=0, tag=told["tag"])
    assert desk.bill(second) == (1_000, 1_800)
    assert desk.free(asha) == 482


def test_a_plug_while_another_driver_waits_at_the_connector_is_his(desk: Desk, strict: None) -> None:
    """Q28: the charger kept the authorisation of somebody who left; nobody pays for the car of who came after."""
    asha, ben = desk.driver(), desk.driver()
    desk.charger()
    first = desk.request(asha)
    desk.do(wishes.answered, first, "unplugged")
    desk.passes(minutes=5)
    second = desk.request(ben)
    desk.do(wishes.answered, second, "accepted")
    desk.passes(seconds=20)
    begun = desk.start(first)
    assert (begun.session_id, begun.status) == (second, "Accepted")
    desk.flows(second, 1)
    desk.stop(second, METER + 1_000)
    assert desk.bill(second) == (1_000, 1_800)
    assert (desk.free(asha), desk.free(ben)) == (1_000, 982)


@pytest.mark.parametrize("ended", ["silent", "unplugged"])
def test_a_late_plug_while_another_driver_is_not_waited_for_yet_is_nobodys(desk: Desk, ended: str) -> None:
    """Q28: the charger has not agreed to wait for him, so that nobody knows whose car it is: nobody pays for it."""
    asha, ben = desk.driver(), desk.driver()
    desk.charger()
    first = desk.request(asha)
    desk.do(wishes.answered, first, ended)
    desk.passes(minutes=2)
    second = desk.request(ben)
    begun = desk.start(first)
    assert begun.session_id not in (first, second)
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert [charging.explain(desk.session(wish)) for wish in (first, second)] == [wishes.ENDINGS["taken"]] * 2
    desk.flows(begun.session_id, 1)
    desk.stop(begun.session_id, METER + 1_000)
    assert (desk.free(asha), desk.free(ben)) == (1_000, 1_000)


def test_a_late_plug_that_names_no_connector_takes_nobodys_wish_at_another(desk: Desk, strict: None) -> None:
    """Q28: its driver wanted the first connector; who waits at the second pays for no car but his own."""
    asha, ben = desk.driver(), desk.driver()
    desk.charger(connectors=2)
    first = desk.request(asha)
    desk.do(wishes.answered, first, "unplugged")
    second = desk.request(ben, connector=2)
    desk.do(wishes.answered, second, "accepted")
    begun = desk.start(first, connector_number=0)
    assert begun.session_id == first
    assert desk.state(second) == SessionState.AWAITING_PLUG


def test_who_left_pays_for_nobody_though_the_charger_begins_twice(desk: Desk, strict: None) -> None:
    """Q28: the tag of the wish that was taken over is no way to the money of who had gone before."""
    asha, ben = desk.driver(), desk.driver()
    desk.charger()
    first = desk.request(asha)
    desk.do(wishes.answered, first, "unplugged")
    second = desk.request(ben)
    own_tag = desk.session(second).tag
    desk.start(first)
    begun = desk.start(second, METER + 500, tag=own_tag)
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.state(first) == SessionState.CANCELLED
    assert desk.money(asha).held_paise == 0


def test_a_plug_after_the_driver_tried_another_connector_is_ended(desk: Desk) -> None:
    """Q28: there it can be anybody's car."""
    asha = desk.driver()
    desk.charger(connectors=2)
    first = desk.request(asha)
    desk.do(wishes.answered, first, "silent")
    second = desk.request(asha, connector=2)
    begun = desk.start(first)
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.state(second) == SessionState.REQUESTED


@pytest.mark.parametrize("accepted", [True, False])
def test_two_drivers_who_swap_connectors_both_charge(desk: Desk, strict: None, accepted: bool) -> None:
    """Q28: the charger begins either's tag where the cable is; nobody is left with a refused charge."""
    asha, ben = desk.driver(), desk.driver()
    desk.charger(connectors=2)
    first, second = desk.request(asha, connector=1), desk.request(ben, connector=2)
    for session_id in (first, second) if accepted else ():
        desk.do(wishes.answered, session_id, "accepted")
    assert desk.start(first, connector_number=2).status == "Accepted"
    assert desk.session(second).stop_cause == wishes.TAKEN
    begun = desk.start(second, connector_number=1)
    assert (begun.session_id, begun.status, begun.stop) == (second, "Accepted", False)
    assert desk.session(second).connector_number == 1
    desk.passes(minutes=5)
    desk.stop(first, METER + 1_000)
    desk.stop(second, METER + 2_000)
    assert (desk.free(asha), desk.free(ben)) == (982, 964)


def test_a_wish_that_was_taken_comes_back_at_no_connector_that_is_its_own(desk: Desk, strict: None) -> None:
    """Q28: there the other one charges."""
    desk.charger()
    session_id = desk.request(desk.driver())
    other = desk.walk_up()
    begun = desk.start(session_id)
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.state(other.session_id) == SessionState.INTERRUPTED


def test_who_left_pays_for_nobody_at_another_connector_either(desk: Desk, strict: None) -> None:
    """Q28: the other tag is of a wish that somebody else has taken over."""
    asha, ben = desk.driver(), desk.driver()
    desk.charger(connectors=2)
    first = desk.request(asha)
    desk.do(wishes.answered, first, "unplugged")
    second = desk.request(ben)
    desk.do(wishes.answered, second, "accepted")
    own_tag = desk.session(second).tag
    desk.start(first)
    begun = desk.start(second, tag=own_tag, connector_number=2)
    assert (begun.status, begun.stop) == ("Invalid", True)
    assert desk.money(asha).held_paise == 0
