"""Every row of both failure matrices has its test; every row of a charge is judged by the one oracle."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import NamedTuple

import pytest

from domain import chargers, charging, tariffs, wallet
from domain.charging import Refused
from domain.models import User
from tests.money import house
from tests.money.charges import METER, RUPEE, Desk
from tests.money.rows import ROWS, SCENES, proofs, scene, told

KWH = 1_800
"""Paise."""


class Told(NamedTuple):
    """What the model says of a scene."""

    used: int
    """Paise that the driver's charges cost in all."""
    reads: str
    """A sentence that he reads, as far as it matters; empty where the scene has asserted it."""
    again: tuple[Callable[[], object], ...] = ()
    """Events that come once more, and must change nothing."""


def test_every_row_has_its_test() -> None:
    found = proofs()
    assert {row: words for row, words in ROWS.items() if row not in found} == {}
    assert set(found) - set(ROWS) == set()


def begun(desk: Desk, asha: int, kwh: float = 2) -> int:
    session_id = desk.charging(asha)
    desk.flows(session_id, kwh)
    return session_id


def ended(desk: Desk, session_id: int, wh: int = 2_000, **how: object) -> tuple[Callable[[], object], ...]:
    """The charge stops at this many Wh; gives the stop, to come again."""
    stop = partial(desk.stop, session_id, METER + wh, **how)
    stop()
    return (stop,)


@scene("C1")
def normal(desk: Desk, asha: int) -> Told:
    return Told(4_221, "Charging at BLR-1, connector 1, 2.345 kWh", ended(desk, begun(desk, asha, 2.345), 2_345))


@scene("C2")
def stop_repeated(desk: Desk, asha: int) -> Told:
    again = ended(desk, begun(desk, asha))
    return Told(2 * KWH, "Stopped at the charger", again * 3)


@scene("C3")
def stop_repeated_otherwise(desk: Desk, asha: int) -> Told:
    session_id = begun(desk, asha)
    ended(desk, session_id)
    other = partial(desk.stop, session_id, METER + 2_500)
    other()
    assert desk.findings()["conflict"] == 1
    return Told(2 * KWH, "2.000 kWh", (other,))


@scene("C4")
def stop_lost(desk: Desk, asha: int) -> Told:
    session_id = begun(desk, asha)
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
    session_id = begun(desk, asha)

    def dies(db: object) -> None:
        charging.stopped(db, **message)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    session = desk.session(session_id)
    message = {"charger_id": "BLR-1", "transaction_id": session.transaction_id, "meter_stop_wh": METER + 2_000}
    message |= {"at": desk.clock.at, "received_at": desk.clock.at, "reason": "Local", "tag": ""}
    before = desk.everything()
    with pytest.raises(KeyboardInterrupt):
        desk.do(dies)
    assert desk.everything() == before
    return Told(2 * KWH, "Stopped at the charger", ended(desk, session_id))


@scene("C7")
def faulted(desk: Desk, asha: int) -> Told:
    session_id = begun(desk, asha)
    desk.status("BLR-1", 1, "Faulted")
    desk.passes(minutes=16)
    desk.interrupt_lost()
    desk.passes(hours=24)
    desk.sweep()
    assert desk.session(session_id).estimated
    return Told(2 * KWH, "You paid only for the units it delivered.", (desk.sweep, desk.interrupt_lost))


@scene("C8")
def reasons(desk: Desk, asha: int) -> Told:
    return Told(2 * KWH, "Emergency stop at the charger", ended(desk, begun(desk, asha), reason="EmergencyStop"))


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
    session_id = begun(desk, asha)
    again = ended(desk, session_id, at=desk.clock.at - timedelta(days=20_000))
    assert desk.session(session_id).stopped_at == desk.clock.at
    return Told(2 * KWH, "2.000 kWh", again)


@scene("C11")
def unknown_transaction(desk: Desk, asha: int) -> Told:
    session_id = begun(desk, asha)
    stray = partial(desk.stop, session_id, METER + 1_500, transaction_id=session_id + 900)
    stray()
    assert desk.findings()["orphan-stop"] == 1
    again = ended(desk, session_id)
    return Told(2 * KWH, "2.000 kWh", (*again, stray))


