"""Every row of both failure matrices has its test, and every row of a charge is judged by the one oracle."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from csms import clock
from csms.protocol import Request
from csms.v16.metering import sample
from domain import accounts, attempts, charging, goodwill, metering, receipts, statements, tariffs, wallet
from domain.accounts import NotDeleted
from domain.charging import Refused
from domain.db import TRIES, Database
from domain.goodwill import NotGivenBack
from domain.models import PaperKind, Receipt, User
from tests.csms.charger import metered, sampled
from tests.money import house
from tests.money.charges import METER, RUPEE, Desk
from tests.money.rows import ROWS, SCENES, proofs, scene, told

KWH = 1_800
"""Paise."""
PRICES = {250: 1_802, 750: 1_998}
"""At which so many Wh come to exactly half a paisa more than a whole one."""
REASONS = {
    "EmergencyStop": "Emergency stop at the charger",
    "PowerLoss": "The charger lost its power",
    "Reboot": "The charger restarted",
    "EVDisconnected": "The car was unplugged",
    "DeAuthorized": "The charger withdrew its permission",
}


class Told(NamedTuple):
    """What the model says of a scene."""

    used: int
    """Paise that the driver's charges cost in all."""
    reads: str
    """A sentence that he reads, as far as it matters; empty where the scene has asserted it."""
    again: tuple[Callable[[], object], ...] = ()
    """Events that come once more, and must change nothing."""


def test_every_row_has_its_test() -> None:
    found = proofs("pytest.mark.row", "scene")
    assert {row: words for row, words in ROWS.items() if row not in found} == {}
    assert set(found) - set(ROWS) == set()


def test_every_row_is_judged_by_the_oracle() -> None:
    assert set(proofs("scene")) == set(ROWS)


def ended(desk: Desk, session_id: int, wh: int = 2_000, **how: object) -> tuple[Callable[[], object], ...]:
    """The charge stops at this many Wh; gives the stop, to come again."""
    stop = partial(desk.stop, session_id, METER + wh, **how)
    stop()
    return (stop,)


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
    return Told(2 * KWH, "You paid only for the units it delivered.", (desk.sweep, desk.interrupt_lost))


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
    desk.do(charging.answered, session_id, "accepted")
    began = desk.passes(seconds=20)
    desk.passes(hours=3)
    desk.do(tariffs.set_price, 9_900)
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


@scene("C16")
def meter_backwards(desk: Desk, asha: int) -> Told:
    session_id = desk.charging(asha)
    again = ended(desk, session_id, -500)
    assert desk.findings()["review"] == 1
    return Told(0, "Stopped at the charger", again)


@scene("C17")
def no_meter(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha)
    stop = partial(desk.stop, session_id, None)
    stop()
    assert desk.findings()["review"] == 1
    return Told(2 * KWH, "2.000 kWh", (stop,))


@scene("C18")
def register_reset(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha)
    desk.passes(minutes=1)
    desk.meter(session_id, 500)
    desk.passes(minutes=1)
    stop = partial(desk.stop, session_id, 1_500)
    stop()
    assert desk.findings()["review"] == 1
    return Told(6_300, "3.500 kWh", (stop,))


@scene("C19")
def implausible_energy(desk: Desk, asha: int) -> Told:
    again = ended(desk, desk.begun(asha), 900_000)
    assert desk.findings()["review"] == 1
    return Told(2 * KWH, "2.000 kWh", again)


@scene("C20")
def units(desk: Desk, asha: int) -> Told:
    """What is billed is what the register means: kWh, Wh without a unit, and three phases of one cable."""
    session_id = desk.charging(asha)
    phases = [sampled("4", unit="kWh", phase=phase) for phase in ("L1", "L2", "L3")]
    for values in ([sampled("10.5", unit="kWh")], [sampled("11000")], phases):
        desk.passes(minutes=1)
        desk.do(metering.record, [as_read(desk, session_id, values)])
    stop = partial(desk.stop, session_id, None)
    stop()
    return Told(2 * KWH, "2.000 kWh", (stop,))


def as_read(desk: Desk, session_id: int, values: list[dict[str, object]]) -> metering.Sample:
    """The sample that the chargers' side makes of these values."""
    charger = SimpleNamespace(charger_id="BLR-1", clock=clock.Clock(), energy_factor=1)
    told = metered(*values, at=clock.stamp(desk.clock.at))
    read = sample(
        charger,  # type: ignore[arg-type]
        Request("MeterValues", {}, desk.clock.at, []),
        connector_number=1,
        transaction_id=session_id,
        values=told,
    )
    assert read is not None
    return read


@scene("C21")
def tariff_changed(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha)
    desk.do(tariffs.set_price, 9_900)
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id))


@scene("C22")
def money_ends(desk: Desk, asha: int) -> Told:
    desk.do(house.give, asha, -950 * RUPEE, "less")
    session_id = desk.charging(asha)
    assert desk.flows(session_id, 3) == [session_id]
    again = ended(desk, session_id, 3_000)
    assert desk.money(asha) == wallet.Balance(0, 0, 400)
    return Told(950 * RUPEE + 3 * KWH, "Stopped: your wallet reached its end", again)


