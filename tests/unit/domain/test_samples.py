"""Samples are found again from their session, one from the other, also when many charges take turns."""

from itertools import chain

from sqlmodel import Session, select

from domain import history, listings, samples
from domain.models import ChargingSession, MeterSample
from domain.running import Meter
from tests.money.charges import METER, Desk


def taking_turns(desk: Desk, count: int, rounds: int) -> list[int]:
    """Charges whose samples come in every batch together, by the long way and by the short."""
    meter, ids = Meter(), []
    for number in range(count):
        desk.charger(f"C-{number}")
        ids.append(desk.charging(desk.driver(), f"C-{number}"))
    for turn in range(rounds):
        desk.passes(minutes=1)
        turned = ids[turn % count :] + ids[: turn % count]
        desk.append(
            meter.record, [desk.sample(one, METER + 300 * turn, 1_000 * one + turn, soc_percent=turn) for one in turned]
        )
    return ids


def numbers(db: Session, session_id: int) -> list[int]:
    of = samples.of(session_id).c
    return list(db.exec(select(of.id).order_by(of.id)))


def test_each_charge_has_its_own_samples_in_their_order(desk: Desk) -> None:
    ids = taking_turns(desk, 5, 7)
    for session_id in ids:
        watts = [power for _, power in desk.do(history.curve, session_id)]
        assert watts == [1_000 * session_id + turn for turn in range(7)]
        assert desk.do(history.battery_percent, session_id) == 6
    found = list(chain.from_iterable(desk.do(numbers, session_id) for session_id in ids))
    assert sorted(found) == desk.do(lambda db: sorted(db.exec(select(MeterSample.id))))


def test_the_battery_is_as_full_as_was_said_last(desk: Desk) -> None:
    """Not every sample says it: none looks further back than it must, and none stops short."""
    desk.charger()
    session_id = desk.charging(desk.driver())
    for told, known in ((None, None), (None, None), (41, 41), (None, 41), (42, 42), (None, 42), (None, 42)):
        desk.passes(minutes=1)
        desk.meter(session_id, METER + 500, soc_percent=told)
        assert desk.do(history.battery_percent, session_id) == known


def test_a_charge_without_samples_has_none(desk: Desk) -> None:
    desk.charger()
    session_id = desk.charging(desk.driver())
    assert desk.do(history.curve, session_id) == []
    assert desk.do(history.battery_percent, session_id) is None
    assert desk.do(listings.part, listings.SAMPLES, session_id=session_id) == []


def test_a_listing_goes_on_where_it_ended(desk: Desk) -> None:
    first, _ = taking_turns(desk, 2, 5)
    begun = desk.do(listings.part, listings.SAMPLES, limit=2, session_id=first)
    rest = desk.do(listings.part, listings.SAMPLES, after=begun[-1].id, session_id=first)
    assert [row.soc_percent for row in (*begun, *rest)] == [0, 1, 2, 3, 4]


def test_a_number_used_twice_leads_to_nobody_elses_samples(desk: Desk) -> None:
    """SQLite gives the number of a deleted last row again."""
    desk.charger("C-0")
    desk.charger("C-1")
    mine, theirs = desk.charging(desk.driver(), "C-0"), desk.charging(desk.driver(), "C-1")
    desk.passes(minutes=1)
    desk.meter(theirs, METER + 100)

    def mistaken(db: Session) -> None:
        session = db.get_one(ChargingSession, mine)
        session.last_sample_id = db.get_one(ChargingSession, theirs).last_sample_id
        db.add(session)

    desk.do(mistaken)
    assert desk.do(history.curve, mine) == []
