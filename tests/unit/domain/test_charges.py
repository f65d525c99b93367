"""Charges before an operator: those under way, those that wait for somebody, and any by its name."""

import pytest
from sqlmodel import Session

from domain import accounts, charges, charging, stops
from domain.charges import EVERY, RUNNING, STUCK, Charge
from domain.models import ChargingSession
from tests.asked import asked, selects
from tests.money.charges import METER, Desk


def refs(found: list[Charge]) -> list[str]:
    return [one.session.ref for one in found]


def test_those_under_way_and_what_they_cost_by_now(desk: Desk) -> None:
    desk.charger("A-1")
    asha = desk.driver()
    session = desk.charging(asha, "A-1")
    desk.flows(session, 1)
    [one] = desk.do(charges.page)
    assert (one.session.id, one.username, one.cost_paise, one.stuck) == (session, "driver_0", 1_800, False)
    desk.stop(session, METER + 1_000)
    assert desk.do(charges.page) == []
    [billed] = desk.do(charges.page, which=EVERY)
    assert (billed.cost_paise, billed.session.receipt_number != "") == (1_800, True)


def test_those_that_wait_for_somebody(desk: Desk) -> None:
    desk.charger("A-1")
    desk.charger("B-1")
    lost, deaf = desk.charging(desk.driver(), "A-1"), desk.charging(desk.driver(), "B-1")
    desk.flows(lost, 1)
    desk.lose(lost)
    desk.do(charging.request_stop, deaf, "operator")
    assert [one.session.id for one in desk.do(charges.page, which=STUCK)] == [lost]
    for _ in range(2):
        desk.do(stops.stop_asked, deaf, accepted=False)
    found = desk.do(charges.page, which=STUCK)
    assert [one.session.id for one in found] == [deaf, lost]
    assert all(one.stuck for one in found)


def test_any_is_found_by_what_it_is_called(desk: Desk) -> None:
    desk.charger("A-1")
    asha = desk.driver()
    session = desk.charging(asha, "A-1")
    desk.flows(session, 1)
    desk.stop(session, METER + 1_000)
    row = desk.do(lambda db: db.get_one(ChargingSession, session))
    for typed in (row.ref, row.ref.lower(), row.receipt_number, "A-1", "a 1", "driver_0", str(asha)):
        assert refs(desk.do(charges.page, which=EVERY, typed=typed)) == [row.ref], typed
    for typed in ("nobody", "' OR 1=1 --", "B-1"):
        assert desk.do(charges.page, which=EVERY, typed=typed) == []
    assert refs(desk.do(charges.page, which=EVERY, charger_id="A-1")) == [row.ref]
    assert refs(desk.do(charges.page, which=EVERY, user_id=asha)) == [row.ref]
    assert desk.do(charges.page, which=EVERY, user_id=asha + 1) == []
    found = desk.do(charges.of_ref, row.ref)
    assert found is not None
    assert found.username == "driver_0"
    assert desk.do(charges.of_ref, "NOSUCH") is None


def test_the_charges_of_all_who_may_be_meant_are_found(desk: Desk) -> None:
    """Those of the fifty-first were not."""
    desk.charger("A-1")
    for _ in range(accounts.FOUND):
        desk.driver(rupees=0)
    session = desk.charging(desk.driver(), "A-1")
    assert [one.session.id for one in desk.do(charges.page, which=EVERY, typed="driver_")] == [session]


@pytest.mark.parametrize("typed", ["no\x00body", "\ud800"])
def test_what_no_database_takes_finds_nothing(db: Session, typed: str) -> None:
    """PostgreSQL refused it, and an operator's page failed."""
    assert charges.of_ref(db, typed) is None
    assert charges.named(db, typed) is None
    assert charges.page(db, which=EVERY, typed=typed) == []


def test_a_walk_up_is_nobodys(desk: Desk) -> None:
    desk.charger()
    desk.walk_up()
    assert [one.username for one in desk.do(charges.page, which=EVERY)] == [""]


def test_pages_follow_each_other(desk: Desk) -> None:
    sessions = []
    for number in range(3):
        desk.charger(f"A-{number}")
        sessions.append(desk.charging(desk.driver(), f"A-{number}"))
    first = desk.do(charges.page, which=RUNNING, limit=2)
    assert [one.session.id for one in first] == sessions[:0:-1]
    rest = desk.do(charges.page, which=RUNNING, before=first[-1].session.id, limit=2)
    assert [one.session.id for one in rest] == sessions[:1]


@pytest.mark.parametrize("which", charges.FILTERS)
def test_an_empty_street_has_none(desk: Desk, which: str) -> None:
    assert desk.do(charges.page, which=which) == []


def test_a_page_is_asked_for_at_once(desk: Desk) -> None:
    """Not once more for the driver of each row."""
    for n in range(3):
        desk.charger(f"A-{n}")
        desk.charging(desk.driver(), f"A-{n}")
    with asked(desk.database.engine) as queries:
        found = desk.do(charges.page)
    assert [one.username for one in found] == ["driver_2", "driver_1", "driver_0"]
    assert selects(queries) == 2
