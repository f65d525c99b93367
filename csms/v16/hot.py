"""The messages that come all the time, decoded and checked in one step by types made from their schemas."""

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple

from csms.central import HEARTBEAT_S
from csms.clock import parsed, stamp
from csms.connection import Connection
from csms.fast import Done, Hot, Leave
from csms.repairs import LARGEST
from csms.v16 import setup
from csms.v16.metering import CONTEXTS, INLET, LOCATIONS, MEASURANDS, NEUTRAL, PHASES
from csms.v16.schemas import schema
from domain.chargers import MOST_CONNECTORS
from domain.samples import Sample
from domain.stops import TRANSACTIONS

EMPTY = b"{}"


def typed(name: str, told: dict[str, Any]) -> Any:
    """The type of what a schema accepts, with the bounds within which the lenient path repairs nothing."""
    match told["type"]:
        case "object":
            required = told.get("required", ())
            fields = [_field(f"{name}_{key}", key, inner, key in required) for key, inner in told["properties"].items()]
            return msgspec.defstruct(name, sorted(fields, key=len), forbid_unknown_fields=True, gc=False)
        case "array":
            least = msgspec.Meta(min_length=told.get("minItems", 0))
            return Annotated[list[typed(name, told["items"])], least]  # type: ignore[misc]
        case "integer":
            return Annotated[int, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
        case "string" if "enum" in told:
            return Literal[tuple(told["enum"])]
        case "string" if "maxLength" in told:
            return Annotated[str, msgspec.Meta(max_length=told["maxLength"])]
        case "string":
            return str
        case other:
            raise TypeError(f"{name} has the type {other}")


def _field(name: str, key: str, told: dict[str, Any], required: bool) -> tuple[Any, ...]:
    inner = typed(name, told)
    return (key, inner) if required else (key, Union[inner, UnsetType], UNSET)  # noqa: UP007


def decoder(action: str) -> Callable[[Any], Any]:
    """Decodes a payload of this action that is valid to the letter."""
    return msgspec.json.Decoder(typed(action, schema(action))).decode


def heartbeat(charger: Connection, _told: Any, received_at: datetime, _done: Done) -> bytes:
    setup.look_again(charger)
    return b'{"currentTime":"%b"}' % stamp(received_at).encode()


def boot_notification(charger: Connection, told: Any, received_at: datetime, done: Done) -> None:
    """Durable with whoever else comes up at the moment; a loop of boots is for the lenient path (ocpp.md Q10)."""
    if not charger.central.boots_calmly(charger.charger_id, received_at):
        raise Leave
    charger.central.boots.hand(
        {
            "charger_id": charger.charger_id,
            "vendor": told.chargePointVendor,
            "model": told.chargePointModel,
            "serial": told.chargePointSerialNumber or told.chargeBoxSerialNumber or "",
            "firmware": told.firmwareVersion or "",
            "at": received_at,
            "set_up_due": True,
        },
        done,
    )


def _accepted(charger: Connection, received_at: datetime) -> bytes:
    charger.prepare(setup.after_boot)
    told = stamp(received_at).encode(), HEARTBEAT_S
    return b'{"currentTime":"%b","interval":%d,"status":"Accepted"}' % told


def _empty(_charger: Connection, _received_at: datetime) -> bytes:
    return EMPTY


def acknowledged(_charger: Connection, _told: Any, _received_at: datetime, _done: Done) -> bytes:
    return EMPTY


def status_notification(charger: Connection, told: Any, received_at: datetime, done: Done) -> bytes | None:
    """Durable with whatever other chargers report at the moment."""
    number = told.connectorId
    if not 0 <= number <= MOST_CONNECTORS:
        raise Leave
    at = None
    if told.timestamp is not UNSET and parsed(told.timestamp):
        at = _time(charger, told.timestamp, received_at)
    charger.central.reports.hand(
        {
            "charger_id": charger.charger_id,
            "connector_number": number,
            "status": told.status,
            "error_code": told.errorCode,
            "info": told.info or "",
            "at": at,
            "received_at": received_at,
        },
        done,
    )
    return None


def meter_values(charger: Connection, told: Any, received_at: datetime, done: Done) -> bytes | None:
    """As `metering.meter_values` does; here one entry with usable values, there everything else."""
    if charger.energy_factor != 1:
        raise Leave
    number = told.transactionId
    if number is UNSET or number not in TRANSACTIONS:
        number = None
    connector = told.connectorId if 0 <= told.connectorId <= MOST_CONNECTORS else 0
    if connector == 0 and number is None:
        return EMPTY
    if len(told.meterValue) != 1:
        raise Leave
    [entry] = told.meterValue
    figures = _figures(entry.sampledValue)
    if figures is None:
        return EMPTY
    charger.outlet |= figures[0] is not None
    at = _time(charger, entry.timestamp, received_at)
    charger.central.meter_log.hand(Sample(charger.charger_id, connector, number, at, received_at, *figures), done)
    return None


def _time(charger: Connection, text: str, received_at: datetime) -> datetime:
    at = charger.clock.plain(text, received_at)
    if at is None:
        raise Leave
    return at


_NUMBERS = {name: number for number, name in enumerate(MEASURANDS)}
_RULES: dict[Any, tuple[int, dict[Any, int], int]] = {
    name: (_NUMBERS[name], {**rule.units, UNSET: rule.units[""]}, rule.most) for name, rule in MEASURANDS.items()
}
_RULES[UNSET] = _RULES["Energy.Active.Import.Register"]
_TOGETHER = [rule.together for rule in MEASURANDS.values()]
_CONTEXTS: dict[Any, int] = {**CONTEXTS, UNSET: CONTEXTS["Sample.Periodic"]}
_LOCATIONS: dict[Any, int] = {name: -place for place, name in enumerate(LOCATIONS)} | {UNSET: 0}
_PHASES: dict[Any, str] = {**PHASES, UNSET: ""}
_SPAN = len(LOCATIONS)

_LABELS = ("measurand", "context", "location", "phase", "unit", "format")
Meaning = tuple[int, int, str, int, int]
"""A column's number, how much better than others the value is, its phase, its factor, and the most it can be."""
_IGNORED: Meaning = (-1, 0, "", 0, 0)
_OF_NEUTRAL = -2
"""From here down the neutral's values are numbered: beside others they count nothing, and alone they are for the
lenient path."""
_meanings: dict[tuple[Any, ...], Meaning] = {}
"""By the labels of a value, in the order of the decoded fields: a charger labels its values always alike."""
_KNOWN = 10_000
"""How many combinations of labels are remembered, so that a stranger who makes up ever new ones fills no memory."""
_EXACT = 18
"""Digits with which a figure is worked out in whole numbers."""
_SCALES = [10**digits for digits in range(_EXACT + 1)]


def _meaning(sampled: Any) -> Meaning:
    """What a value is, by its labels (ocpp.md Q34-Q37)."""
    measurand, context, location, phase, unit, form = (getattr(sampled, label) for label in _LABELS)
    rule, rank, place = _RULES.get(measurand), _CONTEXTS.get(context), _LOCATIONS.get(location)
    known = _PHASES.get(phase)
    if rule is None or rank is None or place is None or known is None:
        return _IGNORED
    number, units, most = rule
    factor = units.get(unit)
    if factor is None or form == "SignedData" or location == INLET:
        raise Leave
    return _OF_NEUTRAL - number if known == NEUTRAL else number, rank * _SPAN + place, known, factor, most


def _figures(values: list[Any]) -> list[int | None] | None:
    """The figure of every measurand in the order of the columns; None when nothing counts (ocpp.md Q34-Q37)."""
    figures: list[int | None] = [None] * len(_TOGETHER)
    counts = False
    for sampled in values:
        told = astuple(sampled)
        value, labels = told[0], told[1:]
        meaning = _meanings.get(labels)
        if meaning is None:
            if len(_meanings) > _KNOWN:
                _meanings.clear()
            meaning = _meanings[labels] = _meaning(sampled)
        number, _, _, factor, most = meaning
        if number == -1:
            continue
        if number < 0 or figures[number] is not None:
            return _compared(values)
        amount, rest, scale = 0, 0, 1
        if value.isdecimal() and len(value) <= _EXACT:
            amount = int(value) * factor
        else:
            whole, _, part = value.partition(".")
            digits = whole + part
            if not whole or not digits.isdecimal() or len(digits) > _EXACT:
                return _compared(values)
            scale = _SCALES[len(part)]
            amount, rest = divmod(int(digits) * factor, scale)
        if amount > most or (rest and amount == most):
            raise Leave
        figures[number], counts = amount + (2 * rest >= scale), True
    return figures if counts else None


def _compared(values: list[Any]) -> list[int | None] | None:
    """The same where a measurand comes twice, of the neutral, or in digits that are not plain: the best of each
    counts."""
    chosen: list[tuple[int, dict[str, Decimal]] | None] = [None] * len(_TOGETHER)
    neutral: set[int] = set()
    for sampled in values:
        number, rank, phase, factor, most = _meaning(sampled)
        if number == -1:
            continue
        try:
            amount = Decimal(sampled.value) * factor
        except InvalidOperation:
            raise Leave from None
        if not (amount.is_finite() and 0 <= amount <= most):
            raise Leave
        if number < 0:
            neutral.add(_OF_NEUTRAL - number)
            continue
        best = chosen[number]
        if best is None or rank > best[0]:
            chosen[number] = (rank, {phase: amount})
        elif rank == best[0]:
            best[1][phase] = amount
    if any(chosen[number] is None for number in neutral):
        raise Leave
    if not any(chosen):
        return None
    return [None if best is None else _whole(best[1], number) for number, best in enumerate(chosen)]


def _whole(phases: dict[str, Decimal], number: int) -> int:
    amount = phases[""] if "" in phases else _TOGETHER[number](list(phases.values()))
    return int(amount.to_integral_value(ROUND_HALF_UP))


_ACKNOWLEDGED = (
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "LogStatusNotification",
    "SignedFirmwareStatusNotification",
)
"""The journal is their record, as on the lenient path."""

HOT = {
    **{action: Hot(decoder(action), acknowledged, _empty) for action in _ACKNOWLEDGED},
    "BootNotification": Hot(decoder("BootNotification"), boot_notification, _accepted),
    "Heartbeat": Hot(decoder("Heartbeat"), heartbeat, _empty),
    "MeterValues": Hot(decoder("MeterValues"), meter_values, _empty),
    "StatusNotification": Hot(decoder("StatusNotification"), status_notification, _empty),
}
