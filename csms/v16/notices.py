"""What chargers tell about themselves: the state of a connector, of a firmware update, of their diagnostics."""

from typing import Any

from ocpp.v16.enums import ChargePointErrorCode, DataTransferStatus, GenericStatus  # type: ignore[import-untyped]

from csms.clock import parsed
from csms.connection import Connection
from csms.protocol import Request
from csms.v16.numbers import connector
from domain import connectors, safety
from domain.db import transact

CSR = ("-----BEGIN CERTIFICATE REQUEST-----", "-----BEGIN NEW CERTIFICATE REQUEST-----")
"""How a request for a certificate begins in PEM, the form that the white paper asks for; the second is what older tools
write (RFC 7468, section 7)."""


async def status_notification(charger: Connection, request: Request) -> dict[str, Any]:
    """Store a connector's state; connectors come into being as they are reported (ocpp.md Q26, Q44)."""
    told = request.payload
    number = connector(told)
    if number is None or "status" not in told:
        request.repairs.append("names no connector or no status, not stored")
        return {}
    # Chargers that leave the time out mean now; only a time that is given can be wrong.
    given = told.get("timestamp")
    at = charger.clock.at(given, request.received_at, request.repairs) if parsed(given) else None
    await transact(
        connectors.status,
        charger.charger_id,
        connector_number=number,
        status=told["status"],
        error_code=told.get("errorCode", ChargePointErrorCode.no_error),
        info=told.get("info", ""),
        at=at,
        received_at=request.received_at,
    )
    return {}


async def acknowledged(_charger: Connection, _request: Request) -> dict[str, Any]:
    """Firmware, diagnostics and logs: the journal is their record."""
    return {}


async def security_event(charger: Connection, request: Request) -> dict[str, Any]:
    """Keep what it reports of its safety; these are queued while offline, like transactions (white paper, A04)."""
    told = request.payload
    await transact(
        safety.report,
        charger.charger_id,
        kind=told.get("type", "Unknown"),
        detail=told.get("techInfo", ""),
        at=charger.clock.at(told.get("timestamp"), request.received_at, request.repairs, queued=True),
        received_at=request.received_at,
    )
    return {}


async def sign_certificate(charger: Connection, request: Request) -> dict[str, Any]:
    """Pass a request for a certificate on to the operator, whose CA is not here (white paper, A02)."""
    csr = request.payload["csr"]
    if not csr.strip().startswith(CSR):
        return {"status": GenericStatus.rejected}
    await transact(safety.certificate_wanted, charger.charger_id, csr)
    return {"status": GenericStatus.accepted}


async def data_transfer(_charger: Connection, _request: Request) -> dict[str, Any]:
    """No vendor's own messages are understood here (OCPP 1.6, 4.3)."""
    return {"status": DataTransferStatus.unknown_vendor_id}
