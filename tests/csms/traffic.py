"""Frames of a charger that charges: most are valid, some have something wrong in them, by repeatable chance."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

JUNK: list[Any] = [
    None,
    True,
    1.0,
    -1,
    2**70,
    1.5,
    "",
    "x" * 300,
    [],
    {},
    [[]],
    {"a": 1},
    "क",
    "NaN",
    "1e3",
    " 7 ",
    "\ud800",
]
UNITS = {
    "Energy.Active.Import.Register": ("Wh", "kWh", "varh"),
    "Power.Active.Import": ("W", "kW", "Wh"),
    "Current.Import": ("A", "A", "V"),
    "Voltage": ("V", "V", "A"),
    "SoC": ("Percent", "Percent", "W"),
    "Temperature": ("Celsius", "K", "Celcius"),
}


def traffic(chance: Random, transaction: int, count: int, began: datetime) -> list[list[Any]]:
    """Actions and payloads, of one millisecond after the other."""
    messages, register = [], 0
    for number in range(count):
        register += chance.choice((0, 1, 2, 5))
        at = (began + timedelta(milliseconds=number)).isoformat().replace("+00:00", "Z")
        action, payload = chance.choice((_meter, _meter, _meter, _status, _beat))(chance, transaction, register, at)
        messages.append([action, mutated(chance, payload) if chance.random() < 0.25 else payload])
    return messages


def _meter(chance: Random, transaction: int, register: int, at: str) -> tuple[str, Any]:
    values = [_value(chance, "Energy.Active.Import.Register", str(register), "Wh")]
    for measurand in chance.sample(sorted(UNITS)[1:], chance.randrange(4)):
        unit = UNITS[measurand][chance.choice((0, 0, 0, 0, 1, 2))]
        values.append(_value(chance, measurand, chance.choice(("7", "7.36", "31.96", "230,4", "99")), unit))
    entries = [{"timestamp": at, "sampledValue": values}]
    if chance.random() < 0.05:
        entries.append(entries[0])
    told: dict[str, Any] = {"connectorId": 1, "meterValue": entries}
    if chance.random() < 0.9:
        told["transactionId"] = transaction
    return "MeterValues", told


def _value(chance: Random, measurand: str, value: str, unit: str) -> dict[str, Any]:
    told = {"value": value, "measurand": measurand, "unit": unit}
    for name, words in (
        ("context", ("Sample.Periodic", "Trigger", "Transaction.Begin", "Sample.Clock")),
        ("location", ("Outlet", "Inlet", "Body")),
        ("phase", ("L1", "L2", "N")),
        ("format", ("Raw", "Raw", "Raw", "SignedData")),
    ):
        if chance.random() < 0.15:
            told[name] = chance.choice(words)
    return {key: inner for key, inner in told.items() if key == "value" or chance.random() > 0.03}


def _status(chance: Random, _transaction: int, _register: int, at: str) -> tuple[str, Any]:
    told = {
        "connectorId": chance.choice((1, 1, 2, 0)),
        "errorCode": "NoError",
        "status": chance.choice(("Charging", "SuspendedEV")),
    }
    return "StatusNotification", {**told, "timestamp": at} if chance.random() < 0.5 else told


def _beat(_chance: Random, _transaction: int, _register: int, _at: str) -> tuple[str, Any]:
    return "Heartbeat", {}


def mutated(chance: Random, value: Any) -> Any:
    """A JSON value with something wrong somewhere in it, or not."""
    if chance.random() < 0.06:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        told = {key: mutated(chance, inner) for key, inner in value.items() if chance.random() > 0.03}
        return told if chance.random() > 0.03 else {**told, "extra": 1}
    return [mutated(chance, inner) for inner in value] if isinstance(value, list) else value
