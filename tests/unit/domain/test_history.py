"""What drivers read of their charges: the one under way, those of the past, the curve of one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain import chargers, history, wishes
from domain.models import SessionState
from domain.prices import Price
from domain.sessions import NotYours
from tests.asked import asked, selects
from tests.money.charges import METER, Desk

MONTH = timedelta(days=30)


def past(desk: Desk, user_id: int, kwh: int = 1, charger_id: str = "BLR-1") -> int:
    """A charge that is over, a minute after the one before."""
    desk.passes(minutes=1)
    desk.heard(charger_id)
    session_id = desk.charging(user_id, charger_id)
    desk.flows(session_id, kwh)
    desk.stop(session_id, METER + kwh * 1_000)
    desk.status(charger_id, 1, "Available")
    return session_id


def test_the_charge_under_way_has_its_figures_of_now(desk: Desk) -> None:
    asha = desk.driver(rupees=100)
    desk.charger()
    assert desk.do(history.current, asha) is None
    session_id = desk.charging(asha)
    desk.flows(session_id, 4)
    charge = desk.do(history.current, asha)
    assert charge is not None
    assert (charge.energy_wh, charge.cost_paise, charge.held_paise) == (4_000, 7_200, 10_000)
    assert charge.in_contact
    desk.meter(session_id, METER + 4_450)
    desk.stop(session_id, METER + 4_500)
    assert desk.do(history.current, asha) is None


def test_a_charger_whose_socket_is_open_but_silent_is_out_of_contact(desk: Desk) -> None:
    asha, _ = desk.a_charge()
    desk.passes(minutes=20)
    charge = desk.do(history.current, asha)
    assert charge is not None
    assert not charge.in_contact


def test_the_past_is_newest_first_a_page_at_a_time(desk: Desk) -> None:
    asha, ben = desk.driver(), desk.driver()
    desk.charger()
    ids = [past(desk, asha) for _ in range(5)]
    past(desk, ben)
    pages = []
    last = None
    while page := desk.do(history.page, asha, before=last, limit=2):
        pages.append([charge.session.id for charge in page])
        last = page[-1].session
    assert pages == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]


def test_a_page_asks_no_more_for_each_charge(desk: Desk) -> None:
    """Its charges, their chargers, their holds; a page of twenty asked 41 times."""
    asha = desk.driver()
    for charger_id in ("BLR-1", "BLR-2", "BLR-3"):
        desk.charger(charger_id)
        past(desk, asha, charger_id=charger_id)
    alone = [desk.do(history.one, asha, charge.session.ref) for charge in desk.do(history.page, asha)]
    with asked(desk.database.engine) as queries:
        found = desk.do(history.page, asha)
    assert found == [replace(charge, left_paise=None) for charge in alone]
    assert selects(queries) == 3


def test_charges_of_one_moment_are_neither_lost_nor_shown_twice(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    for _ in range(4):
        desk.do(wishes.answered, desk.request(asha), "refused")
    first = desk.do(history.page, asha, limit=2)
    second = desk.do(history.page, asha, before=first[-1].session, limit=2)
    assert len({charge.session.id for charge in first + second}) == 4


def test_the_past_has_what_never_began_and_what_lost_its_stop(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    desk.do(wishes.answered, desk.request(asha), "silent")
    desk.passes(seconds=1)
    lost = desk.charging(asha)
    desk.flows(lost, 2)
    desk.lose(lost)
    desk.passes(seconds=1)
    desk.charging(asha)
    states = [charge.session.state for charge in desk.do(history.page, asha)]
    assert states == [SessionState.INTERRUPTED, SessionState.CANCELLED], "the running one is not past"


def test_ones_own_only(desk: Desk) -> None:
    asha, ben = desk.driver(), desk.driver()
    desk.charger()
    ref = desk.session(past(desk, asha)).ref
    assert desk.do(history.one, asha, ref).cost_paise == 1_800
    for user_id, wanted in ((ben, ref), (asha, "NO-SUCH-REF"), (asha, ""), (asha, "\x00"), (asha, ref.lower())):
        with pytest.raises(NotYours):
            desk.do(history.one, user_id, wanted)


def test_the_page_of_a_charger_turns_into_its_receipt(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    desk.charger("BLR-2")
    session_id = past(desk, asha)
    latest = desk.do(history.just_ended, asha, "BLR-1")
    assert latest is not None
    assert latest.session.id == session_id
    assert desk.do(history.just_ended, asha, "BLR-2") is None
    desk.passes(minutes=20)
    assert desk.do(history.just_ended, asha, "BLR-1") is None


def test_the_last_charge_is_told_of_for_half_a_day(desk: Desk) -> None:
    """Wherever it was; a start that came to nothing after it takes nothing of it away."""
    asha = desk.driver()
    desk.charger()
    desk.charger("BLR-2")
    assert desk.do(history.recent, asha) is None
    past(desk, asha)
    session_id = past(desk, asha, charger_id="BLR-2")
    desk.do(wishes.answered, desk.request(asha), "silent")
    recent = desk.do(history.recent, asha)
    assert recent is not None
    assert recent.session.id == session_id
    assert desk.do(history.recent, desk.driver()) is None
    desk.passes(hours=12)
    assert desk.do(history.recent, asha) is None


def test_a_charge_told_by_a_slow_clock_took_as_long_as_it_took(desk: Desk) -> None:
    """Its start and its stop are a month behind; both are told by our clock, and nothing of the month before."""
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.start(session_id, at=desk.clock.at - MONTH)
    ref = desk.session(session_id).ref
    assert desk.do(history.one, asha, ref).duration < timedelta(minutes=1)
    begun = desk.clock.at
    desk.passes(minutes=10)
    assert desk.do(history.one, asha, ref).duration < timedelta(minutes=1), "the last news is its start"
    desk.stop(session_id, METER + 1_000, at=desk.clock.at - MONTH)
    charge = desk.do(history.one, asha, ref)
    assert (charge.begun_at, charge.ended_at, charge.duration) == (begun, desk.clock.at, timedelta(minutes=10))


def test_a_slow_clock_that_is_set_right_during_a_charge_tells_its_end(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    desk.start(session_id, at=desk.clock.at - MONTH)
    desk.passes(minutes=10)
    desk.stop(session_id, METER + 1_000, at=desk.clock.at)
    assert desk.do(history.one, asha, desk.session(session_id).ref).duration == timedelta(minutes=10)


def test_a_fast_clock_makes_a_charge_neither_longer_nor_shorter(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    ahead = timedelta(minutes=4)
    session_id = desk.request(asha)
    desk.start(session_id, at=desk.clock.at + ahead)
    begun = desk.clock.at
    desk.passes(minutes=10)
    desk.stop(session_id, METER + 1_000, at=desk.clock.at + ahead)
    charge = desk.do(history.one, asha, desk.session(session_id).ref)
    assert (charge.begun_at, charge.ended_at) == (begun, desk.clock.at)


def test_a_charge_of_which_no_end_is_known_has_none(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    session_id = desk.request(asha)
    charge = desk.do(history.one, asha, desk.session(session_id).ref)
    assert (charge.begun_at, charge.ended_at, charge.duration) == (desk.clock.at, None, timedelta(0))


def test_a_month_counts_what_was_delivered(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    past(desk, asha, 5)
    since = desk.passes(minutes=1)
    past(desk, asha, 2)
    past(desk, asha, 3)
    past(desk, asha, 0)
    desk.do(wishes.answered, desk.request(asha), "silent")
    assert desk.do(history.month, asha, since) == history.Month(2, 5_000, 9_000)
    assert desk.do(history.month, desk.driver(), since) == history.Month(0, 0, 0)
    assert desk.do(history.month, asha, since, since) == history.Month(0, 0, 0)
    assert desk.do(history.month, asha, since, None, "NOSUCH") == history.Month(0, 0, 0)
    assert desk.do(history.page, asha, charger_id="NOSUCH") == []


def test_charges_of_a_span_of_time(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    first = past(desk, asha)
    since = desk.passes(minutes=1)
    second = past(desk, asha)
    until = desk.passes(minutes=1)
    past(desk, asha)
    found = desk.do(history.page, asha, span=(since, until))
    assert [charge.session.id for charge in found] == [second]
    moments = desk.do(history.moments, asha)
    assert len(moments) == 3
    assert list(moments) == sorted(moments, reverse=True)
    assert [charge.session.id for charge in desk.do(history.page, asha, span=(moments[2], moments[1]))] == [first]
    assert desk.do(history.moments, desk.driver()) == []


def test_where_the_driver_charged_last_and_for_how_much(desk: Desk) -> None:
    asha = desk.driver()
    for n in range(1, 7):
        desk.charger(f"BLR-{n}")
    assert desk.do(history.last_price, asha) is None
    for n in (1, 2, 3, 4, 5, 1):
        past(desk, asha, charger_id=f"BLR-{n}")
    assert desk.do(history.used_chargers, asha) == ["BLR-1", "BLR-5", "BLR-4", "BLR-3"]
    desk.do(chargers.retire, "BLR-4")
    assert desk.do(history.used_chargers, asha) == ["BLR-1", "BLR-5", "BLR-3", "BLR-2"]
    assert desk.do(history.last_price, asha) == Price(1_800, 0)


def test_a_long_curve_is_thinned(desk: Desk) -> None:
    _, session_id = desk.a_charge(rupees=5_000)
    for n in range(100):
        desk.passes(seconds=10)
        desk.meter(session_id, METER + n * 100, 1_000 + n)
    desk.meter(session_id, None, None)
    curve = desk.do(history.curve, session_id)
    assert len(curve) == 50
    assert curve == sorted(curve)
    assert curve[0][1] == 1_000


@pytest.mark.parametrize("minutes", [0, 7])
def test_how_long_it_took(desk: Desk, minutes: int) -> None:
    asha = desk.driver()
    desk.charger()
    began = desk.clock.at
    session_id = desk.request(asha)
    desk.start(session_id, at=began)
    desk.passes(minutes=minutes)
    desk.stop(session_id, METER, at=desk.clock.at)
    ref = desk.session(session_id).ref
    assert desk.do(history.one, asha, ref).duration == timedelta(minutes=minutes)
