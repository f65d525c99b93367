"""Chargers that count kilowatt-hours and call them watt-hours: how that is noticed (ocpp.md Q34)."""

from sqlmodel import Session

from domain import findings, health
from domain.db import emit
from domain.events import HabitsChanged
from domain.models import ChargingSession

KWH = 1000
TELLING_WH = 10_000
"""A register below cannot tell kWh from Wh."""


def of_stop(db: Session, session: ChargingSession, meter_stop_wh: int | None) -> None:
    """meterStop is in Wh always: where its samples were a thousandth of that, the charger means kWh."""
    begun = session.meter_start_wh or 0
    if meter_stop_wh is None or session.meter_wh in (None, begun):
        return
    assert session.meter_wh is not None
    for stop_wh in (meter_stop_wh, meter_stop_wh - begun):
        if stop_wh >= TELLING_WH and abs(session.meter_wh * KWH - stop_wh) <= KWH:
            _learn(db, session.charger_id, KWH)
            return
    if abs(session.meter_wh - meter_stop_wh * KWH) <= KWH * KWH and meter_stop_wh >= TELLING_WH:
        _learn(db, session.charger_id, 1)


def of_sample(db: Session, session: ChargingSession, register: int, last_wh: int, most_wh: int) -> bool:
    """Whether a register that neither goes on from `last_wh` nor began at zero is the same one in kWh.

    meterStart is in Wh always, so the first sample can tell already. That sample moves nothing: its decimals are gone.
    """
    if last_wh < TELLING_WH or not -KWH <= register * KWH - last_wh <= most_wh + KWH:
        return False
    _learn(db, session.charger_id, KWH)
    return True


def _learn(db: Session, charger_id: str, factor: int) -> None:
    health.set_energy_factor(db, charger_id, factor)
    emit(db, HabitsChanged(charger_id))
    if factor == KWH:
        findings.note(db, "energy-scale", charger_id, "It calls kWh Wh; they are read so from now on.")
