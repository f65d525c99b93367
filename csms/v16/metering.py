"""One MeterValues message becomes one wide sample: which values count, in which unit, of which phases."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from csms.clock import parsed
from csms.connection import Connection
from csms.protocol import Request
from csms.v16.numbers import connector, transaction_id
from domain.samples import Sample

CONTEXTS = {
    "Interruption.Begin": 0,
    "Interruption.End": 1,
    "Other": 2,
    "Sample.Clock": 3,
    "Trigger": 4,
    "Sample.Periodic": 5,
    "Transaction.End": 6,
}
"""What tells about now, the better the higher. Transaction.Begin tells about then and counts never (ocpp.md Q36)."""

INLET = "Inlet"
"""The charger's own supply: it counts where the charger tells of nothing else (ocpp.md Q37), as FoxESS does."""
LOCATIONS = ("Outlet", "Cable", "EV", "Body", INLET)
"""Where it is measured, best first."""
AT_INLET = -LOCATIONS.index(INLET)

NEUTRAL = "N"
"""It counts where it stands alone: so Zappi tells its register, and Injet the current of its only phase."""
PHASES = {"L1": "L1", "L2": "L2", "L3": "L3", "L1-N": "L1", "L2-N": "L2", "L3-N": "L3", NEUTRAL: NEUTRAL}
"""A phase by its names; voltages between phases count never."""


def _mean(amounts: list[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0)) / len(amounts)


def _total(amounts: list[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


@dataclass(frozen=True, slots=True)
class Measurand:
    """Where a measurand goes, what its units are in that column's unit, and what several phases make together."""

    column: str
    units: dict[str, int]
    together: Callable[[list[Decimal]], Decimal]
    most: int
    """In the column's unit; what is above is noise."""


MEASURANDS = {
    "Energy.Active.Import.Register": Measurand("energy_wh", {"": 1, "Wh": 1, "kWh": 1000}, _total, 10**12),
    "Power.Active.Import": Measurand("power_w", {"": 1, "W": 1, "kW": 1000}, _total, 10**7),
    "Current.Import": Measurand("current_ma", {"": 1000, "A": 1000}, max, 10**7),
    "Voltage": Measurand("voltage_mv", {"": 1000, "V": 1000}, _mean, 10**7),
    "SoC": Measurand("soc_percent", {"": 1, "Percent": 1}, max, 100),
}


@dataclass(frozen=True, slots=True)
class Value:
    """One sampledValue that counts, in its column's unit."""

    column: str
    at: datetime
    text: str | None
    context: int
    location: int
    phase: str
    amount: Decimal


async def meter_values(charger: Connection, request: Request) -> dict[str, Any]:
    """Answer once the sample is durable; a message without anything to store is answered at once."""
    told = request.payload
    number, at = transaction_id(told), connector(told) or 0
    if at == 0 and number is None:
        return {}
    values = told.get("meterValue", [])
    kept = sample(charger, request, connector_number=at, transaction_id=number, values=values)
    if kept is not None:
        await charger.central.meter_log.keep(kept)
    return {}


def sample(
    charger: Connection,
    request: Request,
    *,
    connector_number: int,
    transaction_id: int | None,
    values: list[dict[str, Any]],
) -> Sample | None:
    """The newest figure of every measurand, as one sample; None when nothing in it can be used."""
    counting = _of_the_car(charger, list(_counting(values, request, charger.energy_factor)))
    if not counting:
        return None
    newest = max(counting, key=lambda value: (value.column == "energy_wh", value.at))
    columns = {measurand.column: _figure(measurand, counting) for measurand in MEASURANDS.values()}
    return Sample(
        charger_id=charger.charger_id,
        connector_number=connector_number,
        transaction_id=transaction_id,
        at=charger.clock.at(newest.text, request.received_at, request.repairs),
        received_at=request.received_at,
        **columns,
    )


def _of_the_car(charger: Connection, counting: list[Value]) -> list[Value]:
    """Without the register at the inlet, once the charger has told another one: it counts more than the car."""
    charger.outlet |= any(value.column == "energy_wh" and value.location > AT_INLET for value in counting)
    return [v for v in counting if v.column != "energy_wh" or v.location > AT_INLET or not charger.outlet]


def _counting(values: list[dict[str, Any]], request: Request, energy_factor: int) -> Iterator[Value]:
    for entry in values:
        text = entry.get("timestamp")
        at = parsed(text) or request.received_at
        for sampled in entry.get("sampledValue", []):
            measurand = MEASURANDS.get(sampled.get("measurand", "Energy.Active.Import.Register"))
            context = CONTEXTS.get(sampled.get("context", "Sample.Periodic"))
            location = sampled.get("location", "Outlet")
            phase = PHASES.get(sampled.get("phase", ""), "" if "phase" not in sampled else None)
            if measurand is None or context is None or location not in LOCATIONS or phase is None:
                continue
            amount = None if sampled.get("format") == "SignedData" else _amount(sampled, measurand, energy_factor)
            if amount is None:
                request.repairs.append(f"{measurand.column} {sampled.get('value', 'missing')[:40]!r} cannot be used")
            else:
                yield Value(measurand.column, at, text, context, -LOCATIONS.index(location), phase, amount)


def _amount(sampled: dict[str, Any], measurand: Measurand, energy_factor: int) -> Decimal | None:
    factor = measurand.units.get(sampled.get("unit", ""))
    if factor == 1 and measurand.column == "energy_wh":
        factor = energy_factor
    try:
        amount = Decimal(sampled.get("value", "").strip().replace(",", ".")) * (factor or 0)
    except InvalidOperation:
        return None
    return amount if factor and amount.is_finite() and 0 <= amount <= measurand.most else None


def _figure(measurand: Measurand, counting: list[Value]) -> int | None:
    """The newest values of the best context at the best place: without a phase if there is one, else the phases.

    What is measured at the inlet or of the neutral counts where nothing else is there.
    """
    mine = [value for value in counting if value.column == measurand.column]
    mine = [value for value in mine if value.location > AT_INLET] or mine
    mine = [value for value in mine if value.phase != NEUTRAL] or mine
    if not mine:
        return None
    best = max((value.at, value.context, value.location) for value in mine)
    chosen = {value.phase: value.amount for value in mine if (value.at, value.context, value.location) == best}
    amount = chosen[""] if "" in chosen else measurand.together(list(chosen.values()))
    return int(amount.to_integral_value(ROUND_HALF_UP))