@scene("C23")
def stop_refused(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha, 1)
    desk.do(charging.request_stop, session_id, "driver")
    for _ in range(charging.TRIES):
        desk.do(charging.stop_asked, session_id, False)
    desk.do(charging.stop_escalated, session_id)
    assert desk.findings()["stop-unanswered"] == 1
    desk.flows(session_id, 1)
    return Told(2 * KWH, "You stopped it", ended(desk, session_id))


@scene("C24")
def recharge_meanwhile(desk: Desk, asha: int) -> Told:
    desk.do(house.give, asha, -900 * RUPEE, "less")
    session_id = desk.begun(asha)
    desk.do(house.give, asha, 900 * RUPEE, "back")
    desk.do(charging.fund_open_hold, asha)
    assert desk.money(asha).held_paise == 1_000 * RUPEE
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id))


@scene("C25")
def stop_accepted_and_ignored(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha, 1)
    desk.do(charging.request_stop, session_id, "driver")
    desk.do(charging.stop_asked, session_id, True)
    desk.flows(session_id, 1)
    return Told(2 * KWH, "You stopped it", ended(desk, session_id))


@scene("C26")
def nobody_plugs_in(desk: Desk, asha: int) -> Told:
    session_id = desk.request(asha)
    desk.do(charging.answered, session_id, "accepted")
    desk.passes(minutes=2)
    desk.sweep()
    return Told(0, "No car was plugged in within 90 seconds. Nothing was charged.", (desk.sweep,))


@scene("C27")
def start_refused(desk: Desk, asha: int) -> Told:
    refused = partial(desk.do, charging.answered, desk.request(asha), "refused")
    refused()
    return Told(0, "The charger said no. Nothing was charged.", (refused,))


@scene("C28")
def start_not_allowed(desk: Desk, asha: int) -> Told:
    desk.do(house.owe, asha, 300)

    def wish() -> None:
        with pytest.raises(Refused, match=r"You owe ₹3\.00 for an earlier charge\."):
            desk.request(asha)

    return Told(300, "Owed", (wish,))


@scene("C29")
def nothing_delivered(desk: Desk, asha: int) -> Told:
    session_id = desk.charging(asha)
    again = ended(desk, session_id, 0)
    assert desk.session(session_id).receipt_number == ""
    return Told(0, "Stopped at the charger", again)


@scene("C30")
def account_deleted(desk: Desk, asha: int) -> Told:
    """Not before the charge is over and paid, and nothing is left in the wallet; the ledger stays without a name."""
    attempt = desk.do(attempts.attempt, "pin", user_id=asha, address="203.0.113.7")
    session_id = desk.begun(asha)
    with pytest.raises(NotDeleted, match=r"A charge is not finished\."):
        desk.do(accounts.delete, attempt)
    again = ended(desk, session_id)
    with pytest.raises(NotDeleted, match=r"Your wallet has ₹964\.00 left\."):
        desk.do(accounts.delete, attempt)
    desk.do(house.give, asha, -964 * RUPEE, "paid out")
    desk.do(accounts.delete, attempt)
    assert desk.do(lambda db: db.get_one(User, asha)).username == f"deleted {asha}"
    return Told(1_000 * RUPEE, "2.000 kWh", again)


@scene("C31")
def driver_blocked(desk: Desk, asha: int) -> Told:
    """By the operator, which ends his sign-ins, and locked by wrong PINs: it runs on, and ends at the charger."""
    session_id = desk.begun(asha, 1)

    desk.do(accounts.block, asha)
    desk.do(lambda db: setattr(db.get_one(User, asha), "locked_until", attempts.NEVER))
    desk.flows(session_id, 1)
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id))


@scene("C32")
def stranger_stops(desk: Desk, asha: int) -> Told:
    return Told(2 * KWH, "Stopped at the charger", ended(desk, desk.begun(asha), tag="SOMEBODY"))


@scene("C33")
def start_repeated(desk: Desk, asha: int) -> Told:
    session_id = desk.charging(asha)
    began = desk.session(session_id).started_at
    assert began is not None
    start = partial(desk.start, session_id, at=began)
    desk.changes_nothing(start)
    desk.flows(session_id, 2)
    return Told(2 * KWH, "2.000 kWh", (*ended(desk, session_id), start))


@scene("C34")
def rebooted(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha, 1)
    desk.boot()
    desk.flows(session_id, 1)
    assert desk.interrupt_lost() == []
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id))


@scene("C35")
def second_socket(desk: Desk, asha: int) -> Told:
    """That the newer one wins only once it has proven its key: tests/csms/test_commands.py, test_handshake.py."""
    session_id = desk.begun(asha, 1)
    desk.changes_nothing(desk.connect)
    desk.flows(session_id, 1)
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id))