@scene("C12")
def anothers_transaction(desk: Desk, asha: int) -> Told:
    session_id = begun(desk, asha)
    desk.charger("BLR-2")
    foreign = partial(desk.stop, session_id, METER + 1_500, charger_id="BLR-2")
    desk.changes_nothing(foreign)
    return Told(2 * KWH, "2.000 kWh", (*ended(desk, session_id), foreign))


@scene("C13")
def no_number(desk: Desk, asha: int) -> Told:
    session_id = begun(desk, asha)
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
    session_id = begun(desk, asha)
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
    session_id = begun(desk, asha)
    stop = partial(desk.stop, session_id, None)
    stop()
    assert desk.findings()["review"] == 1
    return Told(2 * KWH, "2.000 kWh", (stop,))


@scene("C18")
def register_reset(desk: Desk, asha: int) -> Told:
    session_id = begun(desk, asha)
    desk.passes(minutes=1)
    desk.meter(session_id, 500)
    desk.passes(minutes=1)
    stop = partial(desk.stop, session_id, 1_500)
    stop()
    assert desk.findings()["review"] == 1
    return Told(6_300, "3.500 kWh", (stop,))


@scene("C19")
def implausible_energy(desk: Desk, asha: int) -> Told:
    again = ended(desk, begun(desk, asha), 900_000)
    assert desk.findings()["review"] == 1
    return Told(2 * KWH, "2.000 kWh", again)


@scene("C21")
def tariff_changed(desk: Desk, asha: int) -> Told:
    session_id = begun(desk, asha)
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
    session_id = begun(desk, asha, 1)
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
    session_id = begun(desk, asha)
    desk.do(house.give, asha, 900 * RUPEE, "back")
    desk.do(charging.fund_open_hold, asha)
    assert desk.money(asha).held_paise == 1_000 * RUPEE
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id))


@scene("C25")
def stop_accepted_and_ignored(desk: Desk, asha: int) -> Told:
    session_id = begun(desk, asha, 1)
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


@scene("C31")
def driver_blocked(desk: Desk, asha: int) -> Told:
    session_id = begun(desk, asha, 1)

    def block(db: object) -> None:
        db.get_one(User, asha).blocked_at = desk.clock.at  # type: ignore[attr-defined]

    desk.do(block)
    desk.flows(session_id, 1)
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id))


@scene("C32")
def stranger_stops(desk: Desk, asha: int) -> Told:
    return Told(2 * KWH, "Stopped at the charger", ended(desk, begun(desk, asha), tag="SOMEBODY"))


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
    session_id = begun(desk, asha, 1)
    boot = partial(chargers.booted, vendor="V", model="M", serial="", firmware="", at=desk.clock.at)
    desk.do(boot, "BLR-1")
    desk.flows(session_id, 1)
    assert desk.interrupt_lost() == []
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id))


@scene("C35")
def second_socket(desk: Desk, asha: int) -> Told:
    """That the newer one wins only once it has proven its key: tests/csms/test_commands.py, test_handshake.py."""
    session_id = begun(desk, asha, 1)
    desk.changes_nothing(desk.do, chargers.connected, "BLR-1", at=desk.clock.at)
    desk.flows(session_id, 1)
    return Told(2 * KWH, "2.000 kWh", ended(desk, session_id))


@scene("C37")
def goodwill(desk: Desk, asha: int) -> Told:
    again = ended(desk, begun(desk, asha))
    sorry = partial(desk.do, wallet.adjust, asha, 700, key="sorry", reason="The cable was wet.")
    sorry()
    return Told(2 * KWH - 700, "Adjusted: The cable was wet.", (*again, sorry))


@scene("C39")
def rounding(desk: Desk, asha: int) -> Told:
    return Told(2, "0.001 kWh", ended(desk, desk.charging(asha), 1))


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
    for event in outcome.again:
        desk.changes_nothing(event)
