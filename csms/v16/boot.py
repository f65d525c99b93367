"""A charger comes up, and says every few minutes that it is there (OCPP 1.6, 4.2 and 4.6)."""

from typing import Any

import structlog
from ocpp.v16.enums import RegistrationStatus  # type: ignore[import-untyped]

from csms.central import HEARTBEAT_S
from csms.clock import stamp
from csms.connection import Connection
from csms.protocol import Request
from csms.v16 import setup

log = structlog.get_logger()


async def boot_notification(charger: Connection, request: Request) -> dict[str, Any]:
    """Note what it is, and set it up once it has settled, unless it boots again and again (ocpp.md Q10).

    Durable with whoever else comes up: a boot that follows the handshake at once comes this way, too.
    """
    told = request.payload
    looping = await charger.central.boots_in_a_loop(charger.charger_id, request.received_at)
    await charger.central.boots.add(
        {
            "charger_id": charger.charger_id,
            "vendor": told.get("chargePointVendor", ""),
            "model": told.get("chargePointModel", ""),
            "serial": told.get("chargePointSerialNumber") or told.get("chargeBoxSerialNumber", ""),
            "firmware": told.get("firmwareVersion", ""),
            "at": request.received_at,
            "set_up_due": not looping,
        }
    )
    if looping:
        charger.leave_alone()
        log.warning("boot loop: the charger's set-up is left alone")
    else:
        charger.prepare(setup.after_boot)
    return {
        "currentTime": stamp(request.received_at),
        "interval": HEARTBEAT_S,
        "status": RegistrationStatus.accepted,
    }


async def heartbeat(charger: Connection, request: Request) -> dict[str, Any]:
    """Tell the time; that it was heard is noted for every frame."""
    setup.look_again(charger)
    return {"currentTime": stamp(request.received_at)}