@scene("C36")
def midnight(desk: Desk, asha: int) -> Told:
    """What ended on the last evening of March and was told after midnight in India has the day and year of its bill."""
    desk.clock.at = datetime(2027, 3, 31, 18, tzinfo=UTC)
    papers, again = [], list[Callable[[], object]]()
    for told_after in (timedelta(0), timedelta(minutes=30)):
        desk.status("BLR-1", 1, "Available")
        session_id = desk.begun(asha, 1)
        ended_at = desk.clock.at
        desk.clock.at += told_after
        again += ended(desk, session_id, 1_000, at=ended_at)
        papers.append(desk.do(receipts.of_charge, asha, desk.session(session_id).ref))
    assert [paper.number for paper in papers] == ["EV/26-27/0000001", "EV/27-28/0000001"]
    assert [f"{paper.issued_at.astimezone(receipts.INDIA):%d.%m.}" for paper in papers] == ["31.03.", "01.04."]
    assert [paper.stopped_at.astimezone(receipts.INDIA).month for paper in papers if paper.stopped_at] == [3, 3]
    months = [desk.do(statements.of_month, asha, month) for month in ("2027-03", "2027-04")]
    assert [month.out_paise for month in months] == [KWH, KWH]
    assert months[0].closing_paise == months[1].opening_paise
    return Told(2 * KWH, "1.000 kWh", tuple(again))


@scene("C37")
def given_back(desk: Desk, asha: int) -> Told:
    session_id = desk.begun(asha)
    again = ended(desk, session_id)
    key = f"session:{session_id}"
    first = desk.do(house.entries, key)
    desk.do(goodwill.give_back, session_id, 700, "The cable was wet")
    assert desk.do(house.entries, key) == first
    number = desk.do(lambda db: db.exec(select(Receipt.number).where(Receipt.kind == PaperKind.CREDIT_NOTE)).one())
    note = desk.do(receipts.of_note, asha, number.replace("/", "-"))
    assert (note.corrects, note.total_paise) == (desk.session(session_id).receipt_number, 700)

    def once_more() -> None:
        with pytest.raises(NotGivenBack, match=r"₹7\.00 of this charge was given back already\."):
            desk.do(goodwill.give_back, session_id, 700, "The cable was wet")

    return Told(2 * KWH - 700, "Given back of a charge at BLR-1, connector 1: The cable was wet", (*again, once_more))


@scene("C38")
def database_busy(desk: Desk, asha: int) -> Told:
    """A lock is waited for and tried again; where that does not help, nothing is written and the charger repeats."""
    session_id = desk.begun(asha)
    message, locks = desk.stop_told(session_id, METER + 2_000), iter(range(TRIES + 2))

    def locked(db: Session) -> None:
        charging.stopped(db, **message)
        if next(locks, None) is not None:
            raise OperationalError("UPDATE", {}, sqlite3.OperationalError("database is locked"))

    before = desk.everything()
    with pytest.raises(OperationalError):
        desk.do(locked)
    assert desk.everything() == before
    desk.do(locked)
    return Told(2 * KWH, "2.000 kWh", (partial(desk.do, locked),))


@scene("C39")
def rounding(desk: Desk, asha: int) -> Told:
    """1 Wh, either side of half a paisa, exactly half a paisa, and 10^6 Wh: as decimal arithmetic has it."""
    desk.give(asha, 20_000)
    exact, again = -20_000 * RUPEE, list[Callable[[], object]]()
    for wh in (1, 27, 28, 250, 750, 1_000_000):
        desk.do(tariffs.set_price, PRICES.get(wh, KWH), effective_at=desk.passes(seconds=1))
        session_id = desk.charging(asha)
        desk.passes(minutes=wh / 1_000)
        desk.heard("BLR-1")
        again += ended(desk, session_id, wh)
        paise = (Decimal(wh) * PRICES.get(wh, KWH) / 1_000).quantize(Decimal(1), ROUND_HALF_UP)
        assert desk.bill(session_id) == (wh, paise)
        exact += int(paise)
        desk.status("BLR-1", 1, "Available")
    return Told(exact, "1000.000 kWh", tuple(again))


@scene("C40")
def killed_before_remote_start(desk: Desk, asha: int) -> Told:
    desk.request(asha)
    desk.passes(minutes=2)
    desk.sweep()
    return Told(0, "The charger did not answer in 30 seconds. Nothing was charged.", (desk.sweep,))


@pytest.mark.parametrize("row", [row for row in SCENES if row.startswith("C")])
def test_the_oracle(desk: Desk, row: str) -> None:
    """Audit clean (by the fixture), wallet = model, a true sentence, and a repetition that changes nothing."""
    desk.charger(connectors=2)
    asha = desk.driver(1_000)
    outcome = SCENES[row](desk, asha)
    assert isinstance(outcome, Told)
    money = desk.money(asha)
    assert money.balance_paise - money.arrears_paise == 1_000 * RUPEE - outcome.used
    assert money.held_paise == 0
    assert outcome.reads in desk.do(told, asha)
    assert outcome.again
    for event in outcome.again:
        desk.changes_nothing(event)
