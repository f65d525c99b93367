"""Who waits for a charger is told once that it is free, however it became so."""

import asyncio
from datetime import datetime

import pytest
from sqlmodel import Session

from domain import charging, sweeper, vacancies
from domain.chargers import ChargerUnknown
from domain.db import Database
from domain.events import ChargerFreed
from tests.asked import asked, selects
from tests.money.charges import Desk


def told(desk: Desk) -> list[int]:
    """Sweep once; gives who was told by it."""
    before = len(desk.events)
    for charger_id in desk.do(vacancies.freed, desk.clock.at):
        desk.do(vacancies.tell, charger_id, desk.clock.at)
    return [event.user_id for event in desk.events[before:] if isinstance(event, ChargerFreed)]


def test_those_who_wait_are_told_once(desk: Desk) -> None:
    asha, ravi, uma = desk.driver(), desk.driver(), desk.driver()
    desk.charger()
    session_id = desk.charging(asha)
    for driver in (ravi, uma):
        desk.do(vacancies.wish, driver, "BLR-1")
    assert told(desk) == []
    desk.do(charging.request_stop, session_id, "driver")
    desk.stop(session_id, 12_000)
    assert told(desk) == []  # the plug is still in
    desk.status("BLR-1", 1, "Available")
    assert told(desk) == [ravi, uma]
    assert told(desk) == []
    assert [row.charger_id for row in desk.do(vacancies.told, ravi)] == ["BLR-1"]
    desk.do(vacancies.forget, ravi, "BLR-1")
    assert desk.do(vacancies.told, ravi) == []
    assert len(desk.do(vacancies.told, uma)) == 1


def test_all_chargers_that_are_waited_for_are_looked_at_together(desk: Desk) -> None:
    """Every second, in every process."""
    asha, counted = desk.driver(), []
    for n in range(4):
        desk.charger(f"BLR-{n}")
        desk.status(f"BLR-{n}", 1, "Charging")
        desk.do(vacancies.wish, asha, f"BLR-{n}")
        with asked(desk.database.engine) as queries:
            assert desk.do(vacancies.freed, desk.clock.at) == []
        counted.append(selects(queries))
    assert len(set(counted)) == 1
    desk.status("BLR-2", 1, "Available")
    assert desk.do(vacancies.freed, desk.clock.at) == ["BLR-2"]


def test_a_wait_ends_by_itself(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    desk.status("BLR-1", 1, "Charging")
    until = desk.do(vacancies.wish, asha, "BLR-1")
    assert desk.do(vacancies.waits_until, asha, "BLR-1") == until
    desk.passes(hours=12)
    desk.status("BLR-1", 1, "Available")
    assert told(desk) == []
    assert desk.do(vacancies.waits_until, asha, "BLR-1") is None


def test_who_was_told_can_wait_again(desk: Desk) -> None:
    asha = desk.driver()
    desk.charger()
    desk.do(vacancies.wish, asha, "BLR-1")
    assert told(desk) == [asha]
    desk.do(vacancies.wish, asha, "BLR-1")
    assert desk.do(vacancies.told, asha) == []
    assert told(desk) == [asha]


def test_what_cannot_be_waited_for(desk: Desk) -> None:
    asha = desk.driver()
    for number in range(vacancies.MOST):
        desk.charger(f"BLR-{number}")
        desk.do(vacancies.wish, asha, f"BLR-{number}")
    desk.charger("ONE-MORE")
    with pytest.raises(vacancies.TooMany, match=f"{vacancies.MOST} chargers"):
        desk.do(vacancies.wish, asha, "ONE-MORE")
    with pytest.raises(ChargerUnknown):
        desk.do(vacancies.wish, asha, "NOSUCH")


async def test_two_processes_tell_once(open_desk: Desk, database: Database) -> None:
    asha = open_desk.driver()
    open_desk.charger()
    open_desk.do(vacancies.wish, asha, "BLR-1")
    await asyncio.gather(*(sweeper.sweep_vacancies(open_desk.clock.at) for _ in range(4)))
    [row] = await database.read(vacancies.told, asha)
    assert row.told_at == open_desk.clock.at


async def test_a_charger_whose_drivers_cannot_be_told_keeps_no_other_waiting(
    open_desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asha, right = open_desk.driver(), vacancies.tell
    for charger_id in ("BLR-1", "BLR-2"):
        open_desk.charger(charger_id)
        open_desk.do(vacancies.wish, asha, charger_id)

    def tell(db: Session, charger_id: str, at: datetime) -> int:
        if charger_id == "BLR-1":
            raise ValueError("nobody thought of this")
        return right(db, charger_id, at)

    monkeypatch.setattr(vacancies, "tell", tell)
    await sweeper.sweep_vacancies(open_desk.clock.at)
    assert [row.charger_id for row in await database.read(vacancies.told, asha)] == ["BLR-2"]
