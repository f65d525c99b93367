"""The messages that are measured, as a charger writes them, masked with zeros, which is a mask like any other."""

from datetime import UTC, datetime

_SAMPLES = (
    '{{"value":"{wh}","context":"Sample.Periodic","format":"Raw","measurand":"Energy.Active.Import.Register",'
    '"location":"Outlet","unit":"Wh"}},'
    '{{"value":"7362.4","context":"Sample.Periodic","format":"Raw","measurand":"Power.Active.Import","unit":"W"}},'
    '{{"value":"31.96","context":"Sample.Periodic","format":"Raw","measurand":"Current.Import","unit":"A"}},'
    '{{"value":"230.4","context":"Sample.Periodic","format":"Raw","measurand":"Voltage","unit":"V"}},'
    '{{"value":"54","context":"Sample.Periodic","measurand":"SoC","location":"EV","unit":"Percent"}},'
    '{{"value":"38.1","context":"Sample.Periodic","measurand":"Temperature","location":"Body","unit":"Celsius"}}'
)
_METER_VALUES = (
    '[2,"{id:0>36}","MeterValues",{{"connectorId":1,"transactionId":{transaction},"meterValue":[{{"timestamp":"{at}",'
    f'"sampledValue":[{_SAMPLES}]}}}}]}}}}]'
)
_OTHERS = {
    "BootNotification": '{"chargePointVendor":"Bench","chargePointModel":"One","firmwareVersion":"1.2.3"}',
    "Heartbeat": "{}",
    "StatusNotification": '{"connectorId":1,"errorCode":"NoError","status":"Charging"}',
    "FirmwareStatusNotification": '{"status":"Idle"}',
    "Authorize": '{"idTag":"CARD0001"}',
}

MIXED = (
    *("MeterValues",) * 7,
    "Heartbeat",
    *("MeterValues",) * 6,
    "StatusNotification",
    "Heartbeat",
    *("MeterValues",) * 3,
    "FirmwareStatusNotification",
)
"""Twenty messages of a charger that charges: mostly samples."""


def written(action: str, id_: str, *, transaction: int = 1, register_wh: int = 0) -> bytes:
    """One CALL as its payload bytes; MeterValues has six samples and about 780 bytes."""
    if action == "MeterValues":
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return _METER_VALUES.format(id=id_, transaction=transaction, at=at, wh=register_wh).encode()
    return f'[2,"{id_:0>36}","{action}",{_OTHERS[action]}]'.encode()


def masked(payload: bytes, opcode: int = 1) -> bytes:
    """A client's frame."""
    length = len(payload)
    size = bytes((0x80 | length,)) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
    return bytes((0x80 | opcode,)) + size + b"\0\0\0\0" + payload


COMPRESSED = 0x40
"""The bit beside an opcode that says so (RFC 7692, 7.2.3.1)."""


def unframed(data: bytearray) -> tuple[int, bytes] | None:
    """Take one frame of a server from the front of `data`: its opcode, with COMPRESSED where it is, and its payload;
    None while it is incomplete."""
    if len(data) < 2:
        return None
    length, start = data[1], 2
    if length >= 126:
        start = 4 if length == 126 else 10
        length = int.from_bytes(data[2:start], "big")
    if len(data) < start + length:
        return None
    frame = data[0] & (COMPRESSED | 0x0F), bytes(data[start : start + length])
    del data[: start + length]
    return frame
