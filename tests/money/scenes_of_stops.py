"""Scenes of charges that end (payments.md C1-C15): stops lost, told again, told late, of nobody, of others."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial

import pytest

from csms import clock
from domain import (
    charging,
    tariffs,
    wishes,
)
from domain.charging import Refused
from domain.db import Database
from domain.prices import Price
from tests.money.charges import METER, Desk
from tests.money.rows import scene, told
from tests.money.scene_of_a_charge import KWH, Told, ended

REASONS = {
    "EmergencyStop": "Emergency stop at the charger",
    "PowerLoss": "The charger lost its power",
    "Reboot": "The charger restarted",
    "EVDisconnected": "The car was unplugged",
    "DeAuthorized": "Stopped: the charger no longer accepted this card or code",
}


@scene("C1")
def normal(desk: Desk, asha: int) -> Told:
    return Told(4_221, "Charging at BLR-1, connector 1, 2.345 kWh", ended(desk, desk.begun(asha, 2.345), 2_345))


@scene("C2")
def stop_repeated(desk: Desk, asha: int) -> Told:
    again = ended(desk, desk.begun(asha))
    return Told(2 * KWH, "Stopped at the charger", again * 3)


@scene("C3")
def stop_repeated_otherwise(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha)
    ended(desk, session_id)
    other = partial(desk.stop, session_id, METER + 2_500)
    other()
    assert desk.findings()["conflict"] == 1
    return Told(2 * KWH, "2.000 kWh", (other,))


@scene("C4")
def stop_lost(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha)
    desk.lose(session_id)
    assert "The charger has sent no final reading since" in desk.do(told, asha)
    assert desk.money(asha).held_paise == 2 * KWH
    desk.passes(hours=25)
    desk.sweep()
    assert desk.bill(session_id) == (2_000, 2 * KWH)
    begun_at = desk.session(session_id).started_at
    assert begun_at is not None
    again = ended(desk, session_id, 2_400, at=begun_at + timedelta(minutes=3))
    return Told(4_320, "Correction: charging at BLR-1", (*again, desk.sweep))


@scene("C5")
def killed_before_the_debit(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha)

    def dies(db: object) -> None:
        charging.stopped(db, **message)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    message = desk.stop_told(session_id, METER + 2_000)
    before = desk.everything()
    with pytest.raises(KeyboardInterrupt):
        desk.do(dies)
    assert desk.everything() == before
    return Told(2 * KWH, "Stopped at the charger", ended(desk, session_id))


@scene("C6")
def killed_after_the_debit(desk: Desk, asha: int) -> Told:
    """The charger never got its answer, and says it again to the next process, which has only the database."""
    session_id = desk.begun(asha)
    again = ended(desk, session_id)
    with closing(Database(desk.database.url)) as database:
        restarted = Desk(database, desk.clock)
        restarted.changes_nothing(restarted.stop, session_id, METER + 2_000)
        assert restarted.findings() == {}
    return Told(2 * KWH, "Stopped at the charger", again)


@scene("C7")
def faulted(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha)
    desk.status("BLR-1", 1, "Faulted")
    desk.passes(minutes=16)
    desk.interrupt_lost()
    desk.passes(hours=24)
    desk.sweep()
    assert desk.session(session_id).estimated
    return Told(2 * KWH, "The charger has sent no final reading since", (desk.sweep, desk.interrupt_lost))


@scene("C8")
def reasons(desk: Desk, asha: int) -> Told:
    """Each settles as any other, and the driver reads which it was."""
    again: list[Callable[[], object]] = []
    for reason, reads in REASONS.items():
        session_id = desk.begun(asha, 0.5)
        again += ended(desk, session_id, 500, reason=reason)
        assert desk.bill(session_id) == (500, 900)
        assert desk.do(told, asha).count(reads) == 1, reason
        desk.status("BLR-1", 1, "Available")
    return Told(900 * len(REASONS), REASONS["PowerLoss"], tuple(again))


@scene("C9")
def offline_for_hours(desk: Desk, asha: int) -> Told:
    session_id = desk.request(asha)
    desk.do(wishes.answered, session_id, "accepted")
    began = desk.passes(seconds=20)
    desk.passes(hours=3)
    desk.do(tariffs.set_price, Price(9_900, 0))
    desk.start(session_id, at=began)
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id, at=began + timedelta(minutes=10)))


@scene("C10")
def impossible_times(desk: Desk, asha: int) -> Told:
    """Of 1970, and of the next century: flagged in the journal, and taken as the moment they came."""
    again: list[Callable[[], object]] = []
    for said in ("1970-01-01T00:00:00Z", "2126-11-22T00:00:00Z"):
        session_id, repairs = desk.begun(asha, 1), list[str]()
        at = clock.Clock().at(said, desk.clock.at, repairs, queued=True)
        again += ended(desk, session_id, 1_000, at=at)
        assert "taken as received" in repairs[0]
        assert desk.session(session_id).stopped_at == desk.clock.at
        desk.status("BLR-1", 1, "Available")
    return Told(2 * KWH, "1.000 kWh", tuple(again))


@scene("C11")
def unknown_transaction(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha)
    stray = partial(desk.stop, session_id, METER + 1_500, transaction_id=session_id + 900)
    stray()
    assert desk.findings()["orphan-stop"] == 1
    again = ended(desk, session_id)
    return Told(2 * KWH, "2.000 kWh", (*again, stray))


@scene("C12")
def anothers_transaction(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha)
    desk.charger("BLR-2")
    foreign = partial(desk.stop, session_id, METER + 1_500, charger_id="BLR-2")
    desk.changes_nothing(foreign)
    return Told(2 * KWH, "2.000 kWh", (*ended(desk, session_id), foreign))


@scene("C13")
def no_number(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha)
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id, transaction_id=-1, tag=desk.session(session_id).tag))


@scene("C14")
def two_at_one_charger(desk: Desk, asha: int) -> Told:
    ravi = desk.driver(500)
    hers, his = desk.charging(asha), desk.charging(ravi, connector=2)
    desk.flows(his, 3)
    desk.flows(hers, 2)
    again = (*ended(desk, his, 3_000), *ended(desk, hers))
    assert desk.free(ravi) == 500 - 54
    return Told(2 * KWH, "connector 1, 2.000 kWh", again)


@scene("C15")
def two_charges_of_one_driver(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha)
    desk.charger("BLR-2")
    with pytest.raises(Refused, match=r"You are already charging at BLR-1\."):
        desk.request(asha, "BLR-2")
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id))
