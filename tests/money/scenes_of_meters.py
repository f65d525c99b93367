"""Scenes of what a charge costs (payments.md C16-C21, C36, C37, C39): meters, units, prices, rounding, goodwill."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from types import SimpleNamespace

import pytest
from sqlmodel import select

from csms import clock
from csms.protocol import Request
from csms.v16.metering import sample
from domain import (
    goodwill,
    metering,
    receipts,
    statements,
    tariffs,
)
from domain.goodwill import NotGivenBack
from domain.india import INDIA
from domain.models import PaperKind, Receipt
from domain.prices import Price
from tests.csms.charger import metered, sampled
from tests.money import house
from tests.money.charges import RUPEE, Desk
from tests.money.rows import scene
from tests.money.scene_of_a_charge import KWH, Told, ended

PRICES = {250: 1_802, 750: 1_998}
"""At which so many Wh come to exactly half a paisa more than a whole one."""


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
    charger = SimpleNamespace(charger_id="BLR-1", clock=clock.Clock(), energy_factor=1, outlet=False)
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
    desk.do(tariffs.set_price, Price(9_900, 0))
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
    assert [f"{paper.issued_at.astimezone(INDIA):%d.%m.}" for paper in papers] == ["31.03.", "01.04."]
    assert [paper.stopped_at.astimezone(INDIA).month for paper in papers if paper.stopped_at] == [3, 3]
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


@scene("C39")
def rounding(desk: Desk, asha: int) -> Told:
    """1 Wh, either side of half a paisa, exactly half a paisa, and 10^6 Wh: as decimal arithmetic has it."""
    desk.give(asha, 20_000)
    exact, again = -20_000 * RUPEE, list[Callable[[], object]]()
    for wh in (1, 27, 28, 250, 750, 1_000_000):
        desk.do(tariffs.set_price, Price(PRICES.get(wh, KWH), 0), effective_at=desk.passes(seconds=1))
        session_id = desk.charging(asha)
        desk.passes(minutes=wh / 1_000)
        desk.heard("BLR-1")
        again += ended(desk, session_id, wh)
        paise = (Decimal(wh) * PRICES.get(wh, KWH) / 1_000).quantize(Decimal(1), ROUND_HALF_UP)
        assert desk.bill(session_id) == (wh, paise)
        exact += int(paise)
        desk.status("BLR-1", 1, "Available")
    return Told(exact, "1000.000 kWh", tuple(again))
